//! What the bank is told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::Bank;

/// Items asked for at once, and how long for the first, in seconds.
const MOST: usize = 1_000;
const WAIT_SECONDS: u64 = 1;
/// Until the next try at an EMPI that is away.
const AWAY: Duration = Duration::from_millis(20);

/// Fetches reports and users' messages by cursor, whatever becomes of the EMPIs; a thread asks for more as long as this
/// lives.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    seen: Mutex<Seen>,
    more: Condvar,
}

/// What has come.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// By `uaopId`: the reports as they came.
    pub reports: BTreeMap<String, Vec<Value>>,
    pub user_messages: Vec<Value>,
    /// The last cursor.
    pub cursor: i64,
    /// A cursor came that was not higher than the one before.
    pub backwards: bool,
}

impl Mailbox {
    /// From the first item on.
    #[must_use]
    pub fn follow(bank: Bank) -> Self {
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        let thread = thread::spawn(move || ours.follow(&bank));
        Self { shared, thread: Some(thread) }
    }

    /// Looks at what has come.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.shared.seen())
    }

    /// Waits until what has come satisfies `condition`, which is asked after each answer.
    ///
    /// # Errors
    /// The deadline has passed.
    pub fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut condition: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        let start = Instant::now();
        let mut seen = self.shared.seen();
        loop {
            if let Some(value) = condition(&seen) {
                return Ok(value);
            }
            let Some(left) = deadline.checked_sub(start.elapsed()) else {
                bail!(
                    "waited {deadline:?} in vain for {what}; reports about {} messages so far",
                    seen.reports.len()
                );
            };
            let (locked, _) =
                self.shared.more.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner);
            seen = locked;
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // it has told its panic already
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn follow(&self, bank: &Bank) {
        let mut after = None;
        while !self.stop.load(Ordering::Relaxed) {
            let after_it = after.map_or_else(String::new, |after: i64| format!("&after={after}"));
            let path = format!("/v1/reports?most={MOST}&wait={WAIT_SECONDS}{after_it}");
            match bank.ask(&path) {
                Ok(answer) => {
                    let mut seen = self.seen();
                    for item in answer["items"].as_array().into_iter().flatten() {
                        seen.add(item);
                    }
                    after = answer["next"].as_i64().or(after);
                    drop(seen);
                    self.more.notify_all();
                }
                // it is away: killed, or not there yet
                Err(_) => thread::sleep(AWAY),
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn add(&mut self, item: &Value) {
        let cursor = item["cursor"].as_i64().unwrap_or(i64::MIN);
        self.backwards |=
            self.cursor >= cursor && !(self.reports.is_empty() && self.user_messages.is_empty());
        self.cursor = cursor;
        match item["kind"].as_str() {
            Some("report") => {
                let id = item["uaop_id"].as_str().unwrap_or_default().to_owned();
                self.reports.entry(id).or_default().push(item.clone());
            }
            _ => self.user_messages.push(item.clone()),
        }
    }
}
