//! The gaps as a table.

use std::fmt::Write;

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::number;
use crate::contestant::Contestant;
use crate::failover::{Failover, Line};

/// For a terminal; empty without failovers.
pub fn terminal(failover: &Failover) -> String {
    if failover.lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(head(failover, "longest gap, ms"));
    for line in &failover.lines {
        table.add_row(row(failover, line, line.scenario.to_string()));
    }
    format!("\n{table}")
}

/// A section of the page.
pub fn section(page: &mut String, failover: &Failover) -> Result<()> {
    if failover.lines.is_empty() {
        return Ok(());
    }
    let head = head(failover, "longest gap, ms (less is better)");
    writeln!(page, "## A pair of hosts loses something\n")?;
    writeln!(page, "| {} |", head.join(" | "))?;
    writeln!(page, "|---|{}", "---:|".repeat(head.len() - 1))?;
    for line in &failover.lines {
        writeln!(page, "| {} |", row(failover, line, line.scenario.title().to_owned()).join(" | "))?;
    }
    writeln!(
        page,
        "\n{} trials each, in turns. The last column is the peer's median against that of `lb`: above 1, `lb` is better.\n",
        failover.trials()
    )?;
    Ok(())
}

/// How it is measured, for the end of the page.
pub fn reading(page: &mut String, failover: &Failover) -> Result<()> {
    if failover.lines.is_empty() {
        return Ok(());
    }
    let (advert, limit) = (failover.advert_interval_ms, number(failover.limit_ms as f64));
    writeln!(
        page,
        "- The pair: two hosts, a client and two servers are network namespaces on a bridge, made anew for each trial.
  One host is active, the other ready, when something happens to the active one. Adverts every {advert} ms, VRRP version 3.
  keepalived: priorities 150 and 100, a check script that looks for nginx' process once a second (`interval 1`,
  `fall 1`, `rise 1`); nginx: `proxy_connect_timeout 1s`. lb: its documented file with `advert_interval: {advert}ms` and
  `connect: {{ timeout: 1s }}`. The trials are spread evenly over the second of the check script.
- *host power cut*: the cable is dead and all processes are killed. *graceful stop*: SIGTERM to keepalived or lb.
  *link down*: `ip link set eth0 down`. *killed* and *hung*: nginx' master and workers, or lb's daemon.
- The client opens a new connection every millisecond, whatever became of those before, sends 8 bytes and reads them
  back. An attempt waits from its begin to its answer or, if it fails, to the first answer to any attempt that began
  after it. The gap is the longest wait. A gap that is not over after {limit} ms is `> {limit}`."
    )?;
    Ok(())
}

fn head(failover: &Failover, first: &str) -> Vec<String> {
    let titles = failover.contestants().into_iter().filter_map(Contestant::title_as_pair);
    let columns = titles.flat_map(|title| [format!("{title}: median"), format!("{title}: worst")]);
    [first.to_owned()].into_iter().chain(columns).chain(["peer / lb".to_owned()]).collect()
}

fn row(failover: &Failover, line: &Line, title: String) -> Vec<String> {
    let columns = failover.contestants().into_iter().flat_map(|one| {
        let cell = line.cell(one);
        [cell.map(|cell| cell.median), cell.map(|cell| cell.worst)]
    });
    let columns = columns.map(|gap| gap.map_or_else(String::new, |gap| length(failover, gap)));
    [title].into_iter().chain(columns).chain([ratio(failover, line)]).collect()
}

/// Milliseconds, or the limit that was not enough.
pub fn length(failover: &Failover, gap: Option<f64>) -> String {
    gap.map_or_else(|| format!("> {}", number(failover.limit_ms as f64)), number)
}

fn ratio(failover: &Failover, line: &Line) -> String {
    let (Some(lb), Some(peer)) = (line.cell(Contestant::Lb), line.cell(Contestant::Nginx)) else {
        return String::new();
    };
    match (lb.median, peer.median) {
        (Some(lb), Some(peer)) => number(peer / lb),
        (Some(lb), None) => format!("> {}", number(failover.limit_ms as f64 / lb)),
        (None, Some(peer)) => format!("< {}", number(peer / failover.limit_ms as f64)),
        (None, None) => String::new(),
    }
}
