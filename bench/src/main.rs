//! Side-by-side benchmarks of `lb`, nginx stream and HAProxy, and of a pair of `lb` and a pair of keepalived and
//! nginx, in one run on one machine; what a gateway carries; and the cost of the carriers' codecs.
//!
//! This process directs: it starts the servers and the load as processes of their own (itself, with a hidden
//! sub-command), so that their CPU time does not mix with that of the proxies.

mod codec;
mod contestant;
mod failover;
mod gateway;
mod load;
mod machine;
mod part;
mod report;
mod results;
mod round;
mod row;
mod server;
mod spread;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::codec::Codec;
use crate::contestant::Contestant;
use crate::failover::{Failover, Gaps, Scenario};
use crate::gateway::Gateway;
use crate::machine::Machine;
use crate::part::Part;
use crate::results::{Results, Series};
use crate::round::Settings;
use crate::row::Row;
use crate::server::Servers;

/// Compares lb, nginx stream and HAProxy (mode tcp) on this machine, over loopback; and what a client notices when a
/// pair of hosts loses something, lb beside keepalived and nginx, in network namespaces. And what a gateway of the line
/// carries, and what the codecs cost.
#[derive(Debug, Parser)]
struct Arguments {
    /// Two short rounds: for a look, not for numbers
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = part::parser())]
    only: Vec<Part>,
    /// Leave this one out (may be repeated)
    #[arg(long, value_name = "NAME")]
    without: Vec<Contestant>,
    /// Rounds of each row [default: 5, quick: 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Seconds of measuring in each round [default: 3, quick: 1]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Trials of each failover [default: 10, quick: 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    trials: Option<u32>,
    /// Where the results go; files of parts that do not run stay as they are [default: bench/results for a whole run,
    /// target/bench for a part of one]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What the director starts.
#[derive(Debug, Subcommand)]
enum Role {
    #[command(hide = true)]
    Serve(server::Serve),
    #[command(hide = true)]
    Load(load::Load),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Serve(serve)) => serve.run(),
        Some(Role::Load(load)) => load.run(),
        None => direct(&arguments),
    }
}

fn direct(arguments: &Arguments) -> Result<()> {
    raise_file_limit()?;
    let parts = if arguments.only.is_empty() { part::all() } else { arguments.only.clone() };
    let (rounds, seconds, trials) = if arguments.quick { (2, 1, 2) } else { (5, 3, 10) };
    let settings = Settings {
        rounds: arguments.rounds.unwrap_or(rounds),
        measure: Duration::from_secs(arguments.seconds.unwrap_or(seconds)),
        workers: std::thread::available_parallelism()?.get(),
        trials: arguments.trials.unwrap_or(trials),
    };
    let (rows, scenarios) = (part::rows(&parts), part::scenarios(&parts));
    let contestants =
        if rows.is_empty() && scenarios.is_empty() { Vec::new() } else { contestants(arguments)? };
    let machine = Machine::look(&contestants, !scenarios.is_empty())?;
    let mut series = Series::default();
    if !rows.is_empty() {
        let servers = Servers::start(settings.workers)?;
        for row in rows {
            measure(row, &contestants, &settings, &servers, &mut series)?;
        }
    }
    let failover = fail_over(&scenarios, &contestants, &settings)?;
    let setups = part::setups(&parts);
    let gateway = if setups.is_empty() { Gateway::default() } else { gateway::run(&setups, &settings)? };
    let codec = if parts.contains(&Part::Codec) { codec::run(settings.rounds)? } else { Codec::default() };
    let results = Results::new(machine, &settings, series, failover, gateway, codec);
    let out = arguments.out.clone().unwrap_or_else(|| default_out(arguments));
    report::write(&out, &results)?;
    say(&format!("\n{}\nwritten to {}", report::terminal(&results), out.display()))
}

/// All rounds of one row: A B C, B C A, … so that nobody always comes first.
fn measure(
    row: Row,
    contestants: &[Contestant],
    settings: &Settings,
    servers: &Servers,
    series: &mut Series,
) -> Result<()> {
    let mut order: Vec<Contestant> = contestants.iter().copied().filter(|one| one.takes_part(row)).collect();
    for round in 1..=settings.rounds {
        for contestant in &order {
            let outcome = round::run(row, *contestant, settings, servers)
                .with_context(|| format!("{row}, {contestant}, round {round}"))?;
            say(&format!("{row}, {contestant}, round {round}/{}: {outcome}", settings.rounds))?;
            series.add(row, *contestant, outcome);
        }
        order.rotate_left(1);
    }
    Ok(())
}

/// All trials of all scenarios, the pairs in turns.
fn fail_over(scenarios: &[Scenario], contestants: &[Contestant], settings: &Settings) -> Result<Failover> {
    let mut gaps = Gaps::default();
    if scenarios.is_empty() {
        return Ok(gaps.finish());
    }
    if let Err(why) = testkit::netns::Net::available() {
        say(&format!("goes on without failovers: {why}"))?;
        return Ok(gaps.finish());
    }
    for scenario in scenarios {
        let mut order: Vec<Contestant> =
            contestants.iter().copied().filter(|one| one.title_as_pair().is_some()).collect();
        for trial in 0..settings.trials {
            let phase = f64::from(trial) / f64::from(settings.trials);
            for contestant in &order {
                let number = trial + 1;
                let gap = failover::trial(*scenario, *contestant, phase, settings.workers)
                    .with_context(|| format!("{scenario}, {contestant}, trial {number}"))?;
                say(&format!("{scenario}, {contestant}, trial {number}/{}: {gap}", settings.trials))?;
                gaps.add(*scenario, *contestant, gap);
            }
            order.reverse();
        }
    }
    Ok(gaps.finish())
}

fn contestants(arguments: &Arguments) -> Result<Vec<Contestant>> {
    let mut contestants = Contestant::all();
    contestants.retain(|one| !arguments.without.contains(one));
    if contestants.contains(&Contestant::Lb)
        && let Err(error) = testkit::lb::binary()
    {
        say(&format!("goes on without lb: {error:#}"))?;
        contestants.retain(|one| *one != Contestant::Lb);
    }
    ensure!(!contestants.is_empty(), "nobody is left to measure");
    Ok(contestants)
}

/// A part of a run must not stand where the results of whole ones are kept.
fn default_out(arguments: &Arguments) -> PathBuf {
    let crate_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    if arguments.quick || !arguments.only.is_empty() || !arguments.without.is_empty() {
        crate_dir.join("../target/bench")
    } else {
        crate_dir.join("results")
    }
}

/// For all processes that we start too.
fn raise_file_limit() -> Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).context("cannot raise the limit of open files")
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
