//! A client and a server, and a pipe between them that cuts, loses, doubles and spoils.

use std::sync::Arc;
use std::time::Duration;

use domain::Stamp;
use wire::cmpp::Cmpp;
use wire::protocol::{Messages, Moment, Secret, Version};
use wire::session::{Numbers, Session};
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use super::end::End;
use super::{Choices, credentials, limits, start};

/// The first byte chooses protocol and version; the limits follow, then one step after the other. Returns how many
/// requests were answered.
pub fn sessions(input: &[u8]) -> usize {
    let mut choices = Choices::new(input);
    match choices.below(6) {
        0 => Pair::<Cmpp>::new(Version(0x20), &mut choices).run(choices),
        1 => Pair::<Cmpp>::new(Version(0x30), &mut choices).run(choices),
        2 => Pair::<Sgip>::new(Version(0x12), &mut choices).run(choices),
        3 => Pair::<Smgp>::new(Version(0x13), &mut choices).run(choices),
        4 => Pair::<Smgp>::new(Version(0x20), &mut choices).run(choices),
        _ => Pair::<Smgp>::new(Version(0x30), &mut choices).run(choices),
    }
}

/// More steps than that say nothing new.
const MOST_STEPS: usize = 2_000;
/// An end that has asked to end is over within so many deadlines.
const MOST_DEADLINES: usize = 8;

struct Pair<P: Messages> {
    /// The client and the server.
    ends: [End<P>; 2],
    now: Moment,
    /// What is left of the frame of which a beginning was carried, from each.
    left: [usize; 2],
    /// Both ends got only what the other has said, if not all or more than once.
    faithful: bool,
}

impl<P: Messages> Pair<P> {
    fn new(version: Version, choices: &mut Choices<'_>) -> Self {
        let (now, limits) = (start(), limits(choices));
        let numbers = |first| Arc::new(Numbers::starting_at(first));
        let client = Session::client(credentials(version, 1), limits, numbers(u32::MAX - 9), now);
        let server = Session::server(version, 2, limits, numbers(1_000), now);
        let ends = [client, server].map(|session| End::new(session, version, limits));
        Self { ends, now, left: [0; 2], faithful: true }
    }

    fn run(mut self, mut choices: Choices<'_>) -> usize {
        for _ in 0..MOST_STEPS {
            if choices.is_empty() {
                break;
            }
            self.step(&mut choices);
            self.ends.iter().for_each(End::check);
        }
        self.finish();
        if self.faithful {
            self.compare();
        }
        self.ends.iter().map(|end| end.answered.len()).sum()
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let at = usize::from(choices.below(2));
        let (end, now) = (&mut self.ends[at], self.now);
        match choices.below(16) {
            0..=2 => {
                self.carry(at, usize::MAX);
                self.ends[1 - at].poll(now);
            }
            3 => self.carry(at, usize::from(choices.byte()) + 1),
            4 => end.poll(now),
            5 => end.submit(choices, now),
            6 => end.deliver(choices, now),
            7 => end.respond(choices, now),
            8 => end.respond_to_all(now),
            9 => self.time(choices),
            10 => self.lose(at),
            11 => self.double(at),
            12 => end.decide(choices.flag(), &Secret(String::new()), now),
            13 => end.session.terminate(now),
            14 => {
                end.session.receive(choices.bytes(64));
                self.faithful = false;
            }
            _ => {
                // Both are up, if nothing is in the way.
                for at in [0, 1, 0] {
                    self.carry(at, usize::MAX);
                    self.ends[1 - at].poll(now);
                    self.ends[1 - at].respond_to_all(now);
                }
            }
        }
    }

    fn time(&mut self, choices: &mut Choices<'_>) {
        let by = Duration::from_millis(u64::from(choices.number()) * 10);
        let instant = self.now.instant;
        self.now.instant = match choices.below(4) {
            0 => instant.checked_sub(by).unwrap_or(instant),
            1 => self.next_deadline().map_or(instant, |next| next.max(instant)),
            _ => instant + by,
        };
        self.now.stamp = match choices.below(4) {
            0 => Stamp::default(),
            1 => Stamp { year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59 },
            _ => start().stamp,
        };
    }

    /// The first `most` bytes that one end has to say reach the other.
    fn carry(&mut self, from: usize, most: usize) {
        let [client, server] = &mut self.ends;
        let (from_end, to) = if from == 0 { (client, server) } else { (server, client) };
        let output = from_end.session.output();
        let piece = &output[..most.min(output.len())];
        to.session.receive(piece);
        let carried = piece.len();
        let mut left = self.left[from];
        let mut at = 0;
        while at < carried {
            if left == 0 {
                left = first_frame(&output[at..]);
            }
            let step = left.min(carried - at);
            (at, left) = (at + step, left - step);
        }
        self.left[from] = left;
        from_end.session.sent(carried);
    }

    /// The next frame does not arrive.
    fn lose(&mut self, from: usize) {
        if self.left[from] == 0 {
            let session = &mut self.ends[from].session;
            let length = first_frame(session.output());
            session.sent(length);
        }
    }

    /// The next frame arrives once more.
    fn double(&mut self, from: usize) {
        if self.left[from] == 0 {
            let output = self.ends[from].session.output();
            let frame = output[..first_frame(output)].to_vec();
            self.ends[1 - from].session.receive(&frame);
        }
    }

    /// Carries and answers until nothing moves.
    fn settle(&mut self) {
        loop {
            for end in &mut self.ends {
                end.poll(self.now);
                end.respond_to_all(self.now);
                end.poll(self.now);
            }
            let silent = self.ends.iter().all(|end| end.session.output().is_empty() && end.is_settled());
            if silent {
                break;
            }
            [0, 1].into_iter().for_each(|from| self.carry(from, usize::MAX));
        }
    }

    /// Both come to an end, whatever was before.
    fn finish(&mut self) {
        self.settle();
        let now = self.now;
        self.ends.iter_mut().for_each(|end| end.session.terminate(now));
        self.settle();
        for _ in 0..MOST_DEADLINES {
            if let Some(next) = self.next_deadline() {
                self.now.instant = self.now.instant.max(next);
                self.settle();
            }
        }
        for end in &self.ends {
            end.check();
            assert!(end.session.is_over(), "{:?} has no end", end.session);
            assert_eq!(end.session.deadline(), None);
        }
    }

    /// What one was given is what the other has sent.
    fn compare(&self) {
        for (one, other) in [(0, 1), (1, 0)].map(|(one, other)| (&self.ends[one], &self.ends[other])) {
            assert_eq!(one.misdeed, None);
            for (sequence, pdu) in &one.given {
                assert!(other.sent.get(sequence) == Some(pdu), "{sequence} is another request");
            }
            for (sequence, pdu) in &one.answered {
                let request = &one.sent[sequence];
                assert!(other.may_have_answered(request, *sequence, pdu), "{sequence} has another answer");
            }
        }
    }

    fn next_deadline(&self) -> Option<std::time::Instant> {
        self.ends.iter().filter_map(|end| end.session.deadline()).min()
    }
}

/// The length in bytes of the frame that `output` begins with.
fn first_frame(output: &[u8]) -> usize {
    output.first_chunk().map_or(0, |&length| u32::from_be_bytes(length) as usize)
}
