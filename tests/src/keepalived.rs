//! The distribution's keepalived.

use std::fmt::{self, Display};
use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::place::Place;
use crate::process::Process;

/// Until its virtual routers run.
const START: Duration = Duration::from_secs(10);
/// Until it has ended after SIGTERM. It waits up to 5 s for its child.
const END: Duration = Duration::from_secs(10);

/// A running keepalived, with its files in a directory of its own; killed when dropped.
///
/// Killed so, it says nothing to its peer and leaves its addresses behind.
#[derive(Debug)]
pub struct Keepalived {
    process: Process,
    _dir: TempDir,
}

impl Keepalived {
    /// Starts the VRRP part with this configuration and waits until it runs; several can run on one machine. What
    /// `global_defs { }` needs for scripts is there already.
    ///
    /// # Errors
    /// It is not installed, or ends or does not run in time; with its log.
    pub fn start(place: &Place, config: &str) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("keepalived-").tempdir()?;
        let path = |name: &str| dir.path().join(name);
        fs::write(path("keepalived.conf"), format!("global_defs {{ script_user root }}\n{config}"))?;
        let mut command = place.command("keepalived");
        command.args(["--dont-fork", "--log-console", "--log-detail", "--no-syslog", "--vrrp"]);
        command.arg("--use-file").arg(path("keepalived.conf"));
        command.arg("--pid").arg(path("pid")).arg("--vrrp_pid").arg(path("vrrp.pid"));
        let mut process = Process::start("keepalived", command, &path("log"), "run tests/setup")?;
        let log = path("log");
        process.wait_until("its start", START, || {
            fs::read_to_string(&log).ok()?.contains("Startup complete").then_some(())
        })?;
        Ok(Self { process, _dir: dir })
    }

    /// SIGTERM, and waits for its end: it says priority 0 and takes its addresses away.
    ///
    /// # Errors
    /// It is gone already, does not end in time or ends with an error; with its log.
    pub fn stop(&mut self) -> Result<()> {
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.wait_exit(END)?;
        ensure!(status.success(), "keepalived ended ({status}):\n{}", self.log());
        Ok(())
    }

    /// The parent; the process with the virtual routers is its child.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that it wrote so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// A `vrrp_instance` on `eth0`, as its text.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    pub name: &'a str,
    /// 2 or 3; only 3 has IPv6.
    pub version: u8,
    pub vrid: u8,
    pub priority: u8,
    /// 1 s by default. Version 2 knows whole seconds only, version 3 hundredths.
    pub advert_interval: Duration,
    /// With prefix lengths, all of one family.
    pub addresses: &'a [&'a str],
    /// Further lines.
    pub more: &'a str,
}

impl Default for Instance<'_> {
    /// Version 3, VRID 51, priority 100, one advert a second, the address 192.0.2.100/24.
    fn default() -> Self {
        Self {
            name: "bank",
            version: 3,
            vrid: 51,
            priority: 100,
            advert_interval: Duration::from_secs(1),
            addresses: &["192.0.2.100/24"],
            more: "",
        }
    }
}

impl Display for Instance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, vrid, priority, addresses, more, .. } = self;
        writeln!(f, "vrrp_instance {name} {{")?;
        writeln!(f, "    interface eth0\n    version {version}\n    virtual_router_id {vrid}")?;
        writeln!(f, "    priority {priority}\n    advert_int {}", self.advert_interval.as_secs_f64())?;
        writeln!(f, "    virtual_ipaddress {{\n        {}\n    }}", addresses.join("\n        "))?;
        writeln!(f, "{more}\n}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::{self, Host, Net};
    use crate::wait;

    const SOON: Duration = Duration::from_secs(20);

    fn start(host: &Host, priority: u8, addresses: &[&str]) -> Keepalived {
        let advert_interval = Duration::from_millis(50);
        let instance = Instance { priority, advert_interval, addresses, ..Instance::default() };
        Keepalived::start(&host.place(), &instance.to_string()).unwrap()
    }

    /// Waits until `there` has the address and `elsewhere` does not.
    fn wait_move(address: &str, there: &Host, elsewhere: &Host) {
        let address = address.parse().unwrap();
        let moved = || (there.holds(address).ok()? && !elsewhere.holds(address).ok()?).then_some(());
        wait::until(&format!("{address} at {}", there.namespace()), SOON, moved).unwrap();
    }

    #[test]
    fn the_better_one_has_the_address_until_it_stops_or_dies() {
        if netns::skip() {
            return;
        }
        let mut net = Net::new().unwrap();
        let a = net.host("a", &["192.0.2.11/24", "2001:db8::11/64"]).unwrap();
        let b = net.host("b", &["192.0.2.12/24", "2001:db8::12/64"]).unwrap();
        for addresses in [["192.0.2.100/24"], ["2001:db8::100/64"]] {
            let address = addresses[0].split('/').next().unwrap();
            let mut better = start(&a, 150, &addresses);
            let mut worse = start(&b, 100, &addresses);
            wait_move(address, &a, &b);
            better.stop().unwrap();
            wait_move(address, &b, &a);
            let mut better = start(&a, 150, &addresses);
            wait_move(address, &a, &b);
            better.process().kill();
            wait::until("the address at both", SOON, || {
                let address = address.parse().unwrap();
                (a.holds(address).ok()? && b.holds(address).ok()?).then_some(())
            })
            .unwrap();
            worse.stop().unwrap();
            a.remove_address(addresses[0]).unwrap();
        }
    }

    #[test]
    fn a_wrong_configuration_is_shown() {
        if netns::skip() {
            return;
        }
        let mut net = Net::new().unwrap();
        let host = net.host("a", &["192.0.2.11/24"]).unwrap();
        let wrong = Instance { addresses: &["nonsense"], ..Instance::default() };
        let error = Keepalived::start(&host.place(), &wrong.to_string()).unwrap_err();
        assert!(format!("{error:#}").contains("nonsense"), "{error:#}");
    }
}
