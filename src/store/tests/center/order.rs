//! Any facts, in batches of any size and order, some of them twice, the store opened anew in between: what is kept and
//! published is what the journeys say by themselves.

use std::collections::BTreeMap;

use domain::event::{Outcome, ReportState};
use domain::join::Journey;
use domain::{FinalState, ForBank, Happened, Millis, UaopId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use store::center::{CenterStore, Fact, Stage, Wanted};

use crate::engine::Engine;
use crate::facts::*;

const MESSAGES: u64 = 3;

/// Each as it is told, and with the message and part that it is of.
fn fact() -> impl Strategy<Value = (Fact, u64, u8)> {
    let outcomes = vec![Outcome::Accepted, refused(), Outcome::Uncertain, Outcome::Expired];
    let states = vec![ReportState::Delivered, ReportState::Failed, ReportState::Waiting];
    let (message, part) = (0..MESSAGES, 1..=2_u8);
    prop_oneof![
        1 => message.clone().prop_map(|number| (copy(number), number, 1)),
        1 => (message.clone(), part.clone()).prop_map(|(number, part)| (pushed(number, part, 2), number, part)),
        2 => (message.clone(), part.clone()).prop_map(|(number, part)| (accepted(number, part), number, part)),
        1 => (message.clone(), select(outcomes)).prop_map(|(number, outcome)| (finished(number, outcome), number, 1)),
        2 => (message, part, select(states), any::<bool>()).prop_map(|(number, part, state, known)| {
            let mut fact = reported(number, part, state);
            if known && let Fact::Told(told) = &mut fact
                && let Happened::Reported { uaop_id, part: named, .. } = &mut told.event.happened
            {
                (*uaop_id, *named) = (Some(id(number)), Some(part));
            }
            (fact, number, part)
        }),
    ]
}

/// What is known of each message when all is told. A report by the carrier's id is known when the answer with it is.
fn model(facts: &[(Fact, u64, u8)]) -> BTreeMap<UaopId, Journey> {
    let answered = |number: u64, part: u8| facts.iter().any(|(fact, ..)| *fact == accepted(number, part));
    let mut journeys: BTreeMap<UaopId, Journey> = BTreeMap::new();
    for (fact, number, part) in facts {
        match fact {
            Fact::Copy(copy) => {
                journeys.entry(id(*number)).or_default().copied(copy);
            }
            Fact::Told(told) => {
                let orphan = matches!(told.event.happened, Happened::Reported { uaop_id: None, .. });
                if !orphan || answered(*number, *part) {
                    journeys.entry(id(*number)).or_default().told(told, Some(*part));
                }
            }
            Fact::Mo(_) => {}
        }
    }
    journeys
}

type Told = (Vec<(Fact, u64, u8)>, Vec<Fact>, Vec<(usize, bool)>);

fn told() -> impl Strategy<Value = Told> {
    let again = vec(any::<(Index, Index)>(), 0..6);
    let batches = vec((1..8_usize, any::<bool>()), 40);
    (vec(fact(), 1..24), again, batches).prop_flat_map(|(facts, again, batches)| {
        let mut all: Vec<Fact> = facts.iter().map(|(fact, ..)| fact.clone()).collect();
        for (which, place) in again {
            all.insert(place.index(all.len() + 1), which.get(&facts).0.clone());
        }
        (Just(facts), Just(all).prop_shuffle(), Just(batches))
    })
}

async fn join(engine: &Engine, facts: &[Fact], batches: &[(usize, bool)]) -> std::sync::Arc<dyn CenterStore> {
    let mut store = engine.open().await;
    let mut left = facts;
    for (size, reopen) in batches {
        let (batch, rest) = left.split_at((*size).min(left.len()));
        store.join(batch.to_vec(), at(99)).await.unwrap();
        left = rest;
        if *reopen {
            drop(store);
            store = engine.open().await;
        }
        if left.is_empty() {
            break;
        }
    }
    assert!(left.is_empty());
    store
}

async fn compare(store: &dyn CenterStore, journeys: &BTreeMap<UaopId, Journey>) -> Result<(), TestCaseError> {
    let mut last: BTreeMap<UaopId, (u32, FinalState)> = BTreeMap::new();
    for (_, record) in store.outbox(1000).await.unwrap() {
        let ForBank::Report(report) = record else { panic!("nobody wrote") };
        let before = last.insert(report.uaop_id.clone(), (report.revision, report.state));
        prop_assert_eq!(report.revision, before.map_or(1, |(revision, _)| revision + 1));
    }
    let mut finals: BTreeMap<FinalState, u64> = BTreeMap::new();
    for number in 0..MESSAGES {
        let view = store.message(&id(number)).await.unwrap();
        let Some(journey) = journeys.get(&id(number)) else {
            prop_assert_eq!(view, None);
            continue;
        };
        let view = view.unwrap();
        prop_assert_eq!((view.stage, view.at, view.parts), (journey.stage(), journey.at(), journey.parts()));
        prop_assert_eq!(view.submission.as_ref(), journey.copy().map(|copy| &copy.submission));
        prop_assert_eq!(view.report.map(|r| (r.revision, r.state)), last.get(&id(number)).copied());
        if let (Stage::Final(state), Some(_)) = (journey.stage(), journey.copy()) {
            prop_assert_eq!(last[&id(number)].1, state);
            *finals.entry(state).or_default() += 1;
        }
    }
    let counts = store.counts().await.unwrap();
    prop_assert_eq!(counts.messages, journeys.len() as u64);
    prop_assert_eq!(counts.open, journeys.values().filter(|journey| journey.is_open()).count() as u64);
    prop_assert_eq!(counts.orphans, store.orphans(0, 1000).await.unwrap().len() as u64);
    let mut counted: BTreeMap<FinalState, u64> = BTreeMap::new();
    for figure in store.figures("2025-10-09", "2025-10-09").await.unwrap() {
        figure
            .finals
            .into_iter()
            .for_each(|(state, messages)| *counted.entry(state).or_default() += messages);
    }
    prop_assert_eq!(counted, finals);
    let waits = journeys.values().filter(|journey| journey.waits()).count() as u64;
    prop_assert_eq!(store.overdue(Millis(u64::MAX), at(100), 1000).await.unwrap(), waits);
    let page = store.messages(&Wanted { most: 100, ..Wanted::default() }).await.unwrap();
    prop_assert_eq!(page.rows.len(), journeys.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_store_is_what_its_journeys_are((facts, told, batches) in told()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let engine = Engine::sqlite();
            let store = join(&engine, &told, &batches).await;
            compare(&*store, &model(&facts)).await
        })?;
    }
}
