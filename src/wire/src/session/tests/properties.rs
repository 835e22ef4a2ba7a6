//! Whatever is called and whatever comes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::pair::{VERSION, client, later, limits, secret, server, start};
use super::toy::{Pdu, Toy, frame, frames};
use crate::protocol::{Moment, Refusal};
use crate::session::{Event, Limits, NotSent, Session};

type Toys = Session<Toy<true>>;

#[derive(Clone, Debug)]
enum Step {
    Request(u8),
    Respond(u32, u8),
    Terminate,
    Accept(bool),
    Refuse,
    Bytes(Vec<u8>),
    Frame(u32, Pdu),
    /// Milliseconds; below 0 the clock goes back.
    Time(i32),
    Poll,
    Sent(usize),
}

fn pdu() -> impl Strategy<Value = Pdu> {
    prop_oneof![
        1 => Just(Pdu::Login { id: "901234".parse().unwrap(), proof: 202 }),
        1 => (0..2_u8).prop_map(|status| Pdu::LoginAnswer { status, proof: 202 }),
        1 => Just(Pdu::Probe),
        1 => Just(Pdu::ProbeAnswer),
        1 => Just(Pdu::Terminate),
        1 => Just(Pdu::TerminateAnswer),
        8 => (0..3_u8).prop_map(Pdu::Request),
        8 => any::<u8>().prop_map(Pdu::Answer),
        1 => any::<u32>().prop_map(Pdu::Unknown),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u8>().prop_map(Step::Request),
        4 => (0..12_u32, any::<u8>()).prop_map(|(sequence, content)| Step::Respond(sequence, content)),
        1 => Just(Step::Terminate),
        2 => any::<bool>().prop_map(Step::Accept),
        1 => Just(Step::Refuse),
        1 => vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        12 => (prop_oneof![0..12_u32, 100..120_u32], pdu()).prop_map(|(sequence, pdu)| Step::Frame(sequence, pdu)),
        6 => (-50_000..100_000_i32).prop_map(Step::Time),
        8 => Just(Step::Poll),
        4 => (0..200_usize).prop_map(Step::Sent),
    ]
}

/// A session whose every request is followed to its end.
struct Watched {
    session: Toys,
    limits: Limits,
    now: Moment,
    open: BTreeMap<u32, u8>,
    over: bool,
}

impl Watched {
    fn new(client_end: bool, tries: u8) -> Self {
        let limits = Limits { tries, ..limits() };
        let now = later(start(), Duration::from_secs(1_000_000));
        let session = if client_end { client(limits, now) } else { server(limits, now) };
        Self { session, limits, now, open: BTreeMap::new(), over: false }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Request(content) => self.request(content),
            Step::Respond(sequence, content) => self.session.respond(sequence, &Pdu::Answer(content)),
            Step::Terminate => self.session.terminate(self.now),
            Step::Accept(right) => {
                let secret = if right { secret() } else { crate::protocol::Secret(String::new()) };
                let _ = self.session.accept(&secret, VERSION, self.limits, self.now);
            }
            Step::Refuse => self.session.refuse(Refusal::Mode, self.now),
            Step::Bytes(bytes) => self.session.receive(&bytes),
            Step::Frame(sequence, pdu) => self.session.receive(&frame(sequence, &pdu)),
            Step::Time(millis) => {
                let by = Duration::from_millis(u64::from(millis.unsigned_abs()));
                self.now.instant = if millis < 0 { self.now.instant - by } else { self.now.instant + by };
            }
            Step::Poll => self.poll(),
            Step::Sent(bytes) => self.session.sent(bytes),
        }
        self.check();
    }

    fn request(&mut self, content: u8) {
        let sequence = self.session.reserve(self.now);
        let result = self.session.request(sequence, Pdu::Request(content), self.now);
        match result {
            Ok(()) => assert_eq!(self.open.insert(sequence, 1), None),
            Err(NotSent::WindowFull) => assert_eq!(self.open.len(), usize::from(self.limits.window)),
            Err(NotSent::NotUp) => assert!(!self.session.is_up()),
        }
    }

    fn poll(&mut self) {
        while let Some(event) = self.session.poll(self.now) {
            assert!(!self.over, "nothing comes after the last event");
            match event {
                Event::Answered { sequence, .. } => assert!(self.open.remove(&sequence).is_some()),
                Event::Unanswered { sequence } => {
                    assert_eq!(self.open.remove(&sequence), Some(self.limits.tries));
                }
                Event::Repeated { sequence, tries } => {
                    assert_eq!(self.open.insert(sequence, tries), Some(tries - 1));
                }
                Event::Down(_) => self.over = true,
                Event::Login(_) | Event::Up(_) | Event::Request { .. } | Event::Oddity(_) => {}
            }
            self.check();
        }
        // Every deadline that is over has been dealt with.
        assert!(self.session.deadline().is_none_or(|deadline| deadline > self.session.now.instant));
    }

    fn check(&self) {
        assert_eq!(self.session.is_over(), self.over);
        assert!(self.session.unanswered().all(|sequence| self.open.contains_key(&sequence)));
        assert_eq!(self.session.unanswered().count(), self.open.len());
        let free = if self.session.is_up() { usize::from(self.limits.window) - self.open.len() } else { 0 };
        assert_eq!(self.session.free(), free);
    }
}

/// What becomes of a frame between two ends.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Passed,
    Lost,
    Twice,
    /// Behind the next one.
    Overtaken,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Passed), 1 => Just(Fate::Lost), 1 => Just(Fate::Twice), 1 => Just(Fate::Overtaken)]
}

/// Carries what one end has to say to the other, in pieces of `cut` bytes.
fn carry(from: &mut Toys, to: &mut Toys, fates: &mut VecDeque<Fate>, cut: usize) -> bool {
    let mut stream = Vec::new();
    let mut overtaken = Vec::new();
    let sent = frames(from.output());
    from.sent(from.output().len());
    for (sequence, pdu) in &sent {
        let bytes = frame(*sequence, pdu);
        match fates.pop_front().unwrap_or(Fate::Passed) {
            Fate::Passed => stream.extend_from_slice(&bytes),
            Fate::Lost => continue,
            Fate::Twice => stream.extend_from_slice(&bytes.repeat(2)),
            Fate::Overtaken => {
                overtaken.extend_from_slice(&bytes);
                continue;
            }
        }
        stream.append(&mut overtaken);
    }
    stream.append(&mut overtaken);
    stream.chunks(cut).for_each(|piece| to.receive(piece));
    !sent.is_empty()
}

proptest! {
    #[test]
    fn whatever_is_called_and_whatever_comes_each_request_ends_once(
        client_end: bool,
        logged_in: bool,
        tries in 1..4_u8,
        steps in vec(step(), 0..200),
    ) {
        let mut watched = Watched::new(client_end, tries);
        if logged_in {
            let first = if client_end {
                Pdu::LoginAnswer { status: 0, proof: 202 }
            } else {
                Pdu::Login { id: "901234".parse().unwrap(), proof: 202 }
            };
            [Step::Frame(1, first), Step::Poll, Step::Accept(true)].into_iter().for_each(|step| watched.apply(step));
            prop_assert!(watched.session.is_up());
        }
        steps.into_iter().for_each(|step| watched.apply(step));
    }

    #[test]
    fn each_request_reaches_the_other_end_and_gets_its_own_answer_once_over_a_bad_pipe(
        fates in vec(fate(), 0..60),
        cut in 1..40_usize,
        count in 1..30_u8,
    ) {
        let limits = Limits { tries: u8::MAX, idle: None, ..limits() };
        let mut now = start();
        let mut ends = [client(limits, now), server(limits, now)];
        let mut fates = VecDeque::from(fates);
        let mut asked: BTreeMap<u32, u8> = BTreeMap::new();
        let mut answered: BTreeMap<u32, u8> = BTreeMap::new();
        let mut given: BTreeMap<u32, u8> = BTreeMap::new();
        let mut next = 0;
        while answered.len() < usize::from(count) {
            let [client, server] = &mut ends;
            let mut moved = false;
            while let Some(event) = client.poll(now) {
                if let Event::Answered { sequence, pdu: Pdu::Answer(content), .. } = event {
                    prop_assert_eq!(answered.insert(sequence, content), None);
                }
            }
            while client.free() > 0 && next < count {
                let sequence = client.reserve(now);
                client.request(sequence, Pdu::Request(next), now).unwrap();
                asked.insert(sequence, next);
                next += 1;
            }
            while let Some(event) = server.poll(now) {
                match event {
                    Event::Login(_) => server.accept(&secret(), VERSION, limits, now).unwrap(),
                    Event::Request { sequence, pdu: Pdu::Request(content) } => {
                        // Once more if it is repeated when its answer is not kept any longer.
                        prop_assert!(given.insert(sequence, content).is_none_or(|before| before == content));
                        server.respond(sequence, &Pdu::Answer(content + 100));
                    }
                    _ => {}
                }
            }
            // The login itself comes through: it is not repeated.
            let mut good = VecDeque::new();
            let up = client.is_up() && server.is_up();
            let fates = if up { &mut fates } else { &mut good };
            moved |= carry(client, server, fates, cut);
            moved |= carry(server, client, fates, cut);
            if !moved && answered.len() < usize::from(count) {
                let next = [client.deadline(), server.deadline()].into_iter().flatten().min();
                prop_assert!(next.is_some(), "nothing moves and nobody waits");
                now.instant = now.instant.max(next.unwrap_or(now.instant));
            }
        }
        prop_assert_eq!(&given, &asked);
        asked.values_mut().for_each(|content| *content += 100);
        prop_assert_eq!(answered, asked);
    }
}
