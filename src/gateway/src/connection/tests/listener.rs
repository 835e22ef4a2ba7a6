//! The carrier dials: SGIP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::event::ReportState;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_local};
use wire::exchange::{Incoming, MessageId, Report as CarrierReport};
use wire::protocol::{Credentials, Secret, Version};
use wire::session::{Down, Event};
use wire::sgip::Sgip;

use super::carrier::{Carrier, down, mo};
use super::scene::{account, context, key, run, text};
use crate::config::Account;
use crate::connection::{Listener, News, Order, Report, bind, listener_orders};
use crate::metrics::connection::{Attempt, ConnectionMetrics};

struct Scene {
    address: SocketAddr,
    account: Arc<Account>,
    orders: mpsc::Sender<Order<Sgip>>,
    reports: mpsc::Receiver<Report>,
    metrics: ConnectionMetrics,
    task: JoinHandle<()>,
}

impl Scene {
    async fn new(carriers: &str) -> Self {
        let listen =
            format!(r#"{{ address: "127.0.0.1:0", name: smg, password: "p4ss", carriers: {carriers} }}"#);
        let keys = format!("enterprise: \"12345\", area: \"010\", listen: {listen}");
        let account = account("sgip-1.2", "127.0.0.1:1".parse().unwrap(), &keys);
        let listen = account.listen.clone().unwrap();
        let (reports, receiver) = mpsc::channel(64);
        let context = context(account, reports);
        let (metrics, account) = (context.metrics.clone(), Arc::clone(&context.account));
        let (sender, orders) = listener_orders();
        let socket = bind(&listen).await.unwrap();
        let address = socket.local_addr().unwrap();
        let task = spawn_local(Listener::new(context, listen, orders).run(socket));
        let mut scene = Self { address, account, orders: sender, reports: receiver, metrics, task };
        assert!(matches!(scene.news().await, News::Up { login: 1 }));
        scene
    }

    async fn dial(&self, id: &str, secret: &str, mode: u8) -> (Carrier<Sgip>, Event<Sgip>) {
        let credentials = Credentials {
            id: id.parse().unwrap(),
            secret: Secret(secret.to_owned()),
            version: Version(0x12),
            mode,
            node: 1_010_000,
        };
        Carrier::dial(self.address, credentials, &self.account).await
    }

    async fn up(&self) -> Carrier<Sgip> {
        match self.dial("smg", "p4ss", 2).await {
            (carrier, Event::Up(_)) => carrier,
            (_, other) => panic!("{other:?}"),
        }
    }

    async fn news(&mut self) -> News {
        self.reports.recv().await.expect("the listener has ended").news
    }

    async fn ticket(&mut self) -> (u64, Incoming) {
        match self.news().await {
            News::Incoming { ticket, incoming } => (ticket, incoming),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_session_of_the_carrier_gets_its_own_answers() {
    run(async {
        let mut scene = Scene::new("[192.0.2.0/24, 127.0.0.0/8]").await;
        let (mut one, mut other) = (scene.up().await, scene.up().await);
        assert_eq!(scene.metrics.up.get(), 2);
        let report = CarrierReport {
            about: MessageId::new([1; 12]),
            id: None,
            state: ReportState::Delivered,
            word: "0:0".parse().unwrap(),
            error: "0".parse().unwrap(),
            destination: "8613800138000".parse().unwrap(),
            source: "".parse().unwrap(),
            submitted: "".parse().unwrap(),
            done: "".parse().unwrap(),
        };
        let of_one = one.bring(&Incoming::Report(report)).await;
        let (ticket_of_one, incoming) = scene.ticket().await;
        assert!(matches!(incoming, Incoming::Report(report) if report.about == MessageId::new([1; 12])));
        let of_other = other.bring(&mo("hello")).await;
        let (ticket_of_other, incoming) = scene.ticket().await;
        assert!(matches!(incoming, Incoming::Mo(mo) if mo.content == b"hello"));
        assert_ne!(ticket_of_one, ticket_of_other);
        scene.orders.try_send(Order::DeliverAnswer { ticket: ticket_of_other, code: 0 }).unwrap();
        assert_eq!(other.answered(of_other).await, 0);
        scene.orders.try_send(Order::DeliverAnswer { ticket: ticket_of_one, code: 32 }).unwrap();
        assert_eq!(one.answered(of_one).await, 32);
    });
}

#[test]
fn only_the_carrier_gets_in_and_only_to_bring_something() {
    run(async {
        let scene = Scene::new("127.0.0.1").await;
        for (id, secret, mode, status) in
            [("smg", "wrong", 2, 1), ("gms", "p4ss", 2, 1), ("smg", "p4ss", 1, 4)]
        {
            let (mut carrier, event) = scene.dial(id, secret, mode).await;
            assert_eq!(down(event), Down::Refused { status }, "{id} {secret} {mode}");
            carrier.closed().await;
        }
        scene.up().await;

        let scene = Scene::new("192.0.2.1").await;
        let mut stream = TcpStream::connect(scene.address).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(scene.metrics.attempts(Attempt::Refused).get(), 1);
    });
}

#[test]
fn at_the_end_what_is_open_is_still_answered() {
    run(async {
        let mut scene = Scene::new("127.0.0.1").await;
        let mut carrier = scene.up().await;
        let sequence = carrier.bring(&mo("hello")).await;
        let (ticket, _) = scene.ticket().await;
        let submit =
            Order::Submit { login: 1, key: key(1), sequence: Default::default(), submit: text(1, 1) };
        scene.orders.try_send(submit).unwrap();
        assert!(matches!(scene.news().await, News::NotSent { login: 1, key: of } if of == key(1)));
        scene.orders.try_send(Order::Stop { patience: Duration::from_secs(10) }).unwrap();
        scene.orders.try_send(Order::DeliverAnswer { ticket, code: 0 }).unwrap();
        assert_eq!(carrier.answered(sequence).await, 0);
        assert_eq!(carrier.down().await, Down::PeerTerminated);
        assert!(matches!(scene.news().await, News::Down { .. }));
        scene.task.await.unwrap();
        assert!(TcpStream::connect(scene.address).await.is_err(), "nobody listens");
    });
}
