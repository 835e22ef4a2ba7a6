//! What the command line can say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueHint};
use clap_complete::Shell;

/// L4 TCP load balancer: proxy, health checks and weighted priority pools in one process.
#[derive(Debug, Parser)]
#[command(
    name = "lb",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
        lb check --config /etc/lb/lb.yaml         every fault of the file at once\n  \
        lb run --config /etc/lb/lb.yaml           serve; SIGHUP reloads, SIGTERM drains and stops\n  \
        lb plan /etc/lb/lb.yaml                   what a reload would change, and for how many connections\n  \
        lb server drain empi/empi-a               no new connections to one server\n  \
        lb why vip bank-vip                       who has the addresses, and why\n  \
        lb timeline --since 1h                    what happened\n  \
        lb top                                    watch it work"
)]
pub struct Args {
    /// Administration socket of the daemon to talk to.
    #[arg(long, global = true, env = "LB_SOCKET", default_value_os_t = super::default_socket(), value_hint = ValueHint::FilePath)]
    pub socket: PathBuf,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve in the foreground until SIGTERM; SIGHUP reloads.
    Run {
        #[arg(long, short, value_hint = ValueHint::FilePath)]
        config: PathBuf,
        /// Which part of `nodes:` this host is [default: the host name].
        #[arg(long)]
        node: Option<String>,
    },
    /// Name every fault of a configuration file; exit code 64 if there is one.
    Check {
        #[arg(long, short, value_hint = ValueHint::FilePath)]
        config: PathBuf,
        /// Check for this node only [default: for every node that the file names].
        #[arg(long)]
        node: Option<String>,
        /// Print the faults as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show listeners, pools and servers, and why each server is in its state; and who has the virtual addresses.
    Status {
        #[arg(long)]
        json: bool,
        /// Print nothing; exit code 0 if this host is Active for the virtual router NAME, 1 if it is not or if
        /// nobody can tell (then standard error says why).
        #[arg(long, value_name = "NAME", conflicts_with = "json")]
        active: Option<String>,
    },
    /// Show rates and states, refreshed until `q` is pressed.
    Top {
        /// Time between two pictures.
        #[arg(long, default_value = "1s", value_parser = parse_interval)]
        interval: Duration,
    },
    /// Show what happened, the oldest first: states, elections, checks, reloads, commands.
    Timeline {
        /// Print a JSON array; with --follow, one object a line.
        #[arg(long)]
        json: bool,
        /// Only the last so many entries.
        #[arg(long, value_name = "N")]
        last: Option<usize>,
        /// Only entries that are not older than this.
        #[arg(long, value_name = "DURATION", value_parser = settings::parse_duration)]
        since: Option<Duration>,
        /// Go on with what happens from now on.
        #[arg(long, short)]
        follow: bool,
    },
    /// Explain why something is as it is, and what would change it.
    Why {
        #[command(subcommand)]
        what: Why,
    },
    /// Move the addresses of a virtual router.
    Vrrp {
        #[command(subcommand)]
        action: VrrpAction,
    },
    /// Move the addresses of a virtual router to the other host and back, and measure how long nobody answers; run it
    /// on the host that has them. Clients are cut off from their connections!
    Drill {
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Print the outcome as JSON; asks nothing, so it needs --yes.
        #[arg(long, requires = "yes")]
        json: bool,
    },
    /// Change one server while running.
    Server {
        #[command(subcommand)]
        action: ServerAction,
    },
    /// Read the configuration file again; on any fault the old one goes on.
    Reload,
    /// Show what a reload of FILE would change, and how many live connections each change touches.
    Plan {
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// The process that lets go of virtual addresses when the daemon cannot; the daemon starts it.
    #[command(hide = true)]
    Guard,
    /// Print a completion script for a shell.
    Completions { shell: Shell },
}

/// What to explain.
#[derive(Clone, Debug, Subcommand)]
pub enum Why {
    /// A virtual router: who is Active, why, and what keeps this host from it.
    Vip { name: String },
    /// A server, named `POOL/SERVER`: its state, and what would change it.
    Server { server: ServerName },
}

/// What to do with a virtual router.
#[derive(Clone, Debug, Subcommand)]
pub enum VrrpAction {
    /// Let another host have the addresses; this one does not preempt until `take`, or until nobody has them.
    Release { name: String },
    /// Have the addresses here. A router with a higher priority does not give way: release them there.
    Take { name: String },
}

/// What to do with a server, named `POOL/SERVER`.
#[derive(Clone, Debug, Subcommand)]
pub enum ServerAction {
    /// No new connections, but for sources that persistence holds there; live ones stay.
    Drain { server: ServerName },
    /// Back to normal.
    Ready { server: ServerName },
    /// Out of use: no new connections, no checks; live ones follow `on_down`.
    Maint { server: ServerName },
    /// Another weight, until the file's weight changes.
    Weight {
        server: ServerName,
        /// 0 to 1000, or `file` for the file's.
        weight: WeightChoice,
    },
}

/// `POOL/SERVER`.
#[derive(Clone, Debug)]
pub struct ServerName {
    pub pool: String,
    pub server: String,
}

impl std::str::FromStr for ServerName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((pool, server)) if !pool.is_empty() && !server.is_empty() => {
                Ok(Self { pool: pool.to_owned(), server: server.to_owned() })
            }
            Some(_) | None => Err("write POOL/SERVER, as `lb status` shows them"),
        }
    }
}

/// A weight, or the file's.
#[derive(Clone, Copy, Debug)]
pub struct WeightChoice(pub Option<u16>);

impl std::str::FromStr for WeightChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<u16>() {
            Ok(weight) if weight <= 1000 => Ok(Self(Some(weight))),
            Err(_) if text == "file" => Ok(Self(None)),
            Ok(_) | Err(_) => Err("write a number from 0 to 1000, or `file`"),
        }
    }
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = settings::parse_duration(text)?;
    if interval < Duration::from_millis(100) { Err("at least 100ms".to_owned()) } else { Ok(interval) }
}
