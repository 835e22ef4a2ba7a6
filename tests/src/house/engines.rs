//! What the processes keep their things in.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::broker::Broker;
use crate::line::Keys;
use crate::line::keys::quoted;
use crate::postgres::Postgres;

/// The engines of a house.
#[derive(Debug)]
pub enum Engines {
    /// SQLite for each process, and a log that they share.
    Embedded(TempDir),
    /// PostgreSQL with a database for each role, and a broker of Kafka's protocol.
    Servers { postgres: Box<Postgres>, broker: Box<Broker>, folder: TempDir },
}

impl Engines {
    /// # Errors
    /// There is no room for a directory.
    pub fn embedded() -> Result<Self> {
        Ok(Self::Embedded(folder()?))
    }

    /// With a broker that keeps everything in memory, for tests that do not kill it.
    ///
    /// # Errors
    /// They are not installed, or do not start.
    pub fn servers() -> Result<Self> {
        Self::with(Broker::start()?, folder()?)
    }

    /// With a broker that can be killed. `None`: there is none, and it was said what to do about it.
    ///
    /// # Errors
    /// As [`Engines::servers`].
    pub fn durable_servers() -> Result<Option<Self>> {
        let folder = folder()?;
        Broker::durable(folder.path())?.map(|broker| Self::with(broker, folder)).transpose()
    }

    fn with(broker: Broker, folder: TempDir) -> Result<Self> {
        let postgres = Postgres::start()?;
        for role in ["empi", "center"] {
            postgres.database(role)?;
        }
        Ok(Self::Servers { postgres: Box::new(postgres), broker: Box::new(broker), folder })
    }

    pub(super) fn bus(&self) -> Keys {
        match self {
            Self::Embedded(folder) => Keys::new().set("embedded", quoted(folder.path().display())),
            Self::Servers { broker, .. } => {
                Keys::new().set("kafka", Keys::new().set("brokers", format!("[ \"{}\" ]", broker.address())))
            }
        }
    }

    pub(super) fn store(&self, role: &str, dir: &Path) -> String {
        match self {
            Self::Embedded(_) => Keys::new().set("sqlite", quoted(dir.join("store").display())).to_string(),
            Self::Servers { postgres, .. } => postgres.store(role),
        }
    }

    pub(super) fn kill_broker(&mut self) -> Result<()> {
        self.broker()?.kill();
        Ok(())
    }

    pub(super) fn start_broker(&mut self) -> Result<()> {
        self.broker()?.restart()
    }

    pub(super) fn kill_database(&mut self) -> Result<()> {
        self.database()?.kill();
        Ok(())
    }

    pub(super) fn start_database(&mut self) -> Result<()> {
        self.database()?.start_again()
    }

    fn broker(&mut self) -> Result<&mut Broker> {
        match self {
            Self::Embedded(_) => None,
            Self::Servers { broker, .. } => Some(broker.as_mut()),
        }
        .context("the embedded log has no broker")
    }

    fn database(&mut self) -> Result<&mut Postgres> {
        match self {
            Self::Embedded(_) => None,
            Self::Servers { postgres, .. } => Some(postgres.as_mut()),
        }
        .context("SQLite has no server")
    }
}

fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("bus-").tempdir()?)
}
