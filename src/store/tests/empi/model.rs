//! Any sequence of calls, held against a model that is simple enough to believe.

use std::collections::BTreeMap;

use domain::{Bank, FinalState, ForBank, Millis, UaopId};
use proptest::prelude::*;
use store::empi::{Accepted, Called, EmpiStore, Key};

use super::engine::*;

const IDS: usize = 6;
const BANKS: [&str; 2] = ["core", "card"];
/// From one step to the next.
const STEP: u64 = 17_000;
const LEASE: u64 = 3 * STEP;

#[derive(Clone, Debug)]
enum Step {
    /// Number and text.
    Accept(Vec<(usize, bool)>),
    Handed(Vec<usize>),
    /// Offset, and the report's number and revision, or a user's message; whether the second bank is called.
    Keep(Vec<(i64, Option<(usize, u32)>)>, bool),
    /// How many calls, and how they went.
    Call(usize, bool),
    /// Steps ago.
    Forget(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..IDS;
    let came = (0..12_i64, proptest::option::weighted(0.8, (number.clone(), 1..4_u32)));
    prop_oneof![
        4 => prop::collection::vec((number.clone(), prop::bool::weighted(0.2)), 0..4).prop_map(Step::Accept),
        3 => prop::collection::vec(number, 0..3).prop_map(Step::Handed),
        4 => (prop::collection::vec(came, 0..4), any::<bool>()).prop_map(|(came, both)| Step::Keep(came, both)),
        2 => (1..4_usize, any::<bool>()).prop_map(|(most, done)| Step::Call(most, done)),
        1 => (0..8_u64).prop_map(Step::Forget),
        1 => Just(Step::Reopen),
    ]
}

struct Message {
    other: bool,
    at: u64,
    handed: Option<u64>,
    /// Revision and offset.
    report: (u32, i64),
}

struct Kept {
    bank: Option<&'static str>,
    number: Option<usize>,
    revision: u32,
    at: u64,
}

struct Due {
    tries: u32,
    since: u64,
    due: u64,
}

#[derive(Default)]
struct Model {
    messages: BTreeMap<usize, Message>,
    waiting: Vec<usize>,
    items: BTreeMap<i64, Kept>,
    strays: BTreeMap<usize, (u32, i64)>,
    calls: BTreeMap<(i64, &'static str), Due>,
    accepted: BTreeMap<(&'static str, u64), u64>,
}

fn bank_of(number: usize) -> &'static str {
    BANKS[number % BANKS.len()]
}

fn text(other: bool) -> &'static str {
    if other { "other" } else { "text" }
}

impl Model {
    fn accept(&mut self, number: usize, other: bool, at: u64) -> Accepted {
        if let Some(message) = self.messages.get(&number) {
            return if message.other == other { Accepted::Duplicate } else { Accepted::Conflict };
        }
        self.messages.insert(number, Message { other, at, handed: None, report: (0, 0) });
        self.waiting.push(number);
        *self.accepted.entry((bank_of(number), at / 60_000)).or_default() += 1;
        Accepted::New
    }

    fn handed(&mut self, number: usize, at: u64) {
        if let Some(message) = self.messages.get_mut(&number) {
            message.handed.get_or_insert(at);
            self.waiting.retain(|waiting| *waiting != number);
        }
    }

    fn keep(&mut self, offset: i64, report: Option<(usize, u32)>, called: &[&'static str], at: u64) {
        if self.items.contains_key(&offset) {
            return;
        }
        let Some((number, revision)) = report else {
            self.items.insert(offset, Kept { bank: None, number: None, revision: 0, at });
            for bank in called {
                self.calls.insert((offset, bank), Due { tries: 0, since: at, due: at });
            }
            return;
        };
        let stray = self.strays.get(&number).map_or(0, |stray| stray.0);
        let message = self.messages.get_mut(&number);
        if message.as_ref().map_or(0, |message| message.report.0).max(stray) >= revision {
            return;
        }
        let mut owner = None;
        match message {
            Some(message) => {
                message.report = (revision, offset);
                owner = Some(bank_of(number));
                if called.contains(&bank_of(number)) {
                    self.calls.insert((offset, bank_of(number)), Due { tries: 0, since: at, due: at });
                }
            }
            None => drop(self.strays.insert(number, (revision, offset))),
        }
        self.items.insert(offset, Kept { bank: owner, number: Some(number), revision, at });
    }

    fn due(&mut self, now: u64, most: usize) -> Vec<(i64, &'static str, u32, u64)> {
        let mut due: Vec<_> =
            self.calls.iter().filter(|(_, due)| due.due <= now).map(|(key, due)| (due.due, *key)).collect();
        due.sort_unstable();
        let mut leased = Vec::new();
        for (_, key) in due.into_iter().take(most) {
            let call = self.calls.get_mut(&key).unwrap();
            call.due = now + LEASE;
            leased.push((key.0, key.1, call.tries, call.since));
        }
        leased
    }

    fn forget(&mut self, before: u64) -> u64 {
        let there = self.messages.len() + self.items.len();
        self.messages.retain(|number, message| message.at >= before || self.waiting.contains(number));
        let calls = &self.calls;
        self.items
            .retain(|offset, kept| kept.at >= before || calls.keys().any(|(cursor, _)| cursor == offset));
        self.strays.retain(|_, (_, offset)| self.items.contains_key(offset));
        self.accepted.retain(|(_, minute), _| *minute >= before / 60_000);
        (there - self.messages.len() - self.items.len()) as u64
    }

    async fn check(&self, store: &dyn EmpiStore) {
        assert_eq!(waiting(store).await, ids(self.waiting.iter().copied()));
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.waiting, counts.calls), (self.waiting.len() as u64, self.calls.len() as u64));
        for number in 0..IDS {
            self.check_message(store, number).await;
        }
        for name in BANKS {
            let items = store.items(&bank(name), -1, usize::MAX).await.unwrap();
            let found: Vec<_> = items
                .iter()
                .map(|item| (item.cursor, item.bank.as_ref().map(Bank::as_str), which(&item.item)))
                .collect();
            let wanted: Vec<_> = self
                .items
                .iter()
                .filter(|(_, kept)| kept.bank.is_none_or(|owner| owner == name))
                .map(|(offset, kept)| {
                    (*offset, kept.bank, kept.number.map(|number| (id(number), kept.revision)))
                })
                .collect();
            assert_eq!(found, wanted);
            let accepted = self.accepted.iter().filter(|((owner, _), _)| *owner == name);
            let sum = accepted.map(|(_, count)| count).sum::<u64>();
            assert_eq!(store.accepted_since(&bank(name), Millis(0)).await.unwrap(), sum);
        }
    }

    async fn check_message(&self, store: &dyn EmpiStore, number: usize) {
        let view = store.message(&bank(bank_of(number)), &Key::Id(id(number))).await.unwrap();
        let by_reference = Key::Reference(format!("r-{number}").parse().unwrap());
        assert_eq!(store.message(&bank(bank_of(number)), &by_reference).await.unwrap(), view);
        let Some(message) = self.messages.get(&number) else {
            assert_eq!(view, None);
            return;
        };
        let view = view.unwrap();
        assert_eq!(view.submission, submission(number, text(message.other)));
        assert_eq!((view.accepted_at.0, view.handed_at.map(|at| at.0)), (message.at, message.handed));
        let stray = self.strays.get(&number).copied().unwrap_or_default();
        let last = if stray.0 > message.report.0 { stray } else { message.report };
        // what came under the cursor after its report was forgotten is not about it
        let kept = self.items.get(&last.1).filter(|kept| last.0 > 0 && kept.number == Some(number));
        let report = kept.map(|kept| kept.revision);
        assert_eq!(view.report.map(|report| report.revision), report);
    }
}

fn which(item: &ForBank) -> Option<(UaopId, u32)> {
    match item {
        ForBank::Report(report) => Some((report.uaop_id.clone(), report.revision)),
        ForBank::Mo(_) => None,
    }
}

async fn run(engine: Engine, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut store = engine.open().await;
    for (number, step) in (0..).zip(steps) {
        let now = NOW + number * STEP;
        match step {
            Step::Accept(messages) => {
                let entries = messages.iter().map(|(number, other)| store::empi::Entry {
                    at: Millis(now),
                    ..entry_of(bank_of(*number), *number, text(*other))
                });
                let answers = store.accept(entries.collect()).await.unwrap();
                let wanted: Vec<_> =
                    messages.iter().map(|(number, other)| model.accept(*number, *other, now)).collect();
                assert_eq!(answers, wanted);
            }
            Step::Handed(numbers) => {
                store.handed(ids(numbers.iter().copied()), Millis(now)).await.unwrap();
                numbers.iter().for_each(|number| model.handed(*number, now));
            }
            Step::Keep(came, both) => {
                let called = if both { &BANKS[..] } else { &BANKS[..1] };
                let items = came.iter().map(|(offset, report_of)| match report_of {
                    Some((number, revision)) => (*offset, report(*number, *revision, FinalState::Failed)),
                    None => (*offset, user_message("text")),
                });
                let banks: Vec<Bank> = called.iter().map(|name| bank(name)).collect();
                store.keep(items.collect(), &banks, Millis(now)).await.unwrap();
                came.iter().for_each(|(offset, report)| model.keep(*offset, *report, called, now));
            }
            Step::Call(most, done) => call(&mut model, &*store, (most, done), now).await,
            Step::Forget(steps) => {
                let before = now.saturating_sub(steps * STEP);
                let forgotten = store.forget(Millis(before), usize::MAX).await.unwrap();
                assert_eq!(forgotten, model.forget(before));
            }
            Step::Reopen => {
                drop(store);
                store = engine.open().await;
            }
        }
        model.check(&*store).await;
    }
}

async fn call(model: &mut Model, store: &dyn EmpiStore, (most, done): (usize, bool), now: u64) {
    let mut calls = store.calls(Millis(now), Millis(now + LEASE), most).await.unwrap();
    // Which bank comes first about one item is nobody's business, unless it decides who is called.
    let mut wanted = model.due(now, most);
    wanted.sort_unstable();
    calls.sort_by_key(|call| (call.item.cursor, call.bank.clone()));
    let found: Vec<_> =
        calls.iter().map(|call| (call.item.cursor, call.bank.as_str(), call.tries, call.since.0)).collect();
    assert_eq!(found, wanted);
    let went = if done { Called::Done } else { Called::Again(Millis(now + STEP)) };
    let results = calls.iter().map(|call| (call.bank.clone(), call.item.cursor, went)).collect();
    store.called(results).await.unwrap();
    for (cursor, bank, _, _) in wanted {
        if done {
            model.calls.remove(&(cursor, bank));
        } else if let Some(call) = model.calls.get_mut(&(cursor, bank)) {
            call.tries += 1;
            call.due = now + STEP;
        }
    }
}

fn blocking(engine: Engine, steps: Vec<Step>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(engine, steps));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sqlite_does_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        blocking(Engine::sqlite(), steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 50, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn postgres_does_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        blocking(Engine::postgres(), steps);
    }
}
