//! The data plane: one thread per core, each with its own runtime, its own listening sockets and its own
//! connections. A connection lives and dies on one thread.

mod accept;
mod establish;
mod header;
mod record;
mod relay;
mod session;
mod table;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::pool::{Event, Pace, ServerId};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use crate::beats::Beats;
use crate::end::EndReason;
use crate::service::{PoolEvents, Service, SharedPool};
use accept::OpenSocket;
use relay::Scratch;
use table::{Connection, Table};

pub use accept::LAST_CALL;

/// How often counters are brought up to date and limits of idleness and age are looked at.
const SWEEP: Duration = Duration::from_millis(250);

/// What the control side tells a worker. Commands are few, so their queue has no bound.
#[derive(Debug)]
pub enum Command {
    /// Serve these addresses too.
    Open { service: Arc<Service>, sockets: Vec<StdListener> },
    /// New settings of a listener, also of one that takes over open sockets of another.
    Replace { service: Arc<Service> },
    /// Serve these addresses no longer; what waits in their queues is still taken.
    Close { addresses: Vec<SocketAddr> },
    /// End connections to a server. A drain ends when the pool's epoch is no longer `epoch`.
    CloseConnections { pool: Arc<SharedPool>, server: ServerId, reason: EndReason, pace: Pace, epoch: u64 },
    /// End every connection.
    EndAll { reason: EndReason },
    /// Whether access records are written.
    Access { enabled: bool },
}

/// The control side's end of a worker; the worker ends when it is dropped.
#[derive(Debug)]
pub struct Handle(UnboundedSender<Command>);

impl Handle {
    /// Tells the worker; a worker that is gone takes no commands.
    pub fn tell(&self, command: Command) {
        let _ = self.0.send(command);
    }
}

/// The name of a worker's thread.
pub fn name(number: usize) -> String {
    format!("worker-{number}")
}

/// Starts a worker. Events of pools go to `events`, its signs of life to its place in `beats`.
///
/// # Errors
/// When the thread or its runtime cannot be made.
pub fn start(
    number: usize,
    access: bool,
    events: UnboundedSender<PoolEvents>,
    beats: Arc<Beats>,
) -> io::Result<Handle> {
    let (commands, receiver) = unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    std::thread::Builder::new().name(name(number)).spawn(move || {
        let worker = Rc::new(Worker::new(access, events));
        LocalSet::new().block_on(&runtime, async {
            tokio::select! {
                () = worker.run(receiver) => {}
                () = beats.keep(number) => {}
            }
        });
    })?;
    Ok(Handle(commands))
}

/// What all tasks of one worker share.
#[derive(Debug)]
struct Worker {
    table: Rc<Table>,
    scratch: Scratch,
    access: Cell<bool>,
    events: UnboundedSender<PoolEvents>,
    sockets: RefCell<BTreeMap<SocketAddr, OpenSocket>>,
}

impl Worker {
    fn new(access: bool, events: UnboundedSender<PoolEvents>) -> Self {
        Self {
            table: Rc::default(),
            scratch: Scratch::new(),
            access: Cell::new(access),
            events,
            sockets: RefCell::default(),
        }
    }

    async fn run(self: Rc<Self>, mut commands: UnboundedReceiver<Command>) {
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                _ = sweep.tick() => self.table.sweep(Instant::now(), SWEEP),
            }
        }
    }

    fn obey(self: &Rc<Self>, command: Command) {
        match command {
            Command::Open { service, sockets } => {
                sockets.into_iter().for_each(|socket| self.open(&service, socket));
            }
            Command::Replace { service } => {
                let sockets = self.sockets.borrow();
                for socket in service.settings.binds.iter().filter_map(|address| sockets.get(address)) {
                    socket.replace(Arc::clone(&service));
                }
            }
            Command::Close { addresses } => {
                let mut sockets = self.sockets.borrow_mut();
                addresses.iter().filter_map(|address| sockets.remove(address)).for_each(OpenSocket::close);
            }
            Command::CloseConnections { pool, server, reason, pace, epoch } => {
                let connections = self.table.to_server(pool.id, server);
                match pace {
                    Pace::AtOnce => end_all(&connections, reason),
                    Pace::Drain { rate, jitter_percent } => {
                        let step = rate.per / rate.count;
                        let drain = drain(pool, connections, reason, step, jitter_percent, epoch);
                        tokio::task::spawn_local(drain);
                    }
                }
            }
            Command::EndAll { reason } => self.table.end_all(reason),
            Command::Access { enabled } => self.access.set(enabled),
        }
    }

    fn open(self: &Rc<Self>, service: &Arc<Service>, socket: StdListener) {
        let opened = socket
            .local_addr()
            .and_then(|address| Ok((address, OpenSocket::open(self, Arc::clone(service), socket)?)));
        match opened {
            Ok((address, socket)) => drop(self.sockets.borrow_mut().insert(address, socket)),
            Err(error) => {
                let listener = &service.settings.name;
                tracing::error!(%listener, %error, "a listening socket cannot be used");
            }
        }
    }

    /// Hands events of a pool to the control side.
    fn report(&self, pool: &Arc<SharedPool>, events: Vec<Event>) {
        if !events.is_empty() {
            // nobody listens only while the process ends
            let _ = self.events.send(PoolEvents { pool: Arc::clone(pool), events });
        }
    }
}

fn end_all(connections: &[Weak<Connection>], reason: EndReason) {
    for connection in connections.iter().filter_map(Weak::upgrade) {
        connection.traffic.end(reason);
    }
}

/// Ends connections one after the other, in turn with the other workers.
async fn drain(
    pool: Arc<SharedPool>,
    connections: Vec<Weak<Connection>>,
    reason: EndReason,
    step: Duration,
    jitter_percent: u8,
    epoch: u64,
) {
    for connection in connections {
        if connection.strong_count() == 0 {
            continue;
        }
        let at = pool.drain.next(Instant::now(), jittered(step, jitter_percent));
        tokio::time::sleep_until(at.into()).await;
        if pool.drain.epoch() != epoch {
            return;
        }
        end_all(&[connection], reason);
    }
}

/// `duration`, up to `percent` longer or shorter.
fn jittered(duration: Duration, percent: u8) -> Duration {
    let share = f64::from(percent) / 100.0;
    duration.mul_f64(1.0 - share + 2.0 * share * fraction())
}

/// A number from 0 to 1, different each time; good enough to spread things in time.
fn fraction() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(0u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}
