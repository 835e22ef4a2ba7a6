//! A thread that gathers what somebody tells, for tests that wait for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Until the next try at somebody who is away.
const AWAY: Duration = Duration::from_millis(20);

/// What has come so far; a thread asks for more as long as this lives.
#[derive(Debug)]
pub struct Follow<S> {
    shared: Arc<Shared<S>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared<S> {
    stop: AtomicBool,
    seen: Mutex<S>,
    more: Condvar,
}

impl<S: Default + Send + 'static> Follow<S> {
    /// Asks again and again. `ask` waits for what is new and gives what is to be done with it; an error means that nobody is
    /// there: killed, or not there yet.
    #[must_use]
    pub fn new<A: FnOnce(&mut S)>(mut ask: impl FnMut() -> Result<A> + Send + 'static) -> Self {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            seen: Mutex::new(S::default()),
            more: Condvar::new(),
        });
        let ours = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !ours.stop.load(Ordering::Relaxed) {
                match ask() {
                    Ok(add) => {
                        add(&mut ours.seen());
                        ours.more.notify_all();
                    }
                    Err(_) => thread::sleep(AWAY),
                }
            }
        });
        Self { shared, thread: Some(thread) }
    }
}

impl<S> Follow<S> {
    /// Looks at what has come.
    pub fn look<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.shared.seen())
    }

    /// Waits until what has come satisfies `condition`, which is asked after each answer.
    ///
    /// # Errors
    /// The deadline has passed; with what `so_far` says of what has come.
    pub fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut condition: impl FnMut(&S) -> Option<T>,
        so_far: impl FnOnce(&S) -> String,
    ) -> Result<T> {
        let start = Instant::now();
        let mut seen = self.shared.seen();
        loop {
            if let Some(value) = condition(&seen) {
                return Ok(value);
            }
            let Some(left) = deadline.checked_sub(start.elapsed()) else {
                bail!("waited {deadline:?} in vain for {what}; {}", so_far(&seen));
            };
            let (locked, _) =
                self.shared.more.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner);
            seen = locked;
        }
    }
}

impl<S> Shared<S> {
    fn seen(&self) -> MutexGuard<'_, S> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Drop for Follow<S> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // it has told its panic already
            let _ = thread.join();
        }
    }
}
