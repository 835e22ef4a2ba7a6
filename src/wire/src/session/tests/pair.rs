//! Two sessions, a clock that goes when it is told to, and what is between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Stamp;

use super::toy::{Pdu, Toy, frame, frames};
use crate::protocol::{Credentials, Moment, Protocol, Secret, Version, Welcome};
use crate::session::{Down, Event, Limits, Numbers, Session};

pub const VERSION: Version = Version(0x20);
/// T of [`limits`].
pub const T: Duration = Duration::from_secs(60);
/// C of [`limits`].
pub const C: Duration = Duration::from_secs(180);

/// Window 4 in both directions, N 3.
pub fn limits() -> Limits {
    Limits {
        window: 4,
        inbound: 4,
        answer: T,
        tries: 3,
        idle: Some(C),
        idle_end: None,
        login: Duration::from_secs(10),
    }
}

pub fn secret() -> Secret {
    Secret("1234".to_owned())
}

pub fn start() -> Moment {
    // The only source of an `Instant`; the tests count from it.
    #[expect(clippy::disallowed_methods, reason = "a point to count from")]
    let instant = Instant::now();
    Moment { instant, stamp: Stamp::default() }
}

pub fn later(now: Moment, wait: Duration) -> Moment {
    Moment { instant: now.instant + wait, ..now }
}

pub fn client<const F: bool>(limits: Limits, now: Moment) -> Session<Toy<F>> {
    let credentials =
        Credentials { id: "901234".parse().unwrap(), secret: secret(), version: VERSION, mode: 0, node: 0 };
    Session::client(credentials, limits, Arc::new(Numbers::starting_at(100)), now)
}

pub fn server<const F: bool>(limits: Limits, now: Moment) -> Session<Toy<F>> {
    Session::server(VERSION, 0, limits, Arc::new(Numbers::starting_at(500)), now)
}

/// A client that is logged in at a peer made by hand, its output empty.
pub fn up<const F: bool>(limits: Limits, now: Moment) -> Session<Toy<F>> {
    let mut session = client(limits, now);
    sent(&mut session);
    session.receive(&frame(100, &Pdu::LoginAnswer { status: 0, proof: 202 }));
    let welcome = Welcome { status: 0, version: None, authentic: true };
    assert_eq!(drain(&mut session, now), [Event::Up(welcome)]);
    session
}

/// What happened by `now`.
pub fn drain<const F: bool>(session: &mut Session<Toy<F>>, now: Moment) -> Vec<Event<Toy<F>>> {
    std::iter::from_fn(|| session.poll(now)).collect()
}

/// Takes what is in the output.
pub fn sent<P: Protocol>(session: &mut Session<P>) -> Vec<(u32, Pdu)> {
    let sent = frames(session.output());
    session.sent(session.output().len());
    assert_eq!(session.output(), b"");
    sent
}

/// Sends a request under a new sequence.
pub fn request<const F: bool>(session: &mut Session<Toy<F>>, content: u8, now: Moment) -> u32 {
    let sequence = session.reserve(now);
    session.request(sequence, Pdu::Request(content), now).unwrap();
    sequence
}

/// A client and a server of the same limits, and what they were told.
pub struct Pair {
    pub now: Moment,
    pub client: Session<Toy<true>>,
    pub server: Session<Toy<true>>,
    pub told: Vec<(&'static str, Event<Toy<true>>)>,
    /// The stream between them is cut into pieces of this many bytes.
    pub cut: usize,
    /// The secret that the server knows.
    pub secret: Secret,
    /// What becomes of a frame between them: whether it is passed on.
    pub passes: fn(&Pdu) -> bool,
}

impl Pair {
    pub fn new(limits: Limits) -> Self {
        let now = start();
        Self {
            now,
            client: client(limits, now),
            server: server(limits, now),
            told: Vec::new(),
            cut: 7,
            secret: secret(),
            passes: |_| true,
        }
    }

    /// Both logged in.
    pub fn up(limits: Limits) -> Self {
        let mut pair = Self::new(limits);
        pair.settle();
        assert!(pair.client.is_up() && pair.server.is_up());
        pair.told.clear();
        pair
    }

    /// Carries bytes until nothing moves. Logins are decided, requests answered with what they hold and one more.
    pub fn settle(&mut self) {
        loop {
            for event in drain(&mut self.client, self.now) {
                answer(&mut self.client, &event);
                self.told.push(("client", event));
            }
            while let Some(event) = self.server.poll(self.now) {
                if let Event::Login(_) = event {
                    let limits = self.server.limits;
                    let _ = self.server.accept(&self.secret, VERSION, limits, self.now);
                }
                answer(&mut self.server, &event);
                self.told.push(("server", event));
            }
            let to_server = self.carried(|pair| &mut pair.client);
            let to_client = self.carried(|pair| &mut pair.server);
            if to_server.is_empty() && to_client.is_empty() {
                break;
            }
            to_server.chunks(self.cut).for_each(|piece| self.server.receive(piece));
            to_client.chunks(self.cut).for_each(|piece| self.client.receive(piece));
        }
    }

    /// Lets time go, from deadline to deadline.
    pub fn wait(&mut self, wait: Duration) {
        let end = later(self.now, wait);
        loop {
            let next = [self.client.deadline(), self.server.deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|&next| next <= end.instant) else {
                break;
            };
            self.now.instant = self.now.instant.max(next);
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    /// What one of them was told, since the last time.
    pub fn told(&mut self, who: &str) -> Vec<Event<Toy<true>>> {
        self.told.extract_if(.., |(told, _)| *told == who).map(|(_, event)| event).collect()
    }

    pub fn down(&mut self, who: &str) -> Option<Down> {
        match self.told(who).pop() {
            Some(Event::Down(down)) => Some(down),
            _ => None,
        }
    }

    fn carried(&mut self, from: fn(&mut Self) -> &mut Session<Toy<true>>) -> Vec<u8> {
        let passes = self.passes;
        let sent = sent(from(self));
        sent.iter().filter(|(_, pdu)| passes(pdu)).flat_map(|(sequence, pdu)| frame(*sequence, pdu)).collect()
    }
}

fn answer(session: &mut Session<Toy<true>>, event: &Event<Toy<true>>) {
    if let Event::Request { sequence, pdu: Pdu::Request(content) } = event {
        session.respond(*sequence, &Pdu::Answer(content.wrapping_add(1)));
    }
}
