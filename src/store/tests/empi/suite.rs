//! The suite that both engines pass.

use domain::{FinalState, Millis};
use futures_util::future::join_all;
use store::empi::{Accepted, Called, Counts, Item, Key, Stage};

use super::engine::*;

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Engine::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Engine::postgres()).await;
            })*
        }
    };
}

on_both! {
    a_message_is_accepted_once_and_waits_until_it_is_handed
    another_message_under_the_same_id_is_a_conflict
    many_callers_at_the_same_time_get_their_own_answers
    what_waits_is_read_page_by_page
    every_text_comes_back_as_it_was
    a_reference_may_have_several_recipients
    a_report_reaches_its_bank_and_no_other
    a_later_report_replaces_an_earlier_one_and_never_the_other_way_round
    a_report_on_an_unknown_message_is_every_banks_and_the_messages_when_it_comes
    users_messages_are_every_banks
    a_bank_with_few_items_among_many_finds_them_in_their_order
    a_call_is_leased_tried_again_and_done
    messages_are_counted_by_the_minute
    what_is_old_is_forgotten_in_steps_and_what_is_waited_for_stays
    all_is_there_when_it_is_opened_again
    a_store_that_is_open_answers
}

async fn a_message_is_accepted_once_and_waits_until_it_is_handed(engine: Engine) {
    let store = engine.open().await;
    assert_eq!(store.accept(vec![entry(1), entry(2)]).await.unwrap(), [Accepted::New, Accepted::New]);
    assert_eq!(store.accept(vec![entry(2), entry(3)]).await.unwrap(), [Accepted::Duplicate, Accepted::New]);
    assert_eq!(waiting(&*store).await, ids([1, 2, 3]));
    assert_eq!(store.counts().await.unwrap(), Counts { waiting: 3, calls: 0 });
    let core = bank("core");
    let view = store.message(&core, &Key::Id(id(2))).await.unwrap().unwrap();
    assert_eq!(
        (view.stage(), view.submission, view.accepted_at),
        (Stage::Waiting, submission(2, "text"), Millis(NOW + 2))
    );

    store.handed(ids([2, 99]), LATER).await.unwrap();
    assert_eq!(waiting(&*store).await, ids([1, 3]));
    let view = store.message(&core, &Key::Id(id(2))).await.unwrap().unwrap();
    assert_eq!((view.stage(), view.handed_at), (Stage::Handed, Some(LATER)));
    store.handed(ids([2]), Millis(LATER.0 + 1)).await.unwrap();
    assert_eq!(store.message(&core, &Key::Id(id(2))).await.unwrap().unwrap().handed_at, Some(LATER));
    assert_eq!(store.accept(vec![entry(2)]).await.unwrap(), [Accepted::Duplicate]);
    assert_eq!(waiting(&*store).await, ids([1, 3]));
    assert_eq!(store.accept(Vec::new()).await.unwrap(), []);
}

async fn another_message_under_the_same_id_is_a_conflict(engine: Engine) {
    let store = engine.open().await;
    let (one, other) = (entry_of("core", 1, "one"), entry_of("core", 1, "other"));
    let answers = store.accept(vec![one.clone(), one.clone(), other.clone()]).await.unwrap();
    assert_eq!(answers, [Accepted::New, Accepted::Duplicate, Accepted::Conflict]);
    assert_eq!(
        store.accept(vec![other, one.clone()]).await.unwrap(),
        [Accepted::Conflict, Accepted::Duplicate]
    );
    let view = store.message(&bank("core"), &Key::Id(id(1))).await.unwrap().unwrap();
    assert_eq!(view.submission, one.submission);
    assert_eq!(waiting(&*store).await, ids([1]));
}

async fn many_callers_at_the_same_time_get_their_own_answers(engine: Engine) {
    const CALLERS: usize = 200;
    let store = engine.open().await;
    // each brings one of its own and one that all bring
    let accepted = join_all((1..=CALLERS).map(|caller| store.accept(vec![entry(caller), entry(0)]))).await;
    let answers: Vec<Vec<Accepted>> = accepted.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|two| two[0] == Accepted::New));
    let new = answers.iter().filter(|two| two[1] == Accepted::New).count();
    assert_eq!(new, 1);
    assert_eq!(store.counts().await.unwrap().waiting, CALLERS as u64 + 1);
    let core = [bank("core")];
    let came = |number: usize| vec![(number as i64, report(number, 1, FinalState::Delivered))];
    let handed = join_all((1..=CALLERS).map(|caller| store.handed(ids([caller]), LATER)));
    let kept = join_all((1..=CALLERS).map(|caller| store.keep(came(caller), &core, LATER)));
    let (handed, kept) = futures_util::join!(handed, kept);
    assert!(handed.iter().chain(&kept).all(Result::is_ok));
    assert_eq!(store.counts().await.unwrap(), Counts { waiting: 1, calls: CALLERS as u64 });
    let views =
        join_all((1..=CALLERS).map(async |number| {
            store.message(&core[0], &Key::Id(id(number))).await.unwrap().unwrap().stage()
        }))
        .await;
    assert!(views.iter().all(|stage| *stage == Stage::Final(FinalState::Delivered)));
}

async fn what_waits_is_read_page_by_page(engine: Engine) {
    let store = engine.open().await;
    for number in [3, 1, 2] {
        store.accept(vec![entry(number)]).await.unwrap();
    }
    store.accept(vec![entry(9), entry(8)]).await.unwrap();
    let page = store.waiting(0, 2).await.unwrap();
    assert_eq!(page.iter().map(|(_, s)| s.uaop_id.clone()).collect::<Vec<_>>(), ids([3, 1]));
    store.handed(ids([3, 1, 2]), LATER).await.unwrap();
    let rest = store.waiting(page[1].0, 10).await.unwrap();
    assert_eq!(rest.iter().map(|(_, s)| s.uaop_id.clone()).collect::<Vec<_>>(), ids([9, 8]));
    let last = rest[1].0;
    assert_eq!(store.waiting(last, 10).await.unwrap(), []);
    store.handed(ids([9, 8]), LATER).await.unwrap();
    store.forget(Millis(u64::MAX), usize::MAX).await.unwrap();
    store.accept(vec![entry(7)]).await.unwrap();
    assert_eq!(store.waiting(last, 10).await.unwrap().len(), 1, "places are not given twice");
}

async fn every_text_comes_back_as_it_was(engine: Engine) {
    let store = engine.open().await;
    for (number, text) in ["", "\0", "您好 🙂", "\"'\\{}", "a\r\nb", "\u{fffd}\u{7f}"].into_iter().enumerate()
    {
        let mut entry = entry_of("core", number, text);
        entry.submission.account = Some("main".parse().unwrap());
        entry.submission.extension = "12".to_owned();
        entry.submission.report = false;
        entry.submission.not_after = Some(Millis(u64::MAX));
        let wanted = entry.submission.clone();
        assert_eq!(store.accept(vec![entry]).await.unwrap(), [Accepted::New], "{text:?}");
        let view = store.message(&bank("core"), &Key::Id(id(number))).await.unwrap().unwrap();
        assert_eq!(view.submission, wanted);
        let cursor = number as i64;
        store.keep(vec![(cursor, user_message(text))], &[], LATER).await.unwrap();
        assert_eq!(store.items(&bank("core"), cursor - 1, 1).await.unwrap()[0].item, user_message(text));
    }
}

async fn a_reference_may_have_several_recipients(engine: Engine) {
    let store = engine.open().await;
    let entries: Vec<_> = (1..=3)
        .map(|number| store::empi::Entry { reference: "all".parse().unwrap(), ..entry(number) })
        .collect();
    store.accept(entries).await.unwrap();
    let (core, all) = (bank("core"), "all".parse().unwrap());
    let views = store.messages(&core, &all, 10).await.unwrap();
    assert_eq!(views.iter().map(|v| v.submission.uaop_id.clone()).collect::<Vec<_>>(), ids([1, 2, 3]));
    assert_eq!(store.messages(&core, &all, 2).await.unwrap().len(), 2);
    assert_eq!(store.message(&core, &Key::Reference(all.clone())).await.unwrap().as_ref(), Some(&views[0]));
    assert_eq!(store.messages(&bank("other"), &all, 10).await.unwrap(), []);
    assert_eq!(store.message(&bank("other"), &Key::Reference(all)).await.unwrap(), None);
}

async fn a_report_reaches_its_bank_and_no_other(engine: Engine) {
    let store = engine.open().await;
    let (core, other) = (bank("core"), bank("other"));
    store.accept(vec![entry_of("core", 1, "text"), entry_of("other", 2, "text")]).await.unwrap();
    let came = vec![(7, report(1, 1, FinalState::Delivered)), (9, report(2, 1, FinalState::Failed))];
    for _ in 0..2 {
        store.keep(came.clone(), std::slice::from_ref(&core), LATER).await.unwrap();
    }
    let wanted = Item {
        cursor: 7,
        bank: Some(core.clone()),
        reference: Some("r-1".parse().unwrap()),
        item: report(1, 1, FinalState::Delivered),
    };
    assert_eq!(store.items(&core, 0, 10).await.unwrap(), [wanted]);
    assert_eq!(store.items(&core, 7, 10).await.unwrap(), []);
    let cursors = |items: Vec<Item>| items.iter().map(|item| item.cursor).collect::<Vec<_>>();
    assert_eq!(cursors(store.items(&other, 0, 10).await.unwrap()), [9]);
    assert_eq!(store.counts().await.unwrap().calls, 1, "the other bank is not called");
    assert_eq!(store.message(&other, &Key::Id(id(1))).await.unwrap(), None);
    let view = store.message(&other, &Key::Id(id(2))).await.unwrap().unwrap();
    assert_eq!(view.stage(), Stage::Final(FinalState::Failed));
}

async fn a_later_report_replaces_an_earlier_one_and_never_the_other_way_round(engine: Engine) {
    let store = engine.open().await;
    let core = bank("core");
    store.accept(vec![entry(1)]).await.unwrap();
    let called = std::slice::from_ref(&core);
    store.keep(vec![(1, report(1, 1, FinalState::Unknown))], called, LATER).await.unwrap();
    // the same again elsewhere; a later one and, after it, the one between
    store.keep(vec![(2, report(1, 1, FinalState::Unknown))], called, LATER).await.unwrap();
    let later = vec![(3, report(1, 3, FinalState::Delivered)), (4, report(1, 2, FinalState::Uncertain))];
    store.keep(later, called, LATER).await.unwrap();
    let kept: Vec<i64> = store.items(&core, 0, 10).await.unwrap().iter().map(|item| item.cursor).collect();
    assert_eq!(kept, [1, 3]);
    let view = store.message(&core, &Key::Id(id(1))).await.unwrap().unwrap();
    assert_eq!(view.report.unwrap().revision, 3);
    assert_eq!(store.counts().await.unwrap().calls, 2);
}

async fn a_report_on_an_unknown_message_is_every_banks_and_the_messages_when_it_comes(engine: Engine) {
    let store = engine.open().await;
    let core = bank("core");
    store
        .keep(vec![(1, report(1, 2, FinalState::Failed))], std::slice::from_ref(&core), LATER)
        .await
        .unwrap();
    let items = store.items(&bank("any"), 0, 10).await.unwrap();
    assert_eq!((items.len(), &items[0].bank, &items[0].reference), (1, &None, &None));
    assert_eq!(store.counts().await.unwrap().calls, 0);
    store.accept(vec![entry(1)]).await.unwrap();
    let stage = async || store.message(&core, &Key::Id(id(1))).await.unwrap().unwrap().stage();
    assert_eq!(stage().await, Stage::Final(FinalState::Failed));
    store.keep(vec![(2, report(1, 1, FinalState::Unknown))], &[], LATER).await.unwrap();
    assert_eq!(stage().await, Stage::Final(FinalState::Failed));
    store.keep(vec![(3, report(1, 3, FinalState::Delivered))], &[], LATER).await.unwrap();
    assert_eq!(stage().await, Stage::Final(FinalState::Delivered));
}

async fn users_messages_are_every_banks(engine: Engine) {
    let store = engine.open().await;
    let banks = [bank("core"), bank("card")];
    store.keep(vec![(5, user_message("yes"))], &banks, LATER).await.unwrap();
    for name in ["core", "card", "third"] {
        assert_eq!(store.items(&bank(name), 4, 10).await.unwrap()[0].item, user_message("yes"));
    }
    let calls = store.calls(LATER, LATER, 10).await.unwrap();
    let mut called: Vec<_> = calls.iter().map(|call| (call.bank.as_str(), call.item.cursor)).collect();
    called.sort_unstable();
    assert_eq!(called, [("card", 5), ("core", 5)]);
}

async fn a_bank_with_few_items_among_many_finds_them_in_their_order(engine: Engine) {
    let store = engine.open().await;
    store
        .accept((0..200).map(|n| entry_of(if n % 50 == 0 { "few" } else { "many" }, n, "text")).collect())
        .await
        .unwrap();
    let came = (0..200).map(|n| (n as i64 * 10, report(n, 1, FinalState::Delivered)));
    let users = [(105, user_message("a")), (1505, user_message("b"))];
    store.keep(came.chain(users).collect(), &[], LATER).await.unwrap();
    let mut cursors = Vec::new();
    loop {
        let page = store.items(&bank("few"), cursors.last().copied().unwrap_or(-1), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        cursors.extend(page.iter().map(|item| item.cursor));
    }
    assert_eq!(cursors, [0, 105, 500, 1000, 1500, 1505]);
}

async fn a_call_is_leased_tried_again_and_done(engine: Engine) {
    let store = engine.open().await;
    let core = bank("core");
    store.accept((1..=3).map(entry).collect()).await.unwrap();
    let came = (1..=3).map(|n| (n as i64, report(n, 1, FinalState::Delivered))).collect();
    store.keep(came, std::slice::from_ref(&core), Millis(NOW)).await.unwrap();
    let at = |seconds: u64| Millis(NOW + seconds * 1000);
    assert_eq!(store.calls_of(&bank("none"), at(0), at(60), 9).await.unwrap(), []);
    let due = async |now: u64, lease: u64, most| {
        let calls = store.calls(at(now), at(lease), most).await.unwrap();
        calls.iter().map(|call| (call.item.cursor, call.tries)).collect::<Vec<_>>()
    };
    assert_eq!(store.calls(Millis(NOW - 1), at(0), 9).await.unwrap(), []);
    assert_eq!(due(0, 60, 2).await, [(1, 0), (2, 0)]);
    assert_eq!(due(1, 60, 9).await, [(3, 0)], "the others are leased");
    assert_eq!(due(2, 60, 9).await, []);
    store
        .called(vec![(core.clone(), 1, Called::Done), (core.clone(), 3, Called::Again(at(10)))])
        .await
        .unwrap();
    assert_eq!(due(9, 60, 9).await, []);
    let own = store.calls_of(&core, at(10), at(90), 9).await.unwrap();
    assert_eq!(own.iter().map(|call| (call.item.cursor, call.tries)).collect::<Vec<_>>(), [(3, 1)]);
    assert_eq!(due(10, 90, 9).await, [], "whoever asks for one bank's has leased them, too");
    assert_eq!(due(60, 90, 9).await, [(2, 0)], "its lease is over");
    store.called(vec![(core.clone(), 2, Called::GivenUp), (bank("none"), 3, Called::Done)]).await.unwrap();
    assert_eq!(store.counts().await.unwrap().calls, 1);
    let calls = store.calls(at(90), at(99), 9).await.unwrap();
    assert_eq!((calls[0].bank.clone(), calls[0].since), (core.clone(), Millis(NOW)));
    assert_eq!(calls[0].item.item, report(3, 1, FinalState::Delivered));
    store.called(vec![(core.clone(), 3, Called::Done)]).await.unwrap();
    assert_eq!(due(1000, 1001, 9).await, []);
    assert_eq!(store.items(&core, 0, 9).await.unwrap().len(), 3, "the bank can still fetch them");
}

async fn messages_are_counted_by_the_minute(engine: Engine) {
    const MINUTE: u64 = 60_000;
    let store = engine.open().await;
    let first = NOW - NOW % MINUTE;
    let at = |number: usize, at: u64| store::empi::Entry { at: Millis(at), ..entry(number) };
    store.accept(vec![at(1, first), at(2, first + MINUTE - 1), at(3, first + MINUTE)]).await.unwrap();
    store.accept(vec![at(1, first), at(4, first + MINUTE)]).await.unwrap();
    let since = async |at: u64| store.accepted_since(&bank("core"), Millis(at)).await.unwrap();
    assert_eq!(since(0).await, 4);
    assert_eq!(since(first + MINUTE / 2).await, 4);
    assert_eq!(since(first + MINUTE).await, 2);
    assert_eq!(since(first + 2 * MINUTE).await, 0);
    assert_eq!(store.accepted_since(&bank("other"), Millis(0)).await.unwrap(), 0);
}

async fn what_is_old_is_forgotten_in_steps_and_what_is_waited_for_stays(engine: Engine) {
    let store = engine.open().await;
    let core = bank("core");
    store.accept((0..10).map(entry).collect()).await.unwrap();
    store.handed(ids(0..9), LATER).await.unwrap();
    let came = (0..9).map(|n| (n as i64, report(n, 1, FinalState::Delivered)));
    store
        .keep(came.chain([(90, report(90, 1, FinalState::Failed))]).collect(), &[], Millis(NOW + 100))
        .await
        .unwrap();
    store.keep(vec![(100, user_message("x"))], std::slice::from_ref(&core), Millis(NOW + 101)).await.unwrap();

    assert_eq!(store.forget(Millis(NOW), 100).await.unwrap(), 0);
    // messages 0 to 4
    assert_eq!(store.forget(Millis(NOW + 5), 100).await.unwrap(), 5);
    assert_eq!(store.message(&core, &Key::Id(id(4))).await.unwrap(), None);
    assert!(store.message(&core, &Key::Id(id(5))).await.unwrap().is_some());
    let mut steps = Vec::new();
    loop {
        match store.forget(LATER, 3).await.unwrap() {
            0 => break,
            gone => steps.push(gone),
        }
    }
    // four messages and ten reports
    assert!(steps.iter().all(|step| *step <= 3), "{steps:?}");
    assert_eq!(steps.iter().sum::<u64>(), 14);
    assert_eq!(waiting(&*store).await, ids([9]));
    assert_eq!(store.items(&core, -1, 100).await.unwrap().len(), 1, "its call is not done");
    assert_eq!(store.accept(vec![entry(0)]).await.unwrap(), [Accepted::New]);
    // the report that nobody knew a message for is forgotten, too
    store.keep(vec![(91, report(90, 1, FinalState::Failed))], &[], LATER).await.unwrap();
    assert_eq!(store.items(&core, 90, 1).await.unwrap()[0].cursor, 91);
    store.forget(Millis(LATER.0 + 60_000), 100).await.unwrap();
    assert_eq!(store.accepted_since(&core, Millis(0)).await.unwrap(), 0);
}

async fn all_is_there_when_it_is_opened_again(engine: Engine) {
    let core = bank("core");
    {
        let store = engine.open().await;
        store.accept((0..3).map(entry).collect()).await.unwrap();
        store.handed(ids([0]), LATER).await.unwrap();
        store
            .keep(vec![(5, report(0, 1, FinalState::Delivered))], std::slice::from_ref(&core), LATER)
            .await
            .unwrap();
    }
    let store = engine.open().await;
    assert_eq!(waiting(&*store).await, ids([1, 2]));
    assert_eq!(store.counts().await.unwrap(), Counts { waiting: 2, calls: 1 });
    assert_eq!(store.items(&core, 0, 9).await.unwrap().len(), 1);
    assert_eq!(store.accept(vec![entry(0)]).await.unwrap(), [Accepted::Duplicate]);
}

async fn a_store_that_is_open_answers(engine: Engine) {
    let store = engine.open().await;
    store.ping().await.unwrap();
    assert_eq!(store.take_over(LATER, LATER).await.unwrap(), 0);
}
