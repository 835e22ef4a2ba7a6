//! `smsline status`.

use gateway::account::level::Alarm;
use gateway::events::ConsumerLevel;
use gateway::uplink::Status;
use jiff::tz::TimeZone;
use runtime::command::say;
use runtime::table::{Cell, number, table};

use crate::time::moment;
use crate::uplink::Uplink;

/// Shows how the gateway stands.
pub async fn status(uplink: Uplink, json: bool) -> anyhow::Result<()> {
    let status = uplink.status().await?;
    say(&if json { serde_json::to_string_pretty(&status)? } else { render(&status, &TimeZone::system()) });
    Ok(())
}

fn render(status: &Status, zone: &TimeZone) -> String {
    let Status { gateway, epoch, version, spool, .. } = status;
    format!(
        "gateway {gateway} · smsline {version} · since {} · {} unfinished · {} events to acknowledge\n\n{}\n\n{}",
        moment(*epoch, zone),
        spool.unfinished,
        spool.events,
        accounts(status),
        consumers(status)
    )
}

fn accounts(status: &Status) -> String {
    let mut table = table(&[
        "ACCOUNT",
        "PROTOCOL",
        "CONNECTIONS",
        "WAITING",
        "UNFINISHED",
        "UNDER WAY",
        "RATE",
        "ALARMS",
    ]);
    for account in &status.accounts {
        let up = account.connections.iter().filter(|connection| connection.up).count();
        let alarms: Vec<&str> = account.alarms.iter().map(|&alarm| alarm_word(alarm)).collect();
        table.add_row(vec![
            Cell::new(&account.account),
            Cell::new(&account.protocol),
            number(format!("{up}/{}", account.connections.len())),
            number(account.waiting),
            number(account.unfinished),
            number(account.under_way),
            Cell::new(rate(account.rate_limit, account.slowed)),
            Cell::new(alarms.join(", ")),
        ]);
    }
    table.to_string()
}

fn consumers(status: &Status) -> String {
    let mut table = table(&["CONSUMER", "CONNECTED", "EVENTS TO ACKNOWLEDGE"]);
    for ConsumerLevel { consumer, acknowledged: _, unacknowledged, connected } in &status.consumers {
        let connected = if *connected { "yes" } else { "NO" };
        table.add_row(vec![Cell::new(consumer), Cell::new(connected), number(unacknowledged)]);
    }
    table.to_string()
}

fn rate(limit: Option<f64>, slowed: bool) -> String {
    let limit = limit.map_or_else(|| "-".to_owned(), |limit| format!("{}/s", (limit * 10.0).round() / 10.0));
    if slowed { format!("{limit} (slowed)") } else { limit }
}

fn alarm_word(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::Link => "LINK",
        Alarm::Answers => "ANSWERS",
        Alarm::Spool => "SPOOL",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_of_accounts() {
        let account = |name: &str, up: [bool; 2], rate_limit: Option<f64>, slowed: bool, alarms: &[&str]| {
            json!({
                "account": name, "protocol": "cmpp-3.0",
                "connections": [{ "connection": 0, "up": up[0] }, { "connection": 1, "up": up[1] }],
                "waiting": 5, "unfinished": 21, "under_way": 16, "rate_limit": rate_limit, "slowed": slowed,
                "alarms": alarms, "ready": up[0] || up[1],
            })
        };
        let status = json!({
            "gateway": "gw", "epoch": 1_790_000_000_000_u64, "version": "1.2.3",
            "accounts": [
                account("cm-1", [true, true], Some(100.0), false, &[]),
                account("cm-2", [true, false], Some(33.333), true, &["link"]),
                account("ct", [false, false], None, false, &["link", "answers", "spool"]),
            ],
            "consumers": [
                { "consumer": "uaop-1a", "acknowledged": 5000, "unacknowledged": 0, "connected": true },
                { "consumer": "uaop-1b", "acknowledged": 3800, "unacknowledged": 1200, "connected": false },
            ],
            "spool": { "unfinished": 63, "events": 1200, "most_events": 20_000_000 },
        });
        let status: Status = serde_json::from_value(status).unwrap();
        insta::assert_snapshot!(render(&status, &TimeZone::UTC));
    }
}
