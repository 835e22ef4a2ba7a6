//! The hours of a day in which an account sends.

use std::time::Duration;

use domain::Stamp;

/// The minutes of a day.
pub(crate) const DAY: u16 = 24 * 60;

/// Spans of the day, in the time zone of the file. Without any it is always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// First minute and the minute after the last, 0 to 1440. The second one is smaller where midnight lies between.
    pub spans: Vec<(u16, u16)>,
}

impl Hours {
    /// How long it is until the account may send; zero where it may now. To the second.
    #[must_use]
    pub fn wait(&self, now: Stamp) -> Duration {
        let minute = u16::from(now.hour) * 60 + u16::from(now.minute);
        if self.spans.is_empty() || self.spans.iter().any(|span| holds(*span, minute)) {
            return Duration::ZERO;
        }
        let minutes = self.spans.iter().map(|(first, _)| (first + DAY - minute) % DAY).min().unwrap_or(0);
        Duration::from_secs((u64::from(minutes) * 60).saturating_sub(u64::from(now.second)))
    }
}

fn holds((first, end): (u16, u16), minute: u16) -> bool {
    if first < end { (first..end).contains(&minute) } else { minute >= first || minute < end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u8, minute: u8, second: u8) -> Stamp {
        Stamp { year: 2026, month: 3, day: 1, hour, minute, second }
    }

    #[test]
    fn it_waits_for_the_next_span_and_not_inside_of_one() {
        let hours = Hours { spans: vec![(8 * 60, 12 * 60), (14 * 60, 21 * 60)] };
        assert_eq!(hours.wait(at(8, 0, 0)), Duration::ZERO);
        assert_eq!(hours.wait(at(11, 59, 59)), Duration::ZERO);
        assert_eq!(hours.wait(at(12, 0, 0)), Duration::from_secs(2 * 3600));
        assert_eq!(hours.wait(at(7, 59, 30)), Duration::from_secs(30));
        assert_eq!(hours.wait(at(21, 0, 0)), Duration::from_secs(11 * 3600));
        assert_eq!(Hours::default().wait(at(3, 0, 0)), Duration::ZERO);
    }

    #[test]
    fn a_span_may_have_midnight_in_it() {
        let hours = Hours { spans: vec![(22 * 60, 2 * 60)] };
        for inside in [at(22, 0, 0), at(23, 59, 59), at(0, 0, 0), at(1, 59, 59)] {
            assert_eq!(hours.wait(inside), Duration::ZERO, "{inside:?}");
        }
        assert_eq!(hours.wait(at(2, 0, 0)), Duration::from_secs(20 * 3600));
    }
}
