//! Hosts on a network of their own, with cables to pull.
//!
//! ```text
//!   host a ── eth0 ═══ port ┐
//!   host b ── eth0 ═══ port ┤ bridge, in a namespace of its own
//!   host c ── eth0 ═══ port ┘
//! ```
//!
//! Each host is a network namespace. Nothing appears in this host's own network. Use the documentation's address
//! ranges: 192.0.2.0/24, 198.51.100.0/24, 2001:db8::/32.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::ifaddrs::getifaddrs;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::SockaddrStorage;

use crate::place::Place;

const NAMESPACES: &str = "/run/netns";
/// The interface of a switch that stands for the whole of it.
pub const BRIDGE: &str = "br0";
/// First part of the names of our namespaces; the second is the process that made them.
const PREFIX: &str = "lbtest";

/// A switch and the hosts that are plugged into it; all gone when this is dropped.
#[derive(Debug)]
pub struct Net {
    name: String,
    hosts: Vec<Host>,
}

/// One host: a network namespace with `lo` and `eth0`.
#[derive(Clone, Debug)]
pub struct Host(Arc<Names>);

#[derive(Debug)]
struct Names {
    namespace: String,
    switch: String,
    /// The other end of the cable at the switch.
    port: String,
}

impl Net {
    /// Whether this process may make networks.
    ///
    /// # Errors
    /// Why not.
    pub fn available() -> Result<(), String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("network namespaces need root, or a user namespace (tests/runner)".to_owned());
        }
        let net = Self::new().map_err(|error| format!("no network namespaces here: {error:#}"))?;
        drop(net);
        Ok(())
    }

    /// A switch without hosts.
    ///
    /// # Errors
    /// `ip` is missing or refuses.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        sweep();
        let name = format!("{PREFIX}-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let net = Self { name, hosts: Vec::new() };
        ip(&["netns", "add", &net.name])?;
        // No forward delay, and no multicast snooping: it drops VRRP and neighbour discovery for want of a querier.
        let bridge = ["type", "bridge", "forward_delay", "0", "mcast_snooping", "0"];
        ip(&[&["-n", &net.name, "link", "add", BRIDGE][..], &bridge].concat())?;
        ip(&["-n", &net.name, "link", "set", BRIDGE, "up"])?;
        Ok(net)
    }

    /// The switch as a place to listen in: its [`BRIDGE`] hears every frame once.
    pub fn switch(&self) -> Place {
        Place::Namespace(self.name.as_str().into())
    }

    /// Plugs in one more host with these addresses (`192.0.2.21/24`, `2001:db8::21/64`) on its `eth0`.
    ///
    /// # Errors
    /// The name is taken, or `ip` refuses.
    pub fn host(&mut self, name: &str, addresses: &[&str]) -> Result<Host> {
        let host = Host(Arc::new(Names {
            namespace: format!("{}-{name}", self.name),
            switch: self.name.clone(),
            port: format!("port{}", self.hosts.len()),
        }));
        ip(&["netns", "add", &host.0.namespace])?;
        self.hosts.push(host.clone());
        let Names { namespace, switch, port } = &*host.0;
        let cable = ["link", "add", "eth0", "netns", namespace, "type", "veth", "peer", "name", port];
        ip(&[&cable[..], &["netns", switch]].concat())?;
        ip(&["-n", switch, "link", "set", port, "master", BRIDGE, "up"])?;
        ip(&["-n", namespace, "link", "set", "lo", "up"])?;
        ip(&["-n", namespace, "link", "set", "eth0", "up"])?;
        for address in addresses {
            host.add_address(address)?;
        }
        Ok(host)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let hosts = self.hosts.iter().map(|host| host.0.namespace.as_str());
        for namespace in hosts.chain([self.name.as_str()]) {
            // A failure leaves a name behind, which the next run sweeps.
            let _ = ip(&["netns", "delete", namespace]);
        }
    }
}

impl Host {
    /// Name of the namespace, for `ip netns exec`.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// This host as a place to run things in.
    pub fn place(&self) -> Place {
        Place::from(self)
    }

    /// Runs `work` on a thread here and waits for it.
    ///
    /// # Errors
    /// Those of [`Place::run`].
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.place().run(work)
    }

    /// Adds `address/length` to `eth0`; usable at once (no duplicate address detection).
    ///
    /// # Errors
    /// `ip` refuses.
    pub fn add_address(&self, address: &str) -> Result<()> {
        let flags: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
        self.ip(&[&["address", "add", address, "dev", "eth0"], flags].concat())
    }

    /// Takes `address/length` from `eth0`.
    ///
    /// # Errors
    /// `ip` refuses.
    pub fn remove_address(&self, address: &str) -> Result<()> {
        self.ip(&["address", "delete", address, "dev", "eth0"])
    }

    /// Whether an interface of this host has `address`.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn holds(&self, address: IpAddr) -> Result<bool> {
        self.run(|| {
            let mut held = getifaddrs()?.filter_map(|entry| ip_of(&entry.address?));
            Ok(held.any(|held| held == address))
        })
    }

    /// MAC address of `eth0`, as Wireshark writes it.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn mac(&self) -> Result<String> {
        self.run(|| {
            let eth0 = getifaddrs()?.filter(|entry| entry.interface_name == "eth0");
            let mac = eth0.filter_map(|entry| entry.address?.as_link_addr()?.addr()).next();
            let mac = mac.context("eth0 has no MAC address")?;
            Ok(mac.map(|byte| format!("{byte:02x}")).join(":"))
        })
    }

    /// Pulls the cable: `eth0` loses its carrier, the others only hear nothing more.
    ///
    /// # Errors
    /// `ip` refuses.
    pub fn unplug(&self) -> Result<()> {
        ip(&["-n", &self.0.switch, "link", "set", &self.0.port, "down"])
    }

    /// Puts it back.
    ///
    /// # Errors
    /// `ip` refuses.
    pub fn plug(&self) -> Result<()> {
        ip(&["-n", &self.0.switch, "link", "set", &self.0.port, "up"])
    }

    /// `ip` with these arguments, on this host: routes, rules, neighbours.
    ///
    /// # Errors
    /// `ip` refuses.
    pub fn ip(&self, arguments: &[&str]) -> Result<()> {
        ip(&[&["-n", self.namespace()], arguments].concat())
    }
}

/// Whether the running test has to be skipped because this process may not make networks. If so, that and why goes to
/// standard error, whether or not the test's output is shown.
pub fn skip() -> bool {
    let Err(why) = Net::available() else { return false };
    let test = thread::current().name().unwrap_or("a test").to_owned();
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(io::stderr(), "skipped {test}: {why}");
    true
}

/// Moves the calling thread into a namespace for the rest of its life. See [`Place::enter`].
///
/// # Errors
/// The namespace is gone, or this process is not root.
pub fn enter(namespace: &str) -> Result<()> {
    let path = Path::new(NAMESPACES).join(namespace);
    let namespace = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    setns(namespace, CloneFlags::CLONE_NEWNET).context("cannot enter a network namespace")?;
    Ok(())
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| address.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| address.ip().into()))
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output().context("cannot run ip (package iproute2)")?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("ip {}: {}", arguments.join(" "), complaint.trim());
    }
    Ok(())
}

/// Deletes the namespaces of processes that were killed before they could.
fn sweep() {
    let names = fs::read_dir(NAMESPACES).into_iter().flatten().flatten().map(|entry| entry.file_name());
    for name in names.filter_map(|name| name.into_string().ok()) {
        let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1));
        if maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = ip(&["netns", "delete", &name]);
        }
    }
}

#[cfg(test)]
mod tests;
