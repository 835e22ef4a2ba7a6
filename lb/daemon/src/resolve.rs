//! Names of servers to addresses: `/etc/hosts` first, then DNS.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, TokioResolver};
use lb_core::config;
use thiserror::Error;
use tokio::time::timeout;

/// Looks names up. It keeps nothing from one look-up to the next: `resolver.interval` is the only cache, and an
/// edited `/etc/hosts` or `/etc/resolv.conf` counts from the next one on.
#[derive(Clone, Debug)]
pub struct Names {
    config: config::Resolver,
    hosts: PathBuf,
    resolv_conf: PathBuf,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In ascending order, without repetition, at least one.
    pub addresses: Vec<IpAddr>,
    /// The family that nobody answered for: it may have addresses, too.
    pub unknown: Option<Family>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResolveError {
    #[error("not a host name: {0}")]
    Name(String),
    /// The name servers say so.
    #[error("no such host")]
    NotFound,
    #[error("no answer from name servers in time")]
    Timeout,
    #[error("name servers: {0}")]
    Failed(String),
}

impl ResolveError {
    /// Whether the name may well have addresses: what was known of it still is.
    pub fn says_nothing(&self) -> bool {
        match self {
            Self::Timeout | Self::Failed(_) => true,
            Self::Name(_) | Self::NotFound => false,
        }
    }

    /// The kind, as a label of metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::NotFound => "not_found",
            Self::Timeout => "timeout",
            Self::Failed(_) => "failed",
        }
    }
}

impl Names {
    pub fn new(config: config::Resolver) -> Self {
        Self { config, hosts: "/etc/hosts".into(), resolv_conf: "/etc/resolv.conf".into() }
    }

    /// How often names are to be looked up again.
    pub fn interval(&self) -> Duration {
        self.config.interval
    }

    /// Every address of `host`. Takes no longer than `resolver.timeout`. An IP address is its own.
    ///
    /// # Errors
    /// No address was found. An address of one family is enough, whatever became of the other's look-up.
    pub async fn lookup(&self, host: &str) -> Result<Found, ResolveError> {
        if let Ok(ip) = host.parse() {
            return Ok(Found { addresses: vec![ip], unknown: None });
        }
        let name = Name::from_str(host).map_err(|error| ResolveError::Name(error.to_string()))?;
        let addresses = self.static_addresses(&name).await;
        let mut found =
            if addresses.is_empty() { self.ask(&name).await? } else { Found { addresses, unknown: None } };
        found.addresses.sort_unstable();
        found.addresses.dedup();
        Ok(found)
    }

    /// From the hosts file, whose word is final. A file that cannot be read is an empty one.
    async fn static_addresses(&self, name: &Name) -> Vec<IpAddr> {
        let mut hosts = Hosts::default();
        if let Ok(file) = tokio::fs::read(&self.hosts).await {
            // Reading from memory does not fail, and lines that are none are passed over.
            let _ = hosts.read_hosts_conf(file.as_slice());
        }
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)))
            .flat_map(|found| addresses(&found))
            .collect()
    }

    /// Each family has the whole time, so that a name server which is silent about one does not hide the other.
    async fn ask(&self, name: &Name) -> Result<Found, ResolveError> {
        let resolver = self.resolver().await.map_err(|error| ResolveError::Failed(error.to_string()))?;
        let ask = async |kind| match timeout(self.config.timeout, resolver.lookup(name.clone(), kind)).await {
            Ok(answer) => match answer.map(|found| addresses(&found)).map_err(ResolveError::from) {
                Ok(found) if found.is_empty() => Err(ResolveError::NotFound),
                answer => answer,
            },
            Err(_) => Err(ResolveError::Timeout),
        };
        let (addresses, unknown) = match tokio::join!(ask(RecordType::A), ask(RecordType::AAAA)) {
            (Ok(v4), Ok(v6)) => ([v4, v6].concat(), None),
            (Ok(found), Err(error)) => (found, error.says_nothing().then_some(Family::V6)),
            (Err(error), Ok(found)) => (found, error.says_nothing().then_some(Family::V4)),
            // That the name does not exist is no news if the other family knows more.
            (Err(ResolveError::NotFound), Err(error)) | (Err(error), Err(_)) => return Err(error),
        };
        Ok(Found { addresses, unknown })
    }

    async fn resolver(&self) -> Result<TokioResolver, NetError> {
        let (config, mut options) = match self.config.servers.as_slice() {
            [] => system(&self.resolv_conf).await,
            servers => {
                let servers = servers.iter().map(|server| name_server(server.ip(), server.port())).collect();
                (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
            }
        };
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        // A lost packet is sent again while there is time.
        options.attempts = 2;
        options.timeout = (self.config.timeout / 2).max(Duration::from_millis(1));
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        builder.build()
    }
}

impl From<NetError> for ResolveError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Timeout => Self::Timeout,
            error if error.is_no_records_found() => Self::NotFound,
            error => Self::Failed(error.to_string()),
        }
    }
}

/// What the host's file says; without one, or without a name server in it, the local host is asked (resolv.conf(5)).
async fn system(path: &Path) -> (ResolverConfig, ResolverOpts) {
    let file = tokio::fs::read(path).await;
    file.map_err(NetError::from).and_then(parse_resolv_conf).unwrap_or_else(|_| {
        let local = name_server(Ipv4Addr::LOCALHOST.into(), 53);
        (ResolverConfig::from_parts(None, Vec::new(), vec![local]), ResolverOpts::default())
    })
}

fn name_server(ip: IpAddr, port: u16) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = port;
        connection
    });
    NameServerConfig::new(ip, true, connections.into())
}

fn addresses(found: &Lookup) -> Vec<IpAddr> {
    found.answers().iter().filter_map(|record| record.data.ip_addr()).collect()
}

#[cfg(test)]
mod tests;
