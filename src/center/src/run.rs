//! The life of the process: open, read and publish and answer, stop in order.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::Router;
use bus::{Bus, Topic};
use link::{Identity, Pool, Role};
use prometheus::Registry;
use store::center::CenterStore;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::Config;
use crate::api::{self, Desk};
use crate::bell::{self, Bell};
use crate::clock::Clock;
use crate::intake::{Intake, Lane, told};
use crate::metrics::Families;
use crate::outbox::Outbox;
use crate::own::{self, Own, OwnShelf};
use crate::patience::{Engine, Patience};
use crate::standing::{Endpoint, Standing};
use crate::upkeep::{self, Look, Upkeep};

/// How long requests under way may take when the process stops.
const REQUESTS: Duration = Duration::from_secs(2);
/// How long everything else may take to end.
const END: Duration = Duration::from_secs(10);
/// Messages of the center's own that are offered at once.
const WINDOW: usize = 256;

/// Works until `shutdown` comes, then ends what is under way.
///
/// # Errors
/// It cannot start, or cannot go on.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let sockets = Sockets::bind(&config).await?;
    let store = store::open_center(&config.store, config.time_zone.clone()).await?;
    let bus = bus::open(&config.bus, &config.node).await?;
    serve(config, Parts { store, bus, sockets, clock: Clock::system() }, shutdown).await
}

/// Where it is asked.
pub struct Sockets {
    pub http: TcpListener,
    pub metrics: Option<TcpListener>,
}

impl Sockets {
    async fn bind(config: &Config) -> anyhow::Result<Self> {
        let http = TcpListener::bind(config.http).await;
        let http = http.with_context(|| format!("http.listen {}", config.http))?;
        let metrics = match config.metrics {
            Some(listen) => {
                Some(TcpListener::bind(listen).await.with_context(|| format!("metrics.listen {listen}"))?)
            }
            None => None,
        };
        Ok(Self { http, metrics })
    }
}

/// What it is made of.
pub struct Parts {
    pub store: Arc<dyn CenterStore>,
    pub bus: Arc<dyn Bus>,
    pub sockets: Sockets,
    pub clock: Clock,
}

/// As [`run`], with parts that are open.
pub async fn serve(config: Config, parts: Parts, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let Parts { store, bus, sockets, clock } = parts;
    let registry = Registry::new();
    let families = Arc::new(Families::new(&registry)?);
    let (bell, alarms) = Bell::new(&config.node, &config.site, clock.clone());
    match store.alarms(false, upkeep::ALARMS).await {
        Ok(raised) => bell.resume(raised.into_iter().map(|view| view.alarm)),
        Err(error) => tracing::warn!(%error, "the store does not say which alarms are raised"),
    }
    let patience = |part: &str| Patience::new(bell.clone(), families.failures.clone(), &config.node, part);
    let (stop, stopping) = watch::channel(false);
    let outbox = Arc::new(Notify::new());
    let numbers = Arc::new(config.numbers.clone());
    let mut tasks: JoinSet<anyhow::Result<()>> = JoinSet::new();

    let readers: [(&'static str, &'static [&'static str]); 2] =
        [("facts", &[bus::COPIES, bus::EVENTS]), ("alarms", &[bus::ALARMS])];
    let lanes: Vec<Arc<Lane>> = readers.iter().map(|(name, _)| Arc::new(Lane::new(name))).collect();
    let topics = [(bus::COPIES, config.partitions), (bus::EVENTS, config.partitions), (bus::ALARMS, 1)]
        .map(|(name, partitions)| Topic { name: name.to_owned(), partitions });
    for ((name, reader_topics), lane) in readers.into_iter().zip(&lanes) {
        let intake = Intake {
            lane: Arc::clone(lane),
            topics: reader_topics,
            bus: Arc::clone(&bus),
            store: Arc::clone(&store),
            numbers: Arc::clone(&numbers),
            clock: clock.clone(),
            bell: bell.clone(),
            patience: patience(name),
            families: Arc::clone(&families),
            outbox: Arc::clone(&outbox),
        };
        let (bus, topics, stopping) = (Arc::clone(&bus), topics.clone(), stopping.clone());
        tasks.spawn(async move {
            let ensured = intake.patience.until_done(Engine::Bus, || bus.ensure(&topics));
            let mut stopped = stopping.clone();
            tokio::select! {
                () = told(&mut stopped) => return Ok(()),
                () = ensured => {}
            }
            intake.run(stopping).await;
            Ok(())
        });
    }
    let publisher = Outbox {
        bus: Arc::clone(&bus),
        store: Arc::clone(&store),
        own: config.empi.clone(),
        owners: config.numbers.owners().into_iter().cloned().collect(),
        patience: patience("outbox"),
        families: Arc::clone(&families),
        more: Arc::clone(&outbox),
    };
    tasks.spawn(done(publisher.run(stopping.clone())));
    let upkeep = Upkeep {
        store: Arc::clone(&store),
        give_up: config.patience,
        keep: config.keep,
        clock: clock.clone(),
        bell: bell.clone(),
        patience: patience("upkeep"),
        families: Arc::clone(&families),
        outbox,
    };
    tasks.spawn(until_told(upkeep.run(), stopping.clone()));
    let standing = Arc::new(Standing::new(lanes));
    let look = Look {
        store: Arc::clone(&store),
        bus,
        standing: Arc::clone(&standing),
        families: Arc::clone(&families),
    };
    tasks.spawn(until_told(look.run(), stopping.clone()));
    tasks.spawn(until_told(bell::ring(Arc::clone(&store), alarms), stopping.clone()));
    let own = config.uaops.clone().map(|settings| {
        let me = Identity { role: Role::Center, node: config.node.clone(), site: config.site.clone() };
        let (sender, news) = mpsc::unbounded_channel();
        let own =
            Own { pool: Pool::open(settings.clone(), me, Role::Uaop, sender), more: Arc::new(Notify::new()) };
        tasks.spawn(until_told(own::hear(settings, news, bell.clone()), stopping.clone()));
        let shelf = OwnShelf {
            store: Arc::clone(&store),
            node: config.node.clone(),
            site: config.site.clone(),
            clock: clock.clone(),
            families: Arc::clone(&families),
        };
        let (fed, mut stopped) = (own.clone(), stopping.clone());
        tasks.spawn(async move {
            link::feed(shelf, fed.pool, &fed.more, WINDOW, told(&mut stopped)).await;
            Ok(())
        });
        own
    });
    let desk = Desk {
        node: config.node.clone(),
        site: config.site.clone(),
        empi: config.empi.clone(),
        store,
        own: own.clone(),
        operators: config.operators.clone(),
        classes: config.classes.clone(),
        standing: Arc::clone(&standing),
        families: Arc::clone(&families),
        clock: clock.clone(),
    };
    tasks.spawn(listen(sockets.http, api::router(Arc::new(desk)), stopping.clone()));
    if let Some(listener) = sockets.metrics {
        let endpoint = Endpoint { registry, families, standing, clock, own };
        tasks.spawn(listen(listener, runtime::endpoint::router(Arc::new(endpoint)), stopping));
    }
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, node = config.node, site = config.site, api = %config.http, "serving");

    let failed = tokio::select! {
        () = shutdown => None,
        Some(ended) = tasks.join_next() => Some(match ended {
            Ok(Ok(())) => anyhow!("a part of the center has ended by itself"),
            Ok(Err(error)) => error,
            Err(error) => anyhow!("a part of the center has ended: {error}"),
        }),
    };
    match &failed {
        None => tracing::info!("stopping: nothing more is read"),
        Some(error) => tracing::error!(error = format!("{error:#}"), "stopping: the center cannot go on"),
    }
    stop.send_replace(true);
    let ends = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(END, ends).await.is_err() {
        tracing::warn!("some parts did not end in time; what they had in hand comes again");
    }
    failed.map_or(Ok(()), Err)
}

async fn done(work: impl Future<Output = ()>) -> anyhow::Result<()> {
    work.await;
    Ok(())
}

/// For what may be stopped anywhere.
async fn until_told(work: impl Future<Output = ()>, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    tokio::select! {
        () = told(&mut stop) => {}
        () = work => {}
    }
    Ok(())
}

async fn listen(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let (mut stopped, mut late) = (stop.clone(), stop);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(async move { told(&mut stopped).await });
    tokio::select! {
        served = serving.into_future() => served.context("HTTP cannot be served"),
        () = async { told(&mut late).await; tokio::time::sleep(REQUESTS).await } => Ok(()),
    }
}
