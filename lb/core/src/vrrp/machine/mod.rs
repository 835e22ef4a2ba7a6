//! The state machine of one virtual router, RFC 9568 6.4.
//!
//! ```text
//!                      +--------------+
//!           +--------->|  Initialize  |<----------+            from every state: link down, not eligible,
//!           | Shutdown +--+--------+--+  Shutdown |            a failed install, a group member at fault
//!           |     owner   |        |  others      |                            |
//!           |     +-------+        +--------+     |                            v
//!           |     v                         v     |                     +-------------+
//!        +--+---------+   timer expires   +-+-----+----+   no fault     |    Fault    |
//!        |   Active   |<------------------+   Backup   |<---------------+  (reason)   |
//!        |            +------------------>|            |                +-------------+
//!        +------------+ better advert     +------------+
//! ```
//! It goes beyond the RFC where that leaves a service without a server: a router that says by its priority that
//! it [cannot serve](super::Eligibility) is replaced by one that can, whatever the preempt setting; of routers
//! that cannot, the one that has the addresses keeps them; a router that could not run for so long that it may
//! have been replaced listens before it speaks; addresses are announced only once they are installed.

mod active;
mod backup;
mod peers;
mod reconfigure;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use self::active::Active;
use self::backup::Backup;
use self::peers::Peers;
use super::action::{Action, Actions, FaultReason, Reason, Record, State, Term};
use super::event::Event;
use super::settings::{Eligibility, Settings};
use super::{Priority, timers};

/// First pause after a failed install; doubled with each failure, up to [`MOST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
const MOST_RETRY: Duration = Duration::from_secs(32);

/// One virtual router on one host. It has no clock: it is told the time with every event, never earlier than
/// the time before.
#[derive(Clone, Debug)]
pub struct Machine {
    settings: Settings,
    eligibility: Eligibility,
    /// Configured and weighted, before eligibility.
    base: Priority,
    link_up: bool,
    group_fault: bool,
    /// When the next install may be tried, after one that failed.
    retry_at: Option<Instant>,
    failed_installs: u32,
    /// The operator released the addresses; no preemption until they are taken back.
    held: bool,
    term: Term,
    peers: Peers,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Initialize,
    Backup(Backup),
    Active(Active),
    Fault(FaultReason),
}

impl Machine {
    /// In Initialize; the interface is taken to be up and the host to be able to serve.
    pub fn new(settings: Settings) -> Self {
        Self {
            base: settings.priority,
            settings,
            eligibility: Eligibility::Full,
            link_up: true,
            group_fault: false,
            retry_at: None,
            failed_installs: 0,
            held: false,
            term: Term::default(),
            peers: Peers::default(),
            phase: Phase::Initialize,
        }
    }

    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Initialize => State::Initialize,
            Phase::Backup(_) => State::Backup,
            Phase::Active(_) => State::Active,
            Phase::Fault(reason) => State::Fault(*reason),
        }
    }

    /// What we advertise, or would.
    pub fn priority(&self) -> Priority {
        self.eligibility.priority(self.base)
    }

    /// Whether an operator's release keeps us from preempting.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// The router that said last that it is Active, its priority, and when it said so.
    pub fn active_peer(&self) -> Option<(IpAddr, Priority, Instant)> {
        self.peers.active.map(|peer| (peer.source, peer.priority, peer.heard_at))
    }

    /// Whether another member of its group is at fault, as far as it was told.
    pub fn has_group_fault(&self) -> bool {
        self.group_fault
    }

    /// Whether it would take over, and waits for the other members of its group.
    pub fn waits_for_group(&self) -> bool {
        matches!(&self.phase, Phase::Backup(backup) if backup.is_ready())
    }

    /// When [`Event::TimerExpired`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Initialize => None,
            Phase::Backup(backup) => self.backup_wakes(backup),
            Phase::Active(active) => Some(active.next_deadline()),
            Phase::Fault(FaultReason::AddressInstallFailed) => self.retry_at,
            Phase::Fault(
                FaultReason::InterfaceDown | FaultReason::NotEligible | FaultReason::GroupMember,
            ) => None,
        }
    }

    pub fn on_event(&mut self, now: Instant, event: Event) -> Actions {
        let mut out = Actions::default();
        // Whatever wakes us: an Active that slept may have been replaced.
        self.notice_stall(now, &mut out);
        match event {
            Event::Startup => self.startup(now, &mut out),
            Event::Shutdown => self.shutdown(&mut out),
            Event::AdvertReceived(heard) => {
                if self.is_worth_hearing(&heard, now, &mut out) {
                    match &self.phase {
                        Phase::Backup(_) => self.advert_in_backup(now, &heard, &mut out),
                        Phase::Active(_) => self.advert_in_active(now, &heard, &mut out),
                        Phase::Initialize | Phase::Fault(_) => {}
                    }
                }
            }
            Event::TimerExpired => match &self.phase {
                Phase::Backup(_) => self.backup_timer(now, &mut out),
                Phase::Active(_) => self.active_timer(now, &mut out),
                Phase::Fault(_) => self.settle(now, &mut out),
                Phase::Initialize => {}
            },
            Event::LinkUp => {
                let was_up = std::mem::replace(&mut self.link_up, true);
                if !was_up {
                    self.settle(now, &mut out);
                }
            }
            Event::LinkDown => {
                self.link_up = false;
                self.settle(now, &mut out);
            }
            Event::LinkChanged => self.link_changed(now, &mut out),
            Event::AddressesInstalled(term) => self.installed(now, term, &mut out),
            Event::AddressesFailed(term) => self.install_failed(now, term, &mut out),
            Event::AddressLost => self.address_lost(&mut out),
            Event::AddressAnswered(address) => self.answered(address, &mut out),
            Event::Withdrawn => {
                if let Phase::Active(_) = &self.phase {
                    self.give_way(now, self.settings.interval, Reason::Withdrawn, &mut out);
                }
            }
            Event::ConflictSeen(address) => self.conflict(now, address, &mut out),
            Event::EligibilityChanged { eligibility, priority } => {
                self.eligibility_changed(now, eligibility, priority, &mut out);
            }
            Event::Release => self.release(now, &mut out),
            Event::Take => self.take(now, &mut out),
            Event::PeerGone(source) => self.peer_gone(now, source),
            Event::GroupReady => self.group_ready(now, &mut out),
            Event::GroupYields => {
                if let Phase::Active(_) = &self.phase {
                    self.step_down(now, Reason::Group, &mut out);
                }
            }
            Event::GroupFault(fault) => {
                self.group_fault = fault;
                self.settle(now, &mut out);
            }
        }
        out
    }

    /// 6.4.1.
    fn startup(&mut self, now: Instant, out: &mut Actions) {
        let Phase::Initialize = self.phase else {
            return;
        };
        // Left over from a run that ended without letting go.
        out.push(Action::RemoveAddresses);
        self.begin(now, Reason::Started, out);
    }

    /// 6.4.2 and 6.4.3.
    fn shutdown(&mut self, out: &mut Actions) {
        if let Phase::Initialize = self.phase {
            return;
        }
        self.let_go(out);
        self.phase = Phase::Initialize;
        self.held = false;
        out.notify(State::Initialize, Reason::Shutdown);
    }

    fn begin(&mut self, now: Instant, reason: Reason, out: &mut Actions) {
        if let Some(fault) = self.fault(now) {
            self.enter_fault(fault, out);
        } else if self.priority() == Priority::OWNER && !self.settings.grouped && !self.held {
            self.become_active(now, Reason::Owner, out);
        } else {
            self.enter_backup(now, self.settings.interval, reason, out);
        }
    }

    /// What keeps us from taking part, the gravest first.
    fn fault(&mut self, now: Instant) -> Option<FaultReason> {
        self.retry_at = self.retry_at.filter(|&at| now < at);
        if !self.link_up {
            Some(FaultReason::InterfaceDown)
        } else if self.eligibility == Eligibility::Barred {
            Some(FaultReason::NotEligible)
        } else if self.group_fault {
            Some(FaultReason::GroupMember)
        } else {
            self.retry_at.map(|_| FaultReason::AddressInstallFailed)
        }
    }

    /// Enters, leaves or renames Fault, after something that may have changed it.
    fn settle(&mut self, now: Instant, out: &mut Actions) {
        let fault = self.fault(now);
        match (&self.phase, fault) {
            (Phase::Initialize, _) | (Phase::Backup(_) | Phase::Active(_), None) => {}
            (Phase::Fault(current), Some(fault)) if *current == fault => {}
            (Phase::Backup(_) | Phase::Active(_) | Phase::Fault(_), Some(fault)) => {
                // Over a failed link it may still arrive, and then the peer need not wait.
                self.let_go(out);
                self.enter_fault(fault, out);
            }
            (Phase::Fault(_), None) => self.begin(now, Reason::Recovered, out),
        }
    }

    fn enter_fault(&mut self, fault: FaultReason, out: &mut Actions) {
        self.phase = Phase::Fault(fault);
        out.notify(State::Fault(fault), Reason::Fault(fault));
    }

    fn eligibility_changed(
        &mut self,
        now: Instant,
        eligibility: Eligibility,
        base: Priority,
        out: &mut Actions,
    ) {
        let before = (self.eligibility, self.priority());
        self.eligibility = eligibility;
        self.base = base;
        let priority = self.priority();
        if (eligibility, priority) == before {
            return;
        }
        out.record(Record::PriorityChanged { eligibility, priority });
        self.settle(now, out);
        match &mut self.phase {
            // At once: a peer that can serve should not wait for the next one.
            Phase::Active(active) if priority != before.1 => {
                active.advertise(now, &self.settings, priority, out)
            }
            Phase::Backup(backup) if priority < before.1 => {
                // The time for which we have been no worse starts anew.
                backup.forget_lower();
                if !priority.is_able() {
                    backup.forget_unable(now, out);
                }
            }
            Phase::Initialize | Phase::Backup(_) | Phase::Active(_) | Phase::Fault(_) => {}
        }
    }

    fn release(&mut self, now: Instant, out: &mut Actions) {
        match &self.phase {
            Phase::Active(_) => {
                self.held = true;
                out.record(Record::Held);
                self.step_down(now, Reason::Released, out);
            }
            Phase::Backup(_) if !self.held => {
                self.held = true;
                out.record(Record::Held);
            }
            Phase::Initialize | Phase::Backup(_) | Phase::Fault(_) => out.record(Record::CommandIgnored),
        }
    }

    /// Active to Backup of our own accord.
    fn step_down(&mut self, now: Instant, reason: Reason, out: &mut Actions) {
        self.let_go(out);
        self.enter_backup(now, self.settings.interval, reason, out);
    }

    fn skew(&self, interval: super::AdvertInterval) -> Duration {
        timers::skew(self.settings.version, interval, self.priority())
    }
}
