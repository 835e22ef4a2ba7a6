//! Puts a configuration in force: everything that can fail first, then the rest in one go.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::{self, Config, Listener, Plan};
use settings::{Fault, Path};

use super::{Control, RunningPool, State, names, watch};
use crate::resolve::Names;
use crate::service::{PoolEvents, PoolId, Service, SharedListener, SharedPool};
use crate::socket;
use crate::worker::Command;

/// Until the workers have surely closed what they were told to.
const CLOSING: Duration = Duration::from_secs(2);

/// New sockets of each listener: for each address, one per worker.
type Opened = BTreeMap<String, Vec<Vec<StdListener>>>;

impl Control {
    /// Puts `new` in force and tells what changed.
    ///
    /// # Errors
    /// Addresses that cannot be listened on, virtual ones that cannot be served; nothing has changed then.
    pub(super) fn apply(self: &Arc<Self>, new: Config) -> Result<Plan, Vec<Fault>> {
        self.prepare_vrrp(&new)?;
        let mut state = self.state();
        let plan = Plan::between(&state.config, &new);
        state.closed.retain(|_, since| since.elapsed() < CLOSING);
        let opened = self.open_sockets(&state, &new)?;
        self.apply_pools(&mut state, &new);
        self.apply_listeners(&mut state, &new, opened);
        state.pools.retain(|name, _| new.pools.iter().any(|pool| pool.name == *name));
        if state.config.log.access != new.log.access {
            self.tell_all(|| Command::Access { enabled: new.log.access });
        }
        // the pools and listeners that the addresses are for are there
        self.apply_vrrp(&state, &new);
        state.config = in_force(&state.config, new);
        Ok(plan)
    }

    fn open_sockets(&self, state: &State, new: &Config) -> Result<Opened, Vec<Fault>> {
        let mut opened = Opened::new();
        let mut faults = Vec::new();
        let held = addresses(&state.config);
        for listener in &new.listeners {
            // a socket that is open stays open, whichever listener it belongs to
            for address in listener.binds.iter().filter(|address| !held.contains(address)) {
                let ours =
                    held.iter().chain(state.closed.keys()).any(|other| config::overlap(*other, *address));
                match socket::listen(*address, listener, self.workers.len(), ours) {
                    Ok(sockets) => opened.entry(listener.name.clone()).or_default().push(sockets),
                    Err(error) => faults.push(cannot_listen(listener, *address, &error)),
                }
            }
        }
        if faults.is_empty() { Ok(opened) } else { Err(faults) }
    }

    fn apply_pools(&self, state: &mut State, new: &Config) {
        for settings in &new.pools {
            if let Some(running) = state.pools.get(&settings.name) {
                let pool = &running.shared;
                let events = pool.reconfigure(settings.clone(), Instant::now());
                self.forward(pool, events);
                pool.attention.notify_one();
                pool.slots.ring();
                continue;
            }
            let id = PoolId(state.next_pool);
            state.next_pool += 1;
            let seed = RandomState::new().hash_one(id.0);
            let shared = Arc::new(SharedPool::new(id, settings.clone(), &self.metrics, Instant::now(), seed));
            state.pools.insert(settings.name.clone(), self.run_pool(shared));
        }
        // checks that run go on with the roots of trust that they have; names are looked up now
        self.prober.send_replace(Arc::default());
        self.names.send_replace(Arc::new(Names::new(new.resolver.clone())));
    }

    fn run_pool(&self, shared: Arc<SharedPool>) -> RunningPool {
        let watch = watch::watch(Arc::clone(&shared), self.prober.subscribe(), self.events.clone());
        let names = names::keep_resolved(Arc::clone(&shared), self.names.subscribe(), self.events.clone());
        RunningPool {
            shared,
            watch: tokio::spawn(watch).abort_handle(),
            names: tokio::spawn(names).abort_handle(),
        }
    }

    fn apply_listeners(&self, state: &mut State, new: &Config, mut opened: Opened) {
        let mut services = BTreeMap::new();
        for settings in &new.listeners {
            let Some(pool) = state.pools.get(&settings.pool) else { continue };
            let shared = state
                .listeners
                .entry(settings.name.clone())
                .or_insert_with(|| Arc::new(SharedListener::new(&settings.name, &self.metrics)));
            let service = Arc::new(Service {
                settings: settings.clone(),
                pool: Arc::clone(&pool.shared),
                shared: Arc::clone(shared),
            });
            self.tell_all(|| Command::Replace { service: Arc::clone(&service) });
            for sockets in opened.remove(&settings.name).unwrap_or_default() {
                for (worker, socket) in self.workers.iter().zip(sockets) {
                    worker.tell(Command::Open { service: Arc::clone(&service), sockets: vec![socket] });
                }
            }
            services.insert(settings.name.clone(), service);
        }
        let kept = addresses(new);
        let closed: Vec<SocketAddr> =
            addresses(&state.config).into_iter().filter(|address| !kept.contains(address)).collect();
        self.tell_all(|| Command::Close { addresses: closed.clone() });
        state.closed.extend(closed.into_iter().map(|address| (address, Instant::now())));

        // one that is gone is remembered while it has connections
        state.listeners.retain(|name, listener| services.contains_key(name) || listener.live() > 0);
        state.services = services;
    }

    pub(super) fn forward(&self, pool: &Arc<SharedPool>, events: Vec<lb_core::pool::Event>) {
        if !events.is_empty() {
            // the receiver lives as long as the runtime
            let _ = self.events.send(PoolEvents { pool: Arc::clone(pool), events });
        }
    }
}

/// `new`, but for what only a restart changes.
fn in_force(old: &Config, new: Config) -> Config {
    Config {
        workers: old.workers,
        metrics: old.metrics,
        admin: old.admin.clone(),
        log: config::Log { access: new.log.access, ..old.log.clone() },
        ..new
    }
}

/// Where a configuration listens.
pub(super) fn addresses(config: &Config) -> BTreeSet<SocketAddr> {
    config.listeners.iter().flat_map(|listener| &listener.binds).copied().collect()
}

fn cannot_listen(listener: &Listener, address: SocketAddr, error: &std::io::Error) -> Fault {
    let advice = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("see what has it with `ss -ltnp 'sport = :{}'`", address.port())
        }
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE, and `freebind` needs nothing".to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => "set `freebind: true`, or add the address".to_owned(),
        _ => "see the error".to_owned(),
    };
    Fault {
        path: Path::default().key(&format!("listeners[{}]", listener.name)).key("bind"),
        value: Some(address.to_string()),
        line: None,
        problem: format!("cannot listen there: {error}"),
        advice,
    }
}
