//! The life of the process: open the store, the bus and the pool; serve; drain.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bus::Bus;
use link::{Identity, Pool, Role};
use prometheus::Registry;
use runtime::clock::WallClock;
use store::StoreError;
use store::empi::EmpiStore;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::Config;
use crate::accept::read::Rules;
use crate::accept::{Desk, Waiting};
use crate::alarms::Alarms;
use crate::api::{self, Api, Limits};
use crate::calls::{self, Caller, HttpMessenger};
use crate::clock::Clock;
use crate::door::Door;
use crate::housekeeping::Housekeeping;
use crate::metrics::Families;
use crate::queue::Queue;
use crate::serve;
use crate::signature::Signer;
use crate::standing::Standing;
use crate::switches::Switches;
use crate::topic::Incoming;

/// How long verdicts and calls under way are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last alarms may take.
const LAST: Duration = Duration::from_secs(2);
/// Between tries to open a store that is away.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a store that others write to is looked at for new reports.
const RECHECK: Duration = Duration::from_secs(1);

/// Works until `shutdown` comes, then ends what is under way.
///
/// # Errors
/// It cannot start; or a part of it has ended by itself: then, too, the others stop in order first.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut shutdown = std::pin::pin!(shutdown);
    let http = TcpListener::bind(config.http.listen)
        .await
        .with_context(|| format!("http.listen {}", config.http.listen))?;
    let metrics = match config.metrics {
        Some(listen) => {
            Some(TcpListener::bind(listen).await.with_context(|| format!("metrics.listen {listen}"))?)
        }
        None => None,
    };
    let bus = bus::open(&config.bus, &format!("empi.{}", config.node)).await.context("bus")?;
    let store = tokio::select! {
        () = &mut shutdown => return Ok(()),
        store = open_store(&config) => store.context("store")?,
    };
    let mut parts = Parts::start(&config, store, bus, http, metrics).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        empi = %config.empi,
        node = config.node,
        banks = config.banks.len(),
        waiting = parts.waiting.now(),
        "serving"
    );
    let failed = tokio::select! {
        () = shutdown => None,
        ended = parts.tasks.join_next() => Some(match ended {
            Some(Err(error)) => anyhow!("a part of the process has ended: {error}"),
            Some(Ok(())) | None => anyhow!("a part of the process has ended by itself"),
        }),
    };
    match &failed {
        None => tracing::info!("stopping: requests under way are answered"),
        Some(error) => tracing::error!(%error, "stopping: the process cannot go on"),
    }
    parts.stop(config.http.drain).await;
    failed.map_or(Ok(()), Err)
}

/// A database that is away may come.
async fn open_store(config: &Config) -> Result<Arc<dyn EmpiStore>, StoreError> {
    loop {
        match store::open_empi(&config.store, &config.node).await {
            Err(error @ StoreError::Away { .. }) => {
                tracing::warn!(%error, "the store is away; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// What runs.
struct Parts {
    /// All must go on until they are told to stop.
    tasks: JoinSet<()>,
    /// The API; told by `closing`.
    front: JoinSet<()>,
    /// What is done at any moment, and can be left at any moment.
    background: JoinSet<()>,
    alarms: Arc<Alarms>,
    bus: Arc<dyn Bus>,
    waiting: Arc<Waiting>,
    stopping: watch::Sender<bool>,
    closing: watch::Sender<bool>,
    ending: watch::Sender<bool>,
}

impl Parts {
    async fn start(
        config: &Config,
        store: Arc<dyn EmpiStore>,
        bus: Arc<dyn Bus>,
        http: TcpListener,
        metrics: Option<TcpListener>,
    ) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let families = Arc::new(Families::new(&registry)?);
        let wall = WallClock::default();
        let clock: Clock = Arc::new(wall.clone());
        let alarms = Alarms::new(config.node.clone(), config.site.clone(), clock.clone(), Arc::clone(&families));
        let alarms = Arc::new(alarms);
        let waiting = Arc::new(Waiting::new(config.waiting));
        waiting.learn(store.counts().await.context("store")?.waiting);
        let (stopping, closing, ending) = (watch::Sender::new(false), watch::Sender::new(false), watch::Sender::new(false));
        let (kept, _) = watch::channel(-1);
        let (news_sender, news) = mpsc::unbounded_channel();
        let me = Identity { role: Role::Empi, node: config.node.clone(), site: config.site.clone() };
        let pool = Pool::open(config.uaops.clone(), me, Role::Uaop, news_sender);
        let (more, anew) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let standing = Arc::new(Standing::new(
            registry,
            Arc::clone(&families),
            Arc::clone(&waiting),
            wall,
            pool.usable(),
            stopping.subscribe(),
        ));
        let door = Door::new(config, clock.clone())?;
        let housekeeping = Housekeeping {
            empi: config.empi.to_string(),
            node: config.node.clone(),
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            standing: Arc::clone(&standing),
            waiting: Arc::clone(&waiting),
            alarms: Arc::clone(&alarms),
            families: Arc::clone(&families),
            clock: clock.clone(),
            clients: door.clients().to_vec(),
            keep: config.keep,
            shared: is_shared(config),
            anew: Arc::clone(&anew),
        };
        housekeeping.quotas().await;
        let switches = Switches {
            primary: config.uaops.pool.servers.iter().map(|server| server.priority).min().unwrap_or(1),
            of: format!("{}/{}", config.empi, config.node),
            families: Arc::clone(&families),
            alarms: Arc::clone(&alarms),
        };
        let queue = Queue {
            empi: config.empi.clone(),
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            waiting: Arc::clone(&waiting),
            clock: clock.clone(),
            families: Arc::clone(&families),
        };
        let incoming = Incoming {
            empi: config.empi.clone(),
            group: group(config),
            bus: Arc::clone(&bus),
            store: Arc::clone(&store),
            called: called(config),
            kept: kept.clone(),
            clock: clock.clone(),
            families: Arc::clone(&families),
            alarms: Arc::clone(&alarms),
        };
        let desk = Desk {
            empi: config.empi.clone(),
            rules: Rules { classes: config.classes.clone(), most_parts: config.most_parts },
            store: Arc::clone(&store),
            waiting: Arc::clone(&waiting),
            more: Arc::clone(&more),
            clock: clock.clone(),
            families: Arc::clone(&families),
            access: config.log.access,
        };
        let api = Api {
            door,
            desk,
            store: Arc::clone(&store),
            standing: Arc::clone(&standing),
            families: Arc::clone(&families),
            kept: kept.subscribe(),
            stopping: stopping.subscribe(),
            recheck: is_shared(config).then_some(RECHECK),
            limits: Limits { largest: config.http.largest, body: config.http.body },
        };
        let router = api::router(Arc::new(api));
        let (mut tasks, mut front, mut background) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        let window = config.uaops.line.window;
        tasks.spawn(queue.feed(pool, more, anew, window, ending.subscribe()));
        for caller in callers(config, &store, &clock, &kept, &families, &alarms)? {
            tasks.spawn(caller.run(ending.subscribe()));
        }
        front.spawn(serve::serve(http, router, config.http.clone(), families, closing.subscribe()));
        background.spawn(switches.watch(news));
        background.spawn(incoming.run());
        background.spawn(housekeeping.run());
        let (telling, told) = (Arc::clone(&alarms), Arc::clone(&bus));
        background.spawn(async move { telling.publish(told.as_ref()).await });
        if let Some(listener) = metrics {
            let router = runtime::endpoint::router(standing);
            background.spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(%error, "metrics are not served any more");
                }
            });
        }
        Ok(Self { tasks, front, background, alarms, bus, waiting, stopping, closing, ending })
    }

    /// In order: not ready, no requests, no messages and calls, nothing.
    async fn stop(mut self, drain: Duration) {
        self.stopping.send_replace(true);
        tokio::time::sleep(drain).await;
        self.closing.send_replace(true);
        while self.front.join_next().await.is_some() {}
        self.ending.send_replace(true);
        let ends = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, ends).await.is_err() {
            tracing::warn!("verdicts or calls did not come in time; they are asked for again at the next start");
        }
        let told = tokio::time::timeout(LAST, self.alarms.flush(self.bus.as_ref())).await;
        if !told.unwrap_or(false) {
            tracing::warn!("alarms could not be told");
        }
        self.background.shutdown().await;
    }
}

/// Who shares the work on the topic: those who share the store.
fn group(config: &Config) -> String {
    if is_shared(config) {
        format!("empi.{}", config.empi)
    } else {
        format!("empi.{}.{}", config.empi, config.node)
    }
}

fn is_shared(config: &Config) -> bool {
    match config.store {
        store::Place::Sqlite { .. } => false,
        store::Place::Postgres(_) => true,
    }
}

fn called(config: &Config) -> Vec<domain::Bank> {
    config.banks.iter().filter(|bank| bank.callback.is_some()).map(|bank| bank.name.clone()).collect()
}

fn callers(
    config: &Config,
    store: &Arc<dyn EmpiStore>,
    clock: &Clock,
    kept: &watch::Sender<i64>,
    families: &Arc<Families>,
    alarms: &Arc<Alarms>,
) -> anyhow::Result<Vec<Caller>> {
    let mut callers = Vec::new();
    if called(config).is_empty() {
        return Ok(callers);
    }
    let client = calls::client()?;
    for bank in &config.banks {
        let (Some(settings), Some((key, secret))) = (&bank.callback, bank.signing_key()) else { continue };
        let messenger = HttpMessenger {
            client: client.clone(),
            url: settings.url.clone(),
            timeout: settings.timeout,
            key: key.to_owned(),
            signer: Signer::new(secret).context("a secret cannot be used")?,
            clock: clock.clone(),
        };
        callers.push(Caller {
            bank: bank.name.clone(),
            settings: settings.clone(),
            messenger: Arc::new(messenger),
            store: Arc::clone(store),
            clock: clock.clone(),
            kept: kept.subscribe(),
            families: Arc::clone(families),
            alarms: Arc::clone(alarms),
        });
    }
    Ok(callers)
}
