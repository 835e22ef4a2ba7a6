//! `check:` and `agent:`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::ProxyVersion;
use crate::probe::Expect;

/// An active check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub kind: CheckKind,
    /// Between checks of a server that is up and steady.
    pub interval: Duration,
    /// Between checks of a server that is going up or down (HAProxy `fastinter`).
    pub fast_interval: Duration,
    /// Between checks of a server that is down and steady (HAProxy `downinter`).
    pub down_interval: Duration,
    /// Each interval is lengthened or shortened at random by up to this share, 0 to 50.
    pub jitter_percent: u8,
    /// For one whole check: connect, send, expect.
    pub timeout: Duration,
    /// Successes in a row that bring a server up; at least 1.
    pub rise: u32,
    /// Failures in a row that take it down; at least 1.
    pub fall: u32,
    /// Before the first result.
    pub start: StartState,
    /// Checked instead of the server's own address.
    pub address: Option<IpAddr>,
    /// Checked instead of the server's own port.
    pub port: Option<u16>,
    /// Send a PROXY header (v1, or v2 LOCAL) before the check.
    pub proxy_protocol: Option<ProxyVersion>,
}

/// HAProxy `init-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartState {
    /// Up; `fall` failures take it down.
    FullyUp,
    /// Up; the first failure takes it down.
    Up,
    /// Down; the first success brings it up.
    Down,
    /// Down; it takes `rise` successes.
    FullyDown,
}

/// What is done to find out.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckKind {
    /// A TCP connection can be made.
    Tcp,
    /// Bytes are sent (may be none), and the answer must match (may be none).
    Exchange { send: Vec<u8>, expect: Option<Expect> },
    /// An HTTP/1.1 request has an expected status and body.
    Http(HttpCheck),
    /// A TLS handshake succeeds.
    Tls(TlsCheck),
    /// A program ends with exit code 0. It gets the server's address, port and name as arguments after its own.
    Command { program: PathBuf, args: Vec<String> },
}

/// An HTTP or HTTPS check.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCheck {
    pub method: String,
    pub path: String,
    /// `Host` header; `None` = the server's address.
    pub host: Option<String>,
    /// Inclusive ranges; default 200-299.
    pub status: Vec<(u16, u16)>,
    /// Searched in the first 64 KiB of the body.
    pub body: Option<Expect>,
    /// HTTPS.
    pub tls: Option<TlsCheck>,
}

/// How TLS checks verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsCheck {
    /// Server name sent (SNI) and verified; `None` = the server's address.
    pub server_name: Option<String>,
    /// Whether the certificate is verified.
    pub verify: bool,
    /// PEM file of trusted roots; `None` = the host's.
    pub ca_file: Option<PathBuf>,
}

/// HAProxy's agent protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    pub port: u16,
    /// Instead of the server's own address.
    pub address: Option<IpAddr>,
    pub interval: Duration,
    pub timeout: Duration,
    /// Sent first (may be empty).
    pub send: Vec<u8>,
}
