//! What a deadline that is over does.

use super::Session;
use super::event::{Down, Event};
use super::limits::after;
use super::state::State;
use super::timers::Timer;
use super::window::Expired;
use crate::protocol::Protocol;

/// The last probe of ours.
pub(super) struct Probe<S> {
    pub(super) sequence: S,
    tries: u8,
    /// The peer is there: it has answered, or sent something else.
    settled: bool,
}

impl<P: Protocol> Session<P> {
    /// The peer sent something.
    pub(super) fn heard(&mut self) {
        let idle = self.limits.idle.and_then(|idle| after(self.now.instant, idle));
        self.timers.set(Timer::Idle, idle);
        if let Some(probe) = &mut self.probe {
            probe.settled = true;
            self.timers.set(Timer::Probe, None);
        }
        self.active();
    }

    /// Something was to be done, so the silence that ends the session begins anew.
    pub(super) fn active(&mut self) {
        let end = self.limits.idle_end.and_then(|idle| after(self.now.instant, idle));
        self.timers.set(Timer::IdleEnd, end.filter(|_| self.is_up()));
    }

    pub(super) fn fired(&mut self, timer: Timer) {
        match timer {
            Timer::Login => self.end(Down::LoginTimeout),
            // One probe at a time; what settles it starts the timer again.
            Timer::Idle if self.probe.as_ref().is_some_and(|probe| !probe.settled) => {}
            Timer::Idle => {
                self.probe = Some(Probe { sequence: self.reserve(self.now), tries: 0, settled: false });
                self.send_probe();
            }
            Timer::Probe => self.send_probe(),
            // Whatever settles what is unanswered starts the timer again.
            Timer::IdleEnd if !self.window.is_empty() || !self.inbound.is_settled() => {}
            Timer::IdleEnd => self.terminate_for(Down::IdleEnd),
            Timer::End => self.end_as_meant(),
        }
    }

    /// A request of ours whose deadline is over. While ending they are left to [`Session::unanswered`].
    pub(super) fn expired(&mut self) -> Option<Event<P>> {
        if !self.is_up() {
            return None;
        }
        match self.window.expire(self.now.instant)? {
            Expired::Again { sequence, tries, bytes } => {
                self.output.back().extend_from_slice(bytes);
                Some(Event::Repeated { sequence, tries })
            }
            Expired::GivenUp { sequence } => {
                self.active();
                Some(Event::Unanswered { sequence })
            }
        }
    }

    /// Our TERMINATE was answered, or nobody will.
    pub(super) fn end_as_meant(&mut self) {
        match self.state {
            State::Ending { why } => self.end(why),
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => {}
            State::Up | State::Ended { .. } | State::Over => {}
        }
    }

    /// Sends the probe for the first time, again, or not any more.
    fn send_probe(&mut self) {
        let (Some(probe), Some(pdu)) = (&mut self.probe, P::probe()) else {
            return;
        };
        if probe.tries >= self.limits.tries.max(1) {
            return self.end(Down::ProbesUnanswered);
        }
        probe.tries += 1;
        let sequence = probe.sequence;
        self.send(sequence, &pdu);
        self.timers.set(Timer::Probe, after(self.now.instant, self.limits.answer));
    }
}
