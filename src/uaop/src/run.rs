//! The life of the process: open, serve, drain.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bus::Bus;
use link::{Identity, Line, Role, Standing};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::alarms::Alarms;
use crate::config::Config;
use crate::copies::Copies;
use crate::dispatch::Dispatch;
use crate::endpoint::{self, Endpoint};
use crate::events::{Envelope, Relay};
use crate::gateways::{Board, Peer};
use crate::health::Health;
use crate::intake::Core;
use crate::metrics::Metrics;
use crate::publisher::{Publisher, Writer};
use crate::standing::Watch;
use crate::watch_bus::{self, PING};

/// Batches of events of one gateway that wait here; more wait there.
const BATCHES: usize = 16;
/// How long the end of verdicts, events and alarms under way may take, each.
const PATIENCE: Duration = Duration::from_secs(5);

/// Works until `shutdown` comes, then ends what is under way.
///
/// # Errors
/// It cannot start, or a part of it has ended by itself: then the others stop in order first.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let listen = config.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("link.listen {listen}"))?;
    let metrics = match config.metrics {
        Some(listen) => {
            Some(TcpListener::bind(listen).await.with_context(|| format!("metrics.listen {listen}"))?)
        }
        None => None,
    };
    let bus = bus::open(&config.bus, &format!("uaop-{}", config.node)).await?;
    serve(config, Sockets { listener, metrics }, bus, shutdown).await
}

/// What it listens on.
pub(crate) struct Sockets {
    pub(crate) listener: TcpListener,
    pub(crate) metrics: Option<TcpListener>,
}

/// As [`run`], with everything open.
pub(crate) async fn serve(
    config: Config,
    sockets: Sockets,
    bus: Arc<dyn Bus>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let registry = Registry::new();
    let works = Works::open(config, bus, &registry)?;
    let (stop, stopping) = watch::channel(false);
    let (standing, stands) = watch::channel(Standing { ready: false, reason: "it starts".to_owned() });
    let mut parts = Parts::default();
    let core = works.start(standing, &stands, &stopping, &mut parts);
    if let Some(listener) = sockets.metrics {
        let endpoint = Endpoint {
            registry,
            config: Arc::clone(&works.config),
            board: works.board.clone(),
            health: works.health.clone(),
            standing: stands,
        };
        parts.endless.spawn(watch_over(listener, Arc::new(endpoint)));
    }
    let mut serving = tokio::spawn(link::serve(
        sockets.listener,
        works.me.clone(),
        Arc::new(core),
        None,
        told(stopping.clone()),
    ));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        node = works.config.node,
        site = works.config.site,
        gateways = works.config.gateways.len(),
        "serving"
    );
    let mut served = None;
    let failed = tokio::select! {
        () = shutdown => None,
        error = parts.ended() => Some(error),
        end = &mut serving => {
            served = Some(());
            Some(outcome(end).err().unwrap_or_else(|| anyhow!("nobody is served any more")))
        }
    };
    match &failed {
        None => tracing::info!("stopping: nothing new is taken"),
        Some(error) => tracing::error!(error = format!("{error:#}"), "stopping: the UAOP cannot go on"),
    }
    stop.send_replace(true);
    if served.is_none() {
        let patience = works.config.wait + PATIENCE;
        match tokio::time::timeout(patience, &mut serving).await {
            Ok(end) => outcome(end).unwrap_or_else(|error| tracing::error!(%error, "not served to the end")),
            Err(_) => tracing::warn!("verdicts under way did not come in time; their EMPIs offer again"),
        }
    }
    parts.finish().await;
    failed.map_or(Ok(()), Err)
}

/// What the parts have in common.
struct Works {
    config: Arc<Config>,
    me: Identity,
    bus: Arc<dyn Bus>,
    board: Board,
    health: Health,
    alarms: Alarms,
    metrics: Arc<Metrics>,
}

/// The tasks.
#[derive(Default)]
struct Parts {
    /// They must not end.
    endless: JoinSet<anyhow::Result<()>>,
    /// They end when they are told to.
    relays: JoinSet<()>,
    alarms: JoinSet<()>,
    /// Tells the alarms; last, for the others may have some while they stop.
    quiet: watch::Sender<bool>,
}

impl Works {
    fn open(config: Config, bus: Arc<dyn Bus>, registry: &Registry) -> anyhow::Result<Self> {
        let me = Identity { role: Role::Uaop, node: config.node.clone(), site: config.site.clone() };
        let metrics = Arc::new(Metrics::new(registry)?);
        let health = Health::new();
        health.seen(PING, Err("not asked yet".to_owned()));
        Ok(Self {
            board: Board::new(config.gateways.iter().map(|gateway| gateway.name.clone())),
            alarms: Alarms::new(me.clone(), Arc::clone(&metrics)),
            config: Arc::new(config),
            me,
            bus,
            health,
            metrics,
        })
    }

    fn start(
        &self,
        standing: watch::Sender<Standing>,
        stands: &watch::Receiver<Standing>,
        stopping: &watch::Receiver<bool>,
        parts: &mut Parts,
    ) -> Core {
        let copies = self.publisher(bus::COPIES, parts);
        let events = self.publisher(bus::EVENTS, parts);
        let alarms = self.publisher(bus::ALARMS, parts);
        parts.alarms.spawn(self.alarms.clone().publish(alarms, told(parts.quiet.subscribe())));
        let (bus, health) = (Arc::clone(&self.bus), self.health.clone());
        parts.endless.spawn(async {
            watch_bus::watch(bus, health).await;
            Ok(())
        });
        let watch = Watch {
            config: Arc::clone(&self.config),
            board: self.board.clone(),
            health: self.health.clone(),
            alarms: self.alarms.clone(),
            metrics: Arc::clone(&self.metrics),
            standing,
            stopping: stopping.clone(),
        };
        parts.relays.spawn(watch.run());
        let lines = self.config.gateways.iter().map(|gateway| {
            let (sender, batches) = mpsc::channel(BATCHES);
            let line = Line::open(gateway.line.clone(), self.me.clone(), Role::Gateway, Some(sender));
            let follow = self.board.clone().follow(gateway.name.clone(), self.me.site.clone(), line.state());
            parts.endless.spawn(async {
                follow.await;
                Ok(())
            });
            let peer: Arc<dyn Peer> = Arc::new(line);
            let relay = Relay {
                gateway: gateway.name.clone(),
                envelope: Envelope::new(&self.me, gateway),
                peer: Arc::clone(&peer),
                publisher: events.clone(),
                alarms: self.alarms.clone(),
                metrics: Arc::clone(&self.metrics),
            };
            parts.relays.spawn(relay.run(batches, told(stopping.clone())));
            (gateway.name.clone(), peer)
        });
        Core {
            dispatch: Dispatch {
                peers: lines.collect(),
                board: self.board.clone(),
                classes: self.config.classes.clone(),
                metrics: Arc::clone(&self.metrics),
            },
            router: self.config.router.clone(),
            copies: Copies { me: self.me.clone(), publisher: copies },
            health: self.health.clone(),
            alarms: self.alarms.clone(),
            metrics: Arc::clone(&self.metrics),
            standing: stands.clone(),
            stopping: stopping.clone(),
            places: Semaphore::new(self.config.most),
            most: self.config.most,
            wait: self.config.wait,
            access: self.config.log.access,
        }
    }

    fn publisher(&self, topic: &'static str, parts: &mut Parts) -> Publisher {
        let writer = Writer {
            topic,
            bus: Arc::clone(&self.bus),
            health: self.health.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        let (publisher, work) = writer.start();
        parts.endless.spawn(async {
            work.await;
            Ok(())
        });
        publisher
    }
}

impl Parts {
    /// Waits until one ends that must not; the reason.
    async fn ended(&mut self) -> anyhow::Error {
        let end = tokio::select! {
            Some(end) = self.endless.join_next() => end,
            Some(end) = self.relays.join_next() => end.map(Ok),
            Some(end) = self.alarms.join_next() => end.map(Ok),
        };
        outcome(end).err().unwrap_or_else(|| anyhow!("a part has ended by itself"))
    }

    /// What is under way arrives, if it can in time: events come again, alarms do not.
    async fn finish(mut self) {
        let relays = async { while self.relays.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, relays).await.is_err() {
            tracing::warn!("events under way are not on the bus; their gateways tell them again");
        }
        self.quiet.send_replace(true);
        let alarms = async { while self.alarms.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, alarms).await.is_err() {
            tracing::warn!("alarms are not on the bus, and lost");
        }
    }
}

fn outcome(end: Result<anyhow::Result<()>, JoinError>) -> anyhow::Result<()> {
    end.context("a part has ended by a panic")?
}

async fn watch_over(listener: TcpListener, endpoint: Arc<Endpoint>) -> anyhow::Result<()> {
    axum::serve(listener, endpoint::router(endpoint)).await.context("the metrics cannot be served")
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // whoever could say so being gone says it too
    let _ = stopping.wait_for(|&stopping| stopping).await;
}
