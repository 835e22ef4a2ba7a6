//! One virtual router of the configuration: its members, one for each family, seen as one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::VirtualRouter;
use lb_core::vrrp::{self, Verdict};

use super::member::Member;
use super::news::{ActivePeer, RouterStatus, State, TakeOver};
use crate::metrics::RouterMetrics;

/// A virtual router and what is remembered of it.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) name: Arc<str>,
    pub(super) settings: VirtualRouter,
    pub(super) metrics: RouterMetrics,
    pub(super) members: Vec<Member>,
    /// What it tracks came to, last.
    pub(super) verdict: Verdict,
    /// What was told last.
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) since: Instant,
    /// When, and how long it took.
    pub(super) take_over: Option<(Instant, Duration)>,
    /// Something that `lb status` shows has changed.
    pub(super) changed: bool,
}

impl Router {
    /// All members Active is Active; one at fault is Fault.
    pub(super) fn merged_state(&self) -> State {
        let states = || self.members.iter().map(|member| state(member.machine.state()));
        [State::Fault, State::Initialize, State::Backup]
            .into_iter()
            .find(|state| states().any(|member| member == *state))
            .unwrap_or(State::Active)
    }

    /// What is advertised, or would be.
    pub(super) fn priority(&self) -> u8 {
        self.members.first().map_or(0, |member| member.machine.priority().get())
    }

    pub(super) fn status(&self, now: Instant) -> RouterStatus {
        let peer = self.members.iter().find_map(|member| member.machine.active_peer());
        let since = |at: Instant| now.saturating_duration_since(at).as_secs_f64();
        let absent = self.members.iter().filter(|member| member.place.is_none());
        let burdens = absent.map(|member| member.absent.clone()).chain(self.verdict.burdens.iter().cloned());
        let mut burdens: Vec<String> = burdens.collect();
        // both families are without the same interface
        burdens.dedup();
        RouterStatus {
            name: self.name.to_string(),
            interface: self.settings.interface.clone(),
            vrid: self.settings.vrid.get(),
            version: match self.settings.version {
                vrrp::Version::V2 => 2,
                vrrp::Version::V3 => 3,
            },
            addresses: self.settings.addresses.iter().map(ToString::to_string).collect(),
            state: self.state,
            reason: self.reason.clone(),
            state_seconds: since(self.since),
            priority: self.priority(),
            configured_priority: self.settings.priority.get(),
            burdens,
            held: self.members.iter().any(|member| member.machine.is_held()),
            advert_interval_seconds: self.settings.advert_interval.get().as_secs_f64(),
            active_peer: peer.filter(|_| self.state != State::Active).map(|(source, priority, at)| {
                ActivePeer { source: source.to_string(), priority: priority.get(), heard_seconds: since(at) }
            }),
            last_take_over: self
                .take_over
                .map(|(at, took)| TakeOver { ago_seconds: since(at), took_seconds: took.as_secs_f64() }),
        }
    }
}

fn state(state: vrrp::State) -> State {
    match state {
        vrrp::State::Initialize => State::Initialize,
        vrrp::State::Backup => State::Backup,
        vrrp::State::Active => State::Active,
        vrrp::State::Fault(_) => State::Fault,
    }
}
