//! Books that agree, and each way in which they may not.

use serde_json::json;

use super::*;
use crate::line::letters::Letters;

/// One message in two parts, accepted, the first of them pushed twice, both reported.
struct Books {
    sent: BTreeMap<String, Submission>,
    marked: BTreeSet<String>,
    events: Vec<Told>,
    record: Vec<Recorded>,
}

fn books() -> Books {
    let submission = Letters::new().with_text("hello");
    let to = submission.to.digits().to_owned();
    let id = submission.uaop_id.to_string();
    let mut number = 0;
    let mut event = |happened: serde_json::Value| {
        number += 1;
        let mut event = json!({ "id": number, "gateway": "gw", "epoch": 1, "account": "a", "at": 1 });
        event.as_object_mut().unwrap().extend(happened.as_object().unwrap().clone());
        event.as_object_mut().unwrap().entry("uaop_id").or_insert(json!(id));
        serde_json::from_value(event).unwrap()
    };
    let mut pushed = |part: u8, sequence: &str, attempt: &str| {
        event(json!({
            "event": "pushed", "part": part, "parts": 2, "push_sequence": sequence, "attempt": attempt,
        }))
    };
    let mut events: Vec<Told> =
        vec![pushed(1, "1", "first"), pushed(2, "2", "first"), pushed(1, "3", "uncertain")];
    events.extend(["0b", "0c"].map(|id| {
        event(json!({
            "event": "answered", "part": 1, "push_sequence": "2", "resp_sequence": id, "code": 0,
            "disposition": "accepted",
        }))
    }));
    events.push(event(json!({ "event": "finished", "outcome": "accepted" })));
    events.extend(["0a", "0b", "0c"].map(|id| {
        event(json!({
            "event": "reported", "resp_sequence": id, "report_sequence": null, "part": 1, "to": null,
            "state": "delivered", "word": "DELIVRD",
        }))
    }));
    let recorded = |n: u64, sequence: &str, id: &str, part: u8, content: &str| Recorded {
        n,
        at: 1,
        connection: 1,
        sequence: sequence.to_owned(),
        message_id: Some(id.to_owned()),
        source: ACCESS_NUMBER.to_owned(),
        destination: to.clone(),
        coding: 0,
        part,
        parts: 2,
        content: content.to_owned(),
        code: 0,
        answered: true,
        report: "delivered".to_owned(),
        duplicates: 0,
    };
    let record = vec![
        recorded(1, "1", "0a", 1, "05000301020168656c"),
        recorded(2, "2", "0b", 2, "0500030102026c6f"),
        recorded(3, "3", "0c", 1, "05000301020168656c"),
    ];
    Books { sent: BTreeMap::from([(id, submission)]), marked: BTreeSet::new(), events, record }
}

impl Books {
    fn close(&self) -> (Balance, Vec<Fault>) {
        let taken = self.sent.keys().cloned().collect();
        let (balance, faults) =
            Account::new(&self.sent, &taken, &self.marked).close(&self.events, &self.record);
        (balance, faults.into_keys().collect())
    }

    /// Without the events that `gone` says.
    fn without(mut self, gone: impl Fn(&Happened) -> bool) -> Vec<Fault> {
        self.events.retain(|told| !gone(&told.event.happened));
        self.close().1
    }
}

#[test]
fn books_that_agree_are_counted() {
    let expected = Balance {
        messages: 1,
        accepted: 1,
        uncertain: 0,
        parts: 2,
        duplicates: 1,
        repeats: 0,
        uncertain_pushes: 1,
        reports: 3,
    };
    assert_eq!(books().close(), (expected, vec![]));
}

#[test]
fn whatever_is_wrong_with_the_events_is_found() {
    let finished = |happened: &Happened| matches!(happened, Happened::Finished { .. });
    assert_eq!(books().without(finished), [Fault::Unfinished]);
    let second =
        |happened: &Happened| matches!(happened, Happened::Pushed { attempt: Attempt::Uncertain, .. });
    assert_eq!(books().without(second), [Fault::Untold, Fault::Duplicate]);
    let one = |happened: &Happened| matches!(happened, Happened::Reported { resp_sequence, .. } if resp_sequence == "0a");
    assert_eq!(books().without(one), [Fault::Unreported]);
    let mut twice = books();
    twice.events.push(twice.events[5].clone());
    assert_eq!(twice.close().1, [Fault::Order, Fault::FinishedTwice]);
    let mut uncertain = books();
    let Happened::Finished { outcome, .. } = &mut uncertain.events[5].event.happened else {
        panic!("no end")
    };
    *outcome = Outcome::Uncertain;
    assert_eq!(uncertain.close().1, [Fault::Ended]);
    uncertain.marked.insert("notice".to_owned());
    assert_eq!(uncertain.close().1, [Fault::Duplicate]);
}

#[test]
fn whatever_is_wrong_with_the_record_is_found() {
    let mut books = books();
    let removed = books.record.remove(1);
    assert_eq!(books.close().1, [Fault::Missing, Fault::Mistaken]);
    books.record.insert(1, Recorded { content: "0500030102026c6c".to_owned(), ..removed.clone() });
    assert_eq!(books.close().1, [Fault::Text]);
    books.record[1] = Recorded { source: "10690000".to_owned(), ..removed.clone() };
    assert_eq!(books.close().1, [Fault::Source]);
    books.record[1] = Recorded { sequence: "9".to_owned(), ..removed.clone() };
    assert_eq!(books.close().1, [Fault::Untold]);
    books.record[1] = removed.clone();
    books.record.push(Recorded { destination: "13".to_owned(), ..removed.clone() });
    assert_eq!(books.close().1, [Fault::Unknown]);
    books.record[3] = removed;
    assert_eq!(books.close(), (Balance { repeats: 1, ..self::books().close().0 }, vec![]));
}
