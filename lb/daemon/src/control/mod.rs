//! The control plane: the one place where listeners, pools and workers are created, changed and removed. It runs on
//! a thread of its own, so that neither checks nor scrapes cost the data plane anything.

mod apply;
mod describe;
mod events;
mod names;
mod operate;
mod plan;
mod report;
mod stop;
#[cfg(test)]
pub mod testing;
mod timeline;
mod virtual_routers;
mod vrrp;
mod watch;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lb_core::config::{self, Config};
use prometheus::Registry;
use runtime::endpoint::Watched;
use settings::Fault;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch as watch_channel;
use tokio::task::AbortHandle;

use crate::beats::Beats;
use crate::host::{self, Compiled};
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::probe::Prober;
use crate::resolve::Names;
use crate::service::{PoolEvents, Service, SharedListener, SharedPool};
use crate::vrrp::Kind;
use crate::worker::{self, Command};
use runtime::clock;

pub use describe::describe;
pub use operate::OperateError;
pub use plan::Preview;
pub use report::{ListenerReport, Report};
pub use timeline::{Entry, Timeline};
pub use virtual_routers::VirtualRouters;

/// So many entries of the timeline are kept.
const REMEMBERED: usize = 10_000;
/// What entries of the timeline about the daemon itself are about.
const DAEMON: &str = "lb";

/// The running daemon, seen from its control side.
#[derive(Debug)]
pub struct Control {
    file: PathBuf,
    /// On the command line.
    chosen_node: Option<String>,
    started: Instant,
    metrics: Arc<Metrics>,
    workers: Vec<worker::Handle>,
    events: UnboundedSender<PoolEvents>,
    prober: watch_channel::Sender<Arc<Prober>>,
    names: watch_channel::Sender<Arc<Names>>,
    draining: AtomicBool,
    /// Signs of life of the workers, and last of the control thread.
    beats: Arc<Beats>,
    /// There from the first virtual router on.
    vrrp: OnceLock<Arc<crate::vrrp::Handle>>,
    tracker: vrrp::Tracker,
    timeline: Arc<Timeline>,
    virtual_routers: VirtualRouters,
    notifier: Notifier,
    state: Mutex<State>,
}

/// What a reload changes.
#[derive(Debug)]
struct State {
    config: Config,
    /// Whose part of the file that is.
    node: Option<String>,
    pools: BTreeMap<String, RunningPool>,
    listeners: BTreeMap<String, Arc<SharedListener>>,
    services: BTreeMap<String, Arc<Service>>,
    /// Addresses that are served no longer, and since when: the workers may still be closing them.
    closed: BTreeMap<SocketAddr, Instant>,
    next_pool: u32,
}

#[derive(Debug)]
struct RunningPool {
    shared: Arc<SharedPool>,
    watch: AbortHandle,
    names: AbortHandle,
}

impl Drop for RunningPool {
    fn drop(&mut self) {
        self.watch.abort();
        self.names.abort();
    }
}

/// Why a configuration could not be put in force. What was in force still is.
#[derive(Debug)]
pub enum Refusal {
    /// The daemon is stopping.
    Stopping,
    /// The file cannot be read.
    Unreadable(String),
    /// The file has faults, or cannot be carried out here.
    Faults(Vec<Fault>),
}

impl Control {
    /// Starts workers and puts `config` in force; afterwards the daemon serves. Must run inside a runtime.
    ///
    /// # Errors
    /// When threads cannot be made, or with the faults of what cannot be carried out here (an address in use).
    pub fn start(
        Compiled { config, node }: Compiled,
        file: &Path,
        chosen_node: Option<&str>,
    ) -> anyhow::Result<Result<Arc<Self>, Vec<Fault>>> {
        let count = worker_count(&config);
        let (events, received) = unbounded_channel();
        let access = config.log.access;
        let names = (0..count).map(worker::name).chain(["control".to_owned()]);
        let beats = Arc::new(Beats::new(names));
        let start = |n| worker::start(n, access, events.clone(), Arc::clone(&beats));
        let workers = (0..count).map(start).collect::<Result<_, _>>()?;
        let own_beat = Arc::clone(&beats);
        tokio::spawn(async move { own_beat.keep(count).await });
        let (started, metrics) = (Instant::now(), Arc::new(Metrics::new()?));
        let timeline = Arc::new(Timeline::new(started, REMEMBERED));
        let notifier = Notifier::start(Arc::clone(&timeline), Arc::clone(&metrics), node.clone());
        let nothing = Config {
            listeners: Vec::new(),
            pools: Vec::new(),
            virtual_routers: Vec::new(),
            ..config.clone()
        };
        let state = State {
            config: nothing,
            node,
            pools: BTreeMap::new(),
            listeners: BTreeMap::new(),
            services: BTreeMap::new(),
            closed: BTreeMap::new(),
            next_pool: 0,
        };
        let control = Arc::new(Self {
            file: file.to_owned(),
            chosen_node: chosen_node.map(str::to_owned),
            started,
            metrics,
            workers,
            events,
            prober: watch_channel::Sender::default(),
            names: watch_channel::Sender::new(Arc::new(Names::new(config.resolver.clone()))),
            draining: AtomicBool::new(false),
            beats,
            vrrp: OnceLock::new(),
            tracker: vrrp::Tracker::default(),
            timeline,
            virtual_routers: VirtualRouters::default(),
            notifier,
            state: Mutex::new(state),
        });
        tokio::spawn(events::carry_out(Arc::downgrade(&control), received));
        tokio::spawn(expire_sources(Arc::downgrade(&control)));
        if let Err(faults) = control.apply(config) {
            return Ok(Err(faults));
        }
        control.applied_now();
        control.note(Kind::Daemon, control.started_text());
        Ok(Ok(control))
    }

    /// Reads the file again and puts it in force, or leaves everything as it is.
    ///
    /// # Errors
    /// What is wrong with the file, or why it cannot be carried out.
    pub fn reload(self: &Arc<Self>) -> Result<config::Plan, Refusal> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Refusal::Stopping);
        }
        let result = self.read().and_then(|Compiled { config, node }| {
            let plan = self.apply(config).map_err(Refusal::Faults)?;
            self.state().node = node;
            Ok(plan)
        });
        let label = if result.is_ok() { "applied" } else { "refused" };
        self.metrics.reloads.with_label_values(&[label]).inc();
        match &result {
            Ok(plan) => {
                self.applied_now();
                self.note(Kind::Config, describe::in_one_line(plan));
                tracing::info!(changes = plan.changes.len(), file = %self.file.display(), "reloaded");
            }
            Err(refusal) => {
                self.note(Kind::Config, refusal.in_one_line());
                refusal.log(&self.file);
            }
        }
        result
    }

    fn read(&self) -> Result<Compiled, Refusal> {
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Refusal::Unreadable(format!("{}: {error}", self.file.display())))?;
        host::compile(&text, self.chosen_node.as_deref()).map_err(Refusal::Faults)
    }

    fn applied_now(&self) {
        self.notifier.configure(&self.state().config.virtual_routers);
        let now = clock::since_epoch();
        self.metrics.last_reload.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    }

    /// What happened, in order.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Writes into the timeline what concerns the daemon as a whole.
    fn note(&self, kind: Kind, text: String) {
        self.timeline.record(Instant::now(), kind, DAEMON, text);
    }

    fn started_text(&self) -> String {
        let node = self.state().node.clone().unwrap_or_else(|| "-".to_owned());
        format!("started: version {}, node {node}, {}", env!("CARGO_PKG_VERSION"), self.file.display())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        for worker in &self.workers {
            worker.tell(command());
        }
    }
}

impl Refusal {
    fn in_one_line(&self) -> String {
        match self {
            Self::Stopping => "refused: stopping".to_owned(),
            Self::Unreadable(error) => format!("refused: {error}"),
            Self::Faults(faults) => {
                let first = faults.first().map(ToString::to_string).unwrap_or_default();
                let more = faults.len().saturating_sub(1);
                let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
                format!("refused: {first}{more}")
            }
        }
    }

    fn log(&self, file: &Path) {
        match self {
            Self::Stopping => tracing::error!("not reloaded: stopping"),
            Self::Unreadable(error) => tracing::error!(error, "not reloaded; the old configuration goes on"),
            Self::Faults(faults) => {
                for fault in faults {
                    tracing::error!(file = %file.display(), %fault, "not reloaded; the old configuration goes on");
                }
            }
        }
    }
}

impl Watched for Control {
    fn registry(&self) -> &Registry {
        let state = self.state();
        let pools = state.pools.values().map(|pool| pool.shared.with(|pool| pool.status(Instant::now())));
        let shown = |name: &str, live: u32| live > 0 || state.services.contains_key(name);
        let listeners = state.listeners.iter().map(|(name, listener)| (name.as_str(), listener.live()));
        let listeners = listeners.filter(|(name, live)| shown(name, *live));
        let routers = state.config.virtual_routers.iter().map(|router| router.name.as_str());
        crate::metrics::refresh(&self.metrics, pools, listeners, routers);
        &self.metrics.registry
    }

    fn ready(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) { Err("stopping".to_owned()) } else { Ok(()) }
    }
}

/// As configured, or one for each core that this process may use.
fn worker_count(config: &Config) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    config.workers.map_or_else(cores, std::num::NonZero::get)
}

/// Sources that need not be remembered are forgotten now and then.
async fn expire_sources(control: std::sync::Weak<Control>) {
    let mut interval = tokio::time::interval(Duration::from_secs(10));
    loop {
        interval.tick().await;
        let Some(control) = control.upgrade() else { return };
        for listener in control.state().listeners.values() {
            let mut sources = listener.sources.lock().unwrap_or_else(PoisonError::into_inner);
            sources.expire(Instant::now());
        }
    }
}
