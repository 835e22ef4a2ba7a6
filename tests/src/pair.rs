//! Two hosts that share a virtual address, a client, and two servers behind them.
//!
//! ```text
//!   client 192.0.2.50 ┐                ┌ server s1 192.0.2.21:7099
//!   lb-a   192.0.2.11 ┼──── switch ────┴ server s2 192.0.2.22:7099
//!   lb-b   192.0.2.12 ┘
//! ```
//!
//! All but the servers have 2001:db8::/64 with the same last part (50, 11, 12) too. The virtual addresses
//! are [`VIP`] and [`VIP6`]; who has them is up to what runs on the two hosts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::backend::{Backend, Behaviour};
use crate::gap::GapClient;
use crate::lb::Lb;
use crate::netns::{Host, Net};
use crate::wait;

/// 192.0.2.100.
pub const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100));
/// 2001:db8::100.
pub const VIP6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100));
/// The servers' port, and the one that their clients connect to at the virtual address.
pub const PORT: u16 = 7099;

/// Until an address has found its host.
const SETTLE: Duration = Duration::from_secs(20);

/// One of the two hosts that share the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

/// The scene; gone with all that belongs to it when dropped.
#[derive(Debug)]
pub struct Pair {
    pub net: Net,
    pub a: Host,
    pub b: Host,
    pub client: Host,
    pub servers: [Server; 2],
}

/// A host with one server on it.
#[derive(Debug)]
pub struct Server {
    pub host: Host,
    pub backend: Backend,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// Name of the node: `lb-a` or `lb-b`.
    pub fn node(self) -> &'static str {
        match self {
            Self::A => "lb-a",
            Self::B => "lb-b",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.node())
    }
}

impl Pair {
    /// The hosts and the servers, which echo; nothing runs on the two hosts yet.
    ///
    /// # Errors
    /// See [`Net::available`].
    pub fn new() -> Result<Self> {
        let mut net = Net::new()?;
        let a = net.host(Side::A.node(), &["192.0.2.11/24", "2001:db8::11/64"])?;
        let b = net.host(Side::B.node(), &["192.0.2.12/24", "2001:db8::12/64"])?;
        let client = net.host("client", &["192.0.2.50/24", "2001:db8::50/64"])?;
        let mut server = |name: &str, last: u8| {
            let address = Ipv4Addr::new(192, 0, 2, last);
            let host = net.host(name, &[&format!("{address}/24")])?;
            let backend = Backend::start_at(&host.place(), (address, PORT).into(), Behaviour::Echo)?;
            anyhow::Ok(Server { host, backend })
        };
        let servers = [server("s1", 21)?, server("s2", 22)?];
        Ok(Self { net, a, b, client, servers })
    }

    /// One of the two hosts.
    pub fn host(&self, side: Side) -> &Host {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// Those that have `address`: one, if all is well.
    ///
    /// # Errors
    /// A host's addresses cannot be read.
    pub fn holders(&self, address: IpAddr) -> Result<Vec<Side>> {
        let mut holders = Vec::new();
        for side in Side::ALL {
            if self.host(side).holds(address)? {
                holders.push(side);
            }
        }
        Ok(holders)
    }

    /// Waits until exactly one has `address`, and tells which.
    ///
    /// # Errors
    /// It does not come to that.
    pub fn wait_one(&self, address: IpAddr) -> Result<Side> {
        self.wait_holders(address, "one host", |holders| holders.len() == 1)?.pop().context("no holder")
    }

    /// Waits until this one has `address` and the other has not.
    ///
    /// # Errors
    /// It does not come to that.
    pub fn wait_holder(&self, address: IpAddr, side: Side) -> Result<()> {
        self.wait_holders(address, side.node(), |holders| *holders == [side]).map(drop)
    }

    fn wait_holders(
        &self,
        address: IpAddr,
        who: &str,
        wanted: impl Fn(&[Side]) -> bool,
    ) -> Result<Vec<Side>> {
        let mut last = Vec::new();
        let result = wait::until_ok(&format!("{address} at {who} alone"), SETTLE, || {
            last = self.holders(address)?;
            Ok(wanted(&last).then(|| last.clone()))
        });
        result.with_context(|| format!("at last, these had it: {last:?}"))
    }

    /// Starts `lb run --node lb-a` (or `lb-b`) with this configuration there, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Lb::start`].
    pub fn start_lb(&self, side: Side, config: &str) -> Result<Lb> {
        let mut lb = Lb::spawn(&self.host(side).place(), config, &["--node", side.node()])?;
        lb.wait_ready()?;
        Ok(lb)
    }

    /// Starts the client that connects to [`PORT`] of `address` every millisecond.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start_client(&self, address: IpAddr) -> Result<GapClient> {
        GapClient::start(&self.client.place(), SocketAddr::new(address, PORT))
    }

    /// The servers' addresses.
    pub fn server_addresses(&self) -> [SocketAddr; 2] {
        let [first, second] = &self.servers;
        [first.backend.address(), second.backend.address()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns;

    #[test]
    fn the_address_is_seen_where_it_is() {
        if netns::skip() {
            return;
        }
        let pair = Pair::new().unwrap();
        for (vip, text) in [(VIP, "192.0.2.100/24"), (VIP6, "2001:db8::100/64")] {
            assert_eq!(pair.holders(vip).unwrap(), []);
            pair.b.add_address(text).unwrap();
            assert_eq!(pair.holders(vip).unwrap(), [Side::B]);
            assert_eq!(pair.wait_one(vip).unwrap(), Side::B);
            pair.a.add_address(text).unwrap();
            assert_eq!(pair.holders(vip).unwrap(), Side::ALL);
            pair.b.remove_address(text).unwrap();
            pair.wait_holder(vip, Side::A).unwrap();
        }
    }
}
