//! Those who are compared, each with the same job: several ports of 127.0.0.1, balanced by round robin over
//! several servers, one worker per core, no access log.

use std::fmt::{self, Write};
use std::net::SocketAddr;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use testkit::haproxy::Haproxy;
use testkit::lb::Lb;
use testkit::nginx::Nginx;
use testkit::place::Place;
use testkit::ports::{self, Port};

use crate::row::{IDLE, Row};

/// Length of every accept queue.
pub const BACKLOG: u32 = 4096;
/// HAProxy's limit: enough for the idle connections, within the file limit of common systems.
const MAXCONN: u32 = IDLE + 1000;
/// Several listening ports, like several server ports, keep the pairs of addresses of closed connections
/// (TIME_WAIT) from becoming what is measured.
const PORTS: usize = 4;

/// Who carries the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Contestant {
    /// No proxy at all: the load talks to the servers
    Direct,
    Lb,
    Nginx,
    Haproxy,
    /// HAProxy with `option splice-auto`, for the bulk rows
    HaproxySplice,
}

/// One that is running; ended when dropped.
pub struct Running {
    /// Where the load connects to.
    pub addresses: Vec<SocketAddr>,
    /// Root of the process tree; `None` = there is no proxy.
    pub pid: Option<u32>,
    _ports: Vec<Port>,
    _program: Program,
}

/// Held for its end.
#[expect(dead_code, reason = "the programs are ended when they are dropped")]
enum Program {
    None,
    Lb(Lb),
    Nginx(Nginx),
    Haproxy(Haproxy),
}

impl Contestant {
    /// In the order of the report.
    pub fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// Name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Lb => "lb",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::HaproxySplice => "HAProxy splice",
        }
    }

    /// Name for people of two hosts with it, if that is compared: nginx comes with keepalived there.
    pub fn title_as_pair(self) -> Option<&'static str> {
        match self {
            Self::Lb => Some("lb"),
            Self::Nginx => Some("keepalived + nginx"),
            Self::Direct | Self::Haproxy | Self::HaproxySplice => None,
        }
    }

    /// Whether it is one of those that `lb` has to beat.
    pub fn is_peer(self) -> bool {
        match self {
            Self::Nginx | Self::Haproxy | Self::HaproxySplice => true,
            Self::Direct | Self::Lb => false,
        }
    }

    /// Whether this row says something about it.
    pub fn takes_part(self, row: Row) -> bool {
        match self {
            Self::Direct => row != Row::Memory,
            Self::HaproxySplice => matches!(row, Row::Download | Row::Upload),
            Self::Lb | Self::Nginx | Self::Haproxy => true,
        }
    }

    /// Starts it before these servers and waits until it is ready.
    pub fn start(self, servers: &[SocketAddr], workers: usize) -> Result<Running> {
        if self == Self::Direct {
            let addresses = servers.to_vec();
            return Ok(Running { addresses, pid: None, _ports: Vec::new(), _program: Program::None });
        }
        let held = (0..PORTS).map(|_| ports::reserve()).collect::<Result<Vec<_>>>()?;
        let addresses: Vec<SocketAddr> = held.iter().map(Port::address).collect();
        let numbers: Vec<u16> = held.iter().map(Port::number).collect();
        let here = Place::Here;
        let (pid, program) = match self {
            Self::Direct => (None, Program::None),
            Self::Lb => {
                let lb = Lb::start(&lb_config(&addresses, servers, workers)?)?;
                (Some(lb.pid()), Program::Lb(lb))
            }
            Self::Nginx => {
                let stream = nginx_config(&addresses, servers)?;
                let mut nginx = Nginx::stream(&here, workers, &stream, &numbers)?;
                (Some(nginx.process().pid()), Program::Nginx(nginx))
            }
            Self::Haproxy | Self::HaproxySplice => {
                let splice = self == Self::HaproxySplice;
                let config = haproxy_config(&addresses, servers, workers, splice)?;
                let mut haproxy = Haproxy::start(&here, &config, &numbers)?;
                (Some(haproxy.process().pid()), Program::Haproxy(haproxy))
            }
        };
        Ok(Running { addresses, pid, _ports: held, _program: program })
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

fn lb_config(listen: &[SocketAddr], servers: &[SocketAddr], workers: usize) -> Result<String> {
    let mut text = format!("workers: {workers}\nlog: {{ level: warn, access: false }}\nlisteners:\n");
    for (number, address) in listen.iter().enumerate() {
        let name = format!("name: l{number}, bind: \"{address}\"");
        writeln!(text, "  - {{ {name}, pool: servers, backlog: {BACKLOG} }}")?;
    }
    text += "pools:\n  - name: servers\n    balance: round_robin\n    check: off\n    servers:\n";
    for (number, address) in servers.iter().enumerate() {
        writeln!(text, "      - {{ name: s{number}, address: \"{address}\" }}")?;
    }
    Ok(text)
}

fn nginx_config(listen: &[SocketAddr], servers: &[SocketAddr]) -> Result<String> {
    let mut text = "access_log off;\nupstream servers {\n".to_owned();
    for address in servers {
        writeln!(text, "    server {address};")?;
    }
    text += "}\nserver {\n";
    for address in listen {
        writeln!(text, "    listen {address} reuseport backlog={BACKLOG};")?;
    }
    // as the others: a client that has said its last word still gets the answer
    text += "    proxy_pass servers;\n    proxy_half_close on;\n}\n";
    Ok(text)
}

fn haproxy_config(
    listen: &[SocketAddr],
    servers: &[SocketAddr],
    workers: usize,
    splice: bool,
) -> Result<String> {
    let option = if splice { "    option splice-auto\n" } else { "" };
    let mut text = format!(
        "global
    nbthread {workers}
    maxconn {MAXCONN}
defaults
    mode tcp
    backlog {BACKLOG}
    timeout connect 5s
    timeout client 10m
    timeout server 10m
{option}listen all
    balance roundrobin
"
    );
    for address in listen {
        writeln!(text, "    bind {address}")?;
    }
    for (number, address) in servers.iter().enumerate() {
        writeln!(text, "    server s{number} {address}")?;
    }
    Ok(text)
}
