//! The whole carrier: what all connections share, and the tasks that make it run.

mod dial;
mod listen;
mod mo;
mod shared;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wire::cmpp::Cmpp;
use wire::sgip::Sgip;
use wire::smgp::Smgp;

pub use mo::{Mo, MoRefused};
pub use shared::Shared;

use crate::account::Account;
use crate::behaviour::Ending;
use crate::config::{AccountProtocol, Config, Family, Sgip as SgipConfig};
use crate::control;
use crate::metrics::Families;
use crate::record::{self, Writer};

/// A carrier that has its ports, and does not serve yet.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    listeners: Vec<(Family, TcpListener)>,
    control: TcpListener,
    writer: Option<Writer>,
    addresses: Addresses,
}

/// Where a carrier listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub control: SocketAddr,
    pub cmpp: Option<SocketAddr>,
    pub sgip: Option<SocketAddr>,
    pub smgp: Option<SocketAddr>,
}

/// How long connections have to end when the carrier stops.
const FAREWELL: Duration = Duration::from_secs(2);

impl Service {
    /// Opens the record and the ports.
    ///
    /// # Errors
    /// Which of them cannot be opened.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let (record, writer, last) = match &config.record {
            Some(file) => {
                let (record, writer, last) = record::open(file)?;
                (Some(record), Some(writer), last)
            }
            None => (None, None, 0),
        };
        let control = listen_on("control", config.control).await?;
        let mut addresses = Addresses { control: control.local_addr()?, cmpp: None, sgip: None, smgp: None };
        let mut listeners = Vec::new();
        for (family, address) in config.listen.addresses() {
            let listener = listen_on(family.name(), address).await?;
            let bound = Some(listener.local_addr()?);
            match family {
                Family::Cmpp => addresses.cmpp = bound,
                Family::Sgip => addresses.sgip = bound,
                Family::Smgp => addresses.smgp = bound,
            }
            listeners.push((family, listener));
        }
        let families = Families::new().context("metrics")?;
        let now = Instant::now();
        let accounts = config.accounts.iter().cloned();
        let accounts =
            accounts.map(|account| Arc::new(Account::new(account, config.seed, &families, now))).collect();
        let shared = Arc::new(Shared::new(config, accounts, families, record, last));
        Ok(Self { shared, listeners, control, writer, addresses })
    }

    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Serves until `shutdown` is over. Then connections end in their protocol's way, and the record is closed.
    ///
    /// # Errors
    /// The record cannot be written, or a task broke down.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { shared, listeners, control, mut writer, addresses } = self;
        tracing::info!(
            accounts = shared.accounts.len(),
            control = %addresses.control,
            cmpp = address(addresses.cmpp),
            sgip = address(addresses.sgip),
            smgp = address(addresses.smgp),
            "serving"
        );
        let mut tasks = JoinSet::new();
        for (family, listener) in listeners {
            let shared = Arc::clone(&shared);
            match family {
                Family::Cmpp => tasks.spawn(listen::listen::<Cmpp>(shared, listener)),
                Family::Sgip => tasks.spawn(listen::listen::<Sgip>(shared, listener)),
                Family::Smgp => tasks.spawn(listen::listen::<Smgp>(shared, listener)),
            };
        }
        for account in &shared.accounts {
            let timed = Arc::clone(account);
            tasks.spawn(async move { timed.keep_time().await });
            if let AccountProtocol::Sgip12(SgipConfig { dial: Some(dial), .. }) = &account.config.protocol {
                tasks.spawn(dial::keep_dialling(Arc::clone(&shared), Arc::clone(account), dial.clone()));
            }
        }
        tasks.spawn(control::serve(control, Arc::clone(&shared)));
        let end = tokio::select! {
            () = shutdown => Ok(()),
            end = record_end(&mut writer) => end,
            task = tasks.join_next() => Err(broken(task)),
        };
        if end.is_ok() {
            farewell(&shared).await;
        }
        tasks.shutdown().await;
        close_record(shared, writer).await;
        end
    }
}

async fn listen_on(what: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{what}: {address}"))
}

fn address(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "off".to_owned(), |address| address.to_string())
}

async fn record_end(writer: &mut Option<Writer>) -> anyhow::Result<()> {
    match writer {
        Some(writer) => (&mut writer.ended).await.context("the record's thread broke down")?,
        None => std::future::pending().await,
    }
}

fn broken(task: Option<Result<(), tokio::task::JoinError>>) -> anyhow::Error {
    match task {
        Some(Err(error)) => anyhow::Error::new(error).context("a task broke down"),
        Some(Ok(())) | None => anyhow::anyhow!("a task ended that never should"),
    }
}

/// Ends all connections, and waits until they are gone, but not for long.
async fn farewell(shared: &Shared) {
    let all_gone = async {
        while shared.accounts.iter().map(|account| account.end(None, Ending::Terminate)).sum::<usize>() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(FAREWELL, all_gone).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

/// All that could write is gone, so that the thread comes to its end.
async fn close_record(shared: Arc<Shared>, writer: Option<Writer>) {
    drop(shared);
    let Some(writer) = writer else { return };
    if tokio::task::spawn_blocking(|| writer.join()).await.is_err() {
        tracing::error!("the record was not closed");
    }
}
