//! Hands messages in, as a UAOP does: requests of many messages, several of them on their way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use testkit::line::Uplink;
use testkit::line::letters::Letters;
use testkit::line::uplink::Verdict;

use super::Setup;
use super::book::Book;

/// Requests on their way at once.
pub const REQUESTS: usize = 4;
/// Messages that are handed in and not answered by the carrier, at most: enough for all windows and requests, and no
/// more, or the time to the answer would be that of the queue.
pub const BACKLOG: usize = 4_000;
/// In UCS2; with the code 29 characters, one part.
const TEXT: &str = "您的验证码为271828，请勿告诉他人，五分钟内有效。";

/// What is handed in, as it goes over the socket.
pub struct Requests {
    batch: usize,
    rate: Option<u32>,
    bodies: Vec<String>,
}

impl Requests {
    /// Messages for a round.
    pub fn new(setup: &Setup, messages: usize) -> Result<Self> {
        let mut letters = Letters::new();
        let batch = setup.batch();
        let mut body = || {
            let lines = (0..batch).map(|_| Ok(serde_json::to_string(&letters.with_text(TEXT))? + "\n"));
            lines.collect::<Result<String>>()
        };
        let bodies = (0..messages.div_ceil(batch)).map(|_| body()).collect::<Result<_>>()?;
        Ok(Self { batch, rate: setup.rate, bodies })
    }

    /// Hands all of them in; when each message was, in milliseconds since 1970.
    pub fn hand_in(&self, uplink: &Uplink, book: &Book) -> Result<Vec<u64>> {
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        let mut handed = thread::scope(|scope| {
            let workers: Vec<_> =
                (0..REQUESTS).map(|_| scope.spawn(|| self.work(&next, start, uplink, book))).collect();
            let joined = workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a panic"))?);
            joined.collect::<Result<Vec<_>>>()
        })?
        .concat();
        handed.sort_unstable();
        Ok(handed.into_iter().flat_map(|(_, at)| std::iter::repeat_n(at, self.batch)).collect())
    }

    fn work(
        &self,
        next: &AtomicUsize,
        start: Instant,
        uplink: &Uplink,
        book: &Book,
    ) -> Result<Vec<(usize, u64)>> {
        let mut handed = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(body) = self.bodies.get(index) else { return Ok(handed) };
            book.wait_answered(((index + 1) * self.batch).saturating_sub(BACKLOG))?;
            if let Some(rate) = self.rate {
                let due = Duration::from_secs_f64((index * self.batch) as f64 / f64::from(rate));
                thread::sleep(due.saturating_sub(start.elapsed()));
            }
            handed.push((index, milliseconds()?));
            let taken = uplink.submit_lines(body)?;
            let other = taken.iter().find(|taken| taken.taken != Verdict::New);
            ensure!(other.is_none() && taken.len() == self.batch, "a message is not taken: {other:?}");
        }
    }
}

fn milliseconds() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(u64::try_from(now.as_millis())?)
}
