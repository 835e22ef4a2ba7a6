//! `behaviour:`, of all accounts and of one.

use std::collections::BTreeMap;
use std::time::Duration;

use settings::{Faults, Node, Path, Problem, Section, Setting, Value, between};

use super::AccountProtocol;
use super::value::{code, state};
use crate::behaviour::{Behaviour, Disconnect, Ending, Latency, Point, Share, State};

/// A carrier without faults.
#[must_use]
pub(super) fn default() -> Behaviour {
    Behaviour {
        answer: Latency::NONE,
        answer_codes: BTreeMap::new(),
        unanswered: Share::NONE,
        report: Latency::Constant(Duration::from_secs(1)),
        report_states: BTreeMap::new(),
        report_elsewhere: Share::NONE,
        report_first: Share::NONE,
        report_lost: Share::NONE,
        report_twice: Share::NONE,
        disconnect: Disconnect {
            after: None,
            share: Share::NONE,
            at: POINTS.iter().map(|(_, point)| *point).collect(),
            how: Ending::Close,
        },
        pause: false,
    }
}

const POINTS: &[(&str, Point)] = &[
    ("before_answer", Point::BeforeAnswer),
    ("after_answer", Point::AfterAnswer),
    ("within_answer", Point::WithinAnswer),
];

/// What `node` does not name is as in `base`.
pub(super) fn behaviour(node: Option<&Node>, faults: &Faults, base: &Behaviour) -> Behaviour {
    let mut behaviour = base.clone();
    let Some(mut section) = node.and_then(|node| Section::open(node, faults)) else { return behaviour };
    behaviour.answer = section.or("answer", behaviour.answer);
    if let Some(codes) = shares(&mut section, "answer_codes", code) {
        behaviour.answer_codes = codes;
    }
    behaviour.unanswered = section.or("unanswered", behaviour.unanswered);
    behaviour.report = section.or("report", behaviour.report);
    if let Some(states) = shares(&mut section, "report_states", state) {
        behaviour.report_states = states;
    }
    behaviour.report_elsewhere = section.or("report_elsewhere", behaviour.report_elsewhere);
    behaviour.report_first = section.or("report_first", behaviour.report_first);
    behaviour.report_lost = section.or("report_lost", behaviour.report_lost);
    behaviour.report_twice = section.or("report_twice", behaviour.report_twice);
    behaviour.disconnect = disconnect(section.section("disconnect"), behaviour.disconnect);
    behaviour.pause = section.or("pause", behaviour.pause);
    section.finish();
    behaviour
}

/// Notes what an account's protocol cannot carry; `place` is where a key stands.
pub(super) fn check(
    behaviour: &Behaviour,
    account: &str,
    protocol: &AccountProtocol,
    place: impl Fn(&str) -> Path,
    faults: &Faults,
) {
    let note = |key: &str, value: &str| {
        let problem = format!("account `{account}` speaks {}, which has one byte for this", protocol.name());
        let advice = format!("write at most 255, or give the account `{key}` of its own");
        faults.missing(place(key).key(value), Problem::new(problem, advice));
    };
    for code in behaviour.answer_codes.keys().filter(|code| **code > protocol.greatest_code()) {
        note("answer_codes", &code.to_string());
    }
    let too_great = |state: &&State| {
        let error = state.error.and_then(|error| error.to_text().parse::<u16>().ok());
        error.is_some_and(|error| error > u8::MAX.into())
    };
    if matches!(protocol, AccountProtocol::Sgip12(_)) {
        let states = behaviour.report_states.keys().filter(too_great);
        states.for_each(|state| note("report_states", &state.to_string()));
    }
}

fn disconnect(section: Option<Section<'_>>, mut disconnect: Disconnect) -> Disconnect {
    let Some(mut section) = section else { return disconnect };
    disconnect.after = section.checked_or_off("after", disconnect.after, between(1, u32::MAX));
    disconnect.share = section.or("share", disconnect.share);
    let points: Vec<Point> =
        section.list::<PointWord>("at").into_iter().map(|PointWord(point)| point).collect();
    if !points.is_empty() {
        disconnect.at = points;
    }
    let endings = [("terminate", Ending::Terminate), ("close", Ending::Close), ("reset", Ending::Reset)];
    disconnect.how = section.choice("how", &endings, disconnect.how);
    section.finish();
    disconnect
}

struct PointWord(Point);

impl Setting for PointWord {
    const EXPECTED: &'static str = "before_answer, after_answer or within_answer";

    fn read(node: &Node) -> Result<Self, Problem> {
        let unknown = || Problem::new("this is no point of a submit", format!("write {}", Self::EXPECTED));
        let Value::Text(word) = &node.value else { return Err(unknown()) };
        let point = POINTS.iter().find(|(name, _)| name == word);
        point.map(|(_, point)| Self(*point)).ok_or_else(unknown)
    }
}

/// A section whose keys are read by `key`, with a share each.
fn shares<K: Ord>(
    section: &mut Section<'_>,
    name: &'static str,
    key: impl Fn(&str) -> Result<K, Problem>,
) -> Option<BTreeMap<K, Share>> {
    let faults = section.faults();
    let node = section.node(name)?;
    Section::open(node, faults)?;
    let Value::Map(entries) = &node.value else { return None };
    let mut shares = BTreeMap::new();
    for (word, node) in entries {
        match key(word).and_then(|key| Share::read(node).map(|share| (key, share))) {
            Ok((key, share)) => drop(shares.insert(key, share)),
            Err(problem) => faults.at(node, problem),
        }
    }
    let sum: u64 = shares.values().map(|share| u64::from(share.millionths())).sum();
    if sum > u64::from(Share::ALL.millionths()) {
        faults.at(node, Problem::new("these shares are more than 100 %", "make some of them smaller"));
    }
    Some(shares)
}
