//! The bank's list, the carrier's record, and what the bank was told.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use domain::Submission;
use serde_json::Value;

use super::mailbox::Seen;
use super::{Bank, House, Mailbox};
use crate::line::control::Recorded;

/// What is in the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Messages that were accepted.
    pub accepted: usize,
    /// Of them, those that the carrier has whole.
    pub submitted: usize,
    /// Of them, those that the bank has a final report about.
    pub reported: usize,
    /// Copies of parts at the carrier beyond the first.
    pub duplicates: usize,
    /// Messages whose last report says so.
    pub delivered: usize,
    pub uncertain: usize,
}

/// Waits until every accepted message has its report, then compares message by message. `marked`: classes whose uncertain
/// messages are not sent again.
///
/// # Errors
/// Something does not come in time, or the books do not agree; the first faults of each kind.
pub fn settle(
    house: &House,
    bank: &Bank,
    mailbox: &Mailbox,
    marked: &[&str],
    deadline: std::time::Duration,
) -> Result<Balance> {
    house.wait_delivered()?;
    let ids: Vec<&str> = bank.accepted().map(|(id, _)| id).collect();
    let came = mailbox.wait("a report about every message", deadline, |seen| {
        ids.iter().all(|id| seen.reports.contains_key(*id)).then_some(())
    });
    let record = house.carrier.control().messages()?;
    let seen = mailbox.look(Clone::clone);
    let explained = |id: &str| pushes(house, id);
    let result = compare(bank.accepted(), &record, &seen, marked, explained);
    came.with_context(|| format!("the books so far: {result:?}\n{}", missing(house, &ids, &seen)))?;
    result
}

/// What the center knows about the first messages without a report.
fn missing(house: &House, ids: &[&str], seen: &Seen) -> String {
    let without = ids.iter().filter(|id| !seen.reports.contains_key(**id)).take(3);
    let paths = without
        .map(|id| format!("/v1/messages/{id}"))
        .chain(["/v1/status", "/v1/orphans"].map(str::to_owned));
    paths
        .map(|path| match house.operator("GET", &path, "") {
            Ok(answer) => format!("{path}: {}\n", answer.body),
            Err(error) => format!("{path}: {error:#}\n"),
        })
        .collect()
}

/// How often each part was pushed, as the center knows.
fn pushes(house: &House, id: &str) -> Result<BTreeMap<u64, u64>> {
    let answer = house.operator("GET", &format!("/v1/messages/{id}"), "")?;
    let message: Value =
        serde_json::from_str(&answer.body).with_context(|| format!("{id}: {}", answer.body))?;
    let parts = message["parts"].as_array().into_iter().flatten();
    Ok(parts.filter_map(|part| Some((part["part"].as_u64()?, part["pushes"].as_u64()?))).collect())
}

/// Every accepted message is whole at the carrier, with its own text; it is there more than once only as often as it was
/// pushed, and never if its class is marked; each has a report with a final state; nothing is anywhere that nobody sent.
fn compare<'a>(
    accepted: impl Iterator<Item = (&'a str, &'a Submission)>,
    record: &[Recorded],
    seen: &Seen,
    marked: &[&str],
    explained: impl Fn(&str) -> Result<BTreeMap<u64, u64>>,
) -> Result<Balance> {
    let mut faults: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut fault = |what: &'static str, of: String| faults.entry(what).or_default().push(of);
    let mut copies: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
    for part in record.iter().filter(|part| part.code == 0) {
        copies.entry(part.number()).or_default().push(part);
    }
    let mut balance = Balance::default();
    let mut known = BTreeSet::new();
    for (id, letter) in accepted {
        known.insert(id.to_owned());
        balance.accepted += 1;
        let last = seen.reports.get(id).and_then(|reports| reports.last());
        let state = last.and_then(|report| report["state"].as_str());
        let may_lack = state == Some("uncertain") && marked.contains(&letter.class.as_str());
        balance.reported += usize::from(last.is_some());
        match state {
            Some("delivered") => balance.delivered += 1,
            Some("uncertain") if may_lack => balance.uncertain += 1,
            other => fault("not delivered", format!("{id}: {other:?}")),
        }
        let found = copies.remove(letter.to.digits()).unwrap_or_default();
        let whole: BTreeMap<u8, &Recorded> = found.iter().map(|part| (part.part, *part)).collect();
        let parts = found.first().map_or(0, |part| part.parts);
        if whole.len() != usize::from(parts) || parts == 0 {
            if !may_lack {
                fault("missing at the carrier", format!("{id}: {} of {parts} parts", whole.len()));
            }
        } else if whole.values().map(|part| part.text()).collect::<String>() != letter.text.0 {
            fault("another text", id.to_owned());
        } else {
            balance.submitted += 1;
        }
        let more = found.len() - whole.len();
        if more > 0 {
            balance.duplicates += more;
            let pushed: u64 = explained(id)?.values().map(|pushes| pushes.saturating_sub(1)).sum();
            if more as u64 > pushed || marked.contains(&letter.class.as_str()) {
                fault("an unexplained duplicate", format!("{id}: {more} more, {pushed} pushes more"));
            }
        }
    }
    copies
        .values()
        .flatten()
        .for_each(|part| fault("unknown at the bank", format!("number {} of the record", part.n)));
    for id in seen.reports.keys().filter(|id| !known.contains(*id)) {
        fault("a report about nothing", id.clone());
    }
    if seen.backwards {
        fault("the cursor went back", String::new());
    }
    if faults.is_empty() {
        return Ok(balance);
    }
    let mut report = format!("the books do not agree: {balance:#?}");
    for (what, of) in faults {
        let first: Vec<&str> = of.iter().take(5).map(String::as_str).collect();
        report += &format!("\n{what}: {} times: {}", of.len(), first.join("; "));
    }
    bail!(report)
}
