//! What the tests of the spool hand in.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::mpsc::channel;

use domain::{Event, Happened, MessageText, Millis, Submission};
use store::spool::{Change, Recovered, Spool, SpoolSettings, Stored, Taken};
use store::{Refused, sqlite::Tuning};

pub const NOW: Millis = Millis(1_760_000_000_000);

pub fn settings() -> SpoolSettings {
    SpoolSettings { queue: 100, started: NOW, tuning: Tuning::default() }
}

pub fn open(folder: &Path) -> (Spool, Recovered) {
    Spool::open(folder, settings()).unwrap()
}

pub fn messages(recovered: Recovered) -> Vec<Stored> {
    recovered.messages.collect::<Result<_, _>>().unwrap()
}

/// Waits for the completion of what `begin` begins.
pub fn wait<T: Send + 'static, E: Send + 'static>(
    begin: impl FnOnce(Box<dyn FnOnce(Result<T, E>) + Send>) -> Result<(), Refused>,
) -> Result<T, E> {
    let (done, result) = channel();
    begin(Box::new(move |value| done.send(value).unwrap())).unwrap();
    result.recv().unwrap()
}

pub fn take(spool: &Spool, number: usize, text: &str) -> Taken {
    wait(|done| spool.take_many(vec![(submission(number, text), "new".to_owned())], NOW, done))
        .unwrap()
        .remove(0)
}

pub fn take_new(spool: &Spool, number: usize) -> i64 {
    match take(spool, number, "text") {
        Taken::New { key } => key,
        duplicate => panic!("{duplicate:?}"),
    }
}

pub fn write(spool: &Spool, changes: Vec<Change>) {
    wait(|done| spool.write(changes, done)).unwrap();
}

pub fn submission(number: usize, text: &str) -> Submission {
    Submission {
        uaop_id: format!("m-{number}").parse().unwrap(),
        empi_id: "bank-1".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: "13800138000".parse().unwrap(),
        extension: String::new(),
        text: MessageText(text.to_owned()),
        report: true,
        priority: 5,
        not_after: None,
    }
}

pub fn told(spool: &Spool, after: i64, most: usize) -> Vec<(i64, Event)> {
    let parse = |(number, json): (i64, Vec<u8>)| (number, serde_json::from_slice(&json).unwrap());
    spool.events(after, most).unwrap().into_iter().map(parse).collect()
}

/// Events that differ by their number.
pub fn event(connection: u32) -> Event {
    Event {
        gateway: "cm-1".parse().unwrap(),
        epoch: NOW,
        account: "main".parse().unwrap(),
        at: NOW,
        happened: Happened::LinkUp { connection },
    }
}

pub fn events(numbers: std::ops::Range<u32>) -> Vec<Change> {
    numbers.map(|number| Change::Event(event(number))).collect()
}
