//! Active checks, carried out: one driver for each kind of check, and one for the agent protocol.
//!
//! A driver makes its own connection, does one check and closes it. What the result means for the server is
//! decided in `lb_core::health`.

mod agent;
mod command;
mod connect;
mod error;
mod exchange;
mod http;
mod tcp;
mod tls;

use std::net::{IpAddr, SocketAddr};

use lb_core::config::{Agent, Check, CheckKind};
use tokio::time::{Instant, timeout, timeout_at};

pub use command::run as run_command;
pub use error::ProbeError;
pub use http::send as send_request;
pub use tls::{Clients as TlsClients, check_ca_file};

/// The server to be checked.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it serves; a check's own address or port goes before.
    pub address: SocketAddr,
    /// Its name in the configuration.
    pub server_name: String,
    /// The DNS name that `address` was looked up from: what HTTP `Host` and the TLS server name default to.
    pub host: Option<String>,
    /// Source address of the check's connection. It is passed over where it cannot be used: this host does not
    /// hold it (a floating address is with the peer), or it is of the other family.
    pub egress: Option<IpAddr>,
}

/// Does checks. It keeps what is costly to build, which is roots of trust: they are read at the first check that
/// needs them, and again by a new `Prober`, so make one for each configuration.
#[derive(Debug, Default)]
pub struct Prober {
    tls: tls::Clients,
}

impl Prober {
    /// Does one check of `target`; takes no longer than `check.timeout`.
    ///
    /// # Errors
    /// The check failed; [`ProbeError::Local`] says nothing about the server.
    pub async fn run(&self, check: &Check, target: &Target) -> Result<(), ProbeError> {
        let target = target.at(check.address, check.port);
        let deadline = Instant::now() + check.timeout;
        let probe = async {
            match &check.kind {
                CheckKind::Tcp => tcp::probe(&target, check.proxy_protocol).await,
                CheckKind::Exchange { send, expect } => {
                    exchange::probe(&target, check.proxy_protocol, send, expect.as_ref(), deadline).await
                }
                CheckKind::Http(http) => http::probe(&target, check.proxy_protocol, http, &self.tls).await,
                CheckKind::Tls(tls) => tls::probe(&target, check.proxy_protocol, tls, &self.tls).await,
                CheckKind::Command { program, args } => command::probe(&target, program, args).await,
            }
        };
        timeout_at(deadline, probe).await.unwrap_or(Err(ProbeError::Timeout))
    }

    /// Asks the agent of `target` for its line (without the line end); takes no longer than `agent.timeout`.
    ///
    /// # Errors
    /// There is no answer. By HAProxy's protocol that changes nothing about the server.
    pub async fn ask_agent(&self, agent: &Agent, target: &Target) -> Result<Vec<u8>, ProbeError> {
        let target = target.at(agent.address, Some(agent.port));
        timeout(agent.timeout, agent::ask(&target, &agent.send)).await.unwrap_or(Err(ProbeError::Timeout))
    }
}

impl Target {
    fn at(&self, address: Option<IpAddr>, port: Option<u16>) -> Self {
        let ip = address.unwrap_or_else(|| self.address.ip());
        let port = port.unwrap_or_else(|| self.address.port());
        Self { address: SocketAddr::new(ip, port), ..self.clone() }
    }

    /// What the server calls itself, for HTTP and TLS.
    fn host(&self) -> String {
        self.host.clone().unwrap_or_else(|| self.address.ip().to_string())
    }
}

#[cfg(test)]
pub mod testing;
