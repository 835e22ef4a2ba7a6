//! The spool on a disk that is full for a while.

use std::sync::mpsc::channel;

use domain::Millis;
use domain::event::Outcome;
use rusqlite::Connection;

use super::model::{event, open, submission};
use super::types::{Change, Counts, Taken};
use super::{Spool, SpoolError};

#[test]
fn a_full_disk_undoes_a_write_as_a_whole_and_the_spool_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let (done, taken) = channel();
    spool
        .take_many(vec![(submission(1, 0), "new".to_owned())], Millis(1), move |result| {
            done.send(result).unwrap()
        })
        .unwrap();
    let [Taken::New { key }] = taken.recv().unwrap().unwrap()[..] else { panic!("a duplicate") };

    let finish = Change::Finish { key, outcome: Outcome::Accepted, at: Millis(2) };
    let changes = [vec![finish], vec![Change::Event(event()); 1000]].concat();
    limit(&spool, 1); // SQLite takes it for the pages that there are
    let full = SpoolError::DiskFull { file: folder.path().join("spool.db") };
    assert_eq!(write(&spool, changes.clone()), Err(full));
    assert!(spool.figures().failing);
    assert_eq!(spool.counts(), Counts { unfinished: 1, events: 0, last_event: 0 });
    assert_eq!(spool.events(0, 10).unwrap(), []);

    limit(&spool, 1_000_000);
    assert_eq!(write(&spool, changes), Ok(()));
    assert!(!spool.figures().failing);
    assert_eq!(spool.counts(), Counts { unfinished: 0, events: 1000, last_event: 1000 });
    assert_eq!(spool.events(0, 1).unwrap(), [(1, serde_json::to_vec(&event()).unwrap())]);
}

#[test]
fn a_spool_that_nobody_else_writes_to_knows_whether_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let forget = || {
        let (done, forgotten) = channel();
        spool.forget(Millis(0), 10, move |result| done.send(result).unwrap()).unwrap();
        (forgotten.recv().unwrap().is_ok(), spool.figures().failing)
    };
    assert_eq!(forget(), (true, false));
    read_only(&spool);
    assert_eq!(forget(), (false, true));
}

fn read_only(spool: &Spool) {
    let (done, switched) = channel();
    let work = move |c: &Connection, _: &mut _| c.pragma_update(None, "query_only", true);
    spool.inner.writer.push(work, move |result| done.send(result).unwrap()).unwrap();
    switched.recv().unwrap().unwrap();
}

fn write(spool: &Spool, changes: Vec<Change>) -> Result<(), SpoolError> {
    let (done, written) = channel();
    spool.write(changes, move |result| done.send(result).unwrap()).unwrap();
    written.recv().unwrap().map_err(|unwritten| unwritten.error)
}

fn limit(spool: &Spool, pages: i64) {
    let (done, limited) = channel();
    let work =
        move |c: &Connection, _: &mut _| c.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
    spool.inner.writer.push(work, move |result| done.send(result).unwrap()).unwrap();
    limited.recv().unwrap().unwrap();
}
