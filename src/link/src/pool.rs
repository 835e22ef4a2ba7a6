//! Several peers that can stand in for each other.

mod core;
mod metrics;
mod round;
mod watch;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use domain::Submission;
use runtime::register::Register;
use tokio::sync::{Notify, mpsc, watch as tokio_watch};
use tokio::task::JoinSet;

use self::core::Core;
use crate::{Identity, Line, LineSettings, LineState, PoolSettings, Role, Verdict};
use metrics::Metrics;
pub(crate) use round::Item;

/// What changed; each is worth a log line, a metric, mostly an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Up {
        server: String,
    },
    /// Also of a server that was not up from the start.
    Down {
        server: String,
        reason: String,
    },
    /// Another tier is used; `None`: none. From none to none: at the start no server is usable.
    Tier {
        from: Option<u8>,
        to: Option<u8>,
    },
}

/// A server as `/status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    pub name: String,
    pub priority: u8,
    pub usable: bool,
    pub line: LineState,
    /// Of the pool's lanes, how many use it.
    pub lanes: usize,
}

/// A handle; all clones are one. The connections end with the last.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    /// They end with the handle.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    core: Mutex<Core>,
    /// In the order of the settings.
    lines: Vec<Line>,
    news: mpsc::UnboundedSender<News>,
    usable: tokio_watch::Sender<bool>,
    /// Rung when the next deadline may be another one.
    attention: Notify,
    metrics: OnceLock<Metrics>,
    silence: Duration,
}

impl Pool {
    #[must_use]
    pub fn open(
        settings: PoolSettings,
        me: Identity,
        expected: Role,
        news: mpsc::UnboundedSender<News>,
    ) -> Self {
        let PoolSettings { pool, line } = settings;
        let lines = pool.servers.iter().map(|server| {
            let settings = LineSettings { server: server.address.clone(), ..line.clone() };
            Line::open(settings, me.clone(), expected, None)
        });
        let lines: Vec<Line> = lines.collect();
        let timeout = pool.check.as_ref().map_or(line.silence, |check| check.timeout);
        let first_word = now() + line.connect;
        let shared = Arc::new(Shared {
            core: Mutex::new(Core::new(pool, first_word, now(), seed())),
            lines,
            news,
            usable: tokio_watch::Sender::new(false),
            attention: Notify::new(),
            metrics: OnceLock::new(),
            silence: line.silence,
        });
        let mut tasks = JoinSet::new();
        for server in 0..shared.lines.len() {
            tasks.spawn(watch::watch(Arc::clone(&shared), server, timeout));
        }
        tasks.spawn(watch::keep_time(Arc::clone(&shared)));
        Self(Arc::new(Handle { shared, _tasks: tasks }))
    }

    /// Offers messages until each has a verdict that is not `Later`: to the best server, to another when that is lost or
    /// puts it off, again and again. `again`: they may have been offered in another life.
    pub async fn submit(&self, submissions: Vec<Submission>, again: bool) -> Vec<Verdict> {
        let mut verdicts = vec![None; submissions.len()];
        let mut items: Vec<Item<usize>> = submissions
            .into_iter()
            .enumerate()
            .map(|(place, submission)| Item { place, submission, again })
            .collect();
        let mut pause = Pause::default();
        loop {
            let mut put_off = Vec::new();
            for (item, verdict) in self.round(items).await {
                match (verdict, verdicts.get_mut(item.place)) {
                    (Verdict::Later { .. } | Verdict::InDoubt { .. }, _) => put_off.push(item),
                    (verdict, Some(place)) => *place = Some(verdict),
                    (_, None) => {}
                }
            }
            if put_off.is_empty() {
                return verdicts.into_iter().flatten().collect();
            }
            items = put_off;
            self.count_retries(items.len());
            tokio::time::sleep(self.jittered(pause.next())).await;
            // its sender is this handle's
            let _ = self.usable().wait_for(|&usable| usable).await;
        }
    }

    /// Whether any server is usable.
    #[must_use]
    pub fn usable(&self) -> tokio_watch::Receiver<bool> {
        self.0.shared.usable.subscribe()
    }

    /// In the order of the settings.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerView> {
        let shared = &self.0.shared;
        let core = shared.core();
        let view = |(line, server): (&Line, &core::Server)| ServerView {
            name: server.name.clone(),
            priority: server.priority,
            usable: server.up,
            line: line.state().borrow().clone(),
            lanes: core.lanes_on(server.id),
        };
        shared.lines.iter().zip(core.servers()).map(view).collect()
    }

    /// Makes its metrics known: `link_server_up` and `link_server_lanes` by `server`, `link_offers_total` by `server` and
    /// `verdict`, `link_retries_total`.
    ///
    /// # Errors
    /// A family of one of these names is registered already.
    pub fn metrics(&self, register: &Register<'_>) -> prometheus::Result<()> {
        let shared = &self.0.shared;
        let core = shared.core();
        let metrics = Metrics::new(register, core.servers().iter().map(|server| server.name.as_str()))?;
        metrics.show(&core);
        // a second time cannot be: the families are registered already
        let _ = shared.metrics.set(metrics);
        Ok(())
    }

    /// How long a verdict may be waited for at an end.
    pub(crate) fn patience(&self) -> Duration {
        self.0.shared.silence * 2
    }

    pub(crate) fn count_retries(&self, messages: usize) {
        if let Some(metrics) = self.0.shared.metrics.get() {
            metrics.retries.inc_by(messages as u64);
        }
    }

    /// Half of it to all of it.
    pub(crate) fn jittered(&self, pause: Duration) -> Duration {
        self.0.shared.core().jittered(pause)
    }
}

impl Shared {
    fn core(&self) -> std::sync::MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One change, and all that follows from it.
    fn change(&self, change: impl FnOnce(&mut Core, Instant) -> Vec<News>) {
        let news = {
            let mut core = self.core();
            let news = change(&mut core, now());
            let usable = core.is_usable();
            self.usable.send_if_modified(|before| std::mem::replace(before, usable) != usable);
            if let Some(metrics) = self.metrics.get() {
                metrics.show(&core);
            }
            for news in &news {
                // nobody may want to know
                let _ = self.news.send(news.clone());
            }
            news
        };
        for news in news {
            match news {
                News::Up { server } => tracing::info!(server, "server is up"),
                News::Down { server, reason } => tracing::warn!(server, reason, "server is down"),
                News::Tier { from, to: None } => tracing::error!(from, "no server is usable"),
                News::Tier { from, to } => tracing::warn!(from, to, "tier in use changed"),
            }
        }
        self.attention.notify_one();
    }
}

/// Between rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(10))
    }
}

impl Pause {
    const MOST: Duration = Duration::from_secs(1);

    /// Doubled each time.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Self::MOST);
        pause
    }
}

/// The time of the runtime, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Pools of several processes must not move in step.
fn seed() -> u64 {
    let since = runtime::clock::since_epoch();
    since.as_secs() ^ u64::from(since.subsec_nanos()) << 32 ^ u64::from(std::process::id())
}
