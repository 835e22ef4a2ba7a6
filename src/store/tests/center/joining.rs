//! Facts become reports.

use domain::event::{Outcome, ReportState};
use domain::{FinalState, ForBank, Happened, Report};
use store::center::{CenterStore, Counts, Fact, Joined, Stage};

use crate::engine::Engine;
use crate::facts::*;
use crate::on_both;

on_both! {
    a_delivered_message_is_reported_once_whatever_is_told_again
    a_report_that_comes_before_the_answer_waits_for_it
    a_report_finds_its_part_by_the_carriers_id
    the_ids_of_two_carriers_do_not_meet
    what_is_learnt_later_is_another_report
    a_message_without_a_report_in_time_is_said_to_be_unknown
    a_bank_that_wants_no_report_gets_none
    a_users_message_is_handed_on_once
    events_before_the_copy_are_kept_for_it
    what_was_published_does_not_come_again
    no_text_from_outside_is_too_strange
    two_that_join_at_the_same_time_lose_nothing
    all_is_there_when_it_is_opened_again
}

pub async fn reports(store: &dyn CenterStore) -> Vec<Report> {
    let outbox = store.outbox(1000).await.unwrap();
    assert!(outbox.is_sorted_by_key(|(place, _)| *place));
    let report = |(_, record)| match record {
        ForBank::Report(report) => Some(report),
        ForBank::Mo(_) => None,
    };
    outbox.into_iter().filter_map(report).collect()
}

async fn a_delivered_message_is_reported_once_whatever_is_told_again(engine: Engine) {
    let store = engine.open().await;
    let joined = store.join(delivered(1), at(10)).await.unwrap();
    assert_eq!(joined, Joined { known: 0, finished: 1, orphans: 0 });
    let joined = store.join(delivered(1), at(11)).await.unwrap();
    assert_eq!(joined, Joined { known: 5, finished: 0, orphans: 0 });

    let reports = reports(&*store).await;
    assert_eq!(reports.len(), 1);
    assert_eq!((reports[0].revision, reports[0].state, reports[0].at), (1, FinalState::Delivered, at(10)));
    let view = store.message(&id(1)).await.unwrap().unwrap();
    assert_eq!((view.stage, view.at), (Stage::Final(FinalState::Delivered), at(1)));
    assert_eq!(view.submission, Some(submission(1)));
    assert_eq!(view.report.as_ref(), reports.first());
    assert_eq!((view.parts.len(), view.parts[0].resp_sequence.clone()), (1, Some(response(1, 1))));
    let counts = Counts { messages: 1, outbox: 1, ..Counts::default() };
    assert_eq!(store.counts().await.unwrap(), counts);
    assert_eq!(store.message(&id(2)).await.unwrap(), None);
}

async fn a_report_that_comes_before_the_answer_waits_for_it(engine: Engine) {
    let store = engine.open().await;
    let early = reported(1, 1, ReportState::Delivered);
    let joined = store.join(vec![early.clone()], at(5)).await.unwrap();
    assert_eq!(joined, Joined { known: 0, finished: 0, orphans: 1 });
    let joined = store.join(vec![early.clone()], at(6)).await.unwrap();
    assert_eq!(joined, Joined { known: 1, finished: 0, orphans: 0 });
    let orphans = store.orphans(0, 10).await.unwrap();
    let Fact::Told(told) = early else { panic!("an event") };
    assert_eq!((orphans.len(), &orphans[0].1.told, orphans[0].1.at), (1, &told, told.event.at));
    assert_eq!(store.orphans(orphans[0].0, 10).await.unwrap(), []);
    assert_eq!(store.counts().await.unwrap().orphans, 1);

    let joined = store.join(vec![copy(1), pushed(1, 1, 1), accepted(1, 1)], at(7)).await.unwrap();
    assert_eq!(joined, Joined { known: 0, finished: 1, orphans: 0 });
    assert_eq!(store.counts().await.unwrap(), Counts { messages: 1, outbox: 1, ..Counts::default() });
    assert_eq!(store.orphans(0, 10).await.unwrap(), []);
}

async fn a_report_finds_its_part_by_the_carriers_id(engine: Engine) {
    let store = engine.open().await;
    let mut facts = vec![copy(1)];
    for part in 1..=2 {
        facts.extend([pushed(1, part, 2), accepted(1, part)]);
    }
    store.join(facts, at(5)).await.unwrap();
    let joined = store.join(vec![reported(1, 2, ReportState::Failed)], at(6)).await.unwrap();
    assert_eq!(joined, Joined::default());
    assert_eq!(store.message(&id(1)).await.unwrap().unwrap().stage, Stage::Answered);
    store.join(vec![reported(1, 1, ReportState::Delivered)], at(7)).await.unwrap();
    let view = store.message(&id(1)).await.unwrap().unwrap();
    let words: Vec<_> = view.parts.iter().map(|part| part.word.as_deref().unwrap()).collect();
    assert_eq!((view.stage, words), (Stage::Final(FinalState::Failed), vec!["DELIVRD", "UNDELIV"]));
}

async fn the_ids_of_two_carriers_do_not_meet(engine: Engine) {
    let store = engine.open().await;
    store.join(vec![copy(1), pushed(1, 1, 1), accepted(1, 1)], at(5)).await.unwrap();
    let mut other = reported(1, 1, ReportState::Delivered);
    if let Fact::Told(told) = &mut other {
        told.carrier = "unicom".parse().unwrap();
    }
    assert_eq!(store.join(vec![other], at(6)).await.unwrap().orphans, 1);
    assert_eq!(reports(&*store).await, []);
}

async fn what_is_learnt_later_is_another_report(engine: Engine) {
    let store = engine.open().await;
    store.join(vec![copy(1), pushed(1, 1, 1), finished(1, Outcome::Uncertain)], at(5)).await.unwrap();
    store.join(delivered(1), at(6)).await.unwrap();
    let said: Vec<_> = reports(&*store).await.iter().map(|r| (r.revision, r.state)).collect();
    assert_eq!(said, [(1, FinalState::Uncertain), (2, FinalState::Delivered)]);
}

async fn a_message_without_a_report_in_time_is_said_to_be_unknown(engine: Engine) {
    let store = engine.open().await;
    for number in 1..=5 {
        store.join(vec![copy(number), pushed(number, 1, 1)], at(5)).await.unwrap();
    }
    store.join(delivered(1), at(6)).await.unwrap();
    assert_eq!(store.counts().await.unwrap().open, 4);
    assert_eq!(store.overdue(at(5), at(100), 2).await.unwrap(), 2);
    assert_eq!(store.overdue(at(5), at(100), 2).await.unwrap(), 1);
    assert_eq!(store.overdue(at(5), at(100), 2).await.unwrap(), 0);
    let said: Vec<_> = reports(&*store).await.into_iter().map(|r| (r.uaop_id, r.state)).collect();
    let unknown = |number| (id(number), FinalState::Unknown);
    assert_eq!(said, [(id(1), FinalState::Delivered), unknown(2), unknown(3), unknown(4)]);
    assert_eq!(store.counts().await.unwrap().open, 1);

    store.join(delivered(3), at(101)).await.unwrap();
    let last = reports(&*store).await.pop().unwrap();
    assert_eq!((last.uaop_id, last.revision, last.state), (id(3), 2, FinalState::Delivered));
}

async fn a_bank_that_wants_no_report_gets_none(engine: Engine) {
    let store = engine.open().await;
    let mut submission = submission(1);
    submission.report = false;
    let facts = vec![copy_of(submission, 1), pushed(1, 1, 1), accepted(1, 1), finished(1, Outcome::Accepted)];
    store.join(facts, at(5)).await.unwrap();
    assert_eq!(store.counts().await.unwrap(), Counts { messages: 1, ..Counts::default() });
    assert_eq!(store.overdue(at(100), at(100), 10).await.unwrap(), 0);
    store.join(vec![reported(1, 1, ReportState::Failed)], at(6)).await.unwrap();
    assert_eq!(reports(&*store).await, []);
    let view = store.message(&id(1)).await.unwrap().unwrap();
    assert_eq!(view.report.unwrap().state, FinalState::Failed);
}

async fn a_users_message_is_handed_on_once(engine: Engine) {
    let store = engine.open().await;
    let (whole, mut part) = (user_message(1), user_message(1));
    part.part = Some((2, 3));
    let facts = vec![Fact::Mo(whole.clone()), Fact::Mo(whole.clone()), Fact::Mo(part.clone())];
    assert_eq!(store.join(facts.clone(), at(5)).await.unwrap().known, 1);
    assert_eq!(store.join(facts, at(6)).await.unwrap().known, 3);
    let outbox: Vec<_> = store.outbox(10).await.unwrap().into_iter().map(|(_, record)| record).collect();
    assert_eq!(outbox, [ForBank::Mo(whole), ForBank::Mo(part)]);
}

async fn events_before_the_copy_are_kept_for_it(engine: Engine) {
    let store = engine.open().await;
    store.join(vec![finished(1, Outcome::Expired)], at(5)).await.unwrap();
    let view = store.message(&id(1)).await.unwrap().unwrap();
    assert_eq!((view.submission, view.at, view.report), (None, at(4), None));
    store.join(vec![copy(1)], at(6)).await.unwrap();
    let view = store.message(&id(1)).await.unwrap().unwrap();
    assert_eq!((view.at, view.report.unwrap().state), (at(1), FinalState::Expired));
    assert_eq!(reports(&*store).await.len(), 1);
}

async fn what_was_published_does_not_come_again(engine: Engine) {
    let store = engine.open().await;
    store.join((1..=4).flat_map(delivered).collect(), at(10)).await.unwrap();
    let places: Vec<i64> = store.outbox(10).await.unwrap().into_iter().map(|(place, _)| place).collect();
    assert_eq!((places.len(), store.outbox(3).await.unwrap().len()), (4, 3));
    store.published(vec![places[3], places[0], places[1]]).await.unwrap();
    let left = reports(&*store).await;
    assert_eq!((left.len(), &left[0].uaop_id), (1, &id(3)));
    store.published(places.clone()).await.unwrap();
    store.join(delivered(5), at(10)).await.unwrap();
    let next = store.outbox(10).await.unwrap();
    assert!(next.len() == 1 && next[0].0 > places[3], "no place is given twice");
}

async fn no_text_from_outside_is_too_strange(engine: Engine) {
    let store = engine.open().await;
    for strange in ["".to_owned(), "a\0b".to_owned(), "x".repeat(100_000), "夏'\"\\".to_owned()] {
        let mut answer = accepted(1, 1);
        let mut report = reported(1, 1, ReportState::Delivered);
        if let (Fact::Told(answer), Fact::Told(report)) = (&mut answer, &mut report)
            && let Happened::Answered { resp_sequence: Some(answered), uaop_id, .. } =
                &mut answer.event.happened
            && let Happened::Reported { resp_sequence, report_sequence, word, .. } =
                &mut report.event.happened
        {
            answered.clone_from(&strange);
            *uaop_id = id(strange.len() as u64);
            resp_sequence.clone_from(&strange);
            *report_sequence = Some(strange.clone());
            word.clone_from(&strange);
        }
        let mut message = user_message(1);
        (message.mo_id, message.from.0) = (strange.clone(), strange.clone());
        assert_eq!(store.join(vec![report, Fact::Mo(message)], at(5)).await.unwrap().orphans, 1);
        store.join(vec![answer], at(6)).await.unwrap();
        let view = store.message(&id(strange.len() as u64)).await.unwrap().unwrap();
        assert_eq!(view.parts[0].word.as_ref(), Some(&strange));
    }
    assert_eq!(store.counts().await.unwrap().orphans, 0);
}

async fn two_that_join_at_the_same_time_lose_nothing(engine: Engine) {
    let store = engine.open().await;
    let facts: Vec<Fact> = (1..=40).flat_map(delivered).collect();
    let joins = (0..5).map(|which| {
        let mine = facts.iter().skip(which).step_by(5).cloned().collect();
        store.join(mine, at(10))
    });
    for joined in futures_util::future::join_all(joins).await {
        joined.unwrap();
    }
    assert_eq!(store.counts().await.unwrap(), Counts { messages: 40, outbox: 40, ..Counts::default() });
}

async fn all_is_there_when_it_is_opened_again(engine: Engine) {
    let store = engine.open().await;
    store.join(vec![copy(1), pushed(1, 1, 1), reported(2, 1, ReportState::Delivered)], at(5)).await.unwrap();
    let before = (store.message(&id(1)).await.unwrap(), store.counts().await.unwrap());
    drop(store);
    let store = engine.open().await;
    assert_eq!((store.message(&id(1)).await.unwrap(), store.counts().await.unwrap()), before);
    store.join(vec![copy(2), pushed(2, 1, 1), accepted(2, 1)], at(6)).await.unwrap();
    assert_eq!(reports(&*store).await[0].uaop_id, id(2));
    store.ping().await.unwrap();
}
