//! What a virtual router wants done, and what it tells.

use std::net::IpAddr;
use std::time::Duration;

use super::{Eligibility, Priority};

/// Which attempt to install the addresses: a late answer to an earlier one is known by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(u64);

impl Term {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// RFC 9568 6.4, and Fault as keepalived has it: the router takes no part, for a reason that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Initialize,
    Backup,
    Active,
    Fault(FaultReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultReason {
    InterfaceDown,
    /// [`Eligibility::Barred`].
    NotEligible,
    GroupMember,
    /// Tried again after a while.
    AddressInstallFailed,
}

/// One thing to do. The order among the actions of one event matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `None`: priority 0.
    SendAdvert { priority: Option<Priority> },
    /// To be answered by [`AddressesInstalled`](super::Event::AddressesInstalled) or
    /// [`AddressesFailed`](super::Event::AddressesFailed).
    InstallAddresses(Term),
    /// Whether they are there or not.
    RemoveAddresses,
    /// A burst of gratuitous ARP and unsolicited neighbour advertisements for every address.
    Announce(AnnounceReason),
    /// Ask the network who has the addresses (RFC 5227), to be answered by
    /// [`AddressAnswered`](super::Event::AddressAnswered) if anybody has. Without an answer nothing is lost.
    Probe,
    /// The state is another, or there is another reason for it.
    Notify { state: State, reason: Reason },
    /// For the [`Group`](super::Group): whether this member would take over.
    Ready(bool),
    /// For the flight recorder.
    Record(Record),
}

/// What one event came to, in order.
#[must_use = "a decision that nobody carries out is a wrong state"]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(Vec<Action>);

impl Actions {
    pub fn as_slice(&self) -> &[Action] {
        &self.0
    }

    pub(super) fn push(&mut self, action: Action) {
        self.0.push(action);
    }

    pub(super) fn send(&mut self, priority: Option<Priority>) {
        self.push(Action::SendAdvert { priority });
    }

    pub(super) fn notify(&mut self, state: State, reason: Reason) {
        self.push(Action::Notify { state, reason });
    }

    pub(super) fn record(&mut self, record: Record) {
        self.push(Action::Record(record));
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = std::vec::IntoIter<Action>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnounceReason {
    TookOver,
    /// As [`AnnounceAgain`](super::AnnounceAgain) says.
    Again,
    LinkChanged,
    /// Another router or host claimed the address; whoever believed it must be told.
    Contested,
    /// We could not run for a while.
    Stalled,
}

/// Why a state was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Started,
    Shutdown,
    /// The addresses are this interface's own.
    Owner,
    /// No Active router was heard since we began to listen.
    NobodyActive,
    ActiveSilent {
        source: IpAddr,
        silent: Duration,
    },
    /// It sent priority 0.
    ActiveReleased {
        source: IpAddr,
    },
    /// It says that it cannot serve, and we can.
    ActiveUnable {
        source: IpAddr,
        priority: Priority,
    },
    /// [`PeerGone`](super::Event::PeerGone).
    ActiveGone {
        source: IpAddr,
    },
    /// We took over from a router with a lower priority.
    Preempted {
        source: IpAddr,
        priority: Priority,
    },
    /// A router with a higher priority, or an equal one and a greater address, is Active too.
    Outranked {
        source: IpAddr,
        priority: Priority,
    },
    /// It took over while we could not run, and we do not preempt.
    ReplacedWhileStalled {
        source: IpAddr,
        priority: Priority,
    },
    /// [`Withdrawn`](super::Event::Withdrawn).
    Withdrawn,
    /// The operator's wish.
    Released,
    Taken,
    Group,
    Fault(FaultReason),
    /// No fault is left.
    Recovered,
}

/// Worth remembering, and of no effect on anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The inputs of a decision between us and another Active router.
    Election {
        source: IpAddr,
        theirs: Priority,
        ours: Priority,
        won: bool,
    },
    /// We have been Active for longer than the other could fail to notice, and it is Active too. To be counted.
    SplitBrain {
        source: IpAddr,
    },
    /// Two routers say that the addresses are their own. To be counted.
    TwoOwners {
        source: IpAddr,
    },
    /// What the Active router sent, or should have sent, did not arrive.
    AdvertsMissed {
        source: IpAddr,
        count: u32,
    },
    /// Its list of addresses is not ours: the configurations differ.
    AddressesDiffer {
        source: IpAddr,
    },
    /// Its interval is not ours: the configurations differ.
    IntervalDiffers {
        source: IpAddr,
        theirs: Duration,
    },
    /// Our own advertisement came back, or somebody else has our address.
    OwnAddressHeard,
    /// We could not run for so long after a deadline; so we listen first.
    TimerLate {
        by: Duration,
    },
    PriorityChanged {
        eligibility: Eligibility,
        priority: Priority,
    },
    /// A router with a lower priority is Active; we take over after the delay.
    PreemptWaits {
        source: IpAddr,
        theirs: Priority,
        delay: Duration,
    },
    /// Until the operator takes the addresses back, or nobody else has them.
    Held,
    /// The Active router would win; it has to release.
    TakeRefused {
        source: IpAddr,
        theirs: Priority,
    },
    /// Not in this state.
    CommandIgnored,
    AddressLost,
    /// The Active router is silent, and yet somebody has the address: its advertisements do not come through, or it
    /// hangs. It gets one more interval.
    AddressAnswered {
        address: IpAddr,
    },
    Conflict {
        address: IpAddr,
    },
    InstallFailed {
        retry_after: Duration,
    },
}
