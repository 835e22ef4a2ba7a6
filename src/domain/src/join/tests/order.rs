//! Any facts, in any order, any of them repeated, by any UAOP: the same end.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{answer, copy, finished, pushed, refused, reported, told};
use crate::event::{Outcome, ReportState};
use crate::join::{Fact, Journey};
use crate::{Disposition, Millis};

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let happened = prop_oneof![
        (1..=2_u8, 1..=2_u8, 0..3_u8).prop_map(|(part, parts, sequence)| pushed(part, parts, sequence)),
        (1..=2_u8, 0..3_u8, select(vec![Disposition::Accepted, Disposition::Later, Disposition::Final]))
            .prop_map(|(part, sequence, disposition)| answer(part, sequence, disposition)),
        select(vec![Outcome::Accepted, refused(), Outcome::Uncertain, Outcome::Expired]).prop_map(finished),
        (1..=2_u8, select(vec![ReportState::Delivered, ReportState::Failed, ReportState::Waiting]))
            .prop_map(|(part, state)| reported(part, state)),
    ];
    let event = (1..=2_u8, 0..6_u64, happened).prop_map(|(gateway, at, h)| Fact::Told(told(gateway, at, h)));
    let copied = (0..3_u64).prop_map(|at| Fact::Copy(copy(at, true)));
    vec(prop_oneof![1 => copied, 8 => event], 1..16)
}

/// Joined one by one, concluded after each as a center does whose batches are small.
fn joined<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Journey {
    let mut journey = Journey::default();
    let mut revision = 0;
    for fact in facts {
        match fact {
            Fact::Copy(copy) => journey.copied(copy),
            Fact::Told(told) => journey.told(told, None),
            Fact::Mo(_) => false,
        };
        if let Some(report) = journey.conclude(Millis(99)) {
            revision += 1;
            assert_eq!(report.revision, revision);
        }
    }
    journey
}

/// All but what was published on the way.
fn bare(mut journey: Journey) -> Journey {
    journey.report = None;
    journey
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn neither_order_nor_repetition_matters(
        (facts, shuffled) in facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        again in vec(any::<(Index, Index)>(), 0..8),
    ) {
        let mut other: Vec<&Fact> = shuffled.iter().collect();
        for (which, place) in again {
            let fact = which.get(&facts);
            other.insert(place.index(other.len() + 1), fact);
        }
        let (one, other) = (joined(&facts), joined(other));
        prop_assert_eq!(one.end(), other.end());
        prop_assert_eq!(one.tally(), other.tally());
        prop_assert_eq!(bare(one), bare(other));
    }

    #[test]
    fn what_is_known_already_changes_nothing(facts in facts()) {
        let mut journey = joined(&facts);
        let before = journey.clone();
        for fact in &facts {
            let changed = match fact {
                Fact::Copy(copy) => journey.copied(copy),
                Fact::Told(told) => journey.told(told, None),
                Fact::Mo(_) => false,
            };
            prop_assert!(!changed);
        }
        prop_assert_eq!(journey.conclude(Millis(100)), None);
        prop_assert_eq!(journey, before);
    }

    #[test]
    fn the_last_report_says_the_end(facts in facts()) {
        let journey = joined(&facts);
        if let (Some(end), Some(_)) = (journey.end(), journey.copy()) {
            let report = journey.report().unwrap();
            prop_assert_eq!((report.state, &report.word, &report.reason), (end.state, &end.word, &end.reason));
        }
    }

    #[test]
    fn a_change_is_said(facts in facts()) {
        let mut journey = Journey::default();
        for fact in &facts {
            let before = journey.clone();
            let changed = match fact {
                Fact::Copy(copy) => journey.copied(copy),
                Fact::Told(told) => journey.told(told, None),
                Fact::Mo(_) => false,
            };
            // a part nothing is known of may have been made room for
            prop_assert_eq!(changed, serde_json::to_string(&journey).unwrap() != serde_json::to_string(&before).unwrap());
        }
    }
}
