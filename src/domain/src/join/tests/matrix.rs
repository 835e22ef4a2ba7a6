//! Every state of a message against everything that can be told of it.

use std::fmt::Write as _;

use super::{answer, copy, finished, pushed, refused, reported, told};
use crate::event::{Happened, Outcome, ReportState};
use crate::join::{Journey, Stage};
use crate::{Disposition, Millis};

type Step = (&'static str, u8, fn() -> Happened);

const EVENTS: [Step; 17] = [
    ("1: pushed", 1, || pushed(1, 2, 1)),
    ("1: accepted", 1, || answer(1, 1, Disposition::Accepted)),
    ("1: refused", 1, || answer(1, 1, Disposition::Final)),
    ("1: delivered", 1, || reported(1, ReportState::Delivered)),
    ("1: failed", 1, || reported(1, ReportState::Failed)),
    ("1: waiting", 1, || reported(1, ReportState::Waiting)),
    ("2: accepted", 1, || answer(2, 2, Disposition::Accepted)),
    ("2: delivered", 1, || reported(2, ReportState::Delivered)),
    ("2: failed", 1, || reported(2, ReportState::Failed)),
    ("accepted", 1, || finished(Outcome::Accepted)),
    ("refused", 1, || finished(refused())),
    ("uncertain", 1, || finished(Outcome::Uncertain)),
    ("expired", 1, || finished(Outcome::Expired)),
    ("other pushed", 2, || pushed(1, 2, 1)),
    ("other accepted", 2, || finished(Outcome::Accepted)),
    ("other refused", 2, || finished(refused())),
    ("other expired", 2, || finished(Outcome::Expired)),
];

/// What came before, by their names.
const STATES: [&[&str]; 16] = [
    &[],
    &["1: pushed"],
    &["1: pushed", "1: accepted", "2: accepted"],
    &["1: pushed", "1: delivered"],
    &["1: pushed", "1: failed"],
    &["1: pushed", "1: waiting"],
    &["1: pushed", "1: delivered", "2: delivered"],
    &["1: pushed", "1: failed", "2: delivered"],
    &["1: pushed", "1: accepted", "2: accepted", "accepted"],
    &["1: pushed", "refused"],
    &["1: pushed", "1: delivered", "refused"],
    &["1: pushed", "uncertain"],
    &["expired"],
    &["other pushed", "refused"],
    &["1: pushed", "overdue"],
    &["1: pushed", "1: failed", "overdue"],
];

#[test]
fn every_state_meets_everything_that_can_be_told() {
    let mut table = String::new();
    for state in STATES {
        let mut before = Journey::default();
        before.copied(&copy(1, true));
        for name in state {
            happen(&mut before, name);
        }
        writeln!(
            table,
            "{}: {}",
            if state.is_empty() { "copied".to_owned() } else { state.join(", ") },
            shown(&before)
        )
        .unwrap();
        for name in EVENTS.iter().map(|(name, ..)| *name).chain(["overdue"]) {
            let mut after = before.clone();
            let changed = happen(&mut after, name);
            let report = match after.conclude(Millis(9)) {
                Some(report) => format!("report {}", report.revision),
                None => String::new(),
            };
            let line = if changed { format!("{:<32} {report}", shown(&after)) } else { "=".to_owned() };
            writeln!(table, "    {name:<16} {}", line.trim_end()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

/// The report that it brings is that of the state.
fn happen(journey: &mut Journey, name: &str) -> bool {
    journey.conclude(Millis(9));
    match EVENTS.iter().find(|(known, ..)| *known == name) {
        Some((_, gateway, happened)) => journey.told(&told(*gateway, 5, happened()), None),
        None => journey.give_up(),
    }
}

fn shown(journey: &Journey) -> String {
    match (journey.stage(), journey.end()) {
        (Stage::Final(state), Some(end)) => format!("{} {}", state.word(), end.word.unwrap_or_default()),
        (stage, _) => format!("{stage:?}").to_lowercase(),
    }
}
