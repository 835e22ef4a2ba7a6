//! What a peer should not send: counted, and logged without a flood.

use std::fmt::Display;
use std::time::{Duration, Instant};

use wire::session::Oddity;

use super::Context;
use crate::metrics::connection::Odd;

/// A line of one kind comes at most so often.
const PAUSE: Duration = Duration::from_secs(10);

/// The oddities of one session.
#[derive(Debug, Default)]
pub(super) struct Oddities([Kind; Odd::ALL.len()]);

#[derive(Debug, Default)]
struct Kind {
    logged: Option<Instant>,
    /// Since then.
    silent: u64,
}

impl Oddities {
    /// `what` holds neither numbers nor texts of people.
    pub(super) fn note(&mut self, context: &Context, odd: Odd, what: &dyn Display, now: Instant) {
        context.metrics.oddities(odd).inc();
        if let Some(silent) = self.0[odd as usize].line(now) {
            let (account, connection) = (&context.account.name, context.connection);
            let kind = odd.word();
            tracing::warn!(%account, connection, kind, silent, "the carrier is odd: {what}");
        }
    }
}

impl Kind {
    /// Whether to write a line, and how many have not been written since the last.
    fn line(&mut self, now: Instant) -> Option<u64> {
        if self.logged.is_some_and(|logged| now.saturating_duration_since(logged) < PAUSE) {
            self.silent += 1;
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.silent))
    }
}

pub(super) fn kind<S>(oddity: &Oddity<S>) -> Odd {
    match oddity {
        Oddity::Stray { .. } => Odd::Stray,
        Oddity::Malformed { .. } => Odd::Malformed,
        Oddity::Unknown { .. } => Odd::Unknown,
        Oddity::NotServed { .. } => Odd::NotServed,
        Oddity::SequenceReused { .. } => Odd::SequenceReused,
        Oddity::RequestRepeated { .. } => Odd::RequestRepeated,
        Oddity::WindowExceeded { .. } => Odd::WindowExceeded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_logged_and_the_next_with_how_many_there_were() {
        let start = Instant::now();
        let mut kind = Kind::default();
        let at = |millis| start + Duration::from_millis(millis);
        let lines: Vec<Option<u64>> =
            [0, 1, 9_999, 10_000, 10_001, 30_000].map(|millis| kind.line(at(millis))).into();
        assert_eq!(lines, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
