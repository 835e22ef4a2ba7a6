//! What is old goes, and only that.

use domain::Alarm;
use domain::alarm::Severity;
use domain::event::ReportState;
use store::center::{Counts, Fact, SetAside, Wanted};

use crate::engine::Engine;
use crate::facts::*;
use crate::on_both;

on_both! {
    messages_go_in_steps_with_all_that_hangs_on_them
    all_else_goes_by_its_age_unless_it_is_under_way
}

const DAY: u64 = 86_400_000;

async fn messages_go_in_steps_with_all_that_hangs_on_them(engine: Engine) {
    let store = engine.open().await;
    store.join((1..=5).flat_map(delivered).collect(), at(10)).await.unwrap();
    store.join(vec![copy(6), copy_of(submission(7), 2 * DAY)], at(10)).await.unwrap();
    let before = at(DAY);
    assert_eq!(store.forget(before, 4).await.unwrap(), 4);
    assert_eq!(store.forget(before, 4).await.unwrap(), 2);
    assert_eq!(store.forget(before, 4).await.unwrap(), 0);
    let counts = Counts { messages: 1, open: 1, outbox: 5, ..Counts::default() };
    assert_eq!(store.counts().await.unwrap(), counts);
    assert_eq!(store.message(&id(1)).await.unwrap(), None);
    assert!(store.message(&id(7)).await.unwrap().is_some());
    let days: Vec<_> = store.figures("2000-01-01", "2099-12-31").await.unwrap();
    assert_eq!((days.len(), days[0].day.as_str()), (1, "2025-10-11"));
    // the carrier's id is free again
    let joined = store.join(vec![reported(1, 1, ReportState::Delivered)], at(11)).await.unwrap();
    assert_eq!(joined.orphans, 1);
}

async fn all_else_goes_by_its_age_unless_it_is_under_way(engine: Engine) {
    let store = engine.open().await;
    for when in [1, 2 * DAY] {
        let alarm = |of: &str, raised| Alarm {
            what: "x".to_owned(),
            of: format!("{of} {when}"),
            severity: Severity::Info,
            raised,
            role: "uaop".to_owned(),
            node: "a".to_owned(),
            site: "dc1".to_owned(),
            text: String::new(),
            at: at(when),
        };
        store.alarm(vec![alarm("raised", true), alarm("over", false)]).await.unwrap();
        let mut message = user_message(when);
        message.at = at(when);
        store.join(vec![Fact::Mo(message), reported(when, 1, ReportState::Failed)], at(3)).await.unwrap();
        store.order(vec![(submission(when), None), (submission(when + 1), None)], at(when)).await.unwrap();
        store.handed(vec![id(when)]).await.unwrap();
        let (topic, error) = ("events".to_owned(), "no JSON".to_owned());
        let offset = i64::try_from(when).unwrap();
        let record = SetAside { topic, partition: 0, offset, value: vec![1], error, at: at(when) };
        store.set_aside(vec![record]).await.unwrap();
    }
    assert_eq!(store.forget(at(DAY), 10).await.unwrap(), 0);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.orphans, counts.set_aside, counts.waiting, counts.alarms), (1, 1, 2, 2));
    let alarms: Vec<_> = store.alarms(true, 10).await.unwrap().into_iter().map(|a| a.alarm.of).collect();
    assert_eq!(alarms, [format!("raised {}", 2 * DAY), "raised 1".to_owned(), format!("over {}", 2 * DAY)]);
    let users = store.user_messages(&Wanted { most: 10, ..Wanted::default() }).await.unwrap().rows;
    assert_eq!((users.len(), users[0].at), (1, at(2 * DAY)));
    // the order that was handed is forgotten, and could be given again
    assert_eq!(
        store.order(vec![(submission(1), None), (submission(2), None)], at(3)).await.unwrap(),
        [true, false]
    );
}
