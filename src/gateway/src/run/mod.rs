//! The life of a gateway: open the spool, resume what the last run left, serve, drain.

mod front;
mod workshop;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use anyhow::Context as _;
use prometheus::Registry;
use store::spool::{Spool, SpoolSettings};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, LocalSet};
use wire::session::Numbers;

use crate::clock::{self, Clock};
use crate::config::Config;
use crate::engine::Engine;
use crate::metrics::Families;
use crate::metrics::connection::ConnectionFamilies;
use crate::uplink::{self, Uplink};
use front::{Endpoint, Front};
use workshop::Workshop;

/// How long answers are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// From how many waiting jobs on the spool takes no new messages.
const SPOOL_QUEUE: usize = 4096;

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
