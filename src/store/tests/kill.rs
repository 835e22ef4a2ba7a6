//! What was acknowledged is there, however the process ended.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use store::spool::{Change, Spool};

mod common;
use common::*;

const FOLDER: &str = "SPOOL_TEST_FOLDER";
const CHILD: &str = "a_child_that_takes_until_it_is_killed";

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for _ in 0..3 {
        acknowledged += acknowledged_until_killed(folder.path());
        let (spool, recovered) = open(folder.path());
        let messages = messages(recovered);
        assert!(messages.len() >= acknowledged, "{} of {acknowledged}", messages.len());
        assert!(messages.iter().all(|stored| stored.progress == "pushed" || stored.progress == "new"));
        let pushed = messages.iter().filter(|stored| stored.progress == "pushed").count();
        assert_eq!(spool.counts().events, pushed as u64);
        assert_eq!(spool.events(0, usize::MAX).unwrap().len(), pushed);
        acknowledged = messages.len();
    }
}

/// Kills the child after a while; how many messages it said to have taken.
fn acknowledged_until_killed(folder: &Path) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut taken = 0;
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if line.ends_with("taken\n") {
            taken += 1;
        }
        if taken == 500 {
            child.kill().unwrap();
        }
        line.clear();
    }
    child.wait().unwrap();
    assert!(taken >= 500);
    taken
}

#[test]
#[ignore = "not a test: the child of the test above"]
fn a_child_that_takes_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let (spool, recovered) = open(&folder);
    let first = messages(recovered).len();
    for number in first..first + 1_000_000 {
        let (done, taken) = channel();
        let again = spool.clone();
        let next = move |result: Result<Vec<_>, _>| {
            println!("taken");
            done.send(()).unwrap();
            let [store::spool::Taken::New { key }] = result.unwrap()[..] else { panic!("a duplicate") };
            let progress = Change::Progress { key, progress: "pushed".to_owned() };
            again.write(vec![progress, Change::Event(event(1))], |written| written.unwrap()).unwrap();
        };
        spool.take_many(vec![(submission(number, "text"), "new".to_owned())], NOW, next).unwrap();
        taken.recv().unwrap();
    }
}

#[test]
fn a_torn_end_of_the_log_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    take_new(&spool, 1);
    let before = copied_at_completion(&spool, folder.path(), 2);
    let after = copied_at_completion(&spool, folder.path(), 3);
    let (kept, whole) = (before.log.len(), after.log.len());
    assert!(kept < whole && after.log.starts_with(&before.log) && after.file == before.file);

    assert_eq!(left_in(&before.file, &before.log), 2);
    assert_eq!(left_in(&after.file, &after.log), 3);
    for cut in (kept..whole).step_by(97) {
        assert_eq!(left_in(&after.file, &after.log[..cut]), 2, "cut at {cut}");
        let mut spoiled = after.log.clone();
        spoiled[cut] ^= 0x55;
        assert_eq!(left_in(&after.file, &spoiled), 2, "spoiled at {cut}");
    }
}

struct Copy {
    file: Vec<u8>,
    log: Vec<u8>,
}

/// The files as they are when the completion of a take is called.
fn copied_at_completion(spool: &Spool, folder: &Path, number: usize) -> Copy {
    let (copied, copy) = channel();
    let folder = folder.to_owned();
    let done = move |taken: Result<_, _>| {
        taken.unwrap();
        let read = |name| fs::read(folder.join(name)).unwrap();
        copied.send(Copy { file: read("spool.db"), log: read("spool.db-wal") }).unwrap();
    };
    spool.take_many(vec![(submission(number, "text"), String::new())], NOW, done).unwrap();
    copy.recv().unwrap()
}

fn left_in(file: &[u8], log: &[u8]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool.db"), file).unwrap();
    fs::write(folder.path().join("spool.db-wal"), log).unwrap();
    messages(open(folder.path()).1).len()
}
