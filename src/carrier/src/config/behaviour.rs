//! `behaviour:`, of all accounts and of one.

use std::collections::BTreeMap;
use std::time::Duration;

use settings::{Faults, Node, Problem, Section, Setting, Value};

use super::value::{between, code, state};
use crate::behaviour::{Behaviour, Disconnect, Ending, Latency, Point, Share};

/// A carrier without faults.
#[must_use]
pub fn default() -> Behaviour {
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
