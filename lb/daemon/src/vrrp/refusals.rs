//! Which refused advertisements are worth a line: a flood of them must not drive all else out of the log and the flight
//! recorder. All are counted elsewhere.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The same news of the same source are news again after this time.
const AGAIN: Duration = Duration::from_secs(600);
/// So many are told in that time, whatever the sources say they are.
const MOST: usize = 32;

/// What was told, and when.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<(IpAddr, &'static str), Instant>);

impl Refusals {
    /// Whether a refusal of `source` for this reason is to be told; if so, it counts as told.
    pub(super) fn is_news(&mut self, source: IpAddr, reason: &'static str, now: Instant) -> bool {
        self.0.retain(|_, told| now.saturating_duration_since(*told) < AGAIN);
        let news = self.0.len() < MOST && !self.0.contains_key(&(source, reason));
        if news {
            self.0.insert((source, reason), now);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn each_source_and_reason_is_told_once_in_a_while() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        for round in 0..3 {
            let now = start + AGAIN * round;
            for again in [false, true] {
                for (last, reason) in [(1, "ttl"), (2, "ttl"), (1, "length")] {
                    assert_eq!(refusals.is_news(source(last), reason, now), !again);
                }
            }
        }
    }

    #[test]
    fn invented_sources_are_told_up_to_a_limit() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        let told = (0..=255).filter(|last| refusals.is_news(source(*last), "ttl", now)).count();
        assert_eq!(told, MOST);
    }
}
