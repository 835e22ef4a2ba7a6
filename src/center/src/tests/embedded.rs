//! The center on its embedded store and bus: what a bank gets in the end.

use std::path::Path;

use ::bus::{Bus, Record, Topic, for_bank};
use ::store::center::{CenterStore, Stage};
use domain::event::{Outcome, ReportState};
use domain::{Disposition, Party};

use super::*;

struct Real {
    bus: Arc<dyn Bus>,
    store: Arc<dyn CenterStore>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Real {
    async fn start(folder: &Path) -> Self {
        let config = Config {
            store: ::store::Place::Sqlite { folder: folder.join("store") },
            bus: ::bus::Place::Embedded { folder: folder.join("bus") },
            ..config()
        };
        let store = ::store::open_center(&config.store, config.time_zone.clone()).await.unwrap();
        let bus = ::bus::open(&config.bus, &config.node).await.unwrap();
        let topics = [(COPIES, 8), (EVENTS, 8), (ALARMS, 1)]
            .map(|(name, partitions)| Topic { name: name.to_owned(), partitions });
        bus.ensure(&topics).await.unwrap();
        let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let parts = Parts {
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            sockets: Sockets { http, metrics: None },
            clock: Clock::from(START),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(serve(config, parts, async move { stopped.await.unwrap_or_default() }));
        Self { bus, store, stop, running }
    }

    async fn put(&self, topic: &str, key: &str, value: impl Into<Vec<u8>>) {
        let record = Record { key: key.to_owned(), value: value.into() };
        self.bus.publish(topic, vec![record]).await.unwrap();
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

/// A journey of one part; the carrier's id of it is `R-id`.
fn journey(id: &str) -> Vec<Happened> {
    let resp_sequence = format!("R-{id}");
    let uaop_id = || id.parse().unwrap();
    let push_sequence = format!("P-{id}");
    vec![
        Happened::Pushed {
            uaop_id: uaop_id(),
            part: 1,
            parts: 1,
            push_sequence: push_sequence.clone(),
            attempt: Attempt::First,
        },
        Happened::Answered {
            uaop_id: uaop_id(),
            part: 1,
            push_sequence,
            resp_sequence: Some(resp_sequence.clone()),
            code: 0,
            disposition: Disposition::Accepted,
        },
        Happened::Finished { uaop_id: uaop_id(), outcome: Outcome::Accepted },
        Happened::Reported {
            resp_sequence,
            report_sequence: None,
            uaop_id: None,
            part: None,
            to: Some(Party("13800138000".to_owned())),
            state: ReportState::Delivered,
            word: "DELIVRD".to_owned(),
            reason: None,
        },
    ]
}

#[tokio::test]
async fn each_message_has_one_report_however_its_facts_come() {
    let dir = tempfile::tempdir().unwrap();
    let center = Real::start(dir.path()).await;
    // in order; from the report back to the copy; with poison in between; all of it from two UAOPs
    for (id, backwards) in [("m-1", false), ("m-2", true), ("m-3", true)] {
        let mut facts: Vec<(&str, Vec<u8>)> = vec![(COPIES, json(&copy(submission(id))))];
        for uaop in ["u1", "u2"] {
            facts.extend(journey(id).into_iter().map(|happened| (EVENTS, json(&told(uaop, happened)))));
        }
        if backwards {
            facts.reverse();
        }
        for (topic, value) in facts {
            center.put(topic, "gw:cm", value).await;
            center.put(topic, "gw:cm", "poison").await;
        }
    }
    center.put(EVENTS, "gw:cm", json(&told("u1", mo("1", "106900051")))).await;
    center.put(EVENTS, "gw:cm", json(&told("u2", mo("1", "106900051")))).await;

    let bank = reports(&center, "bank-1", 3).await;
    let mut ids: Vec<&str> = bank.iter().map(|report| report.uaop_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["m-1", "m-2", "m-3"]);
    assert!(bank.iter().all(|report| report.state == FinalState::Delivered && report.revision == 1));
    let mut other = center.bus.subscribe("test", &[&for_bank(&"bank-2".parse().unwrap())]).await.unwrap();
    let mo: ForBank = serde_json::from_slice(&other.next(10).await.unwrap()[0].value).unwrap();
    assert!(matches!(mo, ForBank::Mo(mo) if mo.mo_id == "mobile:1"));

    let settled = async {
        loop {
            let counts = center.store.counts().await.unwrap();
            if (counts.set_aside, counts.outbox) == (27, 0) {
                break counts;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let counts = tokio::time::timeout(SOON, settled).await.unwrap();
    assert_eq!((counts.messages, counts.open, counts.orphans), (3, 0, 0));
    let view = center.store.message(&"m-2".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((view.stage, view.parts.len()), (Stage::Final(FinalState::Delivered), 1));
    center.stop().await;

    // nothing comes again after a restart
    let center = Real::start(dir.path()).await;
    center.put(COPIES, "m-4", json(&copy(submission("m-4")))).await;
    for happened in journey("m-4") {
        center.put(EVENTS, "gw:cm", json(&told("u1", happened))).await;
    }
    assert_eq!(reports(&center, "bank-1", 4).await[3].uaop_id.as_str(), "m-4");
    center.stop().await;
}

/// From the first; fails if there are more.
async fn reports(center: &Real, empi: &str, count: usize) -> Vec<Report> {
    let topic = for_bank(&empi.parse().unwrap());
    center.bus.ensure(&[Topic { name: topic.clone(), partitions: 1 }]).await.unwrap();
    let group = format!("test-{count}");
    let mut consumer = center.bus.subscribe(&group, &[&topic]).await.unwrap();
    let mut reports = Vec::new();
    while reports.len() < count {
        let records = tokio::time::timeout(SOON, consumer.next(100)).await.expect("reports in time").unwrap();
        reports.extend(records.iter().filter_map(
            |record| match serde_json::from_slice(&record.value).unwrap() {
                ForBank::Report(report) => Some(report),
                ForBank::Mo(_) => None,
            },
        ));
    }
    assert_eq!(reports.len(), count);
    reports
}
