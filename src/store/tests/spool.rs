//! The spool as the gateway sees it.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::channel;

use domain::Millis;
use domain::event::Outcome;
use store::Refused;
use store::spool::{Change, Consumer, Counts, Fragment, Spool, SpoolError, SpoolSettings, Taken};

mod common;
use common::*;

#[test]
fn what_is_not_finished_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, recovered) = open(folder.path());
    assert_eq!(messages(recovered), []);
    let (first, second) = (take_new(&spool, 1), take_new(&spool, 2));
    let progress = Change::Progress { key: second, progress: "pushed".to_owned() };
    write(&spool, vec![progress, Change::Finish { key: first, outcome: Outcome::Accepted, at: NOW }]);
    drop(spool);

    let (_spool, recovered) = open(folder.path());
    assert_eq!(recovered.counts, Counts { unfinished: 1, events: 0, last_event: 0 });
    let left = messages(recovered);
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].key, left[0].progress.as_str(), left[0].taken_at), (second, "pushed", NOW));
    assert_eq!(left[0].submission, submission(2, "text"));
}

#[test]
fn many_unfinished_messages_come_in_the_order_in_which_they_were_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let many = (0..2500).map(|number| (submission(number, "text"), String::new())).collect();
    let taken = wait(|done| spool.take_many(many, NOW, done)).unwrap();
    assert_eq!(taken.len(), 2500);
    drop(spool);

    let (spool, recovered) = open(folder.path());
    take_new(&spool, 2500);
    let ids: Vec<_> =
        messages(recovered).into_iter().map(|stored| stored.submission.uaop_id.to_string()).collect();
    assert!(ids.into_iter().eq((0..2500).map(|number| format!("m-{number}"))));
}

#[test]
fn a_duplicate_is_told_from_another_message_under_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let key = take_new(&spool, 1);
    assert_eq!(take(&spool, 1, "text"), Taken::Duplicate { key, same: true, outcome: None });
    assert_eq!(take(&spool, 1, "else"), Taken::Duplicate { key, same: false, outcome: None });

    let outcome = Outcome::Refused { code: Some(9), reason: "no such number".to_owned() };
    write(&spool, vec![Change::Finish { key, outcome: outcome.clone(), at: NOW }]);
    let duplicate = Taken::Duplicate { key, same: true, outcome: Some(outcome) };
    assert_eq!(take(&spool, 1, "text"), duplicate);
    drop(spool);
    let (spool, _) = open(folder.path());
    assert_eq!(take(&spool, 1, "text"), duplicate);
}

#[test]
fn what_was_handed_in_before_is_known_and_what_is_forgotten_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let known = || {
        let ids = (1..=2).map(|number| submission(number, "").uaop_id).collect();
        wait(|done| spool.known(ids, done)).unwrap()
    };
    assert_eq!(known(), [false, false]);
    let (done, taken) = channel();
    let message = vec![(submission(2, "text"), String::new())];
    spool.take_many(message, NOW, move |result| done.send(result).unwrap()).unwrap();
    // without waiting for its completion
    assert_eq!(known(), [false, true]);
    let [Taken::New { key }] = taken.recv().unwrap().unwrap()[..] else { panic!("a duplicate") };
    write(&spool, vec![Change::Finish { key, outcome: Outcome::Accepted, at: NOW }]);
    assert_eq!(known(), [false, true]);
    wait(|done| spool.forget(Millis(u64::MAX), 1, done)).unwrap();
    assert_eq!(known(), [false, false]);
}

#[test]
fn rows_beyond_those_deleted_at_once_are_not_told_and_go_with_later_acknowledgements() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    // a row each
    for _ in 0..1500 {
        write(&spool, events(0..1));
    }
    let rows = || -> i64 {
        let file = rusqlite::Connection::open(folder.path().join("spool.db")).unwrap();
        file.query_one("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(rows(), 1500);
    wait(|done| spool.acknowledge(consumers([("a", 1500)]), done)).unwrap();
    assert_eq!((spool.events(0, 1).unwrap(), spool.counts().events, rows()), (vec![], 0, 500));
    wait(|done| spool.acknowledge(consumers([("a", 1500)]), done)).unwrap();
    assert_eq!(rows(), 0);
}

#[test]
fn a_duplicate_within_one_batch_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let batch = [(1, "text"), (1, "text"), (2, "text"), (1, "else")];
    let batch = batch.map(|(number, text)| (submission(number, text), String::new())).to_vec();
    let taken = wait(|done| spool.take_many(batch, NOW, done)).unwrap();
    let duplicate = |same| Taken::Duplicate { key: 1, same, outcome: None };
    assert_eq!(taken, [Taken::New { key: 1 }, duplicate(true), Taken::New { key: 2 }, duplicate(false)]);
    assert_eq!(spool.counts().unfinished, 2);
}

#[test]
fn a_message_is_finished_once_and_then_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let key = take_new(&spool, 1);
    let finish = |outcome| Change::Finish { key, outcome, at: NOW };
    let progress = || Change::Progress { key, progress: "late".to_owned() };
    write(&spool, vec![progress(), finish(Outcome::Accepted), progress()]);
    write(&spool, vec![finish(Outcome::Expired), progress()]);
    assert_eq!(
        take(&spool, 1, "text"),
        Taken::Duplicate { key, same: true, outcome: Some(Outcome::Accepted) }
    );
    assert_eq!(spool.counts().unfinished, 0);
    drop(spool);
    assert_eq!(messages(open(folder.path()).1), []);
}

#[test]
fn event_numbers_go_on_after_acknowledgements_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    write(&spool, events(0..300));
    assert!(told(&spool, 0, 1000).into_iter().eq((1..=300).map(|number| (number, event(number as u32 - 1)))));
    wait(|done| spool.acknowledge(consumers([("a", 1_000_000)]), done)).unwrap();
    assert_eq!(spool.events(0, 1000).unwrap(), []);
    drop(spool);

    let (spool, recovered) = open(folder.path());
    assert_eq!(recovered.counts.events, 0);
    write(&spool, events(7..8));
    assert_eq!(told(&spool, 0, 1000), [(301, event(7))]);
}

#[test]
fn events_are_told_from_any_number_on_and_until_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    write(&spool, events(0..200));
    write(&spool, events(200..400));
    let numbers = |after, most| -> Vec<i64> {
        spool.events(after, most).unwrap().into_iter().map(|(number, _)| number).collect()
    };
    assert_eq!(numbers(126, 4), [127, 128, 129, 130]);
    assert_eq!(numbers(198, 3), [199, 200, 201]);
    assert_eq!(numbers(399, 3), [400]);
    assert!(numbers(0, 0).is_empty());
    wait(|done| spool.acknowledge(consumers([("a", 150)]), done)).unwrap();
    assert_eq!(numbers(0, 2), [151, 152]);
    wait(|done| spool.acknowledge(consumers([("a", 10)]), done)).unwrap();
    assert_eq!(numbers(0, 1), [151]);
    assert_eq!(spool.counts().events, 250);
}

#[test]
fn events_that_one_consumer_lacks_are_kept_and_all_consumers_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, recovered) = open(folder.path());
    assert_eq!(recovered.consumers, []);
    drop(recovered);
    write(&spool, events(0..9));
    let acknowledge = |marks: &[(&str, i64)]| {
        wait(|done| spool.acknowledge(consumers(marks.iter().copied()), done)).unwrap();
        spool.events(0, 1).unwrap().first().map(|(number, _)| *number)
    };
    assert_eq!(acknowledge(&[("slow", 2), ("gone", 0)]), Some(1));
    assert_eq!(acknowledge(&[("quick", 9), ("slow", 4)]), Some(5));
    assert_eq!(acknowledge(&[]), Some(5));
    assert_eq!(acknowledge(&[("quick", 9), ("slow", 6)]), Some(7));
    assert_eq!(spool.last_event(), Ok(9));
    drop(spool);
    let (spool, recovered) = open(folder.path());
    assert_eq!(recovered.consumers, consumers([("quick", 9), ("slow", 6)]));
    assert_eq!(spool.last_event(), Ok(9));
}

#[test]
fn what_finished_long_ago_is_forgotten_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    for number in 0..4 {
        let key = take_new(&spool, number);
        write(&spool, vec![Change::Finish { key, outcome: Outcome::Accepted, at: Millis(number as u64) }]);
    }
    take_new(&spool, 4);
    let forget = |older_than, most| wait(|done| spool.forget(Millis(older_than), most, done)).unwrap();
    assert_eq!(forget(3, 2), 2);
    assert_eq!(forget(3, 2), 1);
    assert_eq!(forget(3, 2), 0);
    assert_eq!(take(&spool, 0, "text"), Taken::New { key: 6 });
    assert!(matches!(take(&spool, 3, "text"), Taken::Duplicate { key: 4, .. }));
    assert!(matches!(take(&spool, 4, "text"), Taken::Duplicate { key: 5, .. }));
}

#[test]
fn fragments_wait_until_they_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let fragment = |id| Fragment {
        id,
        account: "main".parse().unwrap(),
        key: "13800138000-10690-7".to_owned(),
        part: 1,
        parts: 2,
        coding: 8,
        content: vec![0, 255],
        at: NOW,
    };
    write(
        &spool,
        vec![Change::Fragment(fragment(1)), Change::Fragment(fragment(2)), Change::Fragment(fragment(3))],
    );
    write(&spool, vec![Change::FragmentsGone(vec![1, 3, 99])]);
    drop(spool);
    assert_eq!(open(folder.path()).1.fragments, [fragment(2)]);
    assert!(!format!("{:?}", fragment(2)).contains("13800138000"));
}

#[test]
fn no_two_runs_have_the_same_epoch_even_if_the_clock_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = |started| {
        let settings = SpoolSettings { started: Millis(started), ..settings() };
        Spool::open(folder.path(), settings).unwrap().1.epoch
    };
    assert_eq!(epoch(1000), Millis(1000));
    assert_eq!(epoch(1000), Millis(1001));
    assert_eq!(epoch(5), Millis(1002));
    assert_eq!(epoch(2000), Millis(2000));
}

#[test]
fn new_messages_are_refused_while_too_much_waits_and_changes_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let (entered, writer_is_held) = channel();
    let (release, released) = channel::<()>();
    let hold = move |_| {
        entered.send(()).unwrap();
        released.recv().unwrap();
    };
    spool.write(vec![], hold).unwrap();
    writer_is_held.recv().unwrap();
    let (done, completions) = channel();
    let take = |number| {
        let done = done.clone();
        let message = vec![(submission(number, "text"), String::new())];
        spool.take_many(message, NOW, move |taken| done.send(taken).unwrap())
    };
    for number in 0..100 {
        take(number).unwrap();
    }
    assert_eq!(take(100), Err(Refused::QueueFull));
    spool.write(events(0..1), |written| written.unwrap()).unwrap();
    assert_eq!(spool.figures().waiting, 101);
    release.send(()).unwrap();
    spool.stop();
    assert_eq!(take(100), Err(Refused::Stopped));
    let keys: Vec<_> = completions.try_iter().map(Result::unwrap).collect();
    assert!(keys.concat().into_iter().eq((1..=100).map(|key| Taken::New { key })));
    assert_eq!(spool.counts(), Counts { unfinished: 100, events: 1, last_event: 1 });
    assert_eq!(spool.figures().batches, 2);
}

#[test]
fn the_spool_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    let (spool, _) = open(&inner);
    take_new(&spool, 1);
    let mode = |name| inner.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        ["spool.db", "spool.db-wal", "spool.db-shm", "spool.db.lock", "."].map(mode),
        [0o600, 0o600, 0o600, 0o600, 0o700]
    );
    let refused = Spool::open(&inner, settings()).err().unwrap();
    let by = format!("process {}", std::process::id());
    assert_eq!(refused, SpoolError::InUse { file: inner.join("spool.db"), by });
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spool.db");
    drop(open(folder.path()));
    let version = |to: Option<i64>| -> i64 {
        let connection = rusqlite::Connection::open(&file).unwrap();
        if let Some(to) = to {
            connection.pragma_update(None, "user_version", to).unwrap();
        }
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    let known = version(None);
    version(Some(known + 1));
    let refused = Spool::open(folder.path(), settings()).err().unwrap();
    assert_eq!(refused, SpoolError::Newer { file: file.clone(), found: known + 1, known });
    version(Some(known));
    assert_eq!(open(folder.path()).1.epoch, Millis(NOW.0 + 1));
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("spool.db"), "not a store".repeat(1000)).unwrap();
    assert!(matches!(Spool::open(folder.path(), settings()), Err(SpoolError::Corrupt { .. })));
}

fn consumers<'a>(marks: impl IntoIterator<Item = (&'a str, i64)>) -> Vec<Consumer> {
    let consumer = |(name, acknowledged): (&str, i64)| Consumer { name: name.to_owned(), acknowledged };
    marks.into_iter().map(consumer).collect()
}
