//! Every state of a part against everything that can happen to it.

use std::fmt::Write as _;

use crate::Disposition;
use crate::event::{Attempt, Outcome};
use crate::lifecycle::{Delivery, Part, WhenUncertain};

use super::answer;

type Happening = (&'static str, fn(&mut Delivery) -> String);

const HAPPENINGS: [Happening; 13] = [
    ("pushed b", |d| shown(d.pushed(1, "b"))),
    ("a: accepted", |d| shown(answer(d, 1, "a", Disposition::Accepted))),
    ("a: slow down", |d| shown(answer(d, 1, "a", Disposition::SlowDown))),
    ("a: later", |d| shown(answer(d, 1, "a", Disposition::Later))),
    ("a: final", |d| shown(answer(d, 1, "a", Disposition::Final))),
    ("x: accepted", |d| shown(answer(d, 1, "x", Disposition::Accepted))),
    ("x: slow down", |d| shown(answer(d, 1, "x", Disposition::SlowDown))),
    ("x: later", |d| shown(answer(d, 1, "x", Disposition::Later))),
    ("x: final", |d| shown(answer(d, 1, "x", Disposition::Final))),
    ("lost", |d| shown(d.lost(1))),
    ("withdrawn", |d| shown(d.withdrawn(1))),
    ("recover", |d| d.recover().to_string()),
    ("expire", |d| {
        d.expire();
        "-".to_owned()
    }),
];

#[test]
fn every_state_meets_everything_that_can_happen() {
    let mut table = String::new();
    for (policy, word) in [(WhenUncertain::Resend, "resend"), (WhenUncertain::Mark, "mark")] {
        for part in states(policy) {
            for expired in [false, true] {
                let mut before = Delivery::new(1, policy);
                before.parts[0] = part.clone();
                before.expired = expired;
                writeln!(table, "{word}: {}", line(&before)).unwrap();
                for (name, happen) in HAPPENINGS {
                    let mut after = before.clone();
                    let said = happen(&mut after);
                    let change = if after == before { "=".to_owned() } else { line(&after) };
                    writeln!(table, "    {name:<12} {said:<14} {change}").unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// Every state that a part can be in under `policy`; the pushed ones under the sequence `a`.
fn states(policy: WhenUncertain) -> Vec<Part> {
    let attempts = match policy {
        WhenUncertain::Resend => vec![Attempt::First, Attempt::Retry, Attempt::Uncertain],
        WhenUncertain::Mark => vec![Attempt::First, Attempt::Retry],
    };
    let mut states = Vec::new();
    for &attempt in &attempts {
        let tries = u16::from(attempt == Attempt::Retry);
        states.push(Part::Waiting { attempt, tries });
        states.push(Part::Pushed { push_sequence: "a".to_owned(), attempt, tries });
    }
    states.push(Part::Accepted { resp_sequence: Some("id".to_owned()) });
    states.push(Part::Refused { code: 5, in_doubt: false });
    states.push(Part::Refused { code: 5, in_doubt: true });
    if policy == WhenUncertain::Mark {
        states.push(Part::Uncertain);
    }
    states
}

fn shown<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{error:?}"),
    }
}

/// The one part, whether it is sent next, and how the message ends.
fn line(delivery: &Delivery) -> String {
    let part = match &delivery.parts()[0] {
        Part::Waiting { attempt, tries } => format!("waiting {attempt:?} {tries}"),
        Part::Pushed { push_sequence, attempt, tries } => {
            format!("pushed {push_sequence} {attempt:?} {tries}")
        }
        Part::Accepted { resp_sequence } => format!("accepted {}", resp_sequence.as_deref().unwrap_or("-")),
        Part::Refused { code, in_doubt: false } => format!("refused {code}"),
        Part::Refused { code, in_doubt: true } => format!("refused {code} in doubt"),
        Part::Uncertain => "uncertain".to_owned(),
    };
    let expired = if delivery.expired() { ", expired" } else { "" };
    let next = if delivery.next().is_some() { ", next" } else { "" };
    let outcome = match delivery.outcome() {
        None => "",
        Some(Outcome::Accepted) => " => ACCEPTED",
        Some(Outcome::Refused { .. }) => " => REFUSED",
        Some(Outcome::Uncertain) => " => UNCERTAIN",
        Some(Outcome::Expired) => " => EXPIRED",
    };
    format!("{part}{expired}{next}{outcome}")
}
