//! What machines decide, in words for people.

use std::time::Duration;

use lb_core::vrrp::{AnnounceReason, FaultReason, Reason, Record};

use super::news::Kind;

/// A duration as people read it: `302 ms`, `3.6 s`.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.01 {
        format!("{:.2} ms", seconds * 1e3)
    } else if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    }
}

pub(super) fn reason(reason: Reason) -> String {
    match reason {
        Reason::Started => "started".to_owned(),
        Reason::Shutdown => "stopped".to_owned(),
        Reason::Owner => "owner of the addresses (priority 255)".to_owned(),
        Reason::NobodyActive => "no other router was heard".to_owned(),
        Reason::ActiveSilent { source, silent } => {
            format!("{source} was active and is silent since {}", time(silent))
        }
        Reason::ActiveReleased { source } => format!("{source} let go"),
        Reason::ActiveUnable { source, priority } => {
            format!("{source} says that it cannot serve (priority {priority})")
        }
        Reason::ActiveGone { source } => format!("{source} is gone"),
        Reason::Preempted { source, priority } => format!("{source} has the lower priority {priority}"),
        Reason::Outranked { source, priority } => format!("{source} has the better priority {priority}"),
        Reason::ReplacedWhileStalled { source, priority } => {
            format!("{source} (priority {priority}) took over while this process could not run")
        }
        Reason::Withdrawn => "the guard let go, because this process gave no sign of life".to_owned(),
        Reason::Released => "released by the operator".to_owned(),
        Reason::Taken => "taken by the operator".to_owned(),
        Reason::Group => "another member of its group gave way".to_owned(),
        Reason::Fault(fault) => self::fault(fault).to_owned(),
        Reason::Recovered => "its fault is over".to_owned(),
    }
}

fn fault(fault: FaultReason) -> &'static str {
    match fault {
        FaultReason::InterfaceDown => "its interface cannot be used",
        FaultReason::NotEligible => "something that it tracks is not well",
        FaultReason::GroupMember => "another member of its group is at fault",
        FaultReason::AddressInstallFailed => "its addresses could not be installed",
    }
}

pub(super) fn announcement(reason: AnnounceReason) -> &'static str {
    match reason {
        AnnounceReason::TookOver => "took over",
        AnnounceReason::Again => "once more",
        AnnounceReason::LinkChanged => "the link changed",
        AnnounceReason::Contested => "somebody else claimed them",
        AnnounceReason::Stalled => "this process could not run for a while",
    }
}

pub(super) fn record(record: Record) -> (Kind, String) {
    match record {
        Record::Election { source, theirs, ours, won } => {
            let outcome = if won { "ours stays" } else { "theirs wins" };
            (Kind::Election, format!("{source} is active with priority {theirs}, ours is {ours}: {outcome}"))
        }
        Record::SplitBrain { source } => (Kind::Election, format!("split brain: {source} is active as well")),
        Record::TwoOwners { source } => {
            (Kind::Election, format!("{source} says that it owns the addresses, too"))
        }
        Record::AdvertsMissed { source, count } => {
            (Kind::Adverts, format!("{count} advertisements of {source} did not come"))
        }
        Record::AddressesDiffer { source } => {
            (Kind::Adverts, format!("{source} has other addresses: the configurations differ"))
        }
        Record::IntervalDiffers { source, theirs } => {
            (Kind::Adverts, format!("{source} advertises every {}: the configurations differ", time(theirs)))
        }
        Record::OwnAddressHeard => (
            Kind::Adverts,
            "an advertisement came from our own address: a loop, or a second host has it".to_owned(),
        ),
        Record::TimerLate { by } => {
            (Kind::Daemon, format!("this process could not run for {}; listens first", time(by)))
        }
        Record::PriorityChanged { eligibility, priority } => (
            Kind::Priority,
            format!("priority {priority}, eligibility {}", format!("{eligibility:?}").to_lowercase()),
        ),
        Record::PreemptWaits { source, theirs, delay } => (
            Kind::Election,
            format!("{source} has the lower priority {theirs}; takes over after {}", time(delay)),
        ),
        Record::Held => (Kind::Command, "released: does not preempt until it is taken back".to_owned()),
        Record::TakeRefused { source, theirs } => {
            let text = format!(
                "take refused: {source} has priority {theirs} and would take it back; release it there"
            );
            (Kind::Command, text)
        }
        Record::CommandIgnored => (Kind::Command, "nothing to do in this state".to_owned()),
        Record::AddressLost => (Kind::Addresses, "somebody removed an address; it is put back".to_owned()),
        Record::AddressAnswered { address } => {
            let text = format!(
                "no advertisements, and yet somebody has {address}: they do not come through, or that host hangs; \
                 waits for one more"
            );
            (Kind::Announcement, text)
        }
        Record::Conflict { address } => (Kind::Announcement, format!("somebody else claims {address}")),
        Record::InstallFailed { retry_after } => (
            Kind::Addresses,
            format!("the addresses could not be installed; next attempt in {}", time(retry_after)),
        ),
    }
}
