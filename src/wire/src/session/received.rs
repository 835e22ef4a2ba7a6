//! What a frame of the peer does, in each state.

use super::Session;
use super::event::{Down, Event, Oddity};
use super::inbound::{Seen, content};
use super::state::State;
use crate::error::DecodeError;
use crate::exchange::MessageId;
use crate::protocol::{Cannot, Protocol, Role, Version};

/// Why nothing but a login may come.
const EARLY: &str = "something else comes before it is answered";

/// A frame, read.
pub(super) struct Received<P: Protocol> {
    head: Head<P::Sequence>,
    /// See [`content`].
    content: u64,
    pdu: Result<P::Pdu, DecodeError>,
}

impl<P: Protocol> Received<P> {
    pub(super) fn read(version: Version, frame: &[u8]) -> Self {
        let (sequence, command) = P::header(frame);
        let body = frame.get(P::HEADER as usize..).unwrap_or_default();
        let length = body.len().min(MessageId::MAX);
        let mut start = [0; MessageId::MAX];
        start[..length].copy_from_slice(&body[..length]);
        let head = Head { sequence, command, start, length };
        Self { head, content: content(frame), pdu: P::decode(version, frame) }
    }
}

/// What is needed of a frame to say that it is not served.
#[derive(Clone, Copy)]
struct Head<S> {
    sequence: S,
    command: u32,
    /// The first bytes of its body: an id, in some.
    start: [u8; MessageId::MAX],
    /// How many of them there are.
    length: usize,
}

impl<P: Protocol> Session<P> {
    /// `None` if the user need not know; or if it ended, which [`Session::poll`] tells.
    pub(super) fn received(&mut self, frame: Received<P>) -> Option<Event<P>> {
        if self.is_up() {
            self.heard();
        }
        let Received { head, content, pdu } = frame;
        let Head { sequence, command, .. } = head;
        let pdu = match pdu {
            Ok(pdu) => pdu,
            Err(error) => return self.malformed(head, error),
        };
        match P::role(&pdu) {
            Role::Login => self.login(sequence, command, pdu),
            Role::LoginAnswer => self.login_answer(sequence, command, &pdu),
            Role::Probe => self.probed(sequence),
            Role::ProbeAnswer => self.probe_answer(sequence, command),
            Role::Terminate => self.terminated(sequence),
            Role::TerminateAnswer => self.terminate_answer(sequence, command),
            Role::Request => self.requested(head, content, pdu),
            Role::Answer => self.answer(sequence, command, pdu),
            Role::Unknown => self.unknown(sequence, command),
        }
    }

    fn malformed(&mut self, head: Head<P::Sequence>, error: DecodeError) -> Option<Event<P>> {
        let Head { sequence, command, .. } = head;
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => {
                self.cannot(head, Cannot::Read);
                self.bad_login("what comes before it is answered cannot be read")
            }
            State::Up | State::Ending { .. } => {
                self.cannot(head, Cannot::Read);
                Some(Event::Oddity(Oddity::Malformed { sequence, command, error }))
            }
            State::Ended { .. } | State::Over => None,
        }
    }

    fn probed(&mut self, sequence: P::Sequence) -> Option<Event<P>> {
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.bad_login(EARLY),
            State::Up | State::Ending { .. } => {
                if let Some(answer) = P::probe_answer() {
                    self.send(sequence, &answer);
                }
                None
            }
            State::Ended { .. } | State::Over => None,
        }
    }

    fn probe_answer(&mut self, sequence: P::Sequence, command: u32) -> Option<Event<P>> {
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.bad_login(EARLY),
            State::Up | State::Ending { .. } => {
                let ours = self.probe.as_ref().is_some_and(|probe| probe.sequence == sequence);
                (!ours).then_some(Event::Oddity(Oddity::Stray { sequence, command }))
            }
            State::Ended { .. } | State::Over => None,
        }
    }

    fn terminated(&mut self, sequence: P::Sequence) -> Option<Event<P>> {
        let why = match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => Down::PeerTerminated,
            State::Up => Down::PeerTerminated,
            // Both ends at once.
            State::Ending { why } => why,
            State::Ended { .. } | State::Over => return None,
        };
        self.send(sequence, &P::terminate_answer());
        self.end(why);
        None
    }

    /// There is only one TERMINATE that it can be about, and some in the field answer with another sequence.
    fn terminate_answer(&mut self, sequence: P::Sequence, command: u32) -> Option<Event<P>> {
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.bad_login(EARLY),
            State::Up => Some(Event::Oddity(Oddity::Stray { sequence, command })),
            State::Ending { .. } => {
                self.end_as_meant();
                None
            }
            State::Ended { .. } | State::Over => None,
        }
    }

    fn requested(&mut self, head: Head<P::Sequence>, content: u64, pdu: P::Pdu) -> Option<Event<P>> {
        let sequence = head.sequence;
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => {
                return self.bad_login(EARLY);
            }
            State::Up | State::Ending { .. } => {}
            State::Ended { .. } | State::Over => return None,
        }
        let oddity = match self.inbound.take(sequence, content) {
            Seen::New => return Some(Event::Request { sequence, pdu }),
            Seen::Repeat(answer) => {
                self.output.back().extend_from_slice(answer.unwrap_or_default());
                Oddity::RequestRepeated { sequence }
            }
            Seen::Reused => {
                self.cannot(head, Cannot::Sequence);
                Oddity::SequenceReused { sequence }
            }
            Seen::Excess => {
                self.cannot(head, Cannot::Window);
                Oddity::WindowExceeded { sequence }
            }
        };
        Some(Event::Oddity(oddity))
    }

    fn answer(&mut self, sequence: P::Sequence, command: u32, pdu: P::Pdu) -> Option<Event<P>> {
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.bad_login(EARLY),
            State::Up | State::Ending { .. } => Some(match self.window.take(sequence) {
                Some((sent, tries)) => {
                    let took = self.now.instant.saturating_duration_since(sent);
                    Event::Answered { sequence, pdu, took, tries }
                }
                None => Event::Oddity(Oddity::Stray { sequence, command }),
            }),
            State::Ended { .. } | State::Over => None,
        }
    }

    fn unknown(&mut self, sequence: P::Sequence, command: u32) -> Option<Event<P>> {
        if P::UNKNOWN_ENDS {
            self.end(Down::UnknownCommand(command));
            return None;
        }
        match self.state {
            State::LoggingIn { .. } | State::AwaitingLogin | State::Deciding { .. } => self.bad_login(EARLY),
            State::Up | State::Ending { .. } => Some(Event::Oddity(Oddity::Unknown { sequence, command })),
            State::Ended { .. } | State::Over => None,
        }
    }

    fn cannot(&mut self, head: Head<P::Sequence>, why: Cannot) {
        if let Some(answer) = P::cannot(head.command, &head.start[..head.length], why) {
            self.send(head.sequence, &answer);
        }
    }
}
