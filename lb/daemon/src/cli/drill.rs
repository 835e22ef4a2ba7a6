//! `lb drill`: a switch to the other host and back, measured.

mod prober;
#[cfg(test)]
mod tests;

use std::io::{BufRead, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use runtime::command::say;
use runtime::signals::Signals;
use serde::Serialize;

use super::vrrp::{PATIENCE, Patience, Released, Routers, Taken, milliseconds, tell_released, tell_taken};
use super::{LB, timeline, vrrp};
use crate::admin::api::Which;
use crate::admin::client::Client;
use crate::control::{Entry, Report};
use crate::vrrp::{RouterStatus, State};
use prober::Prober;

/// How fast it goes.
#[derive(Clone, Copy, Debug)]
struct Pace {
    patience: Patience,
    /// The addresses stay so long with the other router; and the prober goes on so long at the end.
    settle: Duration,
}

const PACE: Pace = Pace { patience: PATIENCE, settle: Duration::from_secs(1) };

/// What was measured.
#[derive(Debug, Serialize)]
struct Outcome {
    router: String,
    /// Where new connections went.
    probed: Option<SocketAddr>,
    /// To the other router; `None` = none took over.
    away: Option<Leg>,
    /// Back to this one.
    back: Option<Leg>,
    /// Why it was not both.
    failure: Option<String>,
    /// What this daemon noted about the router meanwhile.
    timeline: Vec<Entry>,
}

/// One way.
#[derive(Debug, PartialEq, Serialize)]
struct Leg {
    /// Who got the addresses.
    to: String,
    priority: u8,
    /// From the wish to the first advertisement of the other, or to this host being Active.
    seconds: f64,
    /// The longest time without a new connection that succeeded.
    longest_gap_seconds: Option<f64>,
}

pub(super) async fn drill(client: Client, name: String, yes: bool, json: bool) -> anyhow::Result<ExitCode> {
    let report = client.status().await?;
    let router = client.virtual_router(&name).await?;
    may_begin(&router)?;
    let target = target(&report, &router);
    if !yes && !confirmed(&warning(&router, target, PACE))? {
        bail!("nothing was done");
    }
    let prober = match target {
        Some(target) => Some(Prober::start(target).await?),
        None => None,
    };
    let mut signals = Signals::install()?;
    let outcome = tokio::select! {
        outcome = run(&client, &name, prober.as_ref(), PACE) => outcome?,
        _ = signals.next() => {
            client.take(&name).await.context("interrupted, and the addresses may be elsewhere")?;
            bail!("interrupted; the addresses were asked back: see `lb why vip {name}`");
        }
    };
    if json {
        say(&serde_json::to_string_pretty(&outcome)?);
    } else {
        say(&render(&outcome, &TimeZone::system()));
    }
    if let Some(failure) = &outcome.failure {
        LB.complain(failure);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn may_begin(router: &RouterStatus) -> anyhow::Result<()> {
    let RouterStatus { name, state, active_peer, .. } = router;
    match (state, active_peer) {
        (State::Active, None) => Ok(()),
        (State::Active, Some(peer)) => {
            bail!("{name}: {} says that it is Active too; a drill would measure nothing", peer.source)
        }
        (State::Backup, Some(peer)) => {
            bail!("{name}: this host is not Active; run the drill on the host of {}", peer.source)
        }
        (State::Initialize | State::Backup | State::Fault, _) => {
            bail!("{name}: this host is not Active: {}", router.reason)
        }
    }
}

/// A socket on one of the router's addresses that a listener serves.
fn target(report: &Report, router: &RouterStatus) -> Option<SocketAddr> {
    let addresses: Vec<IpAddr> = router
        .addresses
        .iter()
        .filter_map(|address| address.split('/').next().and_then(|address| address.parse().ok()))
        .collect();
    let binds = report.listeners.iter().flat_map(|listener| &listener.binds);
    binds.filter_map(|bind| bind.parse::<SocketAddr>().ok()).find_map(|bind| {
        let served = |address: &&IpAddr| {
            bind.ip() == **address || bind.ip().is_unspecified() && bind.is_ipv4() == address.is_ipv4()
        };
        addresses.iter().find(served).map(|address| SocketAddr::new(*address, bind.port()))
    })
}

fn warning(router: &RouterStatus, target: Option<SocketAddr>, pace: Pace) -> String {
    let limit = pace.patience.limit.as_secs();
    let probe = target.map_or_else(
        || "No listener is on one of the addresses: only advertisements are measured.".to_owned(),
        |target| {
            format!("Meanwhile a new connection to {target} is made every millisecond, and reaches its pool.")
        },
    );
    format!(
        "{}: {} move to the router that takes over, and back after {} s.\n{probe}\nEstablished connections through \
         these addresses are CUT OFF, both times.\nAn Active router hears no Backup: whether there is one shows \
         itself. If nobody takes over within {limit} s,\nthe addresses are taken back at once.",
        router.name,
        router.addresses.join(", "),
        pace.settle.as_secs()
    )
}

fn confirmed(warning: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("this is no terminal to ask at; with --yes the drill asks nothing");
    }
    say(warning);
    let mut out = std::io::stdout();
    write!(out, "Go on? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn run(
    routers: &impl Routers,
    name: &str,
    prober: Option<&Prober>,
    pace: Pace,
) -> anyhow::Result<Outcome> {
    let newest = routers.timeline(Which { after: None, last: Some(1) }).await?;
    let after = newest.last().map(|entry| entry.sequence);
    let mut outcome = Outcome {
        router: name.to_owned(),
        probed: prober.map(Prober::target),
        away: None,
        back: None,
        failure: None,
        timeline: Vec::new(),
    };
    // the gaps before the wish do not count
    gap(prober);
    match vrrp::release(routers, name, pace.patience).await? {
        Released::To { peer, seconds } => {
            tokio::time::sleep(pace.settle).await;
            let longest_gap_seconds = gap(prober);
            outcome.away =
                Some(Leg { to: peer.source, priority: peer.priority, seconds, longest_gap_seconds });
            back(routers, prober, pace, &mut outcome).await?;
        }
        released @ (Released::NotYet(_) | Released::WasNotHere(_) | Released::BackHere { .. }) => {
            let taken = vrrp::take(routers, name, pace.patience).await?;
            let words = [tell_released(name, &released), tell_taken(name, &taken)];
            let words = words.map(|words| words.unwrap_or_else(|words| words)).join("\n    ");
            let what = match released {
                Released::WasNotHere(_) => "this host was not Active any more",
                Released::NotYet(_) | Released::BackHere { .. } | Released::To { .. } => "NOBODY TOOK OVER",
            };
            outcome.failure = Some(format!("{name}: {what}:\n    {words}"));
        }
    }
    let mut entries = routers.timeline(Which { after, last: None }).await?;
    entries.retain(|entry| entry.subject == name);
    outcome.timeline = entries;
    Ok(outcome)
}

async fn back(
    routers: &impl Routers,
    prober: Option<&Prober>,
    pace: Pace,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let name = outcome.router.clone();
    let taken = vrrp::take(routers, &name, pace.patience).await?;
    match &taken {
        Taken::Here { .. } | Taken::WasHere => {
            let seconds = if let Taken::Here { seconds } = taken { seconds } else { 0.0 };
            tokio::time::sleep(pace.settle).await;
            let priority = routers.router(&name).await?.priority;
            let to = "this host".to_owned();
            outcome.back = Some(Leg { to, priority, seconds, longest_gap_seconds: gap(prober) });
        }
        Taken::Outranked { peer, .. } => {
            let words = tell_taken(&name, &taken).unwrap_or_else(|words| words);
            outcome.failure = Some(format!(
                "{words}\n    The addresses stay there. A drill goes both ways on the host with the better priority: \
                 run it on {}.",
                peer.source
            ));
        }
        Taken::Cannot(_) | Taken::NotYet(_) => {
            outcome.failure = Some(tell_taken(&name, &taken).unwrap_or_else(|words| words));
        }
    }
    Ok(())
}

fn gap(prober: Option<&Prober>) -> Option<f64> {
    prober.map(|prober| prober.turn().as_secs_f64())
}

fn render(outcome: &Outcome, zone: &TimeZone) -> String {
    let leg = |word: &str, event: &str, leg: &Option<Leg>| {
        let leg = leg.as_ref()?;
        let gap = leg.longest_gap_seconds.map_or_else(
            || "not measured".to_owned(),
            |seconds| format!("{} between new connections", milliseconds(seconds)),
        );
        Some(format!(
            "{word} {:<15} (priority {}) {event} after {}; longest gap {gap}",
            leg.to,
            leg.priority,
            milliseconds(leg.seconds)
        ))
    };
    let legs =
        [leg("away to", "first advertisement", &outcome.away), leg("back to", "Active", &outcome.back)];
    let mut lines = vec![format!("{}:", outcome.router)];
    lines.extend(legs.into_iter().flatten().map(|leg| format!("  {leg}")));
    if !outcome.timeline.is_empty() {
        lines.push(String::new());
        lines.push(timeline::text(&outcome.timeline, zone));
    }
    lines.join("\n")
}
