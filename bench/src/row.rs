//! The rows of the comparison.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// One kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// Ping-pong over kept connections, as fast as it goes
    Requests,
    /// Ping-pong over kept connections, at a fixed rate
    FixedRate,
    /// Connect, one request, close
    Connections,
    /// Bulk from server to client
    Download,
    /// Bulk from client to server
    Upload,
    /// Idle connections
    Memory,
}

/// Kept connections of [`Row::Requests`] and [`Row::FixedRate`].
pub const KEPT: u32 = 64;
/// Clients of [`Row::Connections`].
pub const CONNECTING: u32 = 32;
/// Connections of [`Row::Download`] and [`Row::Upload`].
pub const BULK: u32 = 8;
/// Connections of [`Row::Memory`].
pub const IDLE: u32 = 5_000;
/// Requests per second of [`Row::FixedRate`], over all connections: little enough to leave the smallest machine idle
/// most of the time, because it is not the queue for the CPU that is to be measured.
pub const RATE: u32 = 2_000;
/// Bytes of a request and of its response.
pub const MESSAGE: usize = 64;

impl Row {
    /// In the order of the report.
    pub fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// One unit of the report in units of the load: 1, or 10⁹ bytes to a gigabyte.
    pub fn units_per_unit(self) -> f64 {
        match self {
            Self::Requests | Self::FixedRate | Self::Connections | Self::Memory => 1.0,
            Self::Download | Self::Upload => 1e9,
        }
    }

    /// From seconds of CPU time per unit to what the report shows: microseconds, or milliseconds per gigabyte.
    pub fn cpu_scale(self) -> f64 {
        match self {
            Self::Requests | Self::FixedRate | Self::Connections | Self::Memory => 1e6,
            Self::Download | Self::Upload => 1e3,
        }
    }

    /// What it does, for the report.
    pub fn title(self) -> String {
        match self {
            Self::Requests => format!("{KEPT} kept connections, {MESSAGE} B requests back to back"),
            Self::FixedRate => format!("{KEPT} kept connections, {RATE} requests/s"),
            Self::Connections => {
                format!("new connections, {CONNECTING} at a time, one {MESSAGE} B request each")
            }
            Self::Download => format!("bulk, server to client, {BULK} connections"),
            Self::Upload => format!("bulk, client to server, {BULK} connections"),
            Self::Memory => format!("{IDLE} idle connections"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::FixedRate => "fixed-rate",
            Self::Connections => "connections",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Memory => "memory",
        })
    }
}
