//! Stories of messages in one account.

use std::time::{Duration, Instant};

use domain::event::{Attempt, Outcome};
use domain::lifecycle::{Delivery, WhenUncertain};
use domain::{Disposition, Happened, Meaning, Millis, Stamp, Submission};
use store::spool::Change;
use wire::exchange::{Answer, MessageId};

use super::{Core, Settings, Turn};
use crate::account::lines::Lines;
use crate::clock::Now;
use crate::config::{Backoff, Hours, SlowDown};

struct Story {
    core: Core,
    now: Now,
}

impl Story {
    fn new(windows: &[u16]) -> Self {
        Self::with(windows, |_| {})
    }

    fn with(windows: &[u16], change: impl FnOnce(&mut Settings)) -> Self {
        let now = Now {
            instant: Instant::now(),
            stamp: Stamp { year: 2026, month: 3, day: 1, hour: 12, minute: 0, second: 0 },
            millis: Millis(1_000_000),
        };
        let mut settings = Settings {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(7),
            account: "cm".parse().unwrap(),
            rate: None,
            slow_down: SlowDown {
                pause: Duration::from_millis(100),
                least_rate: 1,
                recovery: Duration::from_secs(10),
            },
            hours: Hours::default(),
            retry: Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) },
        };
        change(&mut settings);
        let mut lines = Lines::default();
        for &window in windows {
            let id = lines.add(Some(window));
            lines.up(id, 1);
        }
        Self { core: Core::new(settings, lines, now), now }
    }

    fn take(&mut self, key: i64, parts: u8, policy: WhenUncertain) {
        self.take_until(key, parts, policy, None);
    }

    fn take_until(&mut self, key: i64, parts: u8, policy: WhenUncertain, not_after: Option<Millis>) {
        let submission = Submission { not_after, ..submission(key) };
        self.core.take(key, submission, Delivery::new(parts, policy), self.now.millis, self.now);
    }

    fn push(&mut self) -> Option<Turn> {
        let turn = self.core.turn(self.now)?;
        self.core.pushed(turn, &format!("s{}", turn.part), self.now);
        Some(turn)
    }

    fn answer(&mut self, turn: Turn, code: u32, disposition: Disposition) {
        let meaning = Meaning { disposition, chinese: "号码错误", english: "bad number" };
        let id = Some(MessageId::new([turn.part]));
        self.core.answered(turn, Answer { code, id }, meaning, self.now);
    }

    fn later(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.millis.0 += u64::try_from(time.as_millis()).unwrap();
    }

    /// The events since the last call, in one word or two each.
    fn told(&mut self) -> Vec<String> {
        let changes = self.core.take_changes();
        changes
            .iter()
            .filter_map(|change| match change {
                Change::Event(event) => Some(match &event.happened {
                    Happened::Pushed { part, attempt, .. } => format!("pushed {part} {attempt:?}"),
                    Happened::Answered { part, code, .. } => format!("answered {part} {code}"),
                    Happened::Finished { outcome, .. } => format!("finished {}", outcome.word()),
                    other => format!("{other:?}"),
                }),
                _ => None,
            })
            .collect()
    }
}

fn submission(key: i64) -> Submission {
    let json = serde_json::json!({
        "uaop_id": format!("m{key}"), "empi_id": "b", "class": "c", "to": "13800138000", "text": "hi",
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_long_message_is_finished_when_its_last_part_is_accepted() {
    let mut story = Story::new(&[16]);
    story.take(1, 2, WhenUncertain::Resend);
    let (first, second) = (story.push().unwrap(), story.push().unwrap());
    assert_eq!(story.push(), None);
    story.answer(second, 0, Disposition::Accepted);
    story.answer(first, 0, Disposition::Accepted);
    assert_eq!(
        story.told(),
        ["pushed 1 First", "pushed 2 First", "answered 2 0", "answered 1 0", "finished accepted"]
    );
    assert_eq!(story.core.take_finished().len(), 1);
    assert_eq!((story.core.unfinished(), story.core.lines.under_way()), (0, 0));
    assert!(story.core.recall(&MessageId::new([1])).is_some_and(|known| known.part == 1));
}

#[test]
fn a_refusal_says_what_the_code_means() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Resend);
    let turn = story.push().unwrap();
    story.answer(turn, 13, Disposition::Final);
    let finished = story.core.take_finished();
    let reason = "bad number (号码错误)".to_owned();
    assert_eq!(finished[0].outcome, Outcome::Refused { code: Some(13), reason });
}

#[test]
fn a_lost_part_is_sent_again_or_not_as_its_class_says() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Resend);
    story.take(2, 1, WhenUncertain::Mark);
    let turns = [story.push().unwrap(), story.push().unwrap()];
    story.core.lost(turns, story.now);
    assert!(story.push().is_some_and(|turn| turn.key == 1));
    assert_eq!(
        story.told(),
        ["pushed 1 First", "pushed 1 First", "finished uncertain", "pushed 1 Uncertain"]
    );
}

#[test]
fn what_the_last_run_had_pushed_is_lost_and_what_it_had_not_is_not() {
    let mut pushed = Delivery::new(1, WhenUncertain::Resend);
    pushed.pushed(1, "old").unwrap();
    let mut story = Story::new(&[16]);
    story.core.recover(1, submission(1), pushed, Millis(5), story.now);
    story.core.recover(2, submission(2), Delivery::new(1, WhenUncertain::Mark), Millis(6), story.now);
    story.push();
    story.push();
    assert_eq!(story.told(), ["pushed 1 Uncertain", "pushed 1 First"]);
}

#[test]
fn later_waits_longer_each_time_and_lets_others_go_meanwhile() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Resend);
    for pause in [1, 2, 4] {
        let turn = story.push().unwrap();
        story.answer(turn, 9, Disposition::Later);
        assert_eq!(story.push(), None);
        assert_eq!(
            story.core.deadline(story.now, true),
            Some(story.now.instant + Duration::from_secs(pause))
        );
        story.take(100 + pause as i64, 1, WhenUncertain::Resend);
        assert!(story.push().is_some_and(|turn| turn.key > 100));
        story.later(Duration::from_secs(pause));
    }
    assert!(story.push().is_some_and(|turn| turn.key == 1));
}

#[test]
fn slower_sends_the_same_part_again_after_the_pause() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Mark);
    let turn = story.push().unwrap();
    story.answer(turn, 8, Disposition::SlowDown);
    assert_eq!(story.push(), None);
    let due = story.core.deadline(story.now, true).unwrap();
    assert!(due >= story.now.instant + Duration::from_millis(100));
    story.later(due - story.now.instant + Duration::from_secs(1));
    assert!(story.push().is_some());
    assert_eq!(story.told(), ["pushed 1 First", "answered 1 8", "pushed 1 Retry"]);
}

#[test]
fn a_message_whose_time_is_over_is_not_sent_and_one_under_way_is_waited_for() {
    let mut story = Story::new(&[1]);
    let end = Millis(story.now.millis.0 + 50);
    story.take_until(1, 2, WhenUncertain::Resend, Some(end));
    story.take_until(2, 1, WhenUncertain::Resend, Some(end));
    let turn = story.push().unwrap();
    story.later(Duration::from_millis(51));
    story.core.expire(story.now);
    assert_eq!(story.told(), ["pushed 1 First", "finished expired"]);
    story.answer(turn, 0, Disposition::Accepted);
    assert_eq!(story.told(), ["answered 1 0", "finished expired"]);
}

#[test]
fn nothing_is_sent_outside_the_hours_without_a_line_or_while_the_spool_fails() {
    let mut story = Story::with(&[1], |settings| settings.hours = Hours { spans: vec![(13 * 60, 14 * 60)] });
    story.take(1, 1, WhenUncertain::Resend);
    assert_eq!(story.push(), None);
    assert_eq!(story.core.deadline(story.now, true), Some(story.now.instant + Duration::from_secs(3600)));
    story.now.stamp.hour = 13;
    story.core.hold_up(story.now.instant + Duration::from_secs(1));
    assert_eq!(story.push(), None);
    story.later(Duration::from_secs(1));
    story.core.lines.down(0);
    assert_eq!((story.push(), story.core.deadline(story.now, true)), (None, None));
    story.core.lines.up(0, 2);
    assert!(story.push().is_some());
    story.take(2, 1, WhenUncertain::Resend);
    story.core.stop();
    assert_eq!(story.push(), None);
}

#[test]
fn what_was_withdrawn_goes_again_as_the_same_attempt() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Mark);
    let turn = story.push().unwrap();
    story.core.withdrawn([turn], story.now);
    assert_eq!(story.core.lines.under_way(), 0);
    let turn = story.push().unwrap();
    story.answer(turn, 0, Disposition::Accepted);
    assert_eq!(story.told(), ["pushed 1 First", "pushed 1 First", "answered 1 0", "finished accepted"]);
    assert_eq!(story.core.take_finished()[0].held.uncertain_pushes, 0);
}

#[test]
fn changes_that_could_not_be_written_are_brought_up_to_date() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Resend);
    story.take(2, 1, WhenUncertain::Resend);
    let (first, second) = (story.push().unwrap(), story.push().unwrap());
    let mut stuck = story.core.take_changes();
    story.answer(first, 0, Disposition::Accepted);
    story.core.lost([second], story.now);
    story.core.renew(&mut stuck);
    let progress: Vec<_> = stuck
        .iter()
        .filter_map(|change| match change {
            Change::Progress { key, progress } => Some((*key, progress.contains("uncertain"))),
            _ => None,
        })
        .collect();
    assert_eq!(
        progress,
        [(2, true)],
        "of the finished one nothing older is written, of the other what is true now"
    );
    assert_eq!(stuck.iter().filter(|change| matches!(change, Change::Event(_))).count(), 2);
}

#[test]
fn a_part_that_is_lost_again_and_again_waits_longer_and_is_given_up_in_the_end() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Resend);
    let mut pauses = Vec::new();
    for _ in 0..10 {
        while let Some(due) = story.core.deadline(story.now, true) {
            pauses.push((due - story.now.instant).as_secs());
            story.later(due - story.now.instant);
        }
        let turn = story.push().unwrap();
        story.core.lost([turn], story.now);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(story.core.take_finished()[0].outcome, Outcome::Uncertain);
}

#[test]
fn a_part_that_waits_for_a_moment_is_not_hurried_by_its_neighbour() {
    let mut story = Story::new(&[16]);
    story.take(1, 2, WhenUncertain::Resend);
    let (first, second) = (story.push().unwrap(), story.push().unwrap());
    story.answer(first, 9, Disposition::Later);
    story.answer(second, 0, Disposition::Accepted);
    assert_eq!(story.push(), None);
    story.later(Duration::from_secs(1));
    assert_eq!(story.push().map(|turn| turn.part), Some(1));
}

#[test]
fn what_may_go_but_cannot_does_not_keep_the_account_awake() {
    let mut story = Story::new(&[1]);
    story.take(1, 1, WhenUncertain::Resend);
    let turn = story.push().unwrap();
    story.answer(turn, 9, Disposition::Later);
    story.core.lines.down(0);
    story.later(Duration::from_secs(5));
    assert_eq!(story.core.deadline(story.now, true), None);
    story.core.lines.up(0, 2);
    assert!(story.push().is_some());
}

#[test]
fn a_push_counts_why() {
    let mut story = Story::new(&[16]);
    story.take(1, 1, WhenUncertain::Resend);
    let turn = story.core.turn(story.now).unwrap();
    assert!(story.core.pushed(turn, "a", story.now));
    assert_eq!(story.core.sent(turn), Some(Attempt::First));
    assert!(!story.core.pushed(turn, "b", story.now), "it is under way already");
    story.core.lost([turn], story.now);
    let turn = story.push().unwrap();
    assert_eq!(story.core.sent(turn), Some(Attempt::Uncertain));
    let held = story.core.message(1).unwrap();
    assert_eq!((held.pushes, held.uncertain_pushes), (2, 1));
}
