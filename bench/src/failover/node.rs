//! What runs on one host of a pair: lb, or keepalived and nginx.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Result, bail};
use nix::sys::signal::Signal;
use testkit::keepalived::{Instance, Keepalived};
use testkit::lb::Lb;
use testkit::nginx::Nginx;
use testkit::pair::{PORT, Pair, Side, VIP};

use super::ADVERT;
use crate::contestant::Contestant;

/// Of the proxy to a server.
const CONNECT_TIMEOUT: &str = "1s";
/// Until a process is gone after SIGKILL.
const DEATH: Duration = Duration::from_secs(5);

/// One host's programs; ended when dropped.
pub enum Node {
    Lb(Lb),
    Nginx { keepalived: Keepalived, nginx: Nginx },
}

impl Node {
    /// Starts them on one host.
    ///
    /// # Errors
    /// A program is missing or does not start.
    pub fn start(contestant: Contestant, pair: &Pair, side: Side, workers: usize) -> Result<Self> {
        match contestant {
            Contestant::Lb => Ok(Self::Lb(pair.start_lb(side, &lb_config(pair, workers)?)?)),
            Contestant::Nginx => nginx(pair, side, workers),
            Contestant::Direct | Contestant::Haproxy | Contestant::HaproxySplice => {
                bail!("{contestant} is no pair")
            }
        }
    }

    /// SIGTERM to what holds the virtual address; does not wait.
    pub fn stop(&mut self) -> Result<()> {
        match self {
            Self::Lb(lb) => lb.signal(Signal::SIGTERM),
            Self::Nginx { keepalived, .. } => keepalived.process().signal(Signal::SIGTERM),
        }
    }

    /// SIGKILL to the proxy: nginx's master and workers, or the daemon (its guard is a process of its own).
    pub fn kill_proxy(&mut self) -> Result<()> {
        match self {
            Self::Lb(lb) => {
                lb.signal(Signal::SIGKILL)?;
                lb.process().wait_exit(DEATH)?;
            }
            Self::Nginx { nginx, .. } => nginx.process().kill(),
        }
        Ok(())
    }

    /// SIGSTOP to the same processes.
    pub fn hang_proxy(&mut self) -> Result<()> {
        match self {
            Self::Lb(lb) => lb.signal(Signal::SIGSTOP),
            Self::Nginx { nginx, .. } => nginx.process().signal_tree(Signal::SIGSTOP),
        }
    }

    /// SIGKILL to all processes of the host.
    pub fn kill_all(&mut self) {
        match self {
            Self::Lb(lb) => lb.process().kill(),
            Self::Nginx { keepalived, nginx, .. } => {
                keepalived.process().kill();
                nginx.process().kill();
            }
        }
    }

    /// All that its programs wrote, for a report of what went wrong.
    pub fn log(&mut self) -> String {
        match self {
            Self::Lb(lb) => lb.log(),
            Self::Nginx { keepalived, nginx, .. } => keepalived.log() + &nginx.process().log(),
        }
    }
}

fn lb_config(pair: &Pair, workers: usize) -> Result<String> {
    let mut text = format!(
        "workers: {workers}
log: {{ access: false }}
listeners:
  - {{ name: bank, bind: \"{VIP}:{PORT}\", pool: empi }}
pools:
  - name: empi
    connect: {{ timeout: {CONNECT_TIMEOUT} }}
    servers:
"
    );
    for (number, address) in (1..).zip(pair.server_addresses()) {
        writeln!(text, "      - {{ name: s{number}, address: \"{address}\" }}")?;
    }
    write!(
        text,
        "vrrp:
  - name: bank-vip
    interface: eth0
    vrid: 51
    priority: 250
    advert_interval: {}ms
    addresses: [\"{VIP}/24\"]
    track:
      pools: [empi]
nodes:
  {}: {{}}
  {}: {{ vrrp: [ {{ name: bank-vip, priority: 240 }} ] }}
",
        ADVERT.as_millis(),
        Side::A,
        Side::B
    )?;
    Ok(text)
}

fn nginx(pair: &Pair, side: Side, workers: usize) -> Result<Node> {
    let place = pair.host(side).place();
    let [first, second] = pair.server_addresses();
    let stream = format!(
        "access_log off;
upstream empi {{ server {first}; server {second}; }}
server {{ listen {PORT}; proxy_pass empi; proxy_connect_timeout {CONNECT_TIMEOUT}; }}"
    );
    let nginx = Nginx::stream(&place, workers, &stream, &[PORT])?;
    let check = format!(
        "vrrp_script nginx {{
    script \"/usr/bin/pgrep --pidfile {}\"
    interval 1
    fall 1
    rise 1
}}
",
        nginx.pid_file().display()
    );
    let priority = match side {
        Side::A => 150,
        Side::B => 100,
    };
    let more = "    track_script {\n        nginx\n    }";
    let address = format!("{VIP}/24");
    let instance =
        Instance { priority, advert_interval: ADVERT, addresses: &[&address], more, ..Instance::default() };
    let keepalived = Keepalived::start(&place, &format!("{check}{instance}"))?;
    Ok(Node::Nginx { keepalived, nginx })
}
