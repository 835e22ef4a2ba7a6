//! What a valid file means, in types: a value of [`Config`] needs no further checks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use domain::{Account, Carrier, Class, GatewayId, Router, WhenUncertain};
use link::LineSettings;
use runtime::config::Log;

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Unique among the UAOPs; a gateway keeps events for it under this name.
    pub node: String,
    /// The data centre; gateways of another one are not used.
    pub site: String,
    /// Where EMPIs and the center connect.
    pub listen: SocketAddr,
    /// Where `/metrics`, `/healthz`, `/readyz` and `/status` are served; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    pub log: Log,
    pub bus: bus::Place,
    /// At least one; their names differ.
    pub gateways: Vec<Gateway>,
    pub router: Router,
    pub classes: Classes,
    pub ready: Ready,
    /// How long offers wait for the bus, or for their turn, before they are put off.
    pub wait: Duration,
    /// Offers that may be under way at one time; more wait for their turn.
    pub most: usize,
}

/// A gateway of this data centre.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    pub name: GatewayId,
    /// Whose its accounts are.
    pub carrier: Carrier,
    /// Those of its accounts that are another carrier's.
    pub accounts: BTreeMap<Account, Carrier>,
    pub line: LineSettings,
}

/// What happens to messages that a gateway may have taken when it cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Of the classes that the file does not name.
    pub default: WhenUncertain,
    pub named: BTreeMap<Class, WhenUncertain>,
    /// How long a gateway must be away until `resend` sends by another.
    pub patience: Duration,
}

impl Classes {
    #[must_use]
    pub fn uncertain(&self, class: &Class) -> WhenUncertain {
        self.named.get(class).copied().unwrap_or(self.default)
    }
}

/// When this UAOP says that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// One gateway that takes messages is enough.
    Any,
    /// Every route has one.
    EveryCarrier,
}
