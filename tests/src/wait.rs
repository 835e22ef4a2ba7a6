//! Conditions instead of sleeps.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks at a condition.
const STEP: Duration = Duration::from_millis(10);

/// Looks again and again until `condition` yields something.
///
/// # Errors
/// Names `what` when `deadline` has passed without it.
pub fn until<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> Result<T> {
    until_ok(what, deadline, || Ok(condition()))
}

/// As [`until`], for a condition that can also become impossible.
///
/// # Errors
/// Names `what` when `deadline` has passed without it; and the first error of `condition`, at once.
pub fn until_ok<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if start.elapsed() >= deadline {
            bail!("waited {deadline:?} in vain for {what}");
        }
        std::thread::sleep(STEP);
    }
}

/// Waits for the end of a thread that was told to end, once; nothing to wait for is fine.
///
/// # Errors
/// Its own, or that `who` panicked.
pub fn thread(who: &str, thread: &mut Option<JoinHandle<Result<()>>>) -> Result<()> {
    match thread.take().map(JoinHandle::join) {
        Some(Ok(result)) => result,
        Some(Err(_)) => bail!("{who} panicked"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_until_it_is_there() {
        let mut looks = 0;
        let found = until("the third look", Duration::from_secs(5), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found.unwrap(), 3);
    }

    #[test]
    fn says_what_did_not_come() {
        let error = until("godot", Duration::ZERO, || None::<()>).unwrap_err();
        assert_eq!(error.to_string(), "waited 0ns in vain for godot");
    }

    #[test]
    fn gives_up_at_once_when_it_cannot_come() {
        let error =
            until_ok("rain", Duration::from_secs(60), || -> Result<Option<()>> { bail!("no clouds") });
        assert_eq!(error.unwrap_err().to_string(), "no clouds");
    }
}
