//! The thread of the virtual routers: waits for packets, for what the kernel and the control side say, and for the
//! next deadline. It shares no lock with the data plane.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use lb_core::vrrp::{Event, Facts, Group};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::EventFd;
use nix::sys::time::TimeSpec;
use tokio::sync::mpsc::UnboundedSender;

use super::Command;
use super::keeper::{Happened, Keeper};
use super::links::Sockets;
use super::member::Member;
use super::netlink::{Monitor, Writer};
use super::news::{Kind, News, What};
use super::router::Router;
use crate::beats::{self, Beats};
use crate::metrics::Metrics;

/// How often `lb status` gets a new picture when nothing changes.
const PICTURE: Duration = Duration::from_secs(1);

/// A member: which router, and which of its members. Good until the next configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) router: usize,
    pub(super) member: usize,
}

/// Members that move together.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) group: Group,
    pub(super) members: Vec<Id>,
}

/// All that the thread has.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) routers: Vec<Router>,
    pub(super) clusters: Vec<Cluster>,
    /// By link.
    pub(super) sockets: BTreeMap<u32, Sockets>,
    pub(super) monitor: Monitor,
    pub(super) writer: Writer,
    pub(super) guard: Keeper,
    pub(super) facts: Facts,
    pub(super) metrics: Arc<Metrics>,
    pub(super) beats: Arc<Beats>,
    pub(super) news: UnboundedSender<News>,
    next_look: Instant,
    next_picture: Instant,
}

impl Driver {
    pub(super) fn new(
        monitor: Monitor,
        writer: Writer,
        guard: Keeper,
        metrics: Arc<Metrics>,
        beats: Arc<Beats>,
        news: UnboundedSender<News>,
    ) -> Self {
        let now = Instant::now();
        Self {
            routers: Vec::new(),
            clusters: Vec::new(),
            sockets: BTreeMap::new(),
            monitor,
            writer,
            guard,
            facts: Facts::default(),
            metrics,
            beats,
            news,
            next_look: now,
            next_picture: now,
        }
    }

    /// Runs until nobody holds the other end of `commands`.
    pub(super) fn run(mut self, commands: &Receiver<Command>, wake: &EventFd) {
        loop {
            self.wait(wake);
            // what has already happened comes before what the clock says
            // the guard's word before the kernel's: what it withdrew was not taken from us by a stranger
            self.read_guard(Instant::now());
            self.read_links(Instant::now());
            self.read_adverts();
            self.read_claims(Instant::now());
            if !self.obey_all(commands, wake) {
                return;
            }
            self.serve_timers(Instant::now());
            self.look_after_guard(Instant::now());
            self.look_around(Instant::now());
            self.send_pictures(Instant::now());
        }
    }

    /// Until something can be read, or the next deadline.
    fn wait(&self, wake: &EventFd) {
        let sockets = self.sockets.values().flat_map(Sockets::descriptors);
        let fixed = [wake.as_fd(), self.monitor.as_fd()];
        let descriptors = fixed.into_iter().chain(self.guard.descriptor()).chain(sockets);
        let mut polled: Vec<PollFd<'_>> = descriptors.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let left = self.next_deadline().saturating_duration_since(Instant::now());
        // a signal ends the wait too, and an error ends it at once: all is looked at either way
        let _ = ppoll(&mut polled, Some(TimeSpec::from_duration(left)), None);
    }

    fn next_deadline(&self) -> Instant {
        let members = self.routers.iter().flat_map(|router| &router.members);
        let of_members = members.flat_map(Member::deadlines);
        of_members
            .chain(self.guard.next_deadline())
            .chain([self.next_look, self.next_picture])
            .min()
            .unwrap_or(self.next_look)
    }

    fn serve_timers(&mut self, now: Instant) {
        for id in self.ids() {
            let Some(router) = self.routers.get_mut(id.router) else { continue };
            let Some(member) = router.members.get_mut(id.member) else { continue };
            let claim = member.claim.take_if(|claim| claim.due <= now);
            let due = member.machine.next_deadline().filter(|deadline| *deadline <= now);
            if let Some(deadline) = due {
                router.metrics.lateness.observe((now - deadline).as_secs_f64());
            }
            let unseen = member.wanted.as_ref().is_some_and(|wanted| !wanted.seen && wanted.limit() <= now);
            if unseen {
                self.reconcile(id, now);
            }
            if let Some(claim) = claim {
                self.claimed(id, claim, now);
            }
            if due.is_some() {
                self.drive(id, Event::TimerExpired, now);
            }
        }
    }

    fn read_guard(&mut self, now: Instant) {
        while let Some(happened) = self.guard.read(now) {
            match happened {
                Happened::Fired(names) => {
                    self.metrics.vrrp.guard_fired.inc();
                    tracing::error!(
                        "the guard let go of the virtual addresses: this process gave no sign of life"
                    );
                    for id in self.ids() {
                        let Some(router) = self.routers.get(id.router) else { continue };
                        let Some(member) = router.members.get(id.member) else { continue };
                        if names.contains(&member.guarded_as(&router.name)) {
                            self.happened(id, Kind::Guard, "the guard let go".to_owned(), now);
                            self.drive(id, Event::Withdrawn, now);
                        }
                    }
                }
                Happened::Gone => {
                    tracing::error!("the guard of the virtual addresses is gone; another is started")
                }
            }
        }
    }

    fn look_after_guard(&mut self, now: Instant) {
        match self.guard.look_after(now) {
            Ok(false) => {}
            Ok(true) => {
                self.metrics.vrrp.guard_restarts.inc();
                tracing::info!("the virtual addresses have a guard again");
            }
            Err(error) => tracing::error!(%error, "no guard can be started"),
        }
    }

    /// Are the daemon's other threads alive?
    fn look_around(&mut self, now: Instant) {
        if now < self.next_look {
            return;
        }
        // a machine that stood still as a whole says nothing about its threads
        let late = now.saturating_duration_since(self.next_look) > beats::EVERY * 5;
        self.next_look = now + beats::EVERY;
        let stalled = self.beats.stalled(now);
        if !late && stalled != self.facts.stalled {
            self.facts.stalled = stalled;
            self.judge_all(now);
        }
    }

    fn obey_all(&mut self, commands: &Receiver<Command>, wake: &EventFd) -> bool {
        // it is not blocking; nothing to read is no matter
        let _ = wake.read();
        loop {
            match commands.try_recv() {
                Ok(command) => self.obey(command, Instant::now()),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn obey(&mut self, command: Command, now: Instant) {
        match command {
            Command::Configure(routers) => self.configure(routers, now),
            Command::Facts(facts) => {
                let Facts { interfaces, stalled, .. } = std::mem::take(&mut self.facts);
                self.facts = Facts { interfaces, stalled, ..facts };
                self.judge_all(now);
            }
            Command::Release(name) => self.order(&name, &Event::Release, now),
            Command::Take(name) => self.order(&name, &Event::Take, now),
            Command::Stop(done) => {
                for id in self.ids() {
                    self.drive(id, Event::Shutdown, now);
                }
                // when all have let go, for it takes a while
                self.ids().into_iter().for_each(|id| self.discard_virtual_mac(id));
                self.send_pictures(now);
                // who asked may be gone
                let _ = done.send(());
            }
        }
    }

    /// An operator's wish concerns the whole group.
    fn order(&mut self, name: &str, event: &Event, now: Instant) {
        let Some(position) = self.routers.iter().position(|router| &*router.name == name) else { return };
        let own = self.ids_of(position);
        let cluster = self.clusters.iter().find(|cluster| cluster.members.iter().any(|id| own.contains(id)));
        let concerned = cluster.map_or(own, |cluster| cluster.members.clone());
        for id in concerned {
            self.drive(id, event.clone(), now);
        }
    }

    pub(super) fn ids(&self) -> Vec<Id> {
        (0..self.routers.len()).flat_map(|router| self.ids_of(router)).collect()
    }

    /// The members of one router.
    pub(super) fn ids_of(&self, router: usize) -> Vec<Id> {
        let members = self.routers.get(router).map_or(0, |router| router.members.len());
        (0..members).map(|member| Id { router, member }).collect()
    }

    pub(super) fn member(&mut self, id: Id) -> Option<&mut Member> {
        self.routers.get_mut(id.router)?.members.get_mut(id.member)
    }

    /// For the flight recorder.
    pub(super) fn happened(&self, id: Id, kind: Kind, text: String, now: Instant) {
        let Some(router) = self.routers.get(id.router) else { return };
        let text = match router.members.get(id.member) {
            Some(member) if router.members.len() > 1 => format!("{}: {text}", member.family),
            Some(_) | None => text,
        };
        tracing::debug!(router = %router.name, ?kind, text, "virtual router");
        self.tell(id, What::Happened { kind, text }, now);
    }

    pub(super) fn tell(&self, id: Id, what: What, now: Instant) {
        let Some(router) = self.routers.get(id.router) else { return };
        // nobody listens only while the process ends
        let _ = self.news.send(News { at: now, router: Arc::clone(&router.name), what });
    }

    fn send_pictures(&mut self, now: Instant) {
        let all = now >= self.next_picture;
        if all {
            self.next_picture = now + PICTURE;
            self.settle_homeless(now);
        }
        for router in self.routers.iter_mut().filter(|router| all || router.changed) {
            router.changed = false;
            let what = What::Status(Box::new(router.status(now)));
            let _ = self.news.send(News { at: now, router: Arc::clone(&router.name), what });
        }
    }
}

/// What is not there, or not yet, is no error.
pub(super) fn is_nothing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
