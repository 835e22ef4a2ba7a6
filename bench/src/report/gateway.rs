//! The gateway as a table.

use std::fmt::Write;

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::{markdown, number};
use crate::gateway::{BACKLOG, Gateway, Line, REPORT_AFTER, REQUESTS};
use crate::machine::Machine;
use crate::round::Settings;

const HEAD: [&str; 7] = [
    "connections × window",
    "messages/s",
    "reports/s",
    "to the answer, p50, ms",
    "p99, ms",
    "gateway, CPU µs/message",
    "carrier, CPU µs/message",
];

/// For a terminal; empty without gateways.
pub fn terminal(gateway: &Gateway) -> String {
    if gateway.lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(HEAD);
    table.add_rows(gateway.lines.iter().map(row));
    format!("\n{table}")
}

/// `gateway.md`.
pub fn page(machine: &Machine, settings: &Settings, gateway: &Gateway) -> Result<String> {
    let mut page = "# Messages through a gateway\n\n".to_owned();
    markdown::machine(&mut page, machine, &gateway.version)?;
    writeln!(
        page,
        "- Spool, record and logs are on {}; a block of 4 KiB is on the disk after {} µs (median of {}, with the shortest and the
  longest)",
        gateway.file_system,
        gateway.sync,
        gateway.sync.rounds.len()
    )?;
    writeln!(page, "- {} rounds of each row, in turns, in one run\n", settings.rounds)?;
    writeln!(
        page,
        "**Gateway, carrier and UAOP share {} cores over loopback.** A cell is the median over the rounds, with the smallest and the \
         largest.\n",
        machine.cores
    )?;
    writeln!(page, "| {} |\n|---|{}", HEAD.join(" | "), "---:|".repeat(HEAD.len() - 1))?;
    for line in &gateway.lines {
        writeln!(page, "| {} |", row(line).join(" | "))?;
    }
    reading(&mut page, gateway)?;
    Ok(page)
}

fn reading(page: &mut String, gateway: &Gateway) -> Result<()> {
    let (most, paced) = batches(gateway);
    writeln!(
        page,
        "
All messages of all rounds were taken, pushed, answered, finished and reported exactly once, by the events and by the
carrier's counts; a round of which that is not true is no result but an error.

## How it is measured

- `smsline gateway` and `smsline carrier`, as they are released, started afresh for each round; CMPP 3.0, one account. All
  is as in [config/gateway.yaml](../../config/gateway.yaml) and [config/carrier.yaml](../../config/carrier.yaml) but
  names, addresses, connections and windows: the gateway writes an access record for each message, into a file, and the
  carrier keeps its record (SQLite). The carrier answers at once if the row does not say otherwise, and each message
  wants a report, which comes {REPORT_AFTER} after the
  answer.
- The UAOP is this process: {REQUESTS} requests at once on the Unix socket, each with {most} messages of one part in UCS2, as long as no
  more than {0} messages wait for the carrier's answer; meanwhile one consumer reads and acknowledges the events. So the
  time to the answer is, where messages come as fast as they are taken, that of {0} messages waiting; the row with a
  fixed rate ({paced} in a request) has it without that queue.
- Everything is durable: a message before it is acknowledged, a push before it is on the wire, a report before the
  carrier has its answer.
- Rates are those between a fifth and four fifths of all answers (reports), by the times of the events. The time to the
  answer begins before the request is written.
- CPU time is user and system time of the process for all that the messages of a round cause, from the first one handed
  in to the last report acknowledged.",
        number(BACKLOG as f64),
    )?;
    Ok(())
}

/// Messages in one request, without and with a fixed rate.
fn batches(gateway: &Gateway) -> (usize, usize) {
    let most = |paced: bool| {
        let setups = gateway.lines.iter().map(|line| line.setup).filter(|one| one.rate.is_some() == paced);
        setups.map(|setup| setup.batch()).max().unwrap_or_default()
    };
    (most(false), most(true))
}

fn row(line: &Line) -> [String; 7] {
    let Line { setup, messages: _, rate, reports, p50, p99, gateway_cpu, carrier_cpu } = line;
    [
        setup.title(),
        rate.to_string(),
        reports.to_string(),
        p50.to_string(),
        p99.to_string(),
        gateway_cpu.to_string(),
        carrier_cpu.to_string(),
    ]
}
