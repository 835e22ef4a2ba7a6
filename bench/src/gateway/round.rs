//! One round of one row.

use std::fmt;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use testkit::line::protocol::ACCOUNT;
use testkit::line::{Carrier, Gateway, Keys, Protocol};
use testkit::{usage, wait};

use super::Setup;
use super::book::{Book, Entry};
use super::hand::Requests;

const PROTOCOL: Protocol = Protocol::Cmpp30;
/// From an answer to its report, as the carrier's file has it.
pub const REPORT_AFTER: &str = "100ms";
/// Until the gateway has deleted the last events.
const SETTLE: Duration = Duration::from_secs(10);

/// What a round found.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Messages submitted and answered, a second.
    pub rate: f64,
    /// Reports a second.
    pub reports: f64,
    /// Milliseconds from handing in to the answer.
    pub p50: f64,
    pub p99: f64,
    /// CPU microseconds a message.
    pub gateway_cpu: f64,
    pub carrier_cpu: f64,
}

/// Starts both afresh, has messages carried, and looks whether all of them were.
///
/// # Errors
/// A process does not start; or a message, an event or a report is lost or comes twice.
pub fn run(setup: &Setup, messages: usize) -> Result<Outcome> {
    let requests = Requests::new(setup, messages)?;
    let (mut carrier, mut gateway) = start(setup)?;
    let (gateway_pid, carrier_pid) = (gateway.process().pid(), carrier.process().pid());
    let cpu = || Ok::<_, anyhow::Error>([usage::cpu_of_tree(gateway_pid)?, usage::cpu_of_tree(carrier_pid)?]);
    let (uplink, book) = (gateway.uplink(), Book::new(messages));
    let before = cpu()?;
    let handed = thread::scope(|scope| {
        let reader = scope.spawn(|| book.follow(&uplink));
        let handed = requests.hand_in(&uplink, &book);
        reader.join().map_err(|_| anyhow!("the reader of the events panics"))??;
        handed
    });
    let handed = handed.with_context(|| format!("log of the gateway:\n{}", tail(&gateway.log())))?;
    let after = cpu()?;
    let entries = book.entries();
    verify(&gateway, &carrier, &entries)?;

    let each = |index: usize| {
        let spent = after.get(index).zip(before.get(index)).map(|(after, before)| *after - *before);
        spent.unwrap_or_default().as_secs_f64() * 1e6 / messages as f64
    };
    let (rate, middle) = steady(&entries, |entry| entry.answered_at);
    let (reports, _) = steady(&entries, |entry| entry.reported_at);
    let latencies = middle.into_iter().filter_map(|index| {
        let (handed, entry) = (handed.get(index)?, entries.get(index)?);
        Some(entry.answered_at.saturating_sub(*handed))
    });
    let mut latencies: Vec<u64> = latencies.collect();
    latencies.sort_unstable();
    let quantile = |hundredths: usize| {
        let index = (latencies.len() * hundredths / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(f64::NAN, |latency| *latency as f64)
    };
    Ok(Outcome {
        rate,
        reports,
        p50: quantile(50),
        p99: quantile(99),
        gateway_cpu: each(0),
        carrier_cpu: each(1),
    })
}

fn start(setup: &Setup) -> Result<(Carrier, Gateway)> {
    // only SGIP's carrier connects to it
    let listener = testkit::ports::reserve()?;
    let Setup { connections, window, answer, .. } = setup;
    let customer = PROTOCOL
        .customer(listener.address())
        .set("connections", connections)
        .set("window", window)
        .set("behaviour", format!("{{ answer: \"{answer}\", report: {REPORT_AFTER} }}"));
    let carrier = Carrier::start(&Keys::new().set("accounts", Keys::new().set(ACCOUNT, customer)))?;
    let account = PROTOCOL
        .account(carrier.address(PROTOCOL), listener.address())
        .set("connections", connections)
        .set("window", window);
    let gateway = Gateway::start(&Keys::new().set("accounts", format!("[ {account} ]")))?;
    let wanted = i64::from(*connections);
    let connected = || carrier.control().counts().ok().filter(|counts| counts.connections == wanted);
    wait::until("all connections", SETTLE, connected)?;
    Ok((carrier, gateway))
}

fn verify(gateway: &Gateway, carrier: &Carrier, entries: &[Entry]) -> Result<()> {
    let broken = entries.iter().enumerate().find(|(_, entry)| !entry.is_whole());
    ensure!(broken.is_none(), "the events of a message are not whole: {broken:?}");
    let counts = carrier.control().counts()?;
    let reports = &counts.reports;
    let messages = entries.len() as u64;
    ensure!(
        [counts.submits, counts.accepted, reports.made, reports.acknowledged] == [messages; 4]
            && [counts.duplicate_submits, counts.unanswered, counts.cut, counts.oddities] == [0; 4]
            && [reports.lost, reports.repeated, reports.refused] == [0; 3],
        "of {messages} messages the carrier says {counts:#?}"
    );
    wait::until("a gateway with nothing left", SETTLE, || {
        let status = gateway.uplink().status().ok()?;
        let account = ["waiting", "unfinished", "under_way"].map(|key| &status["accounts"][0][key]);
        let spool = ["unfinished", "events"].map(|key| &status["spool"][key]);
        account.into_iter().chain(spool).all(|count| *count == 0).then_some(())
    })
}

/// A second's events and the messages they are of, from a fifth of them to four fifths.
fn steady(entries: &[Entry], at: impl Fn(&Entry) -> u64) -> (f64, Vec<usize>) {
    let mut order: Vec<(u64, usize)> =
        entries.iter().enumerate().map(|(index, entry)| (at(entry), index)).collect();
    order.sort_unstable();
    let middle = order.get(order.len() / 5..order.len() * 4 / 5).unwrap_or_default();
    let (Some((first, _)), Some((last, _))) = (middle.first(), middle.last()) else {
        return (f64::NAN, Vec::new());
    };
    let seconds = last.saturating_sub(*first) as f64 / 1e3;
    (middle.len() as f64 / seconds, middle.iter().map(|(_, index)| *index).collect())
}

/// Its end; it has a line for each message.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, reports, p50, p99, gateway_cpu, carrier_cpu } = self;
        write!(
            f,
            "{rate:.0} messages/s, {reports:.0} reports/s, p50 {p50} ms, p99 {p99} ms, CPU µs: gateway {gateway_cpu:.1}, \
             carrier {carrier_cpu:.1}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_rate_leaves_out_both_ends() {
        let at = |at: u64| Entry { answered_at: at, ..Entry::default() };
        // ten late, one a millisecond from 1000 on, ten early
        let times = (0..10).map(|_| 90_000).chain(1_000..1_100).chain((0..10).map(|_| 5));
        let entries: Vec<Entry> = times.map(at).collect();
        let (rate, middle) = steady(&entries, |entry| entry.answered_at);
        assert_eq!(middle.len(), 72);
        assert!((rate - 1_014.0).abs() < 1.0, "{rate}");
        assert!(middle.iter().all(|index| (10..110).contains(index)));
    }
}
