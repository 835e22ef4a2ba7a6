//! What the user sends on a session that is up.

use super::event::{Down, NotSent};
use super::limits::after;
use super::state::State;
use super::timers::Timer;
use super::{Session, encode};
use crate::protocol::{Moment, Protocol};

impl<P: Protocol> Session<P> {
    /// How many more requests may be sent now; 0 unless it is up.
    #[must_use]
    pub fn free(&self) -> usize {
        if self.is_up() { self.window.free() } else { 0 }
    }

    /// A sequence for [`Session::request`]. It can be written down before anything is sent, and need not be used.
    #[must_use]
    pub fn reserve(&self, now: Moment) -> P::Sequence {
        P::sequence(self.numbers.next(), self.node, now.stamp)
    }

    /// Sends a request under a sequence of [`Session::reserve`], used once. It ends as
    /// [`Answered`](super::Event::Answered), as [`Unanswered`](super::Event::Unanswered), or is in
    /// [`Session::unanswered`] when the session is over.
    ///
    /// # Errors
    /// Nothing is sent: it is not up, or the window is full.
    pub fn request(&mut self, sequence: P::Sequence, pdu: P::Pdu, now: Moment) -> Result<(), NotSent> {
        self.tick(now);
        if !self.is_up() {
            return Err(NotSent::NotUp);
        }
        if self.window.free() == 0 {
            return Err(NotSent::WindowFull);
        }
        let bytes = encode::<P>(&mut self.output, self.version, sequence, &pdu);
        self.window.push(sequence, bytes, self.now.instant);
        Ok(())
    }

    /// Answers a [`Request`](super::Event::Request). Does nothing if no such request waits, or the session is over:
    /// the peer will ask again.
    pub fn respond(&mut self, sequence: P::Sequence, pdu: &P::Pdu) {
        match self.state {
            State::Up | State::Ending { .. } => {}
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => return,
            State::Ended { .. } | State::Over => return,
        }
        if !self.inbound.is_unanswered(sequence) {
            return;
        }
        let bytes = encode::<P>(&mut self.output, self.version, sequence, pdu);
        self.inbound.answered(sequence, bytes);
        self.active();
    }

    /// Leaves a [`Request`](super::Event::Request) without an answer for good, not to be answered later: its place in
    /// the peer's window is free here, and its repeats are dropped. For a peer's test.
    pub fn ignore(&mut self, sequence: P::Sequence) {
        self.inbound.ignore(sequence);
        self.active();
    }

    /// Ends the session: no new requests, and none is repeated. Answers still come until the peer has answered the
    /// TERMINATE, or [`Limits::answer`](super::Limits::answer) is over. Wait for [`Session::unanswered`] to be empty
    /// first, to leave nothing open. Before it is up it is over at once.
    pub fn terminate(&mut self, now: Moment) {
        self.tick(now);
        self.terminate_for(Down::Terminated);
    }

    /// Requests of ours whose fate is not known, those sent last at the end. The end of the session frees none.
    pub fn unanswered(&self) -> impl Iterator<Item = P::Sequence> {
        self.window.sequences()
    }

    pub(super) fn terminate_for(&mut self, why: Down) {
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.end(why),
            State::Up => {
                let sequence = self.reserve(self.now);
                self.send(sequence, &P::terminate());
                self.timers.stop_all();
                self.timers.set(Timer::End, after(self.now.instant, self.limits.answer));
                self.state = State::Ending { why };
            }
            State::Ending { .. } | State::Ended { .. } | State::Over => {}
        }
    }
}
