//! What happens to one submit.

use std::time::Duration;

use super::dice::Dice;
use super::{Behaviour, Ending, Point, State};

/// The fate of one submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// 0 for taken.
    pub code: u32,
    /// Whether there is an answer at all.
    pub answered: bool,
    pub answer_after: Duration,
    /// Of each destination alike; `None` for a submit that is not taken.
    pub report: Option<ReportFate>,
    /// Where the connection is cut.
    pub cut: Option<CutFate>,
}

/// Where, at its submit, a connection is cut, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutFate {
    pub at: Point,
    pub how: Ending,
}

/// The fate of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFate {
    pub state: State,
    /// After the answer's time.
    pub after: Duration,
    pub elsewhere: bool,
    pub first: bool,
    pub lost: bool,
    pub twice: bool,
}

impl Fate {
    /// Whether the whole answer goes out, if its connection lives until then.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answered
            && match self.cut {
                None | Some(CutFate { at: Point::AfterAnswer, .. }) => true,
                Some(CutFate { at: Point::BeforeAnswer, .. }) => false,
                // the protocol's own end comes behind a whole frame
                Some(CutFate { at: Point::WithinAnswer, how }) => how == Ending::Terminate,
            }
    }
}

/// The fate of a submit, the `nth` of its connection (from 1). Throws the same dice in the same order whatever
/// `behaviour` says: a share that is changed changes nothing else.
#[must_use]
pub fn decide(mut dice: Dice, behaviour: &Behaviour, nth: u32) -> Fate {
    let code = dice.pick(&behaviour.answer_codes).copied();
    let unanswered = dice.falls(behaviour.unanswered);
    let answer_after = behaviour.answer.at(dice.chances());
    let report = ReportFate {
        state: dice.pick(&behaviour.report_states).cloned().unwrap_or(State::DELIVERED),
        after: behaviour.report.at(dice.chances()),
        elsewhere: dice.falls(behaviour.report_elsewhere),
        first: dice.falls(behaviour.report_first),
        lost: dice.falls(behaviour.report_lost),
        twice: dice.falls(behaviour.report_twice),
    };
    let disconnect = &behaviour.disconnect;
    let by_chance = dice.falls(disconnect.share);
    let point = dice.one_of(&disconnect.at);
    let by_count = disconnect.after.is_some_and(|after| nth.is_multiple_of(after));
    Fate {
        code: code.unwrap_or(0),
        answered: !unanswered || code.is_some(),
        answer_after,
        report: code.is_none().then_some(report),
        cut: point.filter(|_| by_chance || by_count).map(|at| CutFate { at, how: disconnect.how }),
    }
}

#[cfg(test)]
mod tests {
    use wire::text::Text;

    use super::*;
    use crate::behaviour::{Key, Share};

    fn behaviour(text: &str) -> Behaviour {
        let account = format!("{{ protocol: smgp-3.0, id: '1', secret: s, behaviour: {text} }}");
        let file = format!("listen: {{ smgp: '127.0.0.1:0' }}\naccounts: {{ a: {account} }}\n");
        crate::config::read(&file).unwrap().accounts.remove(0).behaviour
    }

    fn fates(seed: u32, account: &str, behaviour: &Behaviour) -> Vec<Fate> {
        let key = Key::new(seed, account);
        (1..=20_000_u32)
            .map(|nth| decide(key.print(&[], (1, 1), &nth.to_be_bytes()).dice(0), behaviour, nth))
            .collect()
    }

    const FAULTY: &str = "{ answer: 1ms to 9ms, answer_codes: { 8: 2 %, 1: 1 % }, unanswered: 3 %, report: mean 1s,
        report_states: { failed: 5 %, EXPIRED: 1 % }, report_elsewhere: 20 %, report_first: 10 %, report_lost: 4 %,
        report_twice: 6 %, disconnect: { share: 0.5 % } }";

    #[test]
    fn the_same_submits_of_an_account_meet_the_same_fates() {
        let faulty = behaviour(FAULTY);
        assert_eq!(fates(7, "a", &faulty), fates(7, "a", &faulty));
        assert_ne!(fates(7, "a", &faulty), fates(8, "a", &faulty));
        assert_ne!(fates(7, "a", &faulty), fates(7, "b", &faulty));
    }

    #[test]
    fn a_fate_hangs_on_numbers_part_content_and_how_often_it_came_before() {
        let faulty = behaviour(FAULTY);
        let key = Key::new(7, "a");
        let (one, two) = ("13800138000".parse().unwrap(), "13800138001".parse().unwrap());
        let fate = |to: &[Text<21>], part, content: &[u8], before| {
            decide(key.print(to, part, content).dice(before), &faulty, 1)
        };
        let first = fate(&[one], (1, 1), b"hello", 0);
        assert_eq!(first, fate(&[one], (1, 1), b"hello", 0));
        for other in [
            fate(&[two], (1, 1), b"hello", 0),
            fate(&[one, two], (1, 1), b"hello", 0),
            fate(&[one], (2, 2), b"hello", 0),
            fate(&[one], (1, 1), b"hell", 0),
            fate(&[one], (1, 1), b"hello", 1),
        ] {
            assert_ne!(first, other);
        }
        // the same in every build: runs of different versions are compared
        assert_eq!(first.answer_after, Duration::from_nanos(8_614_478));
    }

    #[test]
    fn each_fault_comes_as_often_as_its_share_says() {
        let fates = fates(7, "a", &behaviour(FAULTY));
        let share = |wanted: &dyn Fn(&Fate) -> bool| {
            fates.iter().filter(|fate| wanted(fate)).count() as f64 / fates.len() as f64 * 100.0
        };
        let report =
            |wanted: fn(&ReportFate) -> bool| share(&|fate| fate.report.as_ref().is_some_and(wanted));
        for (what, found, wanted) in [
            ("busy", share(&|fate| fate.code == 8), 2.0),
            ("bad", share(&|fate| fate.code == 1), 1.0),
            ("unanswered", share(&|fate| !fate.answered), 3.0 * 0.97),
            ("cut", share(&|fate| fate.cut.is_some()), 0.5),
            (
                "cut within",
                share(&|fate| fate.cut.is_some_and(|cut| cut.at == Point::WithinAnswer)),
                0.5 / 3.0,
            ),
            ("reported", report(|_| true), 97.0),
            ("delivered", report(|report| report.state == State::DELIVERED), 94.0 * 0.97),
            ("elsewhere", report(|report| report.elsewhere), 20.0 * 0.97),
            ("first", report(|report| report.first), 10.0 * 0.97),
            ("lost", report(|report| report.lost), 4.0 * 0.97),
            ("twice", report(|report| report.twice), 6.0 * 0.97),
        ] {
            assert!((found - wanted).abs() < 0.25 + wanted * 0.03, "{what}: {found} %, wanted {wanted} %");
        }
    }

    #[test]
    fn a_share_that_is_changed_changes_nothing_else() {
        let faulty = behaviour(FAULTY);
        let mut other = faulty.clone();
        other.report_lost = Share::ALL;
        for (before, mut after) in fates(7, "a", &faulty).into_iter().zip(fates(7, "a", &other)) {
            if let (Some(before), Some(after)) = (&before.report, &mut after.report) {
                assert!(after.lost);
                after.lost = before.lost;
            }
            assert_eq!(before, after);
        }
    }

    #[test]
    fn a_connection_is_cut_at_every_so_many_of_its_submits() {
        let behaviour = behaviour("{ disconnect: { after: 3, at: after_answer } }");
        let print = Key::new(1, "a").print(&[], (1, 1), b"");
        let cut: Vec<bool> =
            (1..=6).map(|nth| decide(print.dice(0), &behaviour, nth).cut.is_some()).collect();
        assert_eq!(cut, [false, false, true, false, false, true]);
    }
}
