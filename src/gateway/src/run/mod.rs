//! The life of a gateway: open the spool, resume what the last run left, serve, drain.

mod endpoint;
mod front;
mod housekeeping;
mod orphans;
#[cfg(test)]
mod tests;
mod thread;
mod workshop;

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use domain::Millis;
use link::{Identity, Role};
use prometheus::Registry;
use store::spool::{Spool, SpoolSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, LocalSet};
use wire::session::Numbers;

use crate::clock::{self, Clock};
use crate::config::Config;
use crate::engine::Engine;
use crate::events::Events;
use crate::metrics::Families;
use crate::metrics::connection::ConnectionFamilies;
use crate::peers::Peers;
use crate::uplink::{self, Uplink};
use endpoint::Endpoint;
use front::Served;
use housekeeping::Housekeeping;
use orphans::Orphans;
use thread::{Thread, told};
use workshop::Workshop;

/// How long answers are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long accounts and connections may take to end after that.
const END: Duration = Duration::from_secs(5);
/// More sequence numbers than a run uses in a millisecond.
const NUMBERS_A_MILLISECOND: u64 = 1024;
/// From how many waiting jobs on the spool takes no new messages.
const SPOOL_QUEUE: usize = 4096;

/// Works until `shutdown` comes, then waits for the answers under way.
///
/// # Errors
/// The spool cannot be opened, or a socket not be bound; or a part of the gateway has ended by itself: then, too, the
/// others stop in order first.
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
    let metrics_socket = bind("metrics", config.metrics).await?;
    let link_socket = bind("link", config.link).await?;
    let registry = Registry::new();
    let workshop = Workshop {
        epoch: recovered.epoch,
        families: Arc::new(Families::new(&registry)?),
        connections: ConnectionFamilies::new(&registry)?,
        clock: Clock::new(config.time_zone.clone()),
        spool: spool.clone(),
        numbers: Arc::new(Numbers::starting_at(first_number(recovered.epoch))),
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
    let engine = Arc::new(Engine {
        spool: spool.clone(),
        accounts,
        classes: config.classes.clone(),
        most: config.queue,
        families: Arc::clone(&workshop.families),
    });
    let mut orphans = Orphans {
        gateway: config.gateway.clone(),
        epoch: workshop.epoch,
        access: config.log.access,
        families: Arc::clone(&workshop.families),
        spool: spool.clone(),
        events: Arc::clone(&workshop.events),
        staying: BTreeMap::new(),
        ending: BTreeMap::new(),
    };
    let mut resumed = 0_u64;
    for stored in recovered.messages {
        match engine.resume(stored?) {
            Ok(()) => resumed += 1,
            Err((stored, orphan)) => orphans.add(*stored, orphan),
        }
    }
    orphans.end_due(clock::millis()).await;
    orphans.say();
    let names: BTreeSet<_> = config.accounts.iter().map(|account| &account.name).collect();
    orphans::fragments(&workshop.fragments, &names, &workshop.families);
    let (stop, stopping) = watch::channel(false);
    let events = Arc::new(Events::new(
        spool.clone(),
        Arc::clone(&workshop.events),
        recovered.consumers,
        config.consumers,
        Arc::clone(&workshop.families),
    ));
    let peers = Peers::new(Arc::clone(&engine), Arc::clone(&events), boards.clone(), stopping.clone());
    let mut link = link_socket.map(|socket| serve_link(socket, peers, &config)).transpose()?;
    let uplink = Arc::new(Uplink {
        engine,
        gateway: config.gateway.clone(),
        epoch: workshop.epoch,
        boards,
        events,
        most_events: config.consumers.most_events,
        stopping,
    });
    let served = Served {
        uplink: uplink_socket,
        router: uplink::router(Arc::clone(&uplink)),
        metrics: metrics_socket,
        endpoint: Arc::new(Endpoint {
            registry,
            families: Arc::clone(&workshop.families),
            uplink,
            clock: workshop.clock.clone(),
        }),
        housekeeping: Housekeeping {
            spool: spool.clone(),
            clock: workshop.clock.clone(),
            keep: config.keep,
            orphans,
        },
    };
    let mut front = front::start(served, stop)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        gateway = %config.gateway,
        accounts = config.accounts.len(),
        resumed,
        "serving"
    );
    let mut failed = until_over(shutdown, &mut tasks, &mut front, link.as_mut()).await;
    match &failed {
        None => tracing::info!("stopping: nothing new is taken or pushed"),
        Some(error) => tracing::error!(error = format!("{error:#}"), "stopping: the gateway cannot go on"),
    }
    front.stop().await;
    drop(socket_file);
    // without a spool no answer can be kept
    let patience = if spool.is_stopped() { Duration::ZERO } else { PATIENCE };
    stops.iter().for_each(|stop| stop(patience));
    let ends = async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                failed.get_or_insert_with(|| panicked(&error));
            }
        }
    };
    if tokio::time::timeout(patience + END, ends).await.is_err() {
        tracing::warn!("accounts or connections did not end in time; not waiting any longer");
    }
    // UAOPs on the link hear how it ended
    if let Some(link) = link {
        link.stop().await;
    }
    // no writes are on their way any more
    tokio::task::spawn_blocking(move || spool.stop()).await?;
    failed.map_or(Ok(()), Err)
}

async fn bind(key: &str, listen: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    let Some(listen) = listen else { return Ok(None) };
    Ok(Some(TcpListener::bind(listen).await.with_context(|| format!("{key}.listen {listen}"))?))
}

/// On a thread of its own, as long as there are events to tell: longer than the uplink.
fn serve_link(socket: TcpListener, peers: Peers, config: &Config) -> anyhow::Result<Thread> {
    let me = Identity { role: Role::Gateway, node: config.gateway.to_string(), site: config.site.clone() };
    // a socket belongs to the runtime that waits for it
    let socket = socket.into_std()?;
    Thread::start("link", watch::Sender::new(false), async move |end| {
        Arc::new(peers).serve(TcpListener::from_std(socket)?, me, told(end)).await
    })
}

/// Where a run's sequence numbers start: so far from those of the run before that the two do not meet, however soon it was
/// started again. In SGIP a sequence is the message's id, and only the second is in it beside the number.
fn first_number(epoch: Millis) -> u32 {
    let first = epoch.0.wrapping_mul(NUMBERS_A_MILLISECOND) & u64::from(u32::MAX);
    u32::try_from(first).unwrap_or_default()
}

/// Waits for `shutdown`, or for the end of something that must not end before; then the reason.
async fn until_over(
    shutdown: impl Future<Output = ()>,
    tasks: &mut JoinSet<()>,
    front: &mut Thread,
    link: Option<&mut Thread>,
) -> Option<anyhow::Error> {
    let link_ended = async {
        match link {
            Some(link) => link.ended().await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = shutdown => None,
        Some(ended) = tasks.join_next() => Some(match ended {
            Ok(()) => anyhow!("an account or a connection has ended by itself"),
            Err(error) => panicked(&error),
        }),
        error = front.ended() => Some(error),
        error = link_ended => Some(error),
    }
}

fn panicked(error: &JoinError) -> anyhow::Error {
    anyhow!("an account or a connection has ended: {error}")
}
