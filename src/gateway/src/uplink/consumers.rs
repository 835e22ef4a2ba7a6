//! Who reads events, and up to where.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A consumer that was not seen for so long is not waited for.
const GONE: Duration = Duration::from_secs(60);

/// The consumers of events. Each event goes to all of them; it is kept until all that are there have acknowledged it.
#[derive(Debug, Default)]
pub struct Consumers {
    seen: BTreeMap<String, Seen>,
    deleted: i64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    acknowledged: i64,
    last: Instant,
}

impl Consumers {
    /// `name` has everything up to `acknowledged`. The number up to which events may go now, if it has grown.
    pub fn acknowledge(&mut self, name: &str, acknowledged: i64, now: Instant) -> Option<i64> {
        self.seen.insert(name.to_owned(), Seen { acknowledged, last: now });
        self.seen.retain(|_, seen| now.saturating_duration_since(seen.last) < GONE);
        let least = self.seen.values().map(|seen| seen.acknowledged).min()?;
        (least > self.deleted).then(|| {
            self.deleted = least;
            least
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_goes_when_all_that_are_there_have_it() {
        let start = Instant::now();
        let mut consumers = Consumers::default();
        assert_eq!(consumers.acknowledge("a", 0, start), None);
        assert_eq!(consumers.acknowledge("b", 0, start), None);
        assert_eq!(consumers.acknowledge("a", 10, start), None);
        assert_eq!(consumers.acknowledge("b", 7, start), Some(7));
        assert_eq!(consumers.acknowledge("b", 7, start), None);
        assert_eq!(consumers.acknowledge("b", 12, start), Some(10));
    }

    #[test]
    fn one_that_is_gone_is_not_waited_for() {
        let start = Instant::now();
        let mut consumers = Consumers::default();
        consumers.acknowledge("a", 3, start);
        consumers.acknowledge("b", 0, start);
        assert_eq!(consumers.acknowledge("a", 9, start + GONE), Some(9));
    }
}
