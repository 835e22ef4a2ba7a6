//! What happens to a pair of hosts.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// One way to lose the service, always on the host that has the virtual address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The host loses its power: its cable is dead and all its processes are gone
    PowerCut,
    /// SIGTERM to the one that holds the virtual address
    GracefulStop,
    /// The host's interface goes down
    LinkDown,
    /// SIGKILL to the proxy
    ProxyKilled,
    /// SIGSTOP to the proxy
    ProxyHung,
    /// One of the two servers loses its cable
    ServerUnplugged,
}

impl Scenario {
    /// In the order of the report.
    pub fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// For the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::PowerCut => "host power cut",
            Self::GracefulStop => "graceful stop",
            Self::LinkDown => "link down",
            Self::ProxyKilled => "proxy killed (SIGKILL)",
            Self::ProxyHung => "proxy hung (SIGSTOP)",
            Self::ServerUnplugged => "server unplugged",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerCut => "power-cut",
            Self::GracefulStop => "graceful-stop",
            Self::LinkDown => "link-down",
            Self::ProxyKilled => "proxy-killed",
            Self::ProxyHung => "proxy-hung",
            Self::ServerUnplugged => "server-unplugged",
        })
    }
}
