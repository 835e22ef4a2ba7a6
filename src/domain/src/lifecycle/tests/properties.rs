//! Whatever happens to a message, in whatever order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::Disposition;
use crate::event::{Attempt, Outcome};
use crate::lifecycle::{Answered, Delivery, Part, WhenUncertain};

#[derive(Clone, Debug)]
enum Operation {
    Next(u8),
    Pushed(u8, u8),
    Answered(u8, u8, Disposition, u16),
    AnsweredCurrent(u8, Disposition, u16),
    Lost(u8),
    Withdrawn(u8),
    Recover,
    Expire,
}

fn dispositions() -> impl Strategy<Value = Disposition> {
    prop::sample::select(vec![
        Disposition::Accepted,
        Disposition::SlowDown,
        Disposition::Later,
        Disposition::Final,
    ])
}

fn operations() -> impl Strategy<Value = Operation> {
    let part = 0..5_u8;
    let sequence = 0..4_u8;
    let tries = 0..4_u16;
    prop_oneof![
        8 => sequence.clone().prop_map(Operation::Next),
        2 => (part.clone(), sequence.clone()).prop_map(|(p, s)| Operation::Pushed(p, s)),
        3 => (part.clone(), sequence, dispositions(), tries.clone())
            .prop_map(|(p, s, d, t)| Operation::Answered(p, s, d, t)),
        6 => (part.clone(), dispositions(), tries).prop_map(|(p, d, t)| Operation::AnsweredCurrent(p, d, t)),
        3 => part.clone().prop_map(Operation::Lost),
        2 => part.prop_map(Operation::Withdrawn),
        1 => Just(Operation::Recover),
        1 => Just(Operation::Expire),
    ]
}

fn policies() -> impl Strategy<Value = WhenUncertain> {
    prop::sample::select(vec![WhenUncertain::Resend, WhenUncertain::Mark])
}

/// What one operation did.
#[derive(Default)]
struct Done {
    pushed: Option<(u8, Attempt)>,
    answered: Option<Answered>,
}

fn run(delivery: &mut Delivery, operation: &Operation) -> Done {
    let mut done = Done::default();
    match *operation {
        Operation::Next(sequence) => {
            if let Some((part, attempt)) = delivery.next() {
                assert_eq!(delivery.pushed(part, &sequence.to_string()), Ok(attempt));
                done.pushed = Some((part, attempt));
            }
        }
        Operation::Pushed(part, sequence) => {
            done.pushed = delivery.pushed(part, &sequence.to_string()).ok().map(|attempt| (part, attempt));
        }
        Operation::Answered(part, sequence, disposition, tries) => {
            done.answered = delivery.answered(part, &sequence.to_string(), 7, disposition, None, tries).ok();
        }
        Operation::AnsweredCurrent(part, disposition, tries) => {
            if let Some(sequence) = current(delivery, part) {
                done.answered = delivery.answered(part, &sequence, 7, disposition, None, tries).ok();
            }
        }
        Operation::Lost(part) => drop(delivery.lost(part)),
        Operation::Withdrawn(part) => drop(delivery.withdrawn(part)),
        Operation::Recover => drop(delivery.recover()),
        Operation::Expire => delivery.expire(),
    }
    done
}

/// The sequence that `part` is pushed under.
fn current(delivery: &Delivery, part: u8) -> Option<String> {
    match delivery.parts().get(usize::from(part.checked_sub(1)?))? {
        Part::Pushed { push_sequence, .. } => Some(push_sequence.clone()),
        _ => None,
    }
}

proptest! {
    #[test]
    fn an_outcome_is_the_last_unless_a_late_answer_takes_the_doubt_away(
        parts in 1..4_u8, policy in policies(), operations in prop::collection::vec(operations(), 0..40),
    ) {
        let mut delivery = Delivery::new(parts, policy);
        for operation in &operations {
            let before = delivery.outcome();
            let done = run(&mut delivery, operation);
            let after = delivery.outcome();
            if before.is_some() {
                prop_assert_eq!(done.pushed, None);
            }
            if before.is_some() && before != after {
                prop_assert_eq!(before, Some(Outcome::Uncertain));
                prop_assert_eq!(done.answered, Some(Answered::Accepted));
                prop_assert!(matches!(after, Some(Outcome::Accepted | Outcome::Uncertain | Outcome::Expired)));
            }
        }
    }

    #[test]
    fn a_push_says_uncertain_exactly_if_an_earlier_push_of_the_part_was_lost(
        parts in 1..4_u8, policy in policies(), operations in prop::collection::vec(operations(), 0..40),
    ) {
        let mut delivery = Delivery::new(parts, policy);
        let mut lost = BTreeSet::new();
        for operation in &operations {
            let pushed: Vec<u8> = (1..=parts).filter(|&part| current(&delivery, part).is_some()).collect();
            let done = run(&mut delivery, operation);
            if let Some((part, attempt)) = done.pushed {
                prop_assert_eq!(attempt == Attempt::Uncertain, lost.contains(&part));
                prop_assert!(policy == WhenUncertain::Resend || attempt != Attempt::Uncertain);
            }
            match operation {
                Operation::Lost(part) if pushed.contains(part) => drop(lost.insert(*part)),
                Operation::Recover => lost.extend(pushed),
                _ => {}
            }
        }
    }

    #[test]
    fn a_message_to_resend_ends_uncertain_only_if_its_time_was_over_or_a_part_in_doubt_is_refused(
        parts in 1..4_u8, operations in prop::collection::vec(operations(), 0..40),
    ) {
        let mut delivery = Delivery::new(parts, WhenUncertain::Resend);
        for operation in &operations {
            run(&mut delivery, operation);
            prop_assert!(!delivery.parts().contains(&Part::Uncertain));
            let refused = delivery.parts().iter().any(|part| matches!(part, Part::Refused { in_doubt: true, .. }));
            prop_assert!(delivery.outcome() != Some(Outcome::Uncertain) || delivery.expired() || refused);
        }
    }

    #[test]
    fn a_message_is_accepted_exactly_if_every_part_is(
        parts in 1..4_u8, policy in policies(), operations in prop::collection::vec(operations(), 0..40),
    ) {
        let mut delivery = Delivery::new(parts, policy);
        for operation in &operations {
            run(&mut delivery, operation);
            let every = delivery.parts().iter().all(|part| matches!(part, Part::Accepted { .. }));
            prop_assert_eq!(delivery.outcome() == Some(Outcome::Accepted), every);
        }
    }

    #[test]
    fn a_message_always_can_be_brought_to_its_end(
        parts in 1..4_u8, policy in policies(), operations in prop::collection::vec(operations(), 0..40),
    ) {
        let mut delivery = Delivery::new(parts, policy);
        for operation in &operations {
            run(&mut delivery, operation);
        }
        delivery.recover();
        while let Some((part, _)) = delivery.next() {
            delivery.pushed(part, "last").unwrap();
            delivery.answered(part, "last", 0, Disposition::Accepted, None, 1).unwrap();
        }
        prop_assert!(delivery.outcome().is_some());
    }

    #[test]
    fn it_is_read_back_as_it_was_stored(
        parts in 1..4_u8, policy in policies(), operations in prop::collection::vec(operations(), 0..40),
    ) {
        let mut delivery = Delivery::new(parts, policy);
        for operation in &operations {
            run(&mut delivery, operation);
        }
        let json = serde_json::to_string(&delivery).unwrap();
        prop_assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);
    }
}
