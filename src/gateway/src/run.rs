//! The life of a gateway: open the spool, resume what the last run left, serve, drain.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use domain::text::{Limits, SplitSettings};
use prometheus::Registry;
use runtime::endpoint::Watched;
use store::spool::{Fragment, Spool, SpoolSettings};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinSet, LocalSet};
use wire::cmpp::Cmpp;
use wire::protocol::Messages;
use wire::session::Numbers;
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use crate::account::core::{Core, Settings};
use crate::account::facts::Facts;
use crate::account::inbox::{Giver, Inbox};
use crate::account::level::Board;
use crate::account::lines::Lines;
use crate::account::mo::Mos;
use crate::account::render::Rules;
use crate::account::task::{Parts, Task};
use crate::clock::{self, Clock};
use crate::config::{Account, Config, Protocol};
use crate::connection::{self, Connection, Context, Listener};
use crate::engine::{Engine, Entry};
use crate::metrics::connection::ConnectionFamilies;
use crate::metrics::{AccountMetrics, Families};
use crate::uplink::{self, Uplink};

/// How long answers are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// From how many waiting jobs on the spool takes no new messages.
const SPOOL_QUEUE: usize = 4096;
/// News of connections that wait for their account.
const NEWS: usize = 4096;
/// Finished messages forgotten at once.
const FORGET: usize = 2000;

/// Works until `shutdown` comes, then waits for the answers under way.
///
/// # Errors
/// The spool cannot be opened, or a socket not be bound.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    LocalSet::new().run_until(serve(config, shutdown)).await
}

async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let settings = SpoolSettings {
        queue: SPOOL_QUEUE,
        started: clock::millis(),
        tuning: store::sqlite::Tuning::default(),
    };
    let (spool, recovered) = Spool::open(&config.spool, settings)?;
    let (uplink_socket, socket_file) = runtime::unix_socket::bind(&config.uplink)
        .await
        .with_context(|| format!("uplink {}", config.uplink.display()))?;
    let metrics_socket = match config.metrics {
        Some(listen) => {
            Some(TcpListener::bind(listen).await.with_context(|| format!("metrics.listen {listen}"))?)
        }
        None => None,
    };
    let registry = Registry::new();
    let workshop = Workshop {
        epoch: recovered.epoch,
        families: Arc::new(Families::new(&registry)?),
        connections: ConnectionFamilies::new(&registry)?,
        clock: Clock::new(config.time_zone.clone()),
        spool: spool.clone(),
        // sequences of two runs seldom meet; they are told apart by the epoch anyhow
        numbers: Arc::new(Numbers::starting_at(u32::try_from(recovered.epoch.0 & 0xFFFF_FFFF).unwrap_or(0))),
        next_row: Arc::new(AtomicI64::new(1 + recovered.fragments.iter().map(|f| f.id).max().unwrap_or(0))),
        fragments: recovered.fragments,
        events: Arc::default(),
        config: &config,
    };
    let mut accounts = BTreeMap::new();
    let (mut boards, mut stops, mut tasks) = (Vec::new(), Vec::new(), JoinSet::new());
    for account in &config.accounts {
        let started = workshop.open(account, &mut tasks).await?;
        accounts.insert(account.name.clone(), started.entry);
        boards.push(started.board);
        stops.push(started.stop);
    }
    let engine = Engine {
        spool: spool.clone(),
        accounts,
        classes: config.classes.clone(),
        most: config.queue,
        families: Arc::clone(&workshop.families),
    };
    let (mut resumed, mut orphans) = (0_u64, 0_u64);
    for stored in recovered.messages {
        if engine.resume(stored?) { resumed += 1 } else { orphans += 1 }
    }
    if orphans > 0 {
        tracing::error!(
            messages = orphans,
            "messages of the last run wait in the spool: their account is not in the configuration any more"
        );
    }
    let uplink =
        Uplink::new(engine, config.gateway.clone(), workshop.epoch, boards, Arc::clone(&workshop.events));
    let uplink = Arc::new(uplink);
    let watched = Arc::new(Endpoint {
        registry,
        families: Arc::clone(&workshop.families),
        uplink: Arc::clone(&uplink),
    });
    let front = Front::start(
        uplink_socket,
        metrics_socket,
        uplink::router(uplink),
        watched,
        spool.clone(),
        config.keep,
    )?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        gateway = %config.gateway,
        accounts = config.accounts.len(),
        resumed,
        "serving"
    );
    shutdown.await;
    tracing::info!("stopping: nothing new is taken or pushed");
    drop(front);
    drop(socket_file);
    stops.iter().for_each(|stop| stop(PATIENCE));
    while tasks.join_next().await.is_some() {}
    // no writes are on their way any more
    tokio::task::spawn_blocking(move || spool.stop()).await?;
    Ok(())
}

/// What all accounts are made with.
struct Workshop<'a> {
    config: &'a Config,
    epoch: domain::Millis,
    families: Arc<Families>,
    connections: ConnectionFamilies,
    clock: Clock,
    spool: Spool,
    numbers: Arc<Numbers>,
    next_row: Arc<AtomicI64>,
    fragments: Vec<Fragment>,
    events: Arc<Notify>,
}

/// An account at work.
struct Started {
    entry: Entry,
    board: Board,
    stop: Box<dyn Fn(Duration)>,
}

impl Workshop<'_> {
    async fn open(&self, account: &Account, tasks: &mut JoinSet<()>) -> anyhow::Result<Started> {
        match account.protocol {
            Protocol::Cmpp20 | Protocol::Cmpp30 => self.start::<Cmpp>(account, Limits::cmpp(), tasks).await,
            Protocol::Sgip12 => self.start::<Sgip>(account, Limits::sgip(), tasks).await,
            Protocol::Smgp30 => self.start::<Smgp>(account, Limits::smgp(), tasks).await,
        }
    }

    async fn start<P: Messages>(
        &self,
        account: &Account,
        limits: Limits,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<Started>
    where
        Inbox<P>: Send,
    {
        let (news_sender, news) = mpsc::channel(NEWS);
        let shared = Arc::new(account.clone());
        let context = |connection, name: &str| Context {
            account: Arc::clone(&shared),
            connection,
            numbers: Arc::clone(&self.numbers),
            clock: self.clock.clone(),
            reports: news_sender.clone(),
            metrics: self.connections.of(&account.name, name),
        };
        let (mut lines, mut connections) = (Lines::default(), BTreeMap::new());
        for login in &account.logins {
            let id = lines.add(login.sends.then_some(account.window));
            let (orders, taken) = connection::orders(account.window);
            connections.insert(id, orders);
            let seed = self.epoch.0.wrapping_add(u64::from(self.numbers.next()));
            let connection = Connection::<P>::new(context(id, &id.to_string()), login.clone(), taken, seed);
            tasks.spawn_local(connection.run());
        }
        if let Some(listen) = &account.listen {
            let id = lines.add(None);
            let (orders, taken) = connection::orders(account.window);
            connections.insert(id, orders);
            let socket =
                connection::bind(listen).await.with_context(|| format!("account {}", account.name))?;
            let listener = Listener::<P>::new(context(id, "listen"), listen.clone(), taken);
            tasks.spawn_local(listener.run(socket));
        }
        let rules = rules(account, limits);
        let board = Board::new(account.name.clone(), account.protocol.word());
        let inbox = mpsc::unbounded_channel();
        let (giver, stop) = (Giver::new(inbox.0.clone()), inbox.0.clone());
        let mut task = Task::<P>::new(Parts {
            core: Core::new(self.settings(account), lines, self.clock.now()),
            mos: Mos::new(account.name.clone(), account.mo_wait, Arc::clone(&self.next_row)),
            rules: rules.clone(),
            facts: Facts {
                account: account.name.clone(),
                metrics: AccountMetrics::new(&self.families, &account.name),
                board: board.clone(),
                access: self.config.log.access,
            },
            clock: self.clock.clone(),
            spool: self.spool.clone(),
            numbers: Arc::clone(&self.numbers),
            node: account.logins.first().map_or(0, |login| login.credentials.node),
            inbox,
            news,
            events: Arc::clone(&self.events),
            connections,
        });
        task.recover_fragments(self.fragments.iter().filter(|fragment| fragment.account == account.name));
        tasks.spawn_local(task.run());
        let stop = Box::new(move |patience| {
            // one that has ended needs not be told
            let _ = stop.send(Inbox::Stop(patience));
        });
        Ok(Started { entry: Entry { rules, giver }, board, stop })
    }

    fn settings(&self, account: &Account) -> Settings {
        Settings {
            gateway: self.config.gateway.clone(),
            epoch: self.epoch,
            account: account.name.clone(),
            rate: account.rate,
            slow_down: account.slow_down,
            hours: account.hours.clone(),
            retry: account.retry,
        }
    }
}

fn rules(account: &Account, limits: Limits) -> Rules {
    Rules {
        number: account.number.clone(),
        split: SplitSettings {
            preference: account.text.coding,
            reference_width: account.text.reference,
            limits,
            most_parts: account.text.most_parts,
        },
        signature: account.text.signature.clone(),
    }
}

/// What Prometheus and load balancers ask.
struct Endpoint {
    registry: Registry,
    families: Arc<Families>,
    uplink: Arc<Uplink>,
}

impl Watched for Endpoint {
    fn registry(&self) -> &Registry {
        let events = self.uplink.status().spool.events;
        self.families.spool_events.set(i64::try_from(events).unwrap_or(i64::MAX));
        &self.registry
    }

    fn ready(&self) -> Result<(), String> {
        let status = self.uplink.status();
        let not: Vec<String> = status
            .accounts
            .iter()
            .filter(|level| !level.ready)
            .map(|level| format!("account {} cannot submit", level.account))
            .collect();
        if not.is_empty() { Ok(()) } else { Err(not.join("\n")) }
    }
}

/// The thread of the uplink and the metrics: JSON must not hold up the carriers. Dropped, it ends.
struct Front {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Front {
    fn start(
        uplink: UnixListener,
        metrics: Option<TcpListener>,
        router: Router,
        watched: Arc<Endpoint>,
        spool: Spool,
        keep: Duration,
    ) -> anyhow::Result<Self> {
        // sockets belong to the runtime that waits for them
        let uplink = uplink.into_std()?;
        let metrics = metrics.map(TcpListener::into_std).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("uplink".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let serve = async {
                    if let Some(metrics) = metrics {
                        let router = runtime::endpoint::router(watched);
                        tokio::spawn(
                            async move { axum::serve(TcpListener::from_std(metrics)?, router).await },
                        );
                    }
                    tokio::spawn(forget(spool, keep));
                    axum::serve(UnixListener::from_std(uplink)?, router).await
                };
                tokio::select! {
                    ended = serve => {
                        if let Err(error) = ended {
                            tracing::error!(%error, "the uplink cannot be served");
                        }
                    }
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // a thread that has ended needs not be told
            let _ = stop.send(());
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the uplink ended by a panic");
        }
    }
}

/// Forgets finished messages when their time is over.
async fn forget(spool: Spool, keep: Duration) {
    let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
    loop {
        let older = domain::Millis(clock::millis().0.saturating_sub(keep));
        let (sender, forgotten) = oneshot::channel();
        let handed = spool.forget(older, FORGET, move |result| {
            // the process may end meanwhile
            let _ = sender.send(result.unwrap_or(0));
        });
        if handed.is_err() {
            return;
        }
        if forgotten.await.unwrap_or(0) < FORGET {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
