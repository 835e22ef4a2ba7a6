//! What a valid configuration file means, in types: a value of [`Config`] needs no further checks.

mod account;
mod hours;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::lifecycle::WhenUncertain;
use domain::{Class, GatewayId};
use jiff::tz::TimeZone;
use runtime::config::Log;

pub use account::*;
pub(super) use hours::DAY;
pub use hours::Hours;
pub use settings::Address;

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub gateway: GatewayId,
    /// The directory of everything that must outlive the process.
    pub spool: PathBuf,
    /// The data centre that it is in.
    pub site: String,
    /// The Unix socket on which UAOPs hand messages in and hear about them.
    pub uplink: PathBuf,
    /// Where UAOPs on other hosts connect to; `None` = nowhere.
    pub link: Option<SocketAddr>,
    pub consumers: Consumers,
    /// Where `/metrics`, `/healthz` and `/readyz` are served; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    pub log: Log,
    /// In which PDUs are dated and working hours are meant.
    pub time_zone: TimeZone,
    /// How many messages may be unfinished; beyond it none is taken.
    pub queue: usize,
    /// How long a finished message is remembered, so that its repetition is known for one.
    pub keep: Duration,
    pub classes: Classes,
    /// At least one; their names differ.
    pub accounts: Vec<Account>,
}

/// How long events wait for those who read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumers {
    /// A consumer that was not there for so long is not waited for.
    pub forget: Duration,
    /// Nor is one that lacks more events than this, if another has them.
    pub most_events: u32,
}

/// The policies of the classes of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Of the classes that the file does not name.
    pub default: WhenUncertain,
    pub named: BTreeMap<Class, WhenUncertain>,
}

impl Classes {
    #[must_use]
    pub fn uncertain(&self, class: &Class) -> WhenUncertain {
        self.named.get(class).copied().unwrap_or(self.default)
    }
}
