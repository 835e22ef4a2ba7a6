//! The center as a whole, on a bus and a store in memory, in tokio's time.

mod api;
mod bus;
mod embedded;
mod journeys;
mod sending;
mod store;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::bus::{ALARMS, COPIES, EVENTS};
use domain::event::Attempt;
use domain::{
    Event, FinalState, ForBank, Happened, MessageCopy, MessageText, Millis, Party, Report, Submission, Told,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Config;
use crate::clock::Clock;
use crate::config::{Classes, Log, Numbers, Operator, Token};
use crate::run::{Parts, Sockets, serve};
use bus::FakeBus;
use store::FakeStore;

pub const START: Millis = Millis(1_790_000_000_000);
pub const SOON: Duration = Duration::from_secs(60);

/// On parts that are handed in: its places are not looked at.
pub fn config() -> Config {
    let operator = |name: &str, token, send, numbers, sources: &[&str]| Operator {
        name: name.to_owned(),
        token: Token::of(token),
        read: true,
        send,
        numbers,
        sources: sources.iter().map(|source| source.parse().unwrap()).collect(),
    };
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Config {
        node: "c1".to_owned(),
        site: "dc-1".to_owned(),
        empi: "center".parse().unwrap(),
        store: ::store::Place::Sqlite { folder: "/unused".into() },
        bus: ::bus::Place::Embedded { folder: "/unused".into() },
        partitions: 8,
        uaops: None,
        http: nowhere,
        metrics: None,
        log: Log { format: runtime::logging::Format::Text, level: "info".to_owned() },
        time_zone: jiff::tz::TimeZone::UTC,
        patience: Duration::from_secs(72 * 3600),
        keep: Duration::from_secs(180 * 86_400),
        numbers: owners(&[("1069000", "bank-1"), ("10690005", "bank-2")]),
        classes: Classes { default: true, named: [("verification".parse().unwrap(), false)].into() },
        operators: vec![
            operator("watch", WATCH, false, false, &[]),
            operator("desk", DESK, true, true, &[]),
            operator("far", FAR, false, false, &["192.0.2.0/24"]),
        ],
    }
}

pub const WATCH: &str = "watch-watch-watch-watch";
pub const DESK: &str = "desk-desk-desk-desk-desk";
pub const FAR: &str = "far-far-far-far-far-far";

pub fn owners(numbers: &[(&str, &str)]) -> Numbers {
    Numbers(numbers.iter().map(|(prefix, empi)| ((*prefix).to_owned(), empi.parse().unwrap())).collect())
}

/// A center that runs.
pub struct Scene {
    pub bus: FakeBus,
    pub store: FakeStore,
    pub api: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Scene {
    pub async fn start() -> Self {
        Self::on(FakeBus::new(), FakeStore::default(), config()).await
    }

    pub async fn on(bus: FakeBus, store: FakeStore, config: Config) -> Self {
        let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let api = http.local_addr().unwrap();
        let parts = Parts {
            store: Arc::new(store.clone()),
            bus: Arc::new(bus.clone()),
            sockets: Sockets { http, metrics: None },
            clock: Clock::from(START),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(serve(config, parts, async move { stopped.await.unwrap_or_default() }));
        Self { bus, store, api, stop, running }
    }

    pub async fn stop(self) -> (FakeBus, FakeStore) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
        (self.bus, self.store)
    }

    /// Waits until this is so.
    pub async fn until(&self, what: &str, so: impl Fn(&FakeBus, &FakeStore) -> bool) {
        until(what, || so(&self.bus, &self.store)).await;
    }
}

/// Waits for a condition; time that is paused goes on meanwhile.
pub async fn until(what: &str, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, wait).await.is_ok(), "not in time: {what}");
}

pub fn submission(id: &str) -> Submission {
    Submission {
        uaop_id: id.parse().unwrap(),
        empi_id: "bank-1".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: "13800138000".parse().unwrap(),
        extension: String::new(),
        text: MessageText("hello".to_owned()),
        report: true,
        priority: 0,
        not_after: None,
    }
}

pub fn copy(submission: Submission) -> MessageCopy {
    MessageCopy { uaop: "u1".to_owned(), site: "dc-1".to_owned(), at: START, submission }
}

pub fn told(uaop: &str, happened: Happened) -> Told {
    Told {
        uaop: uaop.to_owned(),
        site: "dc-1".to_owned(),
        carrier: "mobile".parse().unwrap(),
        event: Event {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(1),
            account: "cm".parse().unwrap(),
            at: START,
            happened,
        },
    }
}

pub fn pushed(id: &str) -> Happened {
    let push_sequence = "7".to_owned();
    Happened::Pushed {
        uaop_id: id.parse().unwrap(),
        part: 1,
        parts: 1,
        push_sequence,
        attempt: Attempt::First,
    }
}

pub fn mo(id: &str, to: &str) -> Happened {
    let (from, to) = (Party("13900139000".to_owned()), Party(to.to_owned()));
    Happened::Mo { id: id.to_owned(), from, to, text: MessageText("TD".to_owned()) }
}

pub fn report(id: &str, empi: &str) -> ForBank {
    ForBank::Report(Report {
        uaop_id: id.parse().unwrap(),
        empi_id: empi.parse().unwrap(),
        revision: 1,
        state: FinalState::Delivered,
        word: Some("DELIVRD".to_owned()),
        reason: None,
        to: "13800138000".parse().unwrap(),
        parts: 1,
        gateway: None,
        carrier: None,
        answered_at: None,
        at: START,
    })
}

pub fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}
