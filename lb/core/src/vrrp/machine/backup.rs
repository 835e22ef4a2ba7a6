//! Backup: listen, and take over when there is nobody, or nobody who can serve.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::action::{Action, Actions, Reason, Record, State};
use super::super::event::Heard;
use super::super::settings::Preempt;
use super::super::{AdvertInterval, Priority, timers};
use super::{Machine, Phase};

#[derive(Clone, Debug)]
pub(super) struct Backup {
    /// Of the Active router, if one was heard.
    interval: AdvertInterval,
    armed_at: Instant,
    wait: Wait,
    /// Since when an Active router with a lower priority has been heard.
    lower_since: Option<Instant>,
    /// The timer has expired and the group has not.
    ready: bool,
    probe: Probe,
}

/// Whether the network was asked who has the addresses, before the timer expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    NotYet,
    Sent,
    /// Somebody has: one more interval.
    Answered,
}

/// What the timer runs for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    ActiveDown,
    /// We know why the addresses need somebody; the better priorities try first.
    Skew(Reason),
    /// We could not run: what should have reached us may still come.
    Listen,
}

impl Backup {
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// For the group; the timer, which has expired, counts.
    pub(super) fn wait_no_longer(&mut self) {
        self.ready = false;
    }

    pub(super) fn forget_lower(&mut self) {
        self.lower_since = None;
    }

    /// Now that we cannot serve either, nothing is gained by taking over from one that cannot.
    pub(super) fn forget_unable(&mut self, now: Instant, out: &mut Actions) {
        if let Wait::Skew(Reason::ActiveUnable { .. }) = self.wait {
            self.arm(now, Wait::ActiveDown);
            if std::mem::take(&mut self.ready) {
                out.push(Action::Ready(false));
            }
        }
    }

    /// For a timer that runs already, too, unless an Active router told its own.
    pub(super) fn set_interval(&mut self, interval: AdvertInterval) {
        self.interval = interval;
    }

    fn arm(&mut self, now: Instant, wait: Wait) {
        self.armed_at = now;
        self.wait = wait;
        self.probe = Probe::NotYet;
    }
}

impl Machine {
    pub(super) fn enter_backup(
        &mut self,
        now: Instant,
        interval: AdvertInterval,
        reason: Reason,
        out: &mut Actions,
    ) {
        let wait = Wait::ActiveDown;
        let (lower_since, ready, probe) = (None, false, Probe::NotYet);
        self.phase = Phase::Backup(Backup { interval, armed_at: now, wait, lower_since, ready, probe });
        out.notify(State::Backup, reason);
    }

    /// When the timer expires, or there is something to do before it does.
    pub(super) fn backup_wakes(&self, backup: &Backup) -> Option<Instant> {
        let deadline = self.backup_deadline(backup)?;
        Some(self.probe_at(backup, deadline).unwrap_or(deadline))
    }

    /// Half an interval before a take-over that nobody announced: on a local network the answer takes less.
    fn probe_at(&self, backup: &Backup, deadline: Instant) -> Option<Instant> {
        let silent = self.peers.active.is_some_and(|peer| peer.heard_at <= backup.armed_at);
        let unplanned = matches!(backup.wait, Wait::ActiveDown) && silent;
        (unplanned && backup.probe == Probe::NotYet).then(|| deadline - backup.interval.get() / 2)
    }

    /// Computed when asked: a change of priority shifts a running timer by the difference.
    pub(super) fn backup_deadline(&self, backup: &Backup) -> Option<Instant> {
        let interval = backup.interval;
        let wait = match backup.wait {
            Wait::ActiveDown if backup.probe == Probe::Answered => {
                self.active_down(interval) + interval.get()
            }
            Wait::ActiveDown => self.active_down(interval),
            Wait::Skew(_) => self.skew(interval),
            Wait::Listen => interval.get() * 3 / 2,
        };
        (!backup.ready).then(|| backup.armed_at + wait)
    }

    /// 6.4.2.
    pub(super) fn advert_in_backup(&mut self, now: Instant, heard: &Heard, out: &mut Actions) {
        let Some(theirs) = heard.priority else {
            return self.hurry(now, Reason::ActiveReleased { source: heard.source });
        };
        let ours = self.priority();
        // Whatever the preempt setting, and without waiting for its timer: the service is down.
        if !theirs.is_able() && ours.is_able() {
            return self.hurry(now, Reason::ActiveUnable { source: heard.source, priority: theirs });
        }
        let preempts = theirs < ours && self.preempts(now, heard.source, theirs, out);
        let Phase::Backup(backup) = &mut self.phase else {
            return;
        };
        if theirs >= ours {
            backup.lower_since = None;
        }
        if preempts {
            // Discarded: the timer runs on.
            return;
        }
        backup.interval = heard.interval;
        backup.arm(now, Wait::ActiveDown);
        if std::mem::take(&mut backup.ready) {
            out.push(Action::Ready(false));
        }
    }

    /// Whether an Active router with a lower priority is not to be respected.
    fn preempts(&mut self, now: Instant, source: IpAddr, theirs: Priority, out: &mut Actions) -> bool {
        let ours = self.priority();
        let Phase::Backup(backup) = &mut self.phase else {
            return false;
        };
        // Of routers that cannot serve, the one that has the addresses keeps them.
        if self.held || !ours.is_able() {
            return false;
        }
        if ours == Priority::OWNER {
            return true;
        }
        match self.settings.preempt {
            Preempt::Never => false,
            Preempt::AtOnce => true,
            Preempt::After(delay) => {
                if backup.lower_since.is_none() {
                    out.record(Record::PreemptWaits { source, theirs, delay });
                }
                let since = *backup.lower_since.get_or_insert(now);
                now.saturating_duration_since(since) >= delay
            }
        }
    }

    /// Take over after the skew time, unless the timer expires before that.
    fn hurry(&mut self, now: Instant, reason: Reason) {
        let Phase::Backup(backup) = &self.phase else {
            return;
        };
        let soon = now + self.skew(backup.interval);
        let is_sooner = self.backup_deadline(backup).is_some_and(|deadline| soon < deadline);
        if is_sooner && let Phase::Backup(backup) = &mut self.phase {
            backup.arm(now, Wait::Skew(reason));
        }
    }

    /// 6.4.2, Active_Down_Timer.
    pub(super) fn backup_timer(&mut self, now: Instant, out: &mut Actions) {
        let Phase::Backup(backup) = &self.phase else {
            return;
        };
        let Some(deadline) = self.backup_deadline(backup) else {
            return;
        };
        if now < deadline {
            let due = self.probe_at(backup, deadline).is_some_and(|at| at <= now);
            if due && let Phase::Backup(backup) = &mut self.phase {
                backup.probe = Probe::Sent;
                out.push(Action::Probe);
            }
            return;
        }
        let late = now - deadline;
        let (interval, wait) = (backup.interval.get(), backup.wait);
        let reason = self.take_over_reason(backup, now);
        let Phase::Backup(backup) = &mut self.phase else {
            return;
        };
        if late > interval && !matches!(wait, Wait::Listen) {
            // It is us who could not run; the Active router may be well.
            out.record(Record::TimerLate { by: late });
            backup.arm(now, Wait::Listen);
        } else {
            self.take_over(now, reason, out);
        }
    }

    pub(super) fn answered(&mut self, address: IpAddr, out: &mut Actions) {
        if let Phase::Backup(backup) = &mut self.phase
            && backup.probe == Probe::Sent
        {
            backup.probe = Probe::Answered;
            out.record(Record::AddressAnswered { address });
        }
    }

    pub(super) fn group_ready(&mut self, now: Instant, out: &mut Actions) {
        if let Phase::Backup(backup) = &self.phase
            && backup.ready
        {
            let reason = self.take_over_reason(backup, now);
            self.become_active(now, reason, out);
        }
    }

    fn take_over_reason(&self, backup: &Backup, now: Instant) -> Reason {
        match (backup.wait, self.peers.active) {
            (Wait::Skew(reason), _) => reason,
            (Wait::ActiveDown | Wait::Listen, None) => Reason::NobodyActive,
            // Heard and discarded while the timer ran on.
            (Wait::ActiveDown | Wait::Listen, Some(peer)) if peer.heard_at > backup.armed_at => {
                Reason::Preempted { source: peer.source, priority: peer.priority }
            }
            (Wait::ActiveDown | Wait::Listen, Some(peer)) => {
                let silent = now.saturating_duration_since(peer.heard_at);
                Reason::ActiveSilent { source: peer.source, silent }
            }
        }
    }

    pub(super) fn take(&mut self, now: Instant, out: &mut Actions) {
        let better = self.peers.active.filter(|peer| {
            now <= peer.heard_at + self.active_down(peer.interval)
                && self.is_outranked(peer.source, peer.priority)
        });
        let Phase::Backup(backup) = &mut self.phase else {
            return out.record(Record::CommandIgnored);
        };
        self.held = false;
        if let Some(peer) = better {
            return out.record(Record::TakeRefused { source: peer.source, theirs: peer.priority });
        }
        // For the group, which asks for the reason later.
        backup.arm(now, Wait::Skew(Reason::Taken));
        self.take_over(now, Reason::Taken, out);
    }

    /// Alone, or when the whole group can.
    fn take_over(&mut self, now: Instant, reason: Reason, out: &mut Actions) {
        match &mut self.phase {
            Phase::Backup(backup) if self.settings.grouped => {
                backup.ready = true;
                out.push(Action::Ready(true));
            }
            Phase::Initialize | Phase::Backup(_) | Phase::Active(_) | Phase::Fault(_) => {
                self.become_active(now, reason, out);
            }
        }
    }

    pub(super) fn peer_gone(&mut self, now: Instant, source: IpAddr) {
        if self.peers.active.is_some_and(|peer| peer.source == source) {
            self.peers.active = None;
            self.hurry(now, Reason::ActiveGone { source });
        }
    }

    pub(super) fn active_down(&self, interval: AdvertInterval) -> Duration {
        let Self { settings, .. } = self;
        timers::active_down(settings.version, interval, self.priority(), settings.down_adverts)
    }

    /// 6.4.3: a higher priority, or an equal one and a greater address, compared as unsigned numbers.
    pub(super) fn is_outranked(&self, source: IpAddr, theirs: Priority) -> bool {
        let ours = self.priority();
        theirs > ours || theirs == ours && source > self.settings.source
    }
}
