//! From the bus into the store, and from the store to the banks.

use domain::alarm::Severity;
use domain::{Alarm, Happened, UaopId};
use link::Shelf as _;

use super::*;
use crate::bell::Bell;
use crate::metrics::Families;
use crate::own::OwnShelf;

#[tokio::test(start_paused = true)]
async fn poisoned_records_are_set_aside_and_those_around_them_are_joined() {
    let scene = Scene::start().await;
    let mut unknown_field = serde_json::to_value(copy(submission("m-x"))).unwrap();
    unknown_field["submission"]["colour"] = "red".into();
    let mut wrong_type = serde_json::to_value(copy(submission("m-y"))).unwrap();
    wrong_type["at"] = "noon".into();
    let poison: [&[u8]; 6] = [b"", b"{", b"\xff\xfe", b"[1,2]", &json(&unknown_field), &json(&wrong_type)];
    for (number, bytes) in poison.iter().enumerate() {
        scene.bus.put(COPIES, json(&copy(submission(&format!("m-{number}")))));
        scene.bus.put(COPIES, *bytes);
        scene.bus.put(EVENTS, *bytes);
        scene.bus.put(EVENTS, json(&told("u1", pushed(&format!("m-{number}")))));
    }
    scene.bus.put(ALARMS, "no alarm");
    scene
        .until("all is committed", |bus, _| {
            (bus.committed(COPIES), bus.committed(EVENTS), bus.committed(ALARMS)) == (12, 12, 1)
        })
        .await;
    scene.until("alarms", |_, store| store.open().alarms.len() >= 3).await;
    let store = scene.store.open();
    assert_eq!((store.copies().len(), store.facts.len(), store.aside.len()), (6, 12, 13));
    let first = store.aside.iter().find(|aside| aside.topic == COPIES && aside.value == b"\xff\xfe").unwrap();
    assert_eq!((first.partition, first.offset), (0, 5));
    assert!(
        store.aside.iter().all(|aside| !aside.error.contains("red") && !aside.error.contains("13800138000"))
    );
    let alarms: Vec<(&str, &str)> =
        store.alarms.iter().map(|alarm| (alarm.what.as_str(), alarm.of.as_str())).collect();
    assert_eq!(alarms.len(), 3, "{alarms:?}");
    for topic in [COPIES, EVENTS, ALARMS] {
        assert!(alarms.contains(&("poisoned_record", topic)), "{alarms:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_cannot_keep_is_set_aside_alone() {
    let store = FakeStore::default();
    let bus = FakeBus::new();
    store.open().hates = Some("m-37".parse().unwrap());
    for number in 0..100 {
        bus.put(COPIES, json(&copy(submission(&format!("m-{number}")))));
    }
    let scene = Scene::on(bus, store, config()).await;
    scene.until("all is committed", |bus, _| bus.committed(COPIES) == 100).await;
    let store = scene.store.open();
    assert_eq!((store.facts.len(), store.aside.len()), (99, 1));
    assert_eq!(store.aside[0].offset, 37);
    assert!(store.joins < 20, "{}", store.joins);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_nothing_is_skipped_and_an_alarm_tells_of_it() {
    let scene = Scene::start().await;
    scene.bus.put(COPIES, json(&copy(submission("m-1"))));
    scene.until("the first", |bus, _| bus.committed(COPIES) == 1).await;
    scene.store.open().away = true;
    scene.bus.put(COPIES, json(&copy(submission("m-2"))));
    scene.bus.put(COPIES, "poison");
    scene.bus.put(EVENTS, json(&told("u1", pushed("m-2"))));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!((scene.bus.committed(COPIES), scene.store.open().facts.len()), (1, 1));
    scene.store.open().away = false;
    scene.until("the rest", |bus, _| (bus.committed(COPIES), bus.committed(EVENTS)) == (3, 1)).await;
    let said = |store: &FakeStore, raised| {
        let is = |alarm: &Alarm| {
            alarm.what == "store_away" && alarm.of == "center:c1:facts" && alarm.raised == raised
        };
        store.open().alarms.iter().filter(|alarm| is(alarm)).count()
    };
    scene.until("it is over", |_, store| said(store, false) == 1).await;
    assert_eq!(said(&scene.store, true), 1);
    let store = scene.store.open();
    assert_eq!((store.facts.len(), store.aside.len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn while_the_bus_is_away_reports_wait_and_go_out_when_it_is_back() {
    let scene = Scene::start().await;
    scene.until("the topics of the owners", |bus, _| bus.has_topic("smsline.empi.bank-1")).await;
    scene.bus.set_away(true);
    scene.store.open().outbox.insert(1, report("m-1", "bank-1"));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(scene.store.open().outbox.len(), 1);
    let away =
        |store: &FakeStore| store.open().alarms.iter().any(|alarm| alarm.what == "bus_away" && alarm.raised);
    scene.until("an alarm", |_, store| away(store)).await;
    scene.bus.set_away(false);
    scene.until("published", |_, store| store.open().outbox.is_empty()).await;
    assert_eq!(scene.bus.records("smsline.empi.bank-1").len(), 1);
    scene.bus.put(COPIES, json(&copy(submission("m-1"))));
    scene.until("it reads again", |bus, _| bus.committed(COPIES) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_report_goes_once_to_the_topic_of_its_empi_and_the_centers_own_to_none() {
    let scene = Scene::start().await;
    let rows = [(1, "m-1", "bank-1"), (2, "m-2", "bank-9"), (3, "m-3", "center"), (4, "m-4", "bank-1")];
    for (place, id, empi) in rows {
        scene.store.open().outbox.insert(place, report(id, empi));
    }
    scene.until("published", |_, store| store.open().outbox.is_empty()).await;
    let keys = |empi: &str| -> Vec<String> {
        let records = scene.bus.records(&format!("smsline.empi.{empi}"));
        records.into_iter().map(|record| record.key).collect()
    };
    assert_eq!(
        (keys("bank-1"), keys("bank-9")),
        (vec!["m-1".to_owned(), "m-4".to_owned()], vec!["m-2".to_owned()])
    );
    assert!(!scene.bus.has_topic("smsline.empi.center"));
    let sent: ForBank = serde_json::from_slice(&scene.bus.records("smsline.empi.bank-9")[0].value).unwrap();
    assert_eq!(sent, report("m-2", "bank-9"));
}

#[tokio::test(start_paused = true)]
async fn stopped_between_publishing_and_marking_it_publishes_the_same_again() {
    let scene = Scene::start().await;
    scene.store.open().forgetful = true;
    scene.store.open().outbox.insert(1, report("m-1", "bank-1"));
    scene.until("published", |bus, _| bus.records("smsline.empi.bank-1").len() == 1).await;
    let (bus, store) = scene.stop().await;
    assert_eq!(store.open().outbox.len(), 1);
    store.open().forgetful = false;
    let scene = Scene::on(bus, store, config()).await;
    scene.until("marked", |_, store| store.open().outbox.is_empty()).await;
    let records = scene.bus.records("smsline.empi.bank-1");
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], records[1]);
}

#[tokio::test(start_paused = true)]
async fn a_users_message_goes_to_the_owner_of_the_longest_prefix() {
    let scene = Scene::start().await;
    for (id, number) in [("1", "106900012"), ("2", "106900051"), ("3", "10690005"), ("4", "95588")] {
        scene.bus.put(EVENTS, json(&told("u1", mo(id, number))));
    }
    let part = Happened::MoIncomplete {
        id: "5".to_owned(),
        from: Party("13900139000".to_owned()),
        to: Party("1069000".to_owned()),
        part: 2,
        parts: 3,
        text: MessageText("end".to_owned()),
    };
    scene.bus.put(EVENTS, json(&told("u1", part)));
    scene.until("all", |bus, _| bus.committed(EVENTS) == 5).await;
    scene.until("an alarm", |_, store| !store.open().alarms.is_empty()).await;
    let store = scene.store.open();
    let owners: Vec<(&str, &str)> =
        store.mos().into_iter().map(|mo| (mo.mo_id.as_str(), mo.empi_id.as_str())).collect();
    let expected =
        [("mobile:1", "bank-1"), ("mobile:2", "bank-2"), ("mobile:3", "bank-2"), ("mobile:5:2", "bank-1")];
    assert_eq!(owners, expected);
    assert_eq!(store.mos()[3].part, Some((2, 3)));
    assert_eq!((store.aside.len(), store.aside[0].offset), (1, 3));
    assert_eq!((store.alarms[0].what.as_str(), store.alarms[0].of.as_str()), ("mo_without_owner", "mobile"));
}

#[tokio::test(start_paused = true)]
async fn without_another_owner_a_message_is_the_defaults() {
    let config = Config { numbers: owners(&[("1069000", "bank-1"), ("", "bank-3")]), ..config() };
    let scene = Scene::on(FakeBus::new(), FakeStore::default(), config).await;
    scene.bus.put(EVENTS, json(&told("u1", mo("4", "95588"))));
    scene.until("joined", |bus, _| bus.committed(EVENTS) == 1).await;
    assert_eq!(scene.store.open().mos()[0].empi_id.as_str(), "bank-3");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_gone_is_the_gateways_alarm_whichever_uaop_tells_it() {
    let scene = Scene::start().await;
    for uaop in ["u1", "u2"] {
        let reason = "closed".to_owned();
        scene.bus.put(EVENTS, json(&told(uaop, Happened::LinkDown { connection: 1, reason })));
    }
    scene.bus.put(EVENTS, json(&told("u1", Happened::LinkUp { connection: 1 })));
    let state = Happened::UserState { user: Party("13900139000".to_owned()), condition: 1 };
    scene.bus.put(EVENTS, json(&told("u1", state)));
    scene.until("all", |bus, _| bus.committed(EVENTS) == 4).await;
    let store = scene.store.open();
    assert_eq!(store.alarms.len(), 3);
    assert_eq!(store.alarms[0], store.alarms[1]);
    let Alarm { what, of, role, node, raised, .. } = &store.alarms[0];
    assert_eq!(
        (what.as_str(), of.as_str(), role.as_str(), node.as_str(), *raised),
        ("link_down", "gw:cm:1", "gateway", "gw", true)
    );
    assert!(!store.alarms[2].raised && store.alarms[2].of == *of);
    assert!(store.facts.is_empty() && store.aside.is_empty());
}

#[tokio::test(start_paused = true)]
async fn alarms_of_others_are_kept_as_they_were_told() {
    let scene = Scene::start().await;
    let alarm = Alarm {
        what: "pool_switched".to_owned(),
        of: "empi:bank-1".to_owned(),
        severity: Severity::Warning,
        raised: true,
        role: "empi".to_owned(),
        node: "e1".to_owned(),
        site: "dc-2".to_owned(),
        text: "on the backup".to_owned(),
        at: START,
    };
    scene.bus.put(ALARMS, json(&alarm));
    scene.until("kept", |bus, _| bus.committed(ALARMS) == 1).await;
    assert_eq!(scene.store.open().alarms, [alarm]);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_waited_for_as_long_as_the_file_says() {
    let hour = Duration::from_secs(3600);
    let config = Config { patience: 2 * hour, keep: 48 * hour, ..config() };
    let store = FakeStore::default();
    store.open().overdue.1 = 2500;
    let scene = Scene::on(FakeBus::new(), store, config).await;
    scene.until("given up", |_, store| store.open().overdue.1 == 0).await;
    let asked = scene.store.open().overdue.0.len();
    assert_eq!(asked, 3, "again while there were more: 1000 + 1000 + 500");
    let hours = |hours: u64| Millis(START.0 - hours * 3_600_000);
    let first = scene.store.open().overdue.0[0];
    assert!(first >= hours(2) && first.0 < hours(2).0 + 1000, "{first:?}");
    assert_eq!(scene.store.open().forgotten.len(), 1);
    assert!(scene.store.open().forgotten[0].0 < hours(48).0 + 1000);
    tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
    let store = scene.store.open();
    assert!((180..=184).contains(&(store.overdue.0.len() - asked)), "{}", store.overdue.0.len());
    assert!((3..=4).contains(&store.forgotten.len()), "{}", store.forgotten.len());
}

#[tokio::test(start_paused = true)]
async fn an_alarm_of_an_earlier_run_ends_when_it_is_over() {
    let store = FakeStore::default();
    let (bell, mut said) = Bell::new("c1", "dc-1", Clock::from(START));
    bell.raise("bus_away", "center:c1:facts", Severity::Critical, "unplugged");
    let alarm = said.recv().await.unwrap();
    store.open().alarms.push(alarm);
    let scene = Scene::on(FakeBus::new(), store, config()).await;
    let over = |alarm: &Alarm| alarm.what == "bus_away" && !alarm.raised;
    scene.until("over", |_, store| store.open().alarms.iter().any(over)).await;
}

#[tokio::test(start_paused = true)]
async fn an_own_message_that_is_refused_shows_as_refused() {
    let store = FakeStore::default();
    let registry = prometheus::Registry::new();
    let shelf = OwnShelf {
        store: Arc::new(store.clone()),
        node: "c1".to_owned(),
        site: "dc-1".to_owned(),
        clock: Clock::from(START),
        families: Arc::new(Families::new(&registry).unwrap()),
    };
    store.open().waiting = vec![submission("m-1"), submission("m-2")];
    let waiting = shelf.waiting(0, 10).await.unwrap();
    shelf.refused(vec![(waiting[0].1.clone(), "no route".to_owned())]).await.unwrap();
    shelf.taken(vec!["m-2".parse().unwrap()]).await.unwrap();
    assert!(shelf.waiting(0, 10).await.unwrap().is_empty());
    let id: UaopId = "m-1".parse().unwrap();
    let view = ::store::center::CenterStore::message(&store, &id).await.unwrap().unwrap();
    assert_eq!(view.stage, ::store::center::Stage::Final(FinalState::Refused));
}
