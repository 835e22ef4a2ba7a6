//! The virtual routers' thread, seen from the control side: what it must know, and what it tells.

mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use lb_core::config::Config;
use settings::{Fault, Path};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

use super::virtual_routers::Wish;
use super::{Control, State};
use crate::notify::Change;
use crate::vrrp::{self, Command, News, What};

pub(super) use facts::Tracker;

/// So long after its start the daemon does not take pools for usable whose first checks are under way: a host that
/// comes back without a way to its servers must not take the addresses.
const START: Duration = Duration::from_secs(5);
/// How often the first checks are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How long letting go may take; it is a matter of milliseconds.
const LET_GO: Duration = Duration::from_secs(1);

impl Control {
    /// Starts the thread of the virtual routers as soon as there is one in the configuration.
    ///
    /// # Errors
    /// The kernel does not let this process do what it takes.
    pub(super) fn prepare_vrrp(self: &Arc<Self>, config: &Config) -> Result<(), Vec<Fault>> {
        if config.virtual_routers.is_empty() || self.vrrp.get().is_some() {
            return Ok(());
        }
        let (news, received) = unbounded_channel();
        let handle = vrrp::start(Arc::clone(&self.metrics), Arc::clone(&self.beats), news)
            .map_err(|error| vec![cannot_start(&error)])?;
        tokio::spawn(listen(Arc::downgrade(self), received));
        tokio::spawn(watch_first_checks(Arc::downgrade(self)));
        let handle = Arc::new(handle);
        let ears = Arc::clone(&handle);
        self.virtual_routers.connect(move |wish| {
            ears.tell(match wish {
                Wish::Release(name) => Command::Release(name),
                Wish::Take(name) => Command::Take(name),
            });
        });
        // only here, and only one reload at a time
        let _ = self.vrrp.set(handle);
        Ok(())
    }

    /// Hands a configuration over.
    pub(super) fn apply_vrrp(self: &Arc<Self>, state: &State, new: &Config) {
        let Some(vrrp) = self.vrrp.get() else { return };
        self.tracker.replace(&Arc::downgrade(self), &new.virtual_routers);
        self.tell_facts(state);
        vrrp.tell(Command::Configure(new.virtual_routers.clone()));
    }

    /// What is known of pools, commands and files.
    pub(super) fn tell_facts(&self, state: &State) {
        let Some(vrrp) = self.vrrp.get() else { return };
        let starting = self.started.elapsed() < START;
        let (mut pools, mut unproven) = (BTreeMap::new(), BTreeSet::new());
        for (name, running) in &state.pools {
            let (usable, is_unproven) = running.shared.with(|pool| (pool.usable(), pool.is_unproven()));
            pools.insert(name.clone(), usable);
            if starting && is_unproven {
                unproven.insert(name.clone());
            }
        }
        if let Some(facts) = self.tracker.news(pools, unproven) {
            vrrp.tell(Command::Facts(facts));
        }
    }

    /// Lets go of every virtual address, while connections go on.
    pub(super) async fn release_all(&self) {
        let Some(vrrp) = self.vrrp.get() else { return };
        let (done, released) = oneshot::channel();
        vrrp.tell(Command::Stop(done));
        if tokio::time::timeout(LET_GO, released).await.is_err() {
            tracing::error!(
                "the thread of the virtual routers does not answer; the guard will let go for it"
            );
        }
    }

    fn hear(&self, News { at, router, what }: News) {
        match what {
            What::Happened { kind, text } => drop(self.timeline.record(at, kind, &router, text)),
            What::StateChanged { state, reason, priority, took_over } => {
                let text = format!("{}: {reason}", state.word().to_uppercase());
                self.timeline.record(at, vrrp::Kind::State, &router, text);
                self.notifier.tell(Change { router, state: state.into(), priority, reason, took_over, at });
            }
            What::Status(status) => self.virtual_routers.observe(at, *status),
            What::Gone => self.virtual_routers.forget(&router),
        }
    }
}

/// A first check that passes changes nothing about its server, so nobody tells of it. Runs while the daemon starts.
async fn watch_first_checks(control: Weak<Control>) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let Some(control) = control.upgrade() else { return };
        let over = control.started.elapsed() >= START;
        control.tell_facts(&control.state());
        if over {
            return;
        }
    }
}

/// Runs until the daemon ends.
async fn listen(control: Weak<Control>, mut news: UnboundedReceiver<News>) {
    while let Some(news) = news.recv().await {
        let Some(control) = control.upgrade() else { return };
        control.hear(news);
    }
}

fn cannot_start(error: &std::io::Error) -> Fault {
    let advice = match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "run lb with CAP_NET_RAW and CAP_NET_ADMIN, as deploy/lb.service does, or as root"
        }
        _ => "see the error",
    };
    Fault {
        path: Path::default().key("vrrp"),
        value: None,
        line: None,
        problem: format!("virtual addresses cannot be served here: {error}"),
        advice: advice.to_owned(),
    }
}
