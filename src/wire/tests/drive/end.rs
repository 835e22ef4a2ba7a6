//! One end of a session, and what is known of it from outside.

use std::collections::BTreeMap;

use domain::event::ReportState;
use wire::exchange::{Answer, Incoming, Mo, Profile, Report, Submit};
use wire::protocol::{Cannot, Login, Messages, Moment, Refusal, Secret, Version};
use wire::session::{Down, Event, Limits, NotSent, Oddity, Session};
use wire::text::Text;

use super::{Choices, encoded};

/// A session, and a model of it that is compared with it after every step.
pub struct End<P: Messages> {
    pub session: Session<P>,
    version: Version,
    limits: Limits,
    /// Requests that have not ended, and how often each went out.
    open: BTreeMap<P::Sequence, u8>,
    /// The peer's requests without an answer.
    asked: BTreeMap<P::Sequence, P::Pdu>,
    login: Option<Login>,
    over: bool,
    /// All requests, as the peer will read them.
    pub sent: BTreeMap<P::Sequence, P::Pdu>,
    /// All answers to the peer's requests, likewise.
    pub answers: BTreeMap<P::Sequence, Vec<P::Pdu>>,
    /// Answers to requests that were sent.
    pub answered: Vec<(P::Sequence, P::Pdu)>,
    /// Requests of the peer that were given.
    pub given: Vec<(P::Sequence, P::Pdu)>,
    /// What a peer that keeps to the rules does not do.
    pub misdeed: Option<String>,
}

impl<P: Messages> End<P> {
    pub fn new(session: Session<P>, version: Version, limits: Limits) -> Self {
        Self {
            session,
            version,
            limits,
            open: BTreeMap::new(),
            asked: BTreeMap::new(),
            login: None,
            over: false,
            sent: BTreeMap::new(),
            answers: BTreeMap::new(),
            answered: Vec::new(),
            given: Vec::new(),
            misdeed: None,
        }
    }

    /// Polls until nothing comes.
    pub fn poll(&mut self, now: Moment) {
        while let Some(event) = self.session.poll(now) {
            assert!(!self.over, "nothing comes after the last event");
            self.told(event);
            self.check();
        }
    }

    pub fn submit(&mut self, choices: &mut Choices<'_>, now: Moment) {
        let submit = Submit {
            source: Text::cut(choices.bytes(21)),
            destinations: (0..=choices.below(3)).map(|_| Text::cut(choices.bytes(21))).collect(),
            coding: choices.byte(),
            header: choices.flag(),
            part: choices.byte(),
            parts: choices.byte(),
            content: choices.bytes(160).to_vec(),
            report: choices.flag().into(),
            priority: choices.byte(),
            valid_until: Text::cut(choices.bytes(17)),
        };
        self.request(&P::submit(&submit, &Profile::default()), now);
    }

    pub fn deliver(&mut self, choices: &mut Choices<'_>, now: Moment) {
        let about = P::message_id(self.session.reserve(now), choices.byte().into(), 3, now.stamp);
        let incoming = if choices.flag() {
            Incoming::Report(Report {
                about,
                id: choices.flag().then_some(about),
                state: choices.one(&[ReportState::Delivered, ReportState::Failed, ReportState::Waiting]),
                word: Text::cut(choices.bytes(10)),
                error: Text::cut(choices.bytes(3)),
                destination: Text::cut(choices.bytes(32)),
                source: Text::cut(choices.bytes(21)),
                submitted: Text::cut(choices.bytes(10)),
                done: Text::cut(choices.bytes(10)),
            })
        } else {
            Incoming::Mo(Mo {
                id: about,
                source: Text::cut(choices.bytes(32)),
                destination: Text::cut(choices.bytes(21)),
                coding: choices.byte(),
                header: choices.flag(),
                content: choices.bytes(160).to_vec(),
                link_id: Text::cut(choices.bytes(20)),
            })
        };
        let pdu = P::deliver(&incoming, now.stamp).expect("reports and messages can be said");
        self.request(&pdu, now);
    }

    /// Answers one of the peer's requests.
    pub fn respond(&mut self, choices: &mut Choices<'_>, now: Moment) {
        let at = usize::from(choices.byte()) % self.asked.len().max(1);
        let Some((&sequence, pdu)) = self.asked.iter().nth(at) else {
            return;
        };
        let code = u32::from(choices.byte());
        let answer = match P::read_submit(pdu) {
            Some(_) => P::answer(&Answer { code, id: Some(P::message_id(sequence, 1, code, now.stamp)) }),
            None => P::deliver_answer(pdu, code),
        };
        self.asked.remove(&sequence);
        self.session.respond(sequence, &answer);
        let answer = self.as_read(sequence, &answer);
        self.answers.entry(sequence).or_default().push(answer);
    }

    /// Answers whatever waits.
    pub fn respond_to_all(&mut self, now: Moment) {
        while !self.asked.is_empty() && !self.over {
            self.respond(&mut Choices::new(&[]), now);
        }
        if self.login.is_some() {
            self.decide(true, &super::secret(), now);
        }
    }

    /// Accepts or refuses a login that waits.
    pub fn decide(&mut self, accepts: bool, secret: &Secret, now: Moment) {
        let Some(login) = self.login.take() else {
            assert_eq!(self.session.accept(secret, self.version, self.limits, now), Err(Refusal::Repeated));
            return;
        };
        if accepts {
            let version = login.version;
            let _ = self.session.accept(secret, version, self.limits, now);
            self.version = version;
        } else {
            self.session.refuse(Refusal::Address, now);
        }
    }

    /// Whether `pdu` may be the answer to the request `sequence` of the other end.
    pub fn may_have_answered(&self, request: &P::Pdu, sequence: P::Sequence, pdu: &P::Pdu) -> bool {
        let frame = encoded::<P>(self.version, sequence, request);
        let ((_, command), body) = (P::header(&frame), &frame[P::HEADER as usize..]);
        let refusals = [Cannot::Read, Cannot::Serve, Cannot::Sequence, Cannot::Window];
        let mut refusals = refusals.into_iter().filter_map(|why| P::cannot(command, body, why));
        self.answers.get(&sequence).is_some_and(|answers| answers.contains(pdu))
            || refusals.any(|refusal| self.as_read(sequence, &refusal) == *pdu)
    }

    pub fn check(&self) {
        let window = usize::from(self.limits.window);
        assert_eq!(self.session.is_over(), self.over);
        assert!(self.open.len() <= window && self.asked.len() <= window, "the window is kept");
        assert!(self.session.unanswered().all(|sequence| self.open.contains_key(&sequence)));
        assert_eq!(self.session.unanswered().count(), self.open.len());
        let free = if self.session.is_up() { window - self.open.len() } else { 0 };
        assert_eq!(self.session.free(), free);
    }

    pub fn is_settled(&self) -> bool {
        self.asked.is_empty() && self.login.is_none()
    }

    fn request(&mut self, pdu: &P::Pdu, now: Moment) {
        let sequence = self.session.reserve(now);
        match self.session.request(sequence, pdu.clone(), now) {
            Ok(()) => {
                assert_eq!(self.open.insert(sequence, 1), None);
                let read = self.as_read(sequence, pdu);
                self.sent.insert(sequence, read);
            }
            Err(NotSent::WindowFull) => assert_eq!(self.open.len(), usize::from(self.limits.window)),
            Err(NotSent::NotUp) => assert!(!self.session.is_up()),
        }
    }

    fn told(&mut self, event: Event<P>) {
        match event {
            Event::Login(login) => self.login = Some(login),
            Event::Up(welcome) => assert_eq!(welcome.status, 0),
            Event::Answered { sequence, pdu, .. } => {
                assert!(self.open.remove(&sequence).is_some(), "an answer to what was asked, once");
                self.answered.push((sequence, pdu));
            }
            Event::Unanswered { sequence } => {
                assert_eq!(self.open.remove(&sequence), Some(self.limits.tries.max(1)));
            }
            Event::Repeated { sequence, tries } => {
                assert_eq!(self.open.insert(sequence, tries), Some(tries - 1));
            }
            Event::Request { sequence, pdu } => {
                assert!(self.asked.insert(sequence, pdu.clone()).is_none(), "given once");
                self.given.push((sequence, pdu));
            }
            Event::Oddity(oddity) => match oddity {
                Oddity::Malformed { .. } | Oddity::Unknown { .. } | Oddity::SequenceReused { .. } => {
                    self.misdeed = Some(oddity.to_string());
                }
                Oddity::Stray { .. } | Oddity::NotServed { .. } => {}
                Oddity::RequestRepeated { .. } | Oddity::WindowExceeded { .. } => {}
            },
            Event::Down(down) => {
                self.over = true;
                // Nobody needs to be answered any more.
                (self.login, self.asked) = (None, BTreeMap::new());
                if let Down::Frame(_) | Down::UnknownCommand(_) = down {
                    self.misdeed = Some(down.to_string());
                }
            }
        }
    }

    /// As the other end will read it.
    fn as_read(&self, sequence: P::Sequence, pdu: &P::Pdu) -> P::Pdu {
        let frame = encoded::<P>(self.version, sequence, pdu);
        P::decode(self.version, &frame).expect("what we send can be read")
    }
}
