//! A connection, its account's ends of the channels, and a place where the carrier listens.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::{TimeZone, offset};
use prometheus::Registry;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::timeout;
use wire::exchange::Submit;
use wire::protocol::Messages;
use wire::session::Numbers;

use super::carrier::Carrier;
use crate::clock::Clock;
use crate::config;
use crate::connection::{Connection, Context, News, Order, PartKey, Report, orders};
use crate::metrics::connection::{ConnectionFamilies, ConnectionMetrics};

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(20);

/// SGIP needs some more.
pub const OF_SGIP: &str = r#"reconnect: { first: 1ms, most: 2ms }, enterprise: "12345", area: "010",
    listen: { address: "127.0.0.1:1", name: s, password: "p", carriers: 127.0.0.1 }"#;

/// Runs a test, and ends it if it hangs.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async { timeout(PATIENCE, test).await }).expect("the test hangs");
}

/// An account of the protocol with its defaults, and `keys` besides.
pub fn account(protocol: &str, server: SocketAddr, keys: &str) -> config::Account {
    let text = format!(
        "gateway: g\nspool: /s\naccounts:\n  - {{ name: a, protocol: {protocol}, server: \"{server}\", id: \"901234\", \
         secret: \"s3cret\", number: 1069, {keys} }}\n"
    );
    config::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}")).accounts.remove(0)
}

pub fn context(account: config::Account, reports: mpsc::Sender<Report>) -> Context {
    let families = ConnectionFamilies::new(&Registry::new()).unwrap();
    Context {
        connection: 3,
        numbers: Arc::new(Numbers::starting_at(100)),
        clock: Clock::new(TimeZone::fixed(offset(8))),
        reports,
        metrics: families.of(&account.name, "3"),
        account: Arc::new(account),
    }
}

pub struct Scene<P: Messages> {
    pub listener: TcpListener,
    pub orders: Option<mpsc::Sender<Order<P>>>,
    pub reports: mpsc::Receiver<Report>,
    pub metrics: ConnectionMetrics,
    pub account: Arc<config::Account>,
    pub task: JoinHandle<()>,
}

impl<P: Messages> Scene<P> {
    /// A connection at work, to a carrier that listens.
    pub fn new(protocol: &str, keys: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // so that a carrier that does not read is noticed
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap();
        let account = account(protocol, listener.local_addr().unwrap(), keys);
        let (reports, receiver) = mpsc::channel(64);
        let context = context(account, reports);
        let (metrics, account) = (context.metrics.clone(), Arc::clone(&context.account));
        let (sender, orders) = orders(account.window);
        let connection = Connection::new(context, account.logins[0].clone(), orders, 1);
        let task = spawn_local(connection.run());
        Self { listener, orders: Some(sender), reports: receiver, metrics, account, task }
    }

    /// The carrier's end of the next session, logged in, after the account has heard of it.
    pub async fn up(&mut self, login: u32) -> Carrier<P> {
        let carrier = self.carrier().await;
        match self.news().await {
            News::Up { login: told } => assert_eq!(told, login),
            other => panic!("{other:?}"),
        }
        carrier
    }

    /// The carrier's end of the next session, logged in.
    pub async fn carrier(&self) -> Carrier<P> {
        Carrier::accept(&self.listener, &self.account).await
    }

    pub async fn news(&mut self) -> News {
        let report = self.reports.recv().await.expect("the connection has ended");
        assert_eq!(report.connection, 3);
        report.news
    }

    pub fn order(&self, order: Order<P>) {
        self.orders.as_ref().unwrap().try_send(order).unwrap();
    }

    /// Orders the `number`th part, for this login.
    pub fn submit(&self, login: u32, number: u32) {
        let sequence = P::sequence(number, 0, domain::Stamp::default());
        self.order(Order::Submit { login, key: key(number), sequence, submit: text(number, 1) });
    }
}

pub fn key(number: u32) -> PartKey {
    PartKey { message: i64::from(number), part: 1 }
}

/// A part that says its number, to so many users.
pub fn text(number: u32, destinations: usize) -> Submit {
    Submit {
        source: "1069".parse().unwrap(),
        destinations: vec!["8613800138000".parse().unwrap(); destinations],
        coding: 0,
        header: false,
        part: 1,
        parts: 1,
        content: number.to_string().into_bytes(),
        report: true.into(),
        priority: 0,
        valid_until: "".parse().unwrap(),
    }
}
