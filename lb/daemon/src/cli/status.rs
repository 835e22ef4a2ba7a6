//! `lb status`.

use std::process::ExitCode;
use std::time::Duration;

use lb_core::pool::{ServerStatus, State, Status};
use runtime::command::say;
use runtime::table::{Cell, number, table};

use crate::admin::client::Client;
use crate::control::Report;
use crate::vrrp::{RouterStatus, State as RouterState};

pub(super) async fn status(client: Client, json: bool) -> anyhow::Result<()> {
    let report = client.status().await?;
    if json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        say(&render(&report));
    }
    Ok(())
}

/// Whether this host is Active for that virtual router.
pub(super) async fn active(client: Client, name: String) -> anyhow::Result<ExitCode> {
    let router = client.virtual_router(&name).await?;
    Ok(if router.state == RouterState::Active { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
    if !report.virtual_routers.is_empty() {
        text.push('\n');
        text.push_str(&virtual_routers(report));
        text.push('\n');
    }
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

fn virtual_routers(report: &Report) -> String {
    let mut table = table(&[
        "VIRTUAL ROUTER",
        "STATE",
        "ADDRESSES",
        "INTERFACE",
        "PRIORITY",
        "ACTIVE ROUTER",
        "SINCE",
        "WHY",
    ]);
    for router in &report.virtual_routers {
        table.add_row(vec![
            Cell::new(&router.name),
            Cell::new(router_state_word(router.state)),
            Cell::new(router.addresses.join(", ")),
            Cell::new(&router.interface),
            number(priority(router)),
            Cell::new(active_router(router)),
            Cell::new(time(router.state_seconds)),
            Cell::new(why_router(router)),
        ]);
    }
    table.to_string()
}

pub(super) fn router_state_word(state: RouterState) -> &'static str {
    match state {
        RouterState::Initialize => "Initialize",
        RouterState::Backup => "Backup",
        RouterState::Active => "Active",
        RouterState::Fault => "FAULT",
    }
}

/// The one in force, and the file's if that is another.
pub(super) fn priority(router: &RouterStatus) -> String {
    if router.priority == router.configured_priority {
        router.priority.to_string()
    } else {
        format!("{}/{}", router.priority, router.configured_priority)
    }
}

pub(super) fn active_router(router: &RouterStatus) -> String {
    match (&router.active_peer, router.state) {
        (Some(peer), _) => format!("{} ({})", peer.source, peer.priority),
        (None, RouterState::Active) => "this host".to_owned(),
        (None, RouterState::Initialize | RouterState::Backup | RouterState::Fault) => "-".to_owned(),
    }
}

pub(super) fn why_router(router: &RouterStatus) -> String {
    let held = router.held.then(|| "held: released by an operator".to_owned());
    let parts = std::iter::once(router.reason.clone()).chain(held).chain(router.burdens.iter().cloned());
    parts.collect::<Vec<_>>().join("; ")
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::testing;
    use crate::vrrp::ActivePeer;

    #[test]
    fn the_table_of_virtual_routers() {
        let mut routers = vec![testing::active("bank-vip"), testing::backup("core-vip")];
        let rival = Some(ActivePeer { source: "192.0.2.12".to_owned(), priority: 10, heard_seconds: 0.1 });
        routers.push(RouterStatus { active_peer: rival, held: true, ..testing::active("split-vip") });
        routers.push(RouterStatus {
            state: RouterState::Fault,
            reason: "not eligible".to_owned(),
            priority: 1,
            burdens: vec!["pool empi has no usable server".to_owned(), "eth1 is down".to_owned()],
            active_peer: None,
            ..testing::backup("out-vip")
        });
        let report = json!({
            "version": "1.2.3", "node": "lb-a", "file": "/etc/lb/lb.yaml", "uptime_seconds": 3600.0,
            "workers": 2, "draining": false, "listeners": [], "pools": [], "virtual_routers": routers,
        });
        let report: Report = serde_json::from_value(report).unwrap();
        insta::assert_snapshot!(render(&report));
    }
}
