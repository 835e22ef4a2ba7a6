//! Logging in, from both ends.

use super::Session;
use super::event::{Down, Event, Oddity};
use super::inbound::Inbound;
use super::limits::Limits;
use super::state::State;
use super::timers::Timer;
use super::window::Window;
use crate::protocol::{Moment, Protocol, Refusal, Secret, Version, Welcome};

impl<P: Protocol> Session<P> {
    /// Answers [`Event::Login`] with a welcome if the login proves that the peer knows `secret`; [`Event::Up`]
    /// follows. `version` and `limits` are those of the session from here on.
    ///
    /// # Errors
    /// It proves nothing: refused, [`Down::Refused`] follows. Or no login waits ([`Refusal::Repeated`]), because the
    /// session is over or up already: nothing is done.
    pub fn accept(
        &mut self,
        secret: &Secret,
        version: Version,
        limits: Limits,
        now: Moment,
    ) -> Result<(), Refusal> {
        self.tick(now);
        let State::Deciding { sequence, login } = &self.state else {
            return Err(Refusal::Repeated);
        };
        let sequence = *sequence;
        self.version = version;
        if !P::proves(login, secret) {
            self.refuse(Refusal::Authentication, now);
            return Err(Refusal::Authentication);
        }
        let answer = P::welcome(login, 0, version, secret);
        self.send(sequence, &answer);
        self.limits = limits;
        self.window = Window::new(&limits);
        self.inbound = Inbound::new(limits.inbound);
        self.welcome = Some(Welcome { status: 0, version: Some(version), authentic: true });
        self.go_up();
        Ok(())
    }

    /// Answers [`Event::Login`] with a refusal, or ends without one before there is a login. Once it is up, does
    /// nothing.
    pub fn refuse(&mut self, why: Refusal, now: Moment) {
        self.tick(now);
        let status = P::refusal(why);
        match &self.state {
            State::Deciding { sequence, login } => {
                let (sequence, answer) = (*sequence, self.refusal(login, why));
                self.send(sequence, &answer);
                self.end(Down::Refused { status });
            }
            State::AwaitingLogin => self.end(Down::Refused { status }),
            State::LoggingIn { .. }
            | State::Up
            | State::Ending { .. }
            | State::Ended { .. }
            | State::Over => {}
        }
    }

    /// A login came.
    pub(super) fn login(&mut self, sequence: P::Sequence, command: u32, pdu: P::Pdu) -> Option<Event<P>> {
        match self.state {
            State::AwaitingLogin => {
                let Some(login) = P::read_login(&pdu) else {
                    return self.bad_login("it cannot be read");
                };
                self.state = State::Deciding { sequence, login: pdu };
                Some(Event::Login(login))
            }
            State::Deciding { .. } => self.bad_login("a second one before the first is answered"),
            State::LoggingIn { .. } => self.bad_login("the server logs in"),
            State::Up | State::Ending { .. } => {
                let answer = self.refusal(&pdu, Refusal::Repeated);
                self.send(sequence, &answer);
                Some(Event::Oddity(Oddity::NotServed { sequence, command }))
            }
            State::Ended { .. } | State::Over => None,
        }
    }

    /// The answer to a login came. There is only one login that it can be about, so its sequence does not count.
    pub(super) fn login_answer(
        &mut self,
        sequence: P::Sequence,
        command: u32,
        pdu: &P::Pdu,
    ) -> Option<Event<P>> {
        match &self.state {
            State::LoggingIn { login, secret } => match P::read_welcome(login, pdu, secret) {
                Ok(welcome) if welcome.status == 0 => {
                    self.go_up();
                    Some(Event::Up(welcome))
                }
                Ok(Welcome { status, .. }) => {
                    self.end(Down::Refused { status });
                    None
                }
                Err(why) => self.bad_login(why),
            },
            State::AwaitingLogin | State::Deciding { .. } => self.bad_login("an answer comes first"),
            State::Up | State::Ending { .. } => Some(Event::Oddity(Oddity::Stray { sequence, command })),
            State::Ended { .. } | State::Over => None,
        }
    }

    /// Ends; [`Down`] is the next event.
    pub(super) fn bad_login(&mut self, why: &'static str) -> Option<Event<P>> {
        self.end(Down::BadLogin(why));
        None
    }

    fn go_up(&mut self) {
        if P::probe().is_none() {
            self.limits.idle = None;
        }
        self.timers.set(Timer::Login, None);
        self.state = State::Up;
        self.heard();
    }

    fn refusal(&self, login: &P::Pdu, why: Refusal) -> P::Pdu {
        P::welcome(login, P::refusal(why), self.version, &Secret(String::new()))
    }
}
