//! A new configuration: what stays the same virtual router keeps its state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use lb_core::config::VirtualRouter;
use lb_core::vrrp::{Actions, Eligibility, Event, Group, Verdict, judge};

use super::member::Member;
use super::news::{Kind, State, What};
use super::router::Router;
use super::setup;
use super::thread::{Cluster, Driver, Id};

impl Driver {
    pub(super) fn configure(&mut self, new: Vec<VirtualRouter>, now: Instant) {
        self.part_with(&new, now);
        let grouped: Vec<bool> = new.iter().map(|router| is_grouped(router, &new)).collect();
        let mut kept: BTreeMap<Arc<str>, Router> =
            self.routers.drain(..).map(|router| (Arc::clone(&router.name), router)).collect();
        let mut changed = Vec::new();
        let mut added = Vec::new();
        for (position, (settings, &grouped)) in new.into_iter().zip(&grouped).enumerate() {
            match kept.remove(settings.name.as_str()) {
                Some(router) => {
                    self.routers.push(router);
                    changed.push((position, settings, grouped));
                }
                None => {
                    self.routers.push(self.router(settings, grouped, now));
                    added.push(position);
                }
            }
        }
        for (position, settings, grouped) in changed {
            self.reconfigure(position, settings, grouped, now);
        }
        self.regroup(now);
        self.refresh_links(now);
        self.judge_all(now);
        for position in added {
            for id in self.ids_of(position) {
                self.drive(id, Event::Startup, now);
            }
        }
    }

    /// Those that are not in the new configuration, or are other routers there, let go.
    fn part_with(&mut self, new: &[VirtualRouter], now: Instant) {
        let stays = |router: &Router| new.iter().any(|settings| router.settings.is_same_router(settings));
        let gone: Vec<usize> =
            (0..self.routers.len()).filter(|position| !stays(&self.routers[*position])).collect();
        for position in gone {
            for id in self.ids_of(position) {
                self.drive(id, Event::Shutdown, now);
                self.discard_virtual_mac(id);
            }
            self.tell(Id { router: position, member: 0 }, What::Gone, now);
        }
        self.clusters.clear();
        self.routers.retain(stays);
    }

    fn router(&self, settings: VirtualRouter, grouped: bool, now: Instant) -> Router {
        let name: Arc<str> = settings.name.as_str().into();
        let metrics = self.metrics.vrrp.router(&name);
        metrics.state.set(State::Initialize.number());
        metrics.eligibility.set(number(Eligibility::Full));
        metrics.configured_priority.set(i64::from(settings.priority.get()));
        metrics.priority.set(i64::from(settings.priority.get()));
        let members =
            settings.families().filter_map(|family| Member::new(&settings, family, grouped)).collect();
        let priority = settings.priority;
        Router {
            name,
            metrics,
            members,
            verdict: Verdict { eligibility: Eligibility::Full, priority, burdens: Vec::new() },
            settings,
            state: State::Initialize,
            reason: String::new(),
            since: now,
            take_over: None,
            changed: true,
        }
    }

    fn reconfigure(&mut self, position: usize, settings: VirtualRouter, grouped: bool, now: Instant) {
        let Some(router) = self.routers.get_mut(position) else { return };
        router.metrics.configured_priority.set(i64::from(settings.priority.get()));
        let before = std::mem::replace(&mut router.settings, settings);
        router.changed = true;
        // what else follows from the verdict comes when all is judged anew
        router.verdict.priority = judge(&router.settings, &self.facts).priority;
        for id in self.ids_of(position) {
            self.remove_dropped(id, now);
            let Some(router) = self.routers.get_mut(position) else { return };
            let Some(member) = router.members.get_mut(id.member) else { continue };
            let Some(settings) = member.settings(&router.settings, router.verdict.priority, grouped) else {
                continue;
            };
            member.expected = setup::expected(&router.settings, &settings.addresses);
            member.outgoing.update(&setup::spec(&router.settings, member.family, settings.source));
            if router.settings.authentication != before.authentication {
                member.authenticate(&router.settings);
            }
            let is_active = member.wanted.is_some();
            let actions = member.machine.reconfigure(now, settings);
            for (id, event) in self.carry_out_all(id, actions, now) {
                self.drive(id, event, now);
            }
            if is_active {
                // its last word is another now
                self.hold(id);
                self.install_changed(id, now);
            }
        }
    }

    /// The machine knows addresses without their prefix lengths.
    fn install_changed(&mut self, id: Id, now: Instant) {
        let Some(router) = self.routers.get(id.router) else { return };
        let Some(member) = router.members.get(id.member) else { return };
        let configured = router.settings.addresses_of(member.family);
        if member.wanted.as_ref().is_some_and(|wanted| configured.ne(wanted.addresses.iter().copied())) {
            self.drive(id, Event::AddressLost, now);
        }
    }

    /// Addresses that are no longer this router's.
    fn remove_dropped(&mut self, id: Id, now: Instant) {
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let Some(member) = router.members.get_mut(id.member) else { return };
        let Some(link) = member.address_link() else { return };
        let Some(wanted) = &mut member.wanted else { return };
        let stays: Vec<_> =
            router.settings.addresses_of(member.family).map(|address| address.addr()).collect();
        let dropped: Vec<_> =
            wanted.addresses.extract_if(.., |address| !stays.contains(&address.addr())).collect();
        for address in dropped {
            let text = match self.writer.remove(link, address) {
                Ok(_) => format!("{address} removed: it is no longer configured"),
                Err(error) => format!("{address} cannot be removed: {error}"),
            };
            self.happened(id, Kind::Addresses, text, now);
        }
    }

    /// Members of one router, and routers of one group, move together.
    fn regroup(&mut self, now: Instant) {
        let mut by_group: BTreeMap<String, Vec<Id>> = BTreeMap::new();
        for id in self.ids() {
            let Some(router) = self.routers.get(id.router) else { continue };
            let group = router.settings.group.clone().unwrap_or_else(|| format!(" {}", router.name));
            by_group.entry(group).or_default().push(id);
        }
        for members in by_group.into_values() {
            let machine = |id: &Id| Some(&self.routers.get(id.router)?.members.get(id.member)?.machine);
            let group = Group::of(members.iter().filter_map(machine));
            let first = members.first().copied();
            self.clusters.push(Cluster { group, members });
            for (id, event) in
                first.into_iter().flat_map(|id| self.tell_group(id, &Actions::default())).collect::<Vec<_>>()
            {
                self.drive(id, event, now);
            }
        }
        // one that is alone has been told so, and needs nobody
        self.clusters.retain(|cluster| cluster.members.len() > 1);
    }

    /// Holds what is known against what each router tracks.
    pub(super) fn judge_all(&mut self, now: Instant) {
        for position in 0..self.routers.len() {
            let Some(router) = self.routers.get_mut(position) else { continue };
            let verdict = judge(&router.settings, &self.facts);
            if verdict == router.verdict {
                continue;
            }
            let (eligibility, priority) = (verdict.eligibility, verdict.priority);
            router.changed = true;
            router.metrics.eligibility.set(number(eligibility));
            let before = std::mem::replace(&mut router.verdict, verdict);
            let burdens = if router.verdict.burdens.is_empty() {
                "all that it tracks is well".to_owned()
            } else {
                router.verdict.burdens.join("; ")
            };
            if before.burdens != router.verdict.burdens {
                let first = Id { router: position, member: 0 };
                self.tell(first, What::Happened { kind: Kind::Priority, text: burdens }, now);
            }
            for id in self.ids_of(position) {
                self.drive(id, Event::EligibilityChanged { eligibility, priority }, now);
            }
        }
    }
}

fn is_grouped(router: &VirtualRouter, all: &[VirtualRouter]) -> bool {
    let shares = |other: &VirtualRouter| other.name != router.name && other.group == router.group;
    router.families().count() > 1 || router.group.is_some() && all.iter().any(shares)
}

fn number(eligibility: Eligibility) -> i64 {
    match eligibility {
        Eligibility::Barred => 0,
        Eligibility::Unable => 1,
        Eligibility::Degraded => 2,
        Eligibility::Full => 3,
    }
}
