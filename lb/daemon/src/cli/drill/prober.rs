//! A new connection every millisecond, and the longest time without one that succeeded.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, timeout};

const EVERY: Duration = Duration::from_millis(1);
/// Of one connection.
const LIMIT: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
#[derive(Debug)]
pub(super) struct Prober {
    target: SocketAddr,
    gaps: Arc<Mutex<Gaps>>,
    task: JoinHandle<()>,
}

impl Prober {
    /// Returns when the first connection has succeeded.
    ///
    /// # Errors
    /// It did not.
    pub async fn start(target: SocketAddr) -> anyhow::Result<Self> {
        match timeout(LIMIT, TcpStream::connect(target)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => bail!("{target} takes no connection before the drill: {error}"),
            Err(_) => bail!("{target} takes no connection before the drill: no answer in time"),
        }
        let gaps = Arc::new(Mutex::new(Gaps::new(Instant::now())));
        let task = tokio::spawn(probe(target, Arc::clone(&gaps)));
        Ok(Self { target, gaps, task })
    }

    pub fn target(&self) -> SocketAddr {
        self.target
    }

    /// The longest gap since the last call.
    pub fn turn(&self) -> Duration {
        lock(&self.gaps).turn(Instant::now())
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn probe(target: SocketAddr, gaps: Arc<Mutex<Gaps>>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut attempts = JoinSet::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let gaps = Arc::clone(&gaps);
                attempts.spawn(async move {
                    if let Ok(Ok(_)) = timeout(LIMIT, TcpStream::connect(target)).await {
                        lock(&gaps).success(Instant::now());
                    }
                });
            }
            Some(_) = attempts.join_next() => {}
        }
    }
}

fn lock(gaps: &Mutex<Gaps>) -> MutexGuard<'_, Gaps> {
    gaps.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest time between two successes.
#[derive(Debug)]
struct Gaps {
    last: Instant,
    longest: Duration,
}

impl Gaps {
    fn new(now: Instant) -> Self {
        Self { last: now, longest: Duration::ZERO }
    }

    fn success(&mut self, now: Instant) {
        self.longest = self.longest.max(now.saturating_duration_since(self.last));
        self.last = now;
    }

    /// A gap that is not over counts as long as it is by now, and whole in the next turn.
    fn turn(&mut self, now: Instant) -> Duration {
        let open = now.saturating_duration_since(self.last);
        std::mem::take(&mut self.longest).max(open)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_longest_gap_of_each_turn() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut gaps = Gaps::new(start);
        [1, 2, 9, 10].into_iter().for_each(|ms| gaps.success(at(ms)));
        assert_eq!(gaps.turn(at(11)), Duration::from_millis(7));
        assert_eq!(gaps.turn(at(12)), Duration::from_millis(2), "the open one");
        gaps.success(at(30));
        assert_eq!(gaps.turn(at(31)), Duration::from_millis(20), "the one that began in the turn before");
        assert_eq!(gaps.turn(at(31)), Duration::from_millis(1));
    }

    #[tokio::test]
    async fn connections_are_made_all_the_time_and_a_gap_shows() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let prober = Prober::start(listener.local_addr().unwrap()).await.unwrap();
        for _ in 0..20 {
            listener.accept().await.unwrap();
        }
        let address = prober.target();
        drop(listener);
        let closed = Instant::now();
        // connections that are refused close no gap
        while prober.gaps.lock().unwrap().last + 5 * EVERY > Instant::now() {
            tokio::time::sleep(EVERY).await;
        }
        let listener = TcpListener::bind(address).await.unwrap();
        let gap = closed.elapsed();
        listener.accept().await.unwrap();
        assert!(prober.turn() >= gap.min(5 * EVERY), "{gap:?}");
    }

    #[tokio::test]
    async fn nothing_begins_where_nobody_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = Prober::start(address).await.unwrap_err().to_string();
        assert!(error.contains("takes no connection before the drill: Connection refused"), "{error}");
    }
}
