//! When a bank is called again.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use domain::Millis;
use store::empi::Called;

use crate::config::Callback;

/// After a call in vain, the last of `tries + 1`, about what is here since `since`.
#[must_use]
pub fn after_failure(settings: &Callback, tries: u32, since: Millis, now: Millis) -> Called {
    if since.later(settings.give_up) <= now {
        return Called::GivenUp;
    }
    Called::Again(now.later(pause(settings.retry, tries)))
}

/// After so many failures.
#[must_use]
pub fn pause((first, most): (Duration, Duration), failures: u32) -> Duration {
    let builder = ExponentialBuilder::new().with_min_delay(first).with_max_delay(most).with_factor(2.0);
    let failures = usize::try_from(failures).unwrap_or(usize::MAX).min(64);
    builder.without_max_times().build().nth(failures).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retry = (Duration::from_secs(1), Duration::from_secs(600));
        let seconds: Vec<u64> = (0..12).map(|tries| pause(retry, tries).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(pause(retry, u32::MAX).as_secs(), 600);
    }

    #[test]
    fn it_is_given_up_after_its_time() {
        let settings = Callback {
            url: "http://192.0.2.1/".parse().unwrap(),
            at_once: 1,
            timeout: Duration::from_secs(1),
            retry: (Duration::from_secs(1), Duration::from_secs(4)),
            give_up: Duration::from_secs(10),
        };
        assert_eq!(after_failure(&settings, 1, Millis(0), Millis(9_999)), Called::Again(Millis(11_999)));
        assert_eq!(after_failure(&settings, 1, Millis(0), Millis(10_000)), Called::GivenUp);
    }
}
