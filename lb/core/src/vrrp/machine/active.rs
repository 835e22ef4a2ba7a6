//! Active: have the addresses, say so, and let go of them to a better router.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::action::{Action, Actions, AnnounceReason, FaultReason, Reason, Record, State, Term};
use super::super::event::Heard;
use super::super::settings::{Preempt, Settings};
use super::super::{AdvertInterval, Priority, timers};
use super::{FIRST_RETRY, MOST_RETRY, Machine, Phase};

/// Two who claim one address must not fill the network with it.
const CONTEST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Active {
    since: Instant,
    next_advert: Instant,
    /// We could not run and may have been replaced: say nothing before `next_advert`.
    listening: bool,
    /// Another router still has the addresses: it shall keep them until we have them and have announced them,
    /// so that there is always one.
    silent: bool,
    /// Announcements must not precede the addresses.
    installed: bool,
    announced_at: Option<Instant>,
    announce_next: Option<(Instant, AnnounceReason)>,
}

impl Active {
    pub(super) fn next_deadline(&self) -> Instant {
        match self.announce_next {
            Some((at, _)) if !self.listening => at.min(self.next_advert),
            Some(_) | None => self.next_advert,
        }
    }

    /// Now, and then an interval later, unless we have to listen first.
    pub(super) fn advertise(
        &mut self,
        now: Instant,
        settings: &Settings,
        priority: Priority,
        out: &mut Actions,
    ) {
        if !self.listening {
            self.silent = false;
            out.send(Some(priority));
            self.next_advert = now + settings.interval.get();
        }
    }

    /// Nothing is announced until the addresses are there again.
    pub(super) fn reinstall(&mut self) {
        self.installed = false;
        self.announce_next = None;
    }

    fn announce(&mut self, now: Instant, reason: AnnounceReason, settings: &Settings, out: &mut Actions) {
        out.push(Action::Announce(reason));
        self.announced_at = Some(now);
        let wait = match reason {
            AnnounceReason::TookOver => settings.announce.after.or(settings.announce.every),
            AnnounceReason::Again
            | AnnounceReason::LinkChanged
            | AnnounceReason::Contested
            | AnnounceReason::Stalled => settings.announce.every,
        };
        self.announce_next = wait.map(|wait| (now + wait, AnnounceReason::Again));
    }

    /// Now, or as soon as it is no nuisance.
    fn announce_contested(&mut self, now: Instant, settings: &Settings, out: &mut Actions) {
        if !self.installed {
            return;
        }
        match self.announced_at.map(|at| at + CONTEST_PAUSE) {
            Some(at) if now < at => {
                if self.announce_next.is_none_or(|(next, _)| at < next) {
                    self.announce_next = Some((at, AnnounceReason::Contested));
                }
            }
            Some(_) | None => self.announce(now, AnnounceReason::Contested, settings, out),
        }
    }
}

impl Machine {
    /// Advertise, install; announce when that has worked. Where another router lives and is to be replaced,
    /// advertise last.
    pub(super) fn become_active(&mut self, now: Instant, reason: Reason, out: &mut Actions) {
        self.held = false;
        self.term = self.term.next();
        let silent = replaces_a_living_router(reason);
        if !silent {
            out.send(Some(self.priority()));
        }
        out.push(Action::InstallAddresses(self.term));
        self.phase = Phase::Active(Active {
            since: now,
            next_advert: now + self.settings.interval.get(),
            listening: false,
            silent,
            installed: false,
            announced_at: None,
            announce_next: None,
        });
        out.notify(State::Active, reason);
    }

    /// Says so, unless nobody knows yet that we are Active: the router that we were about to replace lives.
    pub(super) fn let_go(&self, out: &mut Actions) {
        if let Phase::Active(active) = &self.phase {
            if !active.silent {
                out.send(None);
            }
            out.push(Action::RemoveAddresses);
        }
    }

    /// Without a word: the other router is Active already.
    pub(super) fn give_way(
        &mut self,
        now: Instant,
        interval: AdvertInterval,
        reason: Reason,
        out: &mut Actions,
    ) {
        out.push(Action::RemoveAddresses);
        self.enter_backup(now, interval, reason, out);
    }

    /// 6.4.3.
    pub(super) fn advert_in_active(&mut self, now: Instant, heard: &Heard, out: &mut Actions) {
        let (source, ours) = (heard.source, self.priority());
        let outranked = heard.priority.is_some_and(|theirs| self.is_outranked(source, theirs));
        let respects = self.respects_a_replacement();
        let Phase::Active(active) = &mut self.phase else {
            return;
        };
        let Some(theirs) = heard.priority else {
            // Whoever lets go has had them: nothing to listen for any more.
            active.listening = false;
            return active.advertise(now, &self.settings, ours, out);
        };
        let settled = now.saturating_duration_since(active.since) > self.settings.interval.get();
        if active.silent && !outranked {
            // It cannot know yet that we are Active.
            return;
        }
        out.record(Record::Election { source, theirs, ours, won: !outranked });
        if theirs == Priority::OWNER && ours == Priority::OWNER {
            out.record(Record::TwoOwners { source });
        }
        if outranked {
            if settled && !active.listening {
                // The last word. Without it a winner that never heard us would not know that there were two,
                // and would not announce the addresses afresh.
                out.send(Some(ours));
            }
            let reason = Reason::Outranked { source, priority: theirs };
            return self.give_way(now, heard.interval, reason, out);
        }
        if active.listening && respects && theirs.is_able() {
            let reason = Reason::ReplacedWhileStalled { source, priority: theirs };
            return self.give_way(now, heard.interval, reason, out);
        }
        if active.listening || settled {
            out.record(Record::SplitBrain { source });
        }
        // RFC 9568's own: assert at once that we are Active, towards the other and every learning bridge.
        if std::mem::take(&mut active.listening) {
            active.advertise(now, &self.settings, ours, out);
        } else {
            // The timer runs on.
            out.send(Some(ours));
        }
        active.announce_contested(now, &self.settings, out);
    }

    /// Whether a router that took over while we could not run may keep the addresses.
    fn respects_a_replacement(&self) -> bool {
        match self.settings.preempt {
            Preempt::AtOnce => !self.priority().is_able(),
            Preempt::Never | Preempt::After(_) => self.priority() != Priority::OWNER,
        }
    }

    /// An Active that did not advertise for longer than the best Backup waits may no longer be the only one.
    pub(super) fn notice_stall(&mut self, now: Instant, out: &mut Actions) {
        let Phase::Active(active) = &mut self.phase else {
            return;
        };
        let interval = self.settings.interval;
        let best = timers::skew(self.settings.version, interval, Priority::OWNER);
        let missed = interval.get() * (u32::from(self.settings.down_adverts.get()) - 1);
        if now > active.next_advert + missed + best {
            out.record(Record::TimerLate { by: now - active.next_advert });
            active.listening = true;
            active.next_advert = now + interval.get() * 3 / 2;
        }
    }

    pub(super) fn active_timer(&mut self, now: Instant, out: &mut Actions) {
        let priority = self.priority();
        let Phase::Active(active) = &mut self.phase else {
            return;
        };
        if active.next_advert <= now {
            let due = active.next_advert;
            let stalled = std::mem::take(&mut active.listening);
            active.advertise(now, &self.settings, priority, out);
            // Small delays must not add up, and great ones must not be followed by a burst.
            let (on_time, interval) = (due + self.settings.interval.get(), self.settings.interval.get());
            if !active.listening && on_time > now + interval / 2 {
                active.next_advert = on_time;
            }
            if stalled && active.installed {
                active.announce(now, AnnounceReason::Stalled, &self.settings, out);
            }
        }
        if let Some((at, reason)) = active.announce_next
            && at <= now
            && !active.listening
        {
            active.announce(now, reason, &self.settings, out);
        }
    }

    pub(super) fn installed(&mut self, now: Instant, term: Term, out: &mut Actions) {
        let priority = self.priority();
        if let Phase::Active(active) = &mut self.phase
            && term == self.term
            && !active.installed
        {
            active.installed = true;
            self.failed_installs = 0;
            if active.listening {
                // somebody else may have them; they are announced when that is known
                return;
            }
            active.announce(now, AnnounceReason::TookOver, &self.settings, out);
            if active.silent {
                active.advertise(now, &self.settings, priority, out);
            }
        }
    }

    pub(super) fn install_failed(&mut self, now: Instant, term: Term, out: &mut Actions) {
        if !matches!(self.phase, Phase::Active(_)) || term != self.term {
            return;
        }
        let retry_after = (FIRST_RETRY * 2_u32.pow(self.failed_installs.min(5))).min(MOST_RETRY);
        self.failed_installs += 1;
        self.retry_at = Some(now + retry_after);
        out.record(Record::InstallFailed { retry_after });
        self.let_go(out);
        self.enter_fault(FaultReason::AddressInstallFailed, out);
    }

    pub(super) fn address_lost(&mut self, out: &mut Actions) {
        if let Phase::Active(active) = &mut self.phase
            && active.installed
        {
            active.reinstall();
            self.term = self.term.next();
            out.record(Record::AddressLost);
            out.push(Action::InstallAddresses(self.term));
        }
    }

    pub(super) fn conflict(&mut self, now: Instant, address: IpAddr, out: &mut Actions) {
        if let Phase::Active(active) = &mut self.phase {
            out.record(Record::Conflict { address });
            if !active.listening {
                active.announce_contested(now, &self.settings, out);
            }
        }
    }

    pub(super) fn link_changed(&mut self, now: Instant, out: &mut Actions) {
        if let Phase::Active(active) = &mut self.phase
            && active.installed
            && !active.listening
        {
            active.announce(now, AnnounceReason::LinkChanged, &self.settings, out);
        }
    }
}

fn replaces_a_living_router(reason: Reason) -> bool {
    match reason {
        Reason::Preempted { .. } | Reason::ActiveUnable { .. } | Reason::Taken => true,
        Reason::Started
        | Reason::Shutdown
        | Reason::Owner
        | Reason::NobodyActive
        | Reason::ActiveSilent { .. }
        | Reason::ActiveReleased { .. }
        | Reason::ActiveGone { .. }
        | Reason::Outranked { .. }
        | Reason::ReplacedWhileStalled { .. }
        | Reason::Withdrawn
        | Reason::Released
        | Reason::Group
        | Reason::Fault(_)
        | Reason::Recovered => false,
    }
}
