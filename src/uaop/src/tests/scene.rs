//! UAOPs, gateways and a bus, over real sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use bus::{Bus, BusError, Consumer, Delivered, Record, Topic};
use domain::{Submission, UaopId};
use link::{Identity, Intake, Line, LineState, Numbered, Offer, Role, Standing, Teller, Verdict};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::config;
use crate::run::{Sockets, serve};

pub const SOON: Duration = Duration::from_secs(30);

/// Waits for a condition.
pub async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let wait = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, wait).await.is_ok(), "{what}");
}

/// A process, as far as a thread with a runtime of its own can be one.
pub struct Process {
    stop: Option<oneshot::Sender<()>>,
    kill: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Process {
    fn start<F: Future<Output = ()>>(work: impl FnOnce(oneshot::Receiver<()>) -> F + Send + 'static) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (kill, killed) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = work(stopped) => {}
                    Ok(()) = killed => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { stop: Some(stop), kill: Some(kill), thread: Some(thread) }
    }

    fn end(&mut self, how: Option<oneshot::Sender<()>>) {
        if let Some(how) = how {
            let _ = how.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// In order; its peers go on meanwhile.
    pub async fn stop(mut self) {
        let stop = self.stop.take();
        tokio::task::spawn_blocking(move || self.end(stop)).await.unwrap();
    }

    pub fn kill(mut self) {
        let kill = self.kill.take();
        self.end(kill);
    }
}

/// A bus that can be away.
pub struct Switch {
    pub bus: Arc<dyn Bus>,
    pub away: AtomicBool,
}

impl Switch {
    pub async fn open() -> (Arc<Self>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let place = bus::Place::Embedded { folder: folder.path().to_owned() };
        let bus = bus::open(&place, "test").await.unwrap();
        (Arc::new(Self { bus, away: AtomicBool::new(false) }), folder)
    }

    fn check(&self) -> Result<(), BusError> {
        if self.away.load(SeqCst) { Err(BusError::Away("unplugged".to_owned())) } else { Ok(()) }
    }

    /// Reads a topic from its start until `enough`.
    pub async fn read(&self, topic: &str, mut enough: impl FnMut(&[Delivered]) -> bool) -> Vec<Delivered> {
        let group = format!("test-{topic}-{:?}", std::time::Instant::now());
        let group: String = group.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let partitions = if topic == bus::ALARMS { 1 } else { 8 };
        self.bus.ensure(&[Topic { name: topic.to_owned(), partitions }]).await.unwrap();
        let mut consumer = self.bus.subscribe(&group, &[topic]).await.unwrap();
        let mut all = Vec::new();
        let read = async {
            while !enough(&all) {
                all.extend(consumer.next(1000).await.unwrap());
            }
        };
        let in_time = tokio::time::timeout(SOON, read).await.is_ok();
        assert!(in_time, "{topic}: {} records", all.len());
        all
    }
}

#[async_trait]
impl Bus for Switch {
    async fn ensure(&self, topics: &[Topic]) -> Result<(), BusError> {
        self.check()?;
        self.bus.ensure(topics).await
    }

    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError> {
        self.check()?;
        self.bus.publish(topic, records).await
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError> {
        self.bus.subscribe(group, topics).await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.check()?;
        self.bus.ping().await
    }
}

/// What a gateway has on its disk.
#[derive(Default)]
pub struct Disk {
    pub has: BTreeSet<UaopId>,
    pub events: Vec<Vec<u8>>,
    pub acknowledged: BTreeMap<String, i64>,
    /// It takes messages and says nothing.
    pub mute: bool,
}

/// A gateway that takes everything.
pub struct Gateway {
    pub address: SocketAddr,
    pub name: &'static str,
    pub disk: Arc<Mutex<Disk>>,
    process: Option<Process>,
}

struct Inside {
    disk: Arc<Mutex<Disk>>,
    standing: watch::Sender<Standing>,
}

impl Gateway {
    pub fn start(name: &'static str) -> Self {
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let mut gateway = Self { address, name, disk: Arc::default(), process: None };
        gateway.serve(socket);
        gateway
    }

    fn serve(&mut self, socket: std::net::TcpListener) {
        let standing = watch::Sender::new(Standing { ready: true, reason: String::new() });
        let inside = Arc::new(Inside { disk: Arc::clone(&self.disk), standing });
        let me = Identity { role: Role::Gateway, node: self.name.to_owned(), site: "dc-1".to_owned() };
        self.process = Some(Process::start(async move |stopped| {
            socket.set_nonblocking(true).unwrap();
            let listener = TcpListener::from_std(socket).unwrap();
            let teller: Arc<dyn Teller> = Arc::clone(&inside) as _;
            let stopped = async { drop(stopped.await) };
            link::serve(listener, me, inside, Some(teller), stopped).await.unwrap();
        }));
    }

    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    pub fn restart(&mut self) {
        self.disk().mute = false;
        self.serve(std::net::TcpListener::bind(self.address).unwrap());
    }

    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    pub fn count(&self) -> usize {
        self.disk().has.len()
    }
}

#[async_trait]
impl Intake for Inside {
    async fn take(&self, _: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        let (verdicts, mute) = {
            let mut disk = self.disk.lock().unwrap();
            let verdicts = offers.into_iter().map(|offer| disk.has.insert(offer.submission.uaop_id));
            let verdicts: Vec<Verdict> = verdicts.map(|new| Verdict::Taken { duplicate: !new }).collect();
            (verdicts, disk.mute)
        };
        if mute {
            std::future::pending::<()>().await;
        }
        verdicts
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        let disk = self.disk.lock().unwrap();
        Ok(ids.iter().map(|id| disk.has.contains(id)).collect())
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }
}

#[async_trait]
impl Teller for Inside {
    async fn join(&self, consumer: &str) -> Result<i64, String> {
        Ok(self.disk.lock().unwrap().acknowledged.get(consumer).copied().unwrap_or(0))
    }

    async fn events(&self, _: &str, after: i64, most: usize) -> Result<Vec<Numbered>, String> {
        loop {
            let events: Vec<Numbered> = {
                let disk = self.disk.lock().unwrap();
                let numbered = (1_i64..).zip(disk.events.iter().cloned());
                let numbered = numbered.map(|(id, event)| Numbered { id, event });
                numbered.filter(|event| event.id > after).take(most).collect()
            };
            if !events.is_empty() {
                return Ok(events);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn acknowledge(&self, consumer: &str, up_to: i64) -> Result<(), String> {
        self.disk.lock().unwrap().acknowledged.insert(consumer.to_owned(), up_to);
        Ok(())
    }
}

/// A UAOP, and who offers to it.
pub struct Uaop {
    pub address: SocketAddr,
    pub line: Line,
    pub process: Process,
}

impl Uaop {
    /// `more`: what its file says besides. Returns when it is ready.
    pub async fn start(node: &str, gateways: &[(&Gateway, &str)], bus: &Arc<Switch>, more: &str) -> Self {
        let list = gateways.iter().map(|(gateway, carrier)| {
            format!(
                "  - {{ name: {}, address: \"{}\", carrier: {carrier} }}\n",
                gateway.name, gateway.address
            )
        });
        let list: String = list.collect();
        let text = format!(
            "node: {node}\nsite: dc-1\nbus: {{ embedded: /unused }}\nmetrics: off\nready: every-carrier\ngateways:\n{list}{more}"
        );
        let config = config::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let bus: Arc<dyn Bus> = Arc::clone(bus) as _;
        let process = Process::start(async move |stopped| {
            socket.set_nonblocking(true).unwrap();
            let sockets = Sockets { listener: TcpListener::from_std(socket).unwrap(), metrics: None };
            serve(config, sockets, bus, async { drop(stopped.await) }).await.unwrap();
        });
        let me = Identity { role: Role::Empi, node: "empi".to_owned(), site: "dc-1".to_owned() };
        let settings = link::LineSettings {
            server: settings::Address::Socket(address),
            ..super::gateway("unused").line
        };
        let line = Line::open(settings, me, Role::Uaop, None);
        let uaop = Self { address, line, process };
        uaop.stands(true).await;
        uaop
    }

    pub async fn stands(&self, wanted: bool) {
        let mut state = self.line.state();
        let is =
            |state: &LineState| matches!(state, LineState::Up { standing, .. } if standing.ready == wanted);
        let stands = tokio::time::timeout(SOON, state.wait_for(is)).await.is_ok();
        assert!(stands, "ready: {wanted}, but {:?}", self.line.state().borrow());
    }

    pub async fn offer(&self, submissions: Vec<Submission>, again: bool) -> Vec<Verdict> {
        let offers = submissions.into_iter().map(|submission| Offer { submission, again }).collect();
        self.line.submit(offers).await.unwrap()
    }
}
