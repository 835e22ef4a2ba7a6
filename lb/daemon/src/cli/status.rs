//! `lb status`.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets};
use lb_core::pool::{ServerStatus, State, Status};

use super::say;
use crate::admin::client::Client;
use crate::control::Report;

pub(super) async fn status(client: Client, json: bool) -> anyhow::Result<()> {
    let report = client.status().await?;
    if json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        say(&render(&report));
    }
    Ok(())
}

fn render(report: &Report) -> String {
    let node = report.node.as_deref().unwrap_or("-");
    let state = if report.draining { "stopping" } else { "serving" };
    let mut text = format!(
        "lb {} · node {node} · {state} for {} · {} workers · {}\n\n{}\n",
        report.version,
        time(report.uptime_seconds),
        report.workers,
        report.file,
        listeners(report)
    );
    for pool in &report.pools {
        text.push('\n');
        text.push_str(&pool_heading(pool));
        text.push('\n');
        text.push_str(&servers(pool));
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn listeners(report: &Report) -> String {
    let mut table = table(&["LISTENER", "ADDRESS", "POOL", "CONNECTIONS", "ACCEPTED", "IN", "OUT"]);
    for listener in &report.listeners {
        let binds = match listener.binds.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first, .., last] => format!("{first} … {last}"),
        };
        let connections = match listener.max_connections {
            Some(limit) => format!("{}/{limit}", listener.connections),
            None => listener.connections.to_string(),
        };
        table.add_row(vec![
            Cell::new(&listener.name),
            Cell::new(binds),
            Cell::new(&listener.pool),
            number(connections),
            number(listener.accepted),
            number(bytes(listener.received_bytes)),
            number(bytes(listener.sent_bytes)),
        ]);
    }
    table.to_string()
}

pub(super) fn pool_heading(pool: &Status) -> String {
    let configured =
        pool.servers.iter().filter(|server| !server.sorry && server.state != State::Retired).count();
    let tier = match pool.active_tier {
        Some(tier) => format!("tier {tier} in use"),
        None => "NO SERVER USABLE".to_owned(),
    };
    format!("POOL {} · {}/{configured} usable · {tier}", pool.name, pool.usable)
}

fn servers(pool: &Status) -> String {
    let mut table =
        table(&["  SERVER", "ADDRESS", "TIER", "WEIGHT", "STATE", "FOR", "CONNECTIONS", "LAST CHECK", "WHY"]);
    for server in &pool.servers {
        table.add_row(vec![
            Cell::new(format!("  {}", server.name)),
            Cell::new(address(server)),
            number(if server.sorry { "sorry".to_owned() } else { server.tier.to_string() }),
            number(weight(server)),
            Cell::new(state_word(server.state)),
            Cell::new(time(server.state_seconds)),
            number(connections(server)),
            Cell::new(last_check(server)),
            Cell::new(why(server)),
        ]);
    }
    table.to_string()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn number(value: impl ToString) -> Cell {
    Cell::new(value.to_string()).set_alignment(CellAlignment::Right)
}

fn address(server: &ServerStatus) -> String {
    match &server.resolved {
        Some(resolved) if *resolved != server.address => format!("{} ({resolved})", server.address),
        Some(_) | None => server.address.clone(),
    }
}

pub(super) fn weight(server: &ServerStatus) -> String {
    if (server.effective_weight - f64::from(server.weight)).abs() < 0.005 {
        server.weight.to_string()
    } else {
        format!("{:.2}/{}", server.effective_weight, server.weight)
    }
}

pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::Up => "up",
        State::Draining => "draining",
        State::Ejected => "EJECTED",
        State::Down => "DOWN",
        State::Maint => "maint",
        State::Retired => "retired",
    }
}

pub(super) fn connections(server: &ServerStatus) -> String {
    match server.max_connections {
        Some(limit) => format!("{}/{limit}", server.live),
        None => server.live.to_string(),
    }
}

pub(super) fn last_check(server: &ServerStatus) -> String {
    server.check.as_ref().map_or_else(
        || "-".to_owned(),
        |check| format!("{} {:.1} ms", if check.passed { "ok" } else { "failed" }, check.took_seconds * 1e3),
    )
}

pub(super) fn why(server: &ServerStatus) -> String {
    let mut parts: Vec<String> = server.reason.iter().cloned().collect();
    if let Some(left) = server.ejected_seconds {
        parts.push(format!("ejected for {} more", time(left)));
    }
    if let (None, Some(check)) = (&server.reason, server.check.as_ref().filter(|check| !check.passed)) {
        parts.push(format!("last check: {}", check.text));
    }
    parts.join("; ")
}

/// A time as people say it: two units at most.
pub(super) fn time(seconds: f64) -> String {
    let duration = Duration::from_secs_f64(seconds.max(0.0));
    let whole = if duration < Duration::from_secs(10) {
        Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) / 100 * 100)
    } else {
        Duration::from_secs(duration.as_secs())
    };
    settings::format_duration(whole).split(' ').take(2).collect::<Vec<_>>().join(" ")
}

pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    let mut rest = 0;
    while value >= 1024 && unit < UNITS.len() - 1 {
        rest = value % 1024 * 10 / 1024;
        value /= 1024;
        unit += 1;
    }
    if unit == 0 { format!("{value} B") } else { format!("{value}.{rest} {}", UNITS[unit]) }
}
