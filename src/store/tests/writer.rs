//! The writer under jobs that fail and a disk that is full.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;
use store::StoreError;
use store::sqlite::{Database, Tuning, Writer};

const STEPS: [&str; 1] = ["CREATE TABLE rows (number INTEGER PRIMARY KEY, body BLOB)"];

#[test]
fn a_job_that_fails_does_so_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    store.in_one_batch(|store| {
        for number in [1, 2, 1, 3] {
            store.insert(number, 0);
        }
    });
    let results = store.results(4);
    assert!(matches!(&results[2], Err(StoreError::Rejected { .. })));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    assert_eq!(store.numbers(), [1, 2, 3]);
    let figures = store.writer.figures();
    assert_eq!((figures.batches, figures.jobs, figures.failed), (2, 4, 1));
}

#[test]
fn a_job_that_fails_half_way_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let twice = |c: &Connection| {
        insert(c, 7, 0)?;
        insert(c, 7, 0)
    };
    store.in_one_batch(|store| {
        store.insert(1, 0);
        store.push(twice);
    });
    assert_eq!(store.results(2).iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
    assert_eq!(store.numbers(), [1]);
}

#[test]
fn a_full_disk_fails_the_whole_batch_and_the_next_one_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    store.push(|c| limit(c, 20));
    store.results(1)[0].clone().unwrap();
    store.in_one_batch(|store| {
        store.insert(1, 10);
        store.insert(2, 1_000_000);
        store.insert(3, 10);
    });
    let full = StoreError::DiskFull { file: folder.path().join("x.db") };
    assert!(full.to_string().contains("the disk is full"));
    assert_eq!(store.results(3), vec![Err(full); 3]);
    store.insert(4, 10);
    assert_eq!(store.results(1), [Ok(())]);
    store.push(|c| limit(c, 100_000));
    store.insert(2, 1_000_000);
    assert_eq!(store.results(2), [Ok(()), Ok(())]);
    assert_eq!(store.numbers(), [2, 4]);
}

#[test]
fn a_job_may_fail_beside_a_full_disk_and_the_writer_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    store.insert(1, 10);
    store.push(|c| limit(c, 20));
    store.results(2);
    store.in_one_batch(|store| {
        store.insert(1, 10);
        store.insert(2, 1_000_000);
    });
    assert!(matches!(
        store.results(2)[..],
        [Err(StoreError::DiskFull { .. }), Err(StoreError::DiskFull { .. })]
    ));
    store.insert(3, 10);
    assert_eq!(store.results(1), [Ok(())]);
    assert_eq!(store.numbers(), [1, 3]);
}

#[test]
fn after_a_panic_the_writer_takes_no_more_and_nobody_waits_for_it_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let Store { writer, database, .. } = Store::open(folder.path());
    let (entered, held) = channel();
    let (release, released) = channel::<()>();
    let work = |_: &Connection, (): &mut ()| Ok(());
    let panics = move |_| {
        entered.send(()).unwrap();
        released.recv().unwrap();
        panic!("on purpose");
    };
    writer.push(work, panics).unwrap();
    held.recv().unwrap();
    assert!(!writer.is_stopped());
    let (completed, completion) = channel();
    writer.push(work, move |_| completed.send(()).unwrap()).unwrap();
    release.send(()).unwrap();
    assert!(completion.recv().is_err(), "it is not completed, and known not to be");
    assert!(writer.is_stopped());
    assert_eq!(writer.push(work, |_| ()), Err(store::Refused::Stopped));
    drop(database);
}

#[test]
fn a_completion_may_hold_the_last_handle() {
    let folder = tempfile::tempdir().unwrap();
    let Store { writer, database, .. } = Store::open(folder.path());
    let writer = std::sync::Arc::new(writer);
    let (proceed, proceeds) = channel::<()>();
    let (ended, end) = channel::<()>();
    let last = writer.clone();
    let done = move |result: Result<(), StoreError>| {
        result.unwrap();
        proceeds.recv().unwrap();
        drop(last);
        drop(ended);
    };
    writer.push(|_, _| Ok(()), done).unwrap();
    drop(writer);
    proceed.send(()).unwrap();
    assert!(end.recv().is_err());
    drop(database);
}

struct Store {
    writer: Writer<()>,
    database: Database,
    results: Receiver<Result<(), StoreError>>,
    done: Sender<Result<(), StoreError>>,
}

impl Store {
    fn open(folder: &Path) -> Self {
        let path = folder.join("x.db");
        let (database, connection) = Database::open(&path, &STEPS, Tuning::default()).unwrap();
        let writer = Writer::start(&path, connection, (), 100).unwrap();
        let (done, results) = channel();
        Self { writer, database, results, done }
    }

    fn push(&self, mut work: impl FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static) {
        let done = self.done.clone();
        self.writer.push(move |c, ()| work(c), move |result| done.send(result).unwrap()).unwrap();
    }

    fn insert(&self, number: i64, size: usize) {
        self.push(move |c| insert(c, number, size));
    }

    /// Holds the writer in a completion until `give` has given all its jobs.
    fn in_one_batch(&self, give: impl FnOnce(&Self)) {
        let (entered, held) = channel();
        let (release, released) = channel::<()>();
        let hold = move |_| {
            entered.send(()).unwrap();
            released.recv().unwrap();
        };
        self.writer.push(|_, ()| Ok(()), hold).unwrap();
        held.recv().unwrap();
        give(self);
        release.send(()).unwrap();
    }

    fn results(&self, count: usize) -> Vec<Result<(), StoreError>> {
        (0..count).map(|_| self.results.recv().unwrap()).collect()
    }

    fn numbers(&self) -> Vec<i64> {
        let reader = self.database.reader().unwrap();
        let mut statement = reader.prepare("SELECT number FROM rows ORDER BY number").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

fn insert(connection: &Connection, number: i64, size: usize) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO rows VALUES (?1, zeroblob(?2))", [number, size as i64]).map(|_| ())
}

fn limit(connection: &Connection, pages: i64) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}
