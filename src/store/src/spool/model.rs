//! The spool against a model of it, under any sequence of batches, failing jobs among them, with restarts in between.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use domain::event::Outcome;
use domain::{Event, Happened, MessageText, Millis, Submission};
use proptest::collection::vec;
use proptest::prelude::*;

use super::types::{Change, Consumer, Counts, Fragment, SpoolSettings, Taken, Unwritten};
use super::{Recovered, Spool, SpoolError, change, take};

#[derive(Clone, Debug)]
enum Op {
    Take {
        id: u8,
        text: u8,
    },
    Write(Vec<Edit>),
    /// Takes and edits, then fails.
    Fail {
        id: u8,
        edits: Vec<Edit>,
    },
}

#[derive(Clone, Debug)]
enum Edit {
    Progress { key: i64, progress: u8 },
    Finish { key: i64 },
    Events(u8),
    Fragment { id: i64, content: u8 },
    FragmentGone { id: i64 },
}

#[derive(Clone, Debug)]
enum After {
    Nothing,
    Acknowledge(i64),
    Forget,
    Reopen,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_spool_does_what_its_model_does(batches in vec((vec(op(), 0..12), after()), 1..8)) {
        let folder = tempfile::tempdir().unwrap();
        let mut pair = Pair::new(folder.path());
        for (ops, after) in batches {
            pair.batch(ops);
            pair.compare();
            pair = pair.after(after, folder.path());
            pair.compare();
        }
        pair.reopen(folder.path()).compare();
    }
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..12u8, 0..3u8).prop_map(|(id, text)| Op::Take { id, text }),
        4 => vec(edit(), 0..4).prop_map(Op::Write),
        1 => (0..12u8, vec(edit(), 0..4)).prop_map(|(id, edits)| Op::Fail { id, edits }),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (1..15i64, any::<u8>()).prop_map(|(key, progress)| Edit::Progress { key, progress }),
        (1..15i64).prop_map(|key| Edit::Finish { key }),
        any::<u8>().prop_map(Edit::Events),
        (0..5i64, any::<u8>()).prop_map(|(id, content)| Edit::Fragment { id, content }),
        (0..5i64).prop_map(|id| Edit::FragmentGone { id }),
    ]
}

fn after() -> impl Strategy<Value = After> {
    prop_oneof![
        Just(After::Nothing),
        (0..1000i64).prop_map(After::Acknowledge),
        Just(After::Forget),
        Just(After::Reopen),
    ]
}

impl Op {
    /// Nobody can name a key before the batch that gives it is over.
    fn known_by(mut self, last_key: i64) -> Self {
        if let Self::Write(edits) | Self::Fail { edits, .. } = &mut self {
            for edit in edits {
                if let Edit::Progress { key, .. } | Edit::Finish { key } = edit {
                    *key %= last_key + 1;
                }
            }
        }
        self
    }
}

#[derive(Debug, Default)]
struct Model {
    /// By id: key, text, whether it is finished.
    known: BTreeMap<u8, (i64, u8, bool)>,
    /// By key: id, progress.
    messages: BTreeMap<i64, (u8, String)>,
    fragments: BTreeMap<i64, u8>,
    events: BTreeSet<i64>,
    last_key: i64,
    last_event: i64,
}

impl Model {
    fn take(&mut self, id: u8, text: u8) -> Taken {
        if let Some(&(key, first_text, finished)) = self.known.get(&id) {
            let outcome = finished.then_some(Outcome::Accepted);
            return Taken::Duplicate { key, same: text == first_text, outcome };
        }
        self.last_key += 1;
        self.known.insert(id, (self.last_key, text, false));
        self.messages.insert(self.last_key, (id, "new".to_owned()));
        Taken::New { key: self.last_key }
    }

    fn edit(&mut self, edit: &Edit) {
        match *edit {
            Edit::Progress { key, progress } => {
                if let Some(message) = self.messages.get_mut(&key) {
                    message.1 = progress.to_string();
                }
            }
            Edit::Finish { key } => {
                if let Some((id, _)) = self.messages.remove(&key) {
                    self.known.get_mut(&id).unwrap().2 = true;
                }
            }
            Edit::Events(count) => {
                for _ in 0..count {
                    self.last_event += 1;
                    self.events.insert(self.last_event);
                }
            }
            Edit::Fragment { id, content } => drop(self.fragments.insert(id, content)),
            Edit::FragmentGone { id } => drop(self.fragments.remove(&id)),
        }
    }

    fn acknowledge(&mut self, up_to: i64) {
        self.events.retain(|&number| number > up_to);
    }

    fn forget(&mut self) -> usize {
        let before = self.known.len();
        self.known.retain(|_, &mut (_, _, finished)| !finished);
        before - self.known.len()
    }
}

struct Pair {
    model: Model,
    spool: Spool,
    done: Sender<Result<Option<Taken>, SpoolError>>,
    results: Receiver<Result<Option<Taken>, SpoolError>>,
}

impl Pair {
    fn new(folder: &Path) -> Self {
        let (done, results) = channel();
        Self { model: Model::default(), spool: open(folder).0, done, results }
    }

    /// Gives all while the writer is held, so that it is one batch.
    fn batch(&mut self, ops: Vec<Op>) {
        let (entered, held) = channel();
        let (release, released) = channel::<()>();
        let hold = move |_| {
            entered.send(()).unwrap();
            released.recv().unwrap();
        };
        self.spool.write(vec![], hold).unwrap();
        held.recv().unwrap();
        let last_key = self.model.last_key;
        let expected: Vec<_> = ops.into_iter().map(|op| self.give(op.known_by(last_key))).collect();
        release.send(()).unwrap();
        for expected in expected {
            let result = self.results.recv().unwrap();
            match expected {
                Ok(taken) => assert_eq!(result, Ok(taken)),
                Err(()) => assert!(matches!(result, Err(SpoolError::Rejected { .. })), "{result:?}"),
            }
        }
    }

    fn give(&mut self, op: Op) -> Result<Option<Taken>, ()> {
        let done = self.done.clone();
        match op {
            Op::Take { id, text } => {
                let done = move |result: Result<Vec<_>, _>| {
                    done.send(result.map(|mut taken| taken.pop())).unwrap();
                };
                self.spool
                    .take_many(vec![(submission(id, text), "new".to_owned())], Millis(1), done)
                    .unwrap();
                Ok(Some(self.model.take(id, text)))
            }
            Op::Write(edits) => {
                edits.iter().for_each(|edit| self.model.edit(edit));
                let done = move |result: Result<(), Unwritten>| {
                    done.send(result.map(|()| None).map_err(|unwritten| unwritten.error)).unwrap();
                };
                self.spool.write(changes(&edits), done).unwrap();
                Ok(None)
            }
            Op::Fail { id, edits } => {
                let (submission, changes) = (submission(id, 0), changes(&edits));
                let work = move |c: &rusqlite::Connection, stage: &mut _| {
                    take::take(c, stage, &submission, "failing", Millis(1))?;
                    change::apply(c, stage, &changes)?;
                    Err(rusqlite::Error::InvalidQuery)
                };
                self.spool.inner.writer.push(work, move |result| done.send(result).unwrap()).unwrap();
                Err(())
            }
        }
    }

    fn after(mut self, after: After, folder: &Path) -> Self {
        match after {
            After::Nothing => {}
            After::Acknowledge(up_to) => {
                self.model.acknowledge(up_to);
                let done = self.done.clone();
                let done = move |result: Result<(), _>| done.send(result.map(|()| None)).unwrap();
                let consumers = vec![Consumer { name: "a".to_owned(), acknowledged: up_to }];
                self.spool.acknowledge(consumers, done).unwrap();
                self.results.recv().unwrap().unwrap();
            }
            After::Forget => {
                let (done, forgotten) = channel();
                let done = move |result| done.send(result).unwrap();
                self.spool.forget(Millis(u64::MAX), usize::MAX, done).unwrap();
                assert_eq!(forgotten.recv().unwrap().unwrap(), self.model.forget());
            }
            After::Reopen => return self.reopen(folder),
        }
        self
    }

    fn reopen(self, folder: &Path) -> Self {
        let Self { model, spool, done, results } = self;
        drop(spool);
        let (spool, recovered) = open(folder);
        let pair = Self { model, spool, done, results };
        pair.compare_recovered(recovered);
        pair
    }

    fn compare(&self) {
        let told = self.spool.events(0, usize::MAX).unwrap();
        assert!(told.iter().map(|(number, _)| *number).eq(self.model.events.iter().copied()));
        let (done, known) = channel();
        let ids = (0..12).map(|id| submission(id, 0).uaop_id).collect();
        self.spool.known(ids, move |result| done.send(result).unwrap()).unwrap();
        assert!(
            known
                .recv()
                .unwrap()
                .unwrap()
                .into_iter()
                .eq((0..12).map(|id| self.model.known.contains_key(&id)))
        );
        let counts = Counts {
            unfinished: self.model.messages.len() as u64,
            events: self.model.events.len() as u64,
            last_event: self.model.last_event,
        };
        assert_eq!(self.spool.counts(), counts);
    }

    fn compare_recovered(&self, recovered: Recovered) {
        let expected = self.model.messages.iter().map(|(&key, (id, progress))| {
            let text = self.model.known[id].1;
            (key, submission(*id, text), progress.clone())
        });
        let found = recovered.messages.map(Result::unwrap);
        assert!(found.map(|m| (m.key, m.submission, m.progress)).eq(expected));
        let expected = self.model.fragments.iter().map(|(&id, &content)| fragment(id, content));
        assert!(recovered.fragments.into_iter().eq(expected));
    }
}

pub(super) fn open(folder: &Path) -> (Spool, Recovered) {
    let settings = SpoolSettings { queue: 1000, started: Millis(1), tuning: Default::default() };
    Spool::open(folder, settings).unwrap()
}

pub(super) fn submission(id: u8, text: u8) -> Submission {
    Submission {
        uaop_id: format!("m-{id}").parse().unwrap(),
        empi_id: "bank-1".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: "13800138000".parse().unwrap(),
        extension: String::new(),
        text: MessageText(text.to_string()),
        report: true,
        priority: 0,
        not_after: None,
    }
}

fn changes(edits: &[Edit]) -> Vec<Change> {
    let change = |edit: &Edit| match *edit {
        Edit::Progress { key, progress } => vec![Change::Progress { key, progress: progress.to_string() }],
        Edit::Finish { key } => vec![Change::Finish { key, outcome: Outcome::Accepted, at: Millis(2) }],
        Edit::Events(count) => vec![Change::Event(event()); usize::from(count)],
        Edit::Fragment { id, content } => vec![Change::Fragment(fragment(id, content))],
        Edit::FragmentGone { id } => vec![Change::FragmentsGone(vec![id])],
    };
    edits.iter().flat_map(change).collect()
}

pub(super) fn event() -> Event {
    Event {
        gateway: "cm-1".parse().unwrap(),
        epoch: Millis(1),
        account: "main".parse().unwrap(),
        at: Millis(1),
        happened: Happened::LinkUp { connection: 0 },
    }
}

fn fragment(id: i64, content: u8) -> Fragment {
    Fragment {
        id,
        account: "main".parse().unwrap(),
        key: "k".to_owned(),
        part: 1,
        parts: 2,
        coding: 8,
        content: vec![content],
        at: Millis(1),
    }
}
