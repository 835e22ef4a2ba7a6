//! Sessions without I/O: bytes and time in; bytes, events and the next deadline out.
//!
//! [`Session`] is one connection, seen from either end. Its driver owns the socket and the clock, and does this:
//!
//! 1. After [`Session::client`] or [`Session::server`], and after every call below that takes `&mut self`: call
//!    [`Session::poll`] until it returns `None`; then write [`Session::output`] and say how much went with
//!    [`Session::sent`].
//! 2. Wait for whichever is first: [`Session::deadline`], the socket being writable if there is output, bytes to read
//!    if [`Session::wants_input`] (given to [`Session::receive`]), or something to do: [`Session::request`] while
//!    [`Session::free`] is not 0 and not [`Session::has_backlog`], [`Session::respond`], [`Session::terminate`].
//! 3. After [`Event::Down`], or once the socket is closed: write what output is left, close, and ask
//!    [`Session::unanswered`] for the requests whose fate is not known.
//!
//! Time is what the driver says; a `now` before an earlier one is taken for that earlier one. Only
//! [`Moment::instant`] is waited by: a wall clock that jumps changes nothing but the stamps in logins and sequences.
//!
//! | module | what it is |
//! |---|---|
//! | [`Session`] | construction, bytes, time |
//! | `login`, `traffic` | what its user calls |
//! | `received`, `waits` | what a frame, and what a deadline does, in each `state` |
//! | `window`, `inbound`, `timers` | what is waited for: our requests, the peer's, the rest |
//! | [`Event`], [`Oddity`], [`Down`] | what its user is told |

mod event;
mod inbound;
mod limits;
mod login;
mod numbers;
mod received;
mod state;
mod timers;
mod traffic;
mod waits;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use self::event::{Down, Event, NotSent, Oddity};
use self::inbound::Inbound;
pub use self::limits::Limits;
use self::limits::after;
pub use self::numbers::Numbers;
use self::received::Received;
use self::state::State;
use self::timers::{Timer, Timers};
use self::waits::Probe;
use self::window::Window;
use crate::frame::{ByteQueue, Frames};
use crate::protocol::{Credentials, Moment, Protocol, Version, Welcome};

/// From this much output on, in bytes, [`Session::has_backlog`].
pub const BACKLOG: usize = 64 * 1024;

/// From this much output on no input is wanted: what it asks would only add to it. More than [`BACKLOG`], so that two
/// ends that keep to that never both stop reading.
const OUTPUT_FULL: usize = 4 * BACKLOG;

/// One end of one connection. See the [module](self) for which calls to make, in which order.
pub struct Session<P: Protocol> {
    state: State<P>,
    version: Version,
    node: u32,
    limits: Limits,
    numbers: Arc<Numbers>,
    /// The latest time heard of.
    now: Moment,
    input: Frames,
    output: ByteQueue,
    window: Window<P::Sequence>,
    inbound: Inbound<P::Sequence>,
    timers: Timers,
    probe: Option<Probe<P::Sequence>>,
    /// Of a server that has accepted: not told yet.
    welcome: Option<Welcome>,
}

impl<P: Protocol> Session<P> {
    /// The end that connected. Its login is in the output at once. The session keeps to the version of
    /// `credentials`, whatever the server names.
    #[must_use]
    pub fn client(credentials: Credentials, limits: Limits, numbers: Arc<Numbers>, now: Moment) -> Self {
        let Credentials { version, node, .. } = credentials;
        let login = P::login(&credentials, now.stamp);
        let state = State::LoggingIn { login: login.clone(), secret: credentials.secret };
        let mut session = Self::new(state, version, node, limits, numbers, now);
        session.send(session.reserve(now), &login);
        session
    }

    /// The end that was connected to. `version` is that of an answer to a login which is refused before anybody knows
    /// whose it is; `limits` count until [`Session::accept`] gives others.
    #[must_use]
    pub fn server(version: Version, node: u32, limits: Limits, numbers: Arc<Numbers>, now: Moment) -> Self {
        Self::new(State::AwaitingLogin, version, node, limits, numbers, now)
    }

    /// Keeps the bytes for [`Session::poll`]. Once it is over, drops them.
    pub fn receive(&mut self, bytes: &[u8]) {
        if !self.ended() {
            self.input.extend(bytes);
        }
    }

    /// Whether to read from the socket: not while more than one longest frame waits for [`Session::poll`], not while
    /// the peer does not take its answers, and not once it is over. So the input is never longer than
    /// [`Protocol::LONGEST`] and one piece from the socket.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !self.ended() && self.input.buffered() <= P::LONGEST as usize && self.output.len() < OUTPUT_FULL
    }

    /// What to write to the socket.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.bytes()
    }

    /// The first `bytes` of [`Session::output`] are written.
    pub fn sent(&mut self, bytes: usize) {
        self.output.take(bytes);
    }

    /// Whether so much output waits ([`BACKLOG`]) that no more requests should be added. With
    /// [`Session::wants_input`] it bounds the output: it can grow beyond by one request, by the repeats of those in
    /// the window, and by the answers to what one [`Session::receive`] brought and to what is unanswered.
    #[must_use]
    pub fn has_backlog(&self) -> bool {
        self.output.len() >= BACKLOG
    }

    /// What happened by `now`: first deadlines that are over, then frames, up to the first that is worth an event.
    /// However much a peer sends, it cannot hold up a deadline.
    pub fn poll(&mut self, now: Moment) -> Option<Event<P>> {
        self.tick(now);
        if let Some(welcome) = self.welcome.take() {
            return Some(Event::Up(welcome));
        }
        while !self.ended() {
            if let Some(timer) = self.timers.take_due(self.now.instant) {
                self.fired(timer);
                continue;
            }
            if let Some(event) = self.expired() {
                return Some(event);
            }
            match self.input.take() {
                Ok(Some(frame)) => {
                    let received = Received::read(self.version, frame);
                    if let Some(event) = self.received(received) {
                        return Some(event);
                    }
                }
                Ok(None) => return None,
                Err(error) => self.end(Down::Frame(error)),
            }
        }
        self.state.close().map(Event::Down)
    }

    /// When to call [`Session::poll`] at the latest; at once if it is in the past.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.welcome.is_some() {
            return Some(self.now.instant);
        }
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.timers.next(),
            State::Up => [self.timers.next(), self.window.next()].into_iter().flatten().min(),
            State::Ending { .. } => self.timers.next(),
            State::Ended { .. } => Some(self.now.instant),
            State::Over => None,
        }
    }

    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
    }

    /// Whether [`Event::Down`] was given: write what output is left, then close.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn new(
        state: State<P>,
        version: Version,
        node: u32,
        limits: Limits,
        numbers: Arc<Numbers>,
        now: Moment,
    ) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Login, after(now.instant, limits.login));
        Self {
            state,
            version,
            node,
            limits,
            numbers,
            now,
            input: Frames::new(P::HEADER, P::LONGEST),
            output: ByteQueue::default(),
            window: Window::new(&limits),
            inbound: Inbound::new(limits.inbound),
            timers,
            probe: None,
            welcome: None,
        }
    }

    fn tick(&mut self, now: Moment) {
        self.now = Moment { instant: self.now.instant.max(now.instant), ..now };
    }

    /// Whether it is over, told or not.
    fn ended(&self) -> bool {
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => false,
            State::Up | State::Ending { .. } => false,
            State::Ended { .. } | State::Over => true,
        }
    }

    fn end(&mut self, why: Down) {
        self.timers.stop_all();
        self.state = State::Ended { why };
    }

    fn send(&mut self, sequence: P::Sequence, pdu: &P::Pdu) {
        encode::<P>(&mut self.output, self.version, sequence, pdu);
    }
}

impl<P: Protocol> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} session, {}", P::NAME, self.state.name())
    }
}

/// Puts a frame into the output, and returns its bytes.
fn encode<'a, P: Protocol>(
    output: &'a mut ByteQueue,
    version: Version,
    sequence: P::Sequence,
    pdu: &P::Pdu,
) -> &'a [u8] {
    let back = output.back();
    let start = back.len();
    P::encode(version, sequence, pdu, back);
    &back[start..]
}
