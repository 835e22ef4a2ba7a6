//! The roles that this program can have.

use std::pin::Pin;

use runtime::logging::Format;
use settings::Fault;

/// Ends when the process is to stop.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A part of the line that serves until it is told to stop.
pub trait Role {
    /// A checked file.
    type Config;
    /// Its name on the command line.
    const NAME: &'static str;

    /// # Errors
    /// Every fault of the file, on this host.
    fn read(text: &str) -> Result<Self::Config, Vec<Fault>>;

    /// The form of log lines, and which of them there are.
    fn log(config: &Self::Config) -> (Format, String);

    /// Serves; returns when it has stopped in order.
    ///
    /// # Errors
    /// Why it cannot serve.
    fn run(config: Self::Config, shutdown: Shutdown) -> impl Future<Output = anyhow::Result<()>>;
}

/// The gateway to the carriers.
pub enum Gateway {}

/// A simulated carrier.
pub enum Carrier {}

/// The bank front-end.
pub enum Empi {}

/// The SMS core.
pub enum Uaop {}

/// Where reports are joined, and questions answered.
pub enum Center {}

impl Role for Gateway {
    type Config = gateway::config::Config;
    const NAME: &'static str = "gateway";

    fn read(text: &str) -> Result<Self::Config, Vec<Fault>> {
        gateway::config::read_for(text, &runtime::config::ThisHost { program: Self::NAME })
    }

    fn log(config: &Self::Config) -> (Format, String) {
        (config.log.format, config.log.level.clone())
    }

    async fn run(config: Self::Config, shutdown: Shutdown) -> anyhow::Result<()> {
        gateway::run(config, shutdown).await
    }
}

impl Role for Carrier {
    type Config = carrier::Config;
    const NAME: &'static str = "carrier";

    fn read(text: &str) -> Result<Self::Config, Vec<Fault>> {
        carrier::config::read(text)
    }

    fn log(config: &Self::Config) -> (Format, String) {
        (config.log.format, config.log.level.clone())
    }

    async fn run(config: Self::Config, shutdown: Shutdown) -> anyhow::Result<()> {
        carrier::run(config, shutdown).await
    }
}

impl Role for Empi {
    type Config = empi::Config;
    const NAME: &'static str = "empi";

    fn read(text: &str) -> Result<Self::Config, Vec<Fault>> {
        empi::config::read(text)
    }

    fn log(config: &Self::Config) -> (Format, String) {
        (config.log.format, config.log.level.clone())
    }

    async fn run(config: Self::Config, shutdown: Shutdown) -> anyhow::Result<()> {
        empi::run(config, shutdown).await
    }
}

impl Role for Uaop {
    type Config = uaop::Config;
    const NAME: &'static str = "uaop";

    fn read(text: &str) -> Result<Self::Config, Vec<Fault>> {
        uaop::config::read(text)
    }

    fn log(config: &Self::Config) -> (Format, String) {
        (config.log.format, config.log.level.clone())
    }

    async fn run(config: Self::Config, shutdown: Shutdown) -> anyhow::Result<()> {
        uaop::run(config, shutdown).await
    }
}

impl Role for Center {
    type Config = center::Config;
    const NAME: &'static str = "center";

    fn read(text: &str) -> Result<Self::Config, Vec<Fault>> {
        center::config::read(text)
    }

    fn log(config: &Self::Config) -> (Format, String) {
        (config.log.format, config.log.level.clone())
    }

    async fn run(config: Self::Config, shutdown: Shutdown) -> anyhow::Result<()> {
        center::run(config, shutdown).await
    }
}
