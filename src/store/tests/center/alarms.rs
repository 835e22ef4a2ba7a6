//! Each alarm once, however many see it.

use domain::Alarm;
use domain::alarm::Severity;
use store::center::{AlarmView, CenterStore};

use crate::engine::Engine;
use crate::facts::at;
use crate::on_both;

on_both! {
    what_several_see_is_one_alarm
    an_alarm_that_is_raised_anew_is_one_that_nobody_knows_of
    what_comes_late_or_again_changes_nothing
    alarms_are_told_apart_by_what_and_of
}

fn alarm(of: &str, node: &str, raised: bool, when: u64) -> Alarm {
    Alarm {
        what: "gateway_down".to_owned(),
        of: of.to_owned(),
        severity: Severity::Critical,
        raised,
        role: "uaop".to_owned(),
        node: node.to_owned(),
        site: "dc1".to_owned(),
        text: format!("seen at {when}"),
        at: at(when),
    }
}

async fn only(store: &dyn CenterStore) -> AlarmView {
    let mut all = store.alarms(true, 10).await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn what_several_see_is_one_alarm(engine: Engine) {
    let store = engine.open().await;
    store.alarm(vec![alarm("cm-1", "b", true, 1), alarm("cm-1", "a", true, 2)]).await.unwrap();
    store.alarm(vec![alarm("cm-1", "a", true, 3)]).await.unwrap();
    let view = only(&*store).await;
    assert_eq!(view.alarm, alarm("cm-1", "a", true, 3));
    assert_eq!((view.first_at, view.times, view.known_at), (at(1), 0, None));
    assert_eq!(view.seen_by, ["uaop a dc1", "uaop b dc1"]);
    assert_eq!(store.counts().await.unwrap().alarms, 1);
}

async fn an_alarm_that_is_raised_anew_is_one_that_nobody_knows_of(engine: Engine) {
    let store = engine.open().await;
    store.alarm(vec![alarm("cm-1", "a", true, 1)]).await.unwrap();
    assert!(store.know("gateway_down", "cm-1", at(2)).await.unwrap());
    assert!(!store.know("gateway_down", "cm-2", at(2)).await.unwrap());
    store.alarm(vec![alarm("cm-1", "b", true, 3)]).await.unwrap();
    assert_eq!(only(&*store).await.known_at, Some(at(2)));
    store.alarm(vec![alarm("cm-1", "a", false, 4)]).await.unwrap();
    assert_eq!(store.alarms(false, 10).await.unwrap(), []);
    assert_eq!((only(&*store).await.alarm.raised, store.counts().await.unwrap().alarms), (false, 0));
    store.alarm(vec![alarm("cm-1", "a", true, 5)]).await.unwrap();
    let view = only(&*store).await;
    assert_eq!((view.alarm.raised, view.first_at, view.times, view.known_at), (true, at(1), 1, None));
}

async fn what_comes_late_or_again_changes_nothing(engine: Engine) {
    let store = engine.open().await;
    let said = vec![alarm("cm-1", "a", true, 1), alarm("cm-1", "a", false, 2), alarm("cm-1", "a", true, 3)];
    store.alarm(said.clone()).await.unwrap();
    let before = only(&*store).await;
    store.alarm(said).await.unwrap();
    assert_eq!(only(&*store).await, before);
    assert_eq!(before.times, 1);
}

async fn alarms_are_told_apart_by_what_and_of(engine: Engine) {
    let store = engine.open().await;
    let strange = "a\0".repeat(5000);
    let mut said =
        vec![alarm("cm-1", "a", true, 1), alarm("cm-2", "a", false, 2), alarm(&strange, "a", true, 3)];
    said[0].what = "pool_switched".to_owned();
    store.alarm(said).await.unwrap();
    let of = |views: Vec<AlarmView>| views.into_iter().map(|view| view.alarm.of).collect::<Vec<_>>();
    assert_eq!(of(store.alarms(true, 10).await.unwrap()), [strange.as_str(), "cm-1", "cm-2"]);
    assert_eq!(of(store.alarms(false, 1).await.unwrap()), [strange.as_str()]);
    assert!(store.know("gateway_down", &strange, at(4)).await.unwrap());
}
