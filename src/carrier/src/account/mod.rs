//! An account: what its connections share.

mod delivery;
mod seen;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::Millis;
use tokio::sync::{Notify, watch};
use wire::exchange::{Incoming, Submit};

pub use delivery::{Delivery, LinkId, Outbox, Unlock};

use self::seen::Seen;
use crate::behaviour::{Behaviour, Bucket, DueQueue, Ending, Fate, Key, fate};
use crate::config;
use crate::metrics::{Counters, Deliveries, Families};

/// One account.
#[derive(Debug)]
pub struct Account {
    pub config: config::Account,
    pub name: Arc<str>,
    pub counters: Counters,
    behaviour: watch::Sender<Arc<Behaviour>>,
    state: Mutex<State>,
    /// Something is due earlier than all before.
    due_changed: Notify,
    /// Something may wait, and no connection carry it.
    link_wanted: Notify,
}

#[derive(Debug)]
struct State {
    bucket: Option<Bucket>,
    seen: Seen,
    due: DueQueue<Delivery>,
    outbox: Outbox,
    links: BTreeMap<LinkId, Link>,
}

/// A connection that is logged in.
#[derive(Debug)]
pub struct Link {
    pub peer: SocketAddr,
    /// It takes reports and MO.
    pub carries: bool,
    /// It is one that we opened.
    pub dialled: bool,
    pub since: Millis,
    pub wake: Arc<Notify>,
    pub orders: Vec<Order>,
    /// The customer's requests without an answer, and ours.
    pub load: Load,
}

/// How full the windows of a connection are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub submits: usize,
    pub deliveries: usize,
}

/// What a connection is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    End(Ending),
    /// The report is out: the answer of this ticket may go.
    Release(u64),
}

/// What is decided about a submit.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Too fast.
    Busy,
    Fate {
        fate: Fate,
        /// Of each destination: how many messages of the same content were taken before.
        duplicates: Vec<u32>,
    },
}

impl Account {
    #[must_use]
    pub fn new(config: config::Account, seed: u32, families: &Families, now: Instant) -> Self {
        let state = State {
            bucket: config.rate.map(|rate| Bucket::new(rate, now)),
            seen: Seen::new(Key::new(seed, &config.name)),
            due: DueQueue::new(),
            outbox: Outbox::default(),
            links: BTreeMap::new(),
        };
        Self {
            name: config.name.as_str().into(),
            counters: families.account(&config.name),
            behaviour: watch::Sender::new(Arc::new(config.behaviour.clone())),
            config,
            state: Mutex::new(state),
            due_changed: Notify::new(),
            link_wanted: Notify::new(),
        }
    }

    #[must_use]
    pub fn behaviour(&self) -> watch::Receiver<Arc<Behaviour>> {
        self.behaviour.subscribe()
    }

    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(Arc::new(behaviour));
    }

    /// Whether a connection may come from there.
    #[must_use]
    pub fn permits(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        self.config.sources.is_empty() || self.config.sources.iter().any(|net| net.contains(&source))
    }

    /// Whether the account has as many connections as it may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let state = self.state();
        let own = state.links.values().filter(|link| !link.dialled).count();
        own >= usize::from(self.config.connections)
    }

    /// Decides about a submit that is right in itself, the `nth` of its connection.
    pub fn judge(&self, submit: &Submit, nth: u32, now: Instant) -> Verdict {
        let mut state = self.state();
        if state.bucket.as_mut().is_some_and(|bucket| !bucket.take(now)) {
            return Verdict::Busy;
        }
        let (print, before) = state.seen.tried(submit);
        let fate = fate::decide(print.dice(before), &self.behaviour.borrow(), nth);
        let duplicates = match fate.code {
            0 => state.seen.taken(submit),
            _ => vec![0; submit.destinations.len()],
        };
        Verdict::Fate { fate, duplicates }
    }

    /// A connection is logged in.
    pub fn join(&self, id: LinkId, link: Link) {
        let mut state = self.state();
        if link.carries {
            state.outbox.add_carrier(id);
            link.wake.notify_one();
        }
        state.links.insert(id, link);
        self.counters.connections.inc();
    }

    /// A connection is gone, and what it had sent is to be sent again.
    pub fn leave(&self, id: LinkId, unacknowledged: impl IntoIterator<Item = Delivery>) {
        let mut state = self.state();
        if state.links.remove(&id).is_some() {
            self.counters.connections.dec();
        }
        state.outbox.remove_carrier(id);
        unacknowledged
            .into_iter()
            .for_each(|delivery| state.outbox.push(Delivery { again: true, ..delivery }));
        self.wake_carriers(&state);
    }

    /// To be sent at `at`.
    pub fn schedule(&self, at: Instant, delivery: Delivery) {
        if self.state().due.push(at, delivery) {
            self.due_changed.notify_one();
        }
    }

    /// What was refused or not answered is sent again after `wait`.
    pub fn repeat(&self, delivery: Delivery, wait: Duration, now: Instant) {
        self.schedule(now + wait, Delivery { again: true, ..delivery });
    }

    /// The next delivery for this connection.
    pub fn take(&self, link: LinkId) -> Option<Delivery> {
        let mut state = self.state();
        let delivery = state.outbox.take(link);
        self.count_waiting(&state);
        delivery
    }

    /// Tells a connection something; nothing happens if it is gone.
    pub fn order(&self, link: LinkId, order: Order) {
        if let Some(link) = self.state().links.get_mut(&link) {
            link.orders.push(order);
            link.wake.notify_one();
        }
    }

    /// Tells all connections to end, or one; returns how many.
    pub fn end(&self, only: Option<LinkId>, ending: Ending) -> usize {
        let mut state = self.state();
        let links = state.links.iter_mut().filter(|(id, _)| only.is_none_or(|only| only == **id));
        links
            .map(|(_, link)| {
                link.orders.push(Order::End(ending));
                link.wake.notify_one();
            })
            .count()
    }

    /// What the connection was told since it last asked; tells how full its windows are.
    pub fn orders(&self, link: LinkId, load: Load) -> Vec<Order> {
        let mut state = self.state();
        let Some(link) = state.links.get_mut(&link) else { return Vec::new() };
        link.load = load;
        std::mem::take(&mut link.orders)
    }

    /// What `read` makes of each connection.
    pub fn links<T>(&self, read: impl Fn(LinkId, &Link) -> T) -> Vec<T> {
        self.state().links.iter().map(|(id, link)| read(*id, link)).collect()
    }

    /// Moves deliveries that are due to where connections take them; runs for ever.
    pub async fn keep_time(&self) {
        loop {
            let next = self.release_due(Instant::now());
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.due_changed.notified() => {}
            }
        }
    }

    /// Waits until something waits that no connection carries.
    pub async fn needs_link(&self) {
        while !self.lacks_link() {
            self.link_wanted.notified().await;
        }
    }

    /// Whether something waits that no connection carries.
    #[must_use]
    pub fn lacks_link(&self) -> bool {
        let state = self.state();
        !state.outbox.is_empty() && !state.outbox.has_carriers()
    }

    /// The counters for a delivery of this kind.
    #[must_use]
    pub fn deliveries(&self, incoming: &Incoming) -> &Deliveries {
        match incoming {
            Incoming::Report(_) => &self.counters.reports,
            Incoming::Mo(_) | Incoming::UserState { .. } => &self.counters.mo,
        }
    }

    fn release_due(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        let mut released = false;
        while let Some(delivery) = state.due.pop(now) {
            state.outbox.push(delivery);
            released = true;
        }
        if released {
            self.wake_carriers(&state);
        }
        state.due.next()
    }

    fn wake_carriers(&self, state: &State) {
        self.count_waiting(state);
        if state.outbox.is_empty() {
            return;
        }
        state.links.values().filter(|link| link.carries).for_each(|link| link.wake.notify_one());
        if !state.outbox.has_carriers() {
            self.link_wanted.notify_one();
        }
    }

    fn count_waiting(&self, state: &State) {
        self.counters.waiting.set(i64::try_from(state.outbox.len()).unwrap_or(i64::MAX));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
