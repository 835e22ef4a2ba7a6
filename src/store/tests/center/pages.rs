//! Finding messages, page by page.

use std::collections::BTreeMap;

use domain::event::ReportState;
use domain::{FinalState, UaopId};
use store::center::{CenterStore, Fact, Figure, Page, Stage, Wanted};

use crate::engine::Engine;
use crate::facts::*;
use crate::on_both;

on_both! {
    pages_have_no_gaps_and_no_doubles
    each_filter_finds_its_own_and_together_they_find_what_is_both
    a_place_that_is_none_gives_an_empty_page
    users_messages_are_found_by_who_sent_them
    figures_are_what_a_recount_says
    figures_are_of_the_day_where_the_center_is
}

async fn all(store: &dyn CenterStore, mut wanted: Wanted) -> Vec<UaopId> {
    let mut found = Vec::new();
    loop {
        let Page { rows, next } = store.messages(&wanted).await.unwrap();
        assert!(rows.len() <= wanted.most.max(1));
        found.extend(rows.into_iter().map(|view| view.uaop_id));
        match next {
            Some(next) => wanted.after = Some(next),
            None => return found,
        }
    }
}

fn newest_first(numbers: impl DoubleEndedIterator<Item = u64>) -> Vec<UaopId> {
    numbers.rev().map(id).collect()
}

async fn pages_have_no_gaps_and_no_doubles(engine: Engine) {
    let store = engine.open().await;
    // three of each moment
    let copies = (0..30).map(|number| copy_of(submission(number), number / 3)).collect();
    store.join(copies, at(5)).await.unwrap();
    for most in [1, 7, 29, 30, 31] {
        let found = all(&*store, Wanted { most, ..Wanted::default() }).await;
        assert_eq!(found, newest_first(0..30), "{most} on a page");
    }
    let wanted = Wanted { from: Some(at(2)), until: Some(at(4)), most: 4, ..Wanted::default() };
    assert_eq!(all(&*store, wanted).await, newest_first(6..12));
    let first = store.messages(&Wanted { most: 5, ..Wanted::default() }).await.unwrap();
    store.join(vec![copy_of(submission(99), 99)], at(6)).await.unwrap();
    let rest = all(&*store, Wanted { most: 5, after: first.next, ..Wanted::default() }).await;
    assert_eq!(rest, newest_first(0..25), "what comes meanwhile is before the first page");
}

async fn each_filter_finds_its_own_and_together_they_find_what_is_both(engine: Engine) {
    let store = engine.open().await;
    let mut facts = Vec::new();
    for number in 0..20 {
        let mut submission = submission(number);
        submission.empi_id = format!("bank-{}", number % 2).parse().unwrap();
        submission.to = format!("+86138{:08}", number % 5).parse().unwrap();
        facts.push(copy_of(submission, number));
        if number % 4 == 0 {
            facts.extend([
                pushed(number, 1, 1),
                accepted(number, 1),
                reported(number, 1, ReportState::Failed),
            ]);
        }
    }
    store.join(facts, at(50)).await.unwrap();
    let base = Wanted { most: 3, ..Wanted::default() };
    let of = |keep: fn(&u64) -> bool| newest_first((0..20).filter(keep));

    let to = Some(number(3));
    assert_eq!(all(&*store, Wanted { to: to.clone(), ..base.clone() }).await, of(|n| n % 5 == 3));
    let empi = Some("bank-1".parse().unwrap());
    assert_eq!(all(&*store, Wanted { empi: empi.clone(), ..base.clone() }).await, of(|n| n % 2 == 1));
    let carrier = Some("mobile".parse().unwrap());
    assert_eq!(all(&*store, Wanted { carrier: carrier.clone(), ..base.clone() }).await, of(|n| n % 4 == 0));
    let stage = Some(Stage::Final(FinalState::Failed));
    assert_eq!(all(&*store, Wanted { stage, ..base.clone() }).await, of(|n| n % 4 == 0));
    let stage = Some(Stage::Routed);
    assert_eq!(all(&*store, Wanted { stage, ..base.clone() }).await, of(|n| n % 4 != 0));

    let from = Some(at(4));
    let both = Wanted { to, empi, stage, from, ..base.clone() };
    assert_eq!(all(&*store, both.clone()).await, of(|n| n % 5 == 3 && n % 2 == 1 && *n >= 4));
    assert_eq!(all(&*store, Wanted { carrier, ..both }).await, []);
}

async fn a_place_that_is_none_gives_an_empty_page(engine: Engine) {
    let store = engine.open().await;
    store.join(vec![copy(1)], at(5)).await.unwrap();
    for after in ["", "x", "1", "1.", "1.x", "99999999999999999999.1", "1.1; DROP TABLE messages"] {
        let wanted = Wanted { after: Some(after.to_owned()), most: 5, ..Wanted::default() };
        assert_eq!(store.messages(&wanted).await.unwrap(), Page { rows: vec![], next: None }, "{after}");
        assert_eq!(store.user_messages(&wanted).await.unwrap(), Page { rows: vec![], next: None }, "{after}");
    }
    assert_eq!(store.counts().await.unwrap().messages, 1);
}

async fn users_messages_are_found_by_who_sent_them(engine: Engine) {
    let store = engine.open().await;
    let messages: Vec<_> = (0..10).map(user_message).collect();
    store.join(messages.iter().cloned().map(Fact::Mo).collect(), at(5)).await.unwrap();
    let mut wanted = Wanted { to: Some(number(3)), most: 4, ..Wanted::default() };
    assert_eq!(store.user_messages(&wanted).await.unwrap().rows, [messages[3].clone()]);
    wanted =
        Wanted { empi: Some("bank-1".parse().unwrap()), from: Some(at(1)), most: 5, ..Wanted::default() };
    let first = store.user_messages(&wanted).await.unwrap();
    wanted.after = Some(first.next.unwrap());
    let second = store.user_messages(&wanted).await.unwrap();
    assert_eq!(second.next, None);
    let found: Vec<_> = first.rows.into_iter().chain(second.rows).rev().collect();
    assert_eq!(found, messages[1..]);
    wanted.empi = Some("bank-2".parse().unwrap());
    assert_eq!(store.user_messages(&wanted).await.unwrap().rows, []);
}

async fn figures_are_what_a_recount_says(engine: Engine) {
    let store = engine.open().await;
    for number in 0..12 {
        let facts = delivered(number);
        // one after the other, so that each message is counted in several states
        for fact in facts.into_iter().take(number as usize % 6) {
            store.join(vec![fact], at(number)).await.unwrap();
        }
    }
    store.overdue(at(3), at(50), 100).await.unwrap();
    let mut recount = BTreeMap::new();
    for view in store.messages(&Wanted { most: 100, ..Wanted::default() }).await.unwrap().rows {
        let (messages, parts, finals): &mut (u64, u64, BTreeMap<FinalState, u64>) =
            recount.entry(view.carrier.clone()).or_default();
        *messages += 1;
        *parts += view.parts.iter().filter(|part| part.pushes > 0).count() as u64;
        if let Stage::Final(state) = view.stage {
            *finals.entry(state).or_default() += 1;
        }
    }
    let figures = store.figures("2025-10-09", "2025-10-09").await.unwrap();
    assert_eq!(figures.iter().map(|figure| figure.messages).sum::<u64>(), 10);
    let figures: BTreeMap<_, _> = figures
        .into_iter()
        .map(|Figure { carrier, messages, parts, finals, .. }| (carrier, (messages, parts, finals)))
        .collect();
    assert_eq!(figures, recount);
}

async fn figures_are_of_the_day_where_the_center_is(engine: Engine) {
    let store = engine.open().await;
    // 2025-10-09 16:00 UTC is midnight in Beijing
    let midnight = 7 * 3_600_000 + 400_000;
    let copies = [(1, midnight - 1), (2, midnight), (3, midnight)];
    let copies = copies.map(|(number, when)| copy_of(submission(number), when)).to_vec();
    store.join(copies, at(midnight)).await.unwrap();
    let days = |figures: Vec<Figure>| figures.into_iter().map(|f| (f.day, f.messages)).collect::<Vec<_>>();
    let both = days(store.figures("2025-10-01", "2025-10-31").await.unwrap());
    assert_eq!(both, [("2025-10-09".to_owned(), 1), ("2025-10-10".to_owned(), 2)]);
    assert_eq!(days(store.figures("2025-10-10", "2025-10-10").await.unwrap()).len(), 1);
    assert_eq!(store.figures("2025-10-11", "2025-10-31").await.unwrap(), []);
}
