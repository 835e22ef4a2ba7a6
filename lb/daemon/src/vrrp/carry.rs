//! Carries out what machines want, in order, and hands back what came of it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use ipnet::IpNet;
use lb_core::vrrp::{Action, Actions, AnnounceReason, Event, FaultReason, Priority, Reason, Record, Term};

use super::guard::Holding;
use super::member::{Member, Wanted};
use super::news::{Kind, State, What};
use super::thread::{Driver, Id};
use super::{frames, setup, words};
use runtime::clock;

impl Driver {
    /// Tells a member, its group, and again whom that concerns, until nothing is left to do.
    pub(super) fn drive(&mut self, id: Id, event: Event, now: Instant) {
        let mut queue = VecDeque::from([(id, event)]);
        while let Some((id, event)) = queue.pop_front() {
            let Some(member) = self.member(id) else { continue };
            let actions = member.machine.on_event(now, event);
            queue.extend(self.carry_out_all(id, actions, now));
        }
    }

    /// Carries out what one member wants; gives what others, or it, are to be told next.
    pub(super) fn carry_out_all(&mut self, id: Id, actions: Actions, now: Instant) -> Vec<(Id, Event)> {
        let mut next = self.tell_group(id, &actions);
        for action in actions {
            next.extend(self.carry_out(id, action, now).map(|event| (id, event)));
        }
        next
    }

    pub(super) fn tell_group(&mut self, id: Id, actions: &Actions) -> Vec<(Id, Event)> {
        let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.members.contains(&id)) else {
            return Vec::new();
        };
        let Some(position) = cluster.members.iter().position(|member| *member == id) else {
            return Vec::new();
        };
        let events = cluster.group.on_actions(position, actions);
        events
            .into_iter()
            .filter_map(|(member, event)| Some((*cluster.members.get(member)?, event)))
            .collect()
    }

    fn carry_out(&mut self, id: Id, action: Action, now: Instant) -> Option<Event> {
        match action {
            Action::SendAdvert { priority } => self.send_advert(id, priority, now),
            Action::InstallAddresses(term) => return Some(self.install(id, term, now)),
            Action::RemoveAddresses => self.remove(id, now),
            Action::Announce(reason) => self.announce(id, reason, now),
            Action::Probe => self.probe(id),
            Action::Notify { reason, .. } => self.state_changed(id, reason, now),
            // for the group only
            Action::Ready(_) => {}
            Action::Record(record) => self.record(id, record, now),
        }
        None
    }

    fn send_advert(&mut self, id: Id, priority: Option<Priority>, now: Instant) {
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let Some(member) = router.members.get_mut(id.member) else { return };
        // Over a dead link nothing arrives; but the kernel would look for unicast peers in vain, and then hold back what
        // is sent in the first second after the link is back.
        if !self.monitor.table().link(&router.settings.interface).is_some_and(|link| link.up) {
            return;
        }
        let outcome = member.advertise(priority);
        if outcome.is_ok() {
            router.metrics.adverts_sent.inc();
        }
        if outcome.is_ok() && priority.is_none() {
            router.metrics.releases_sent.inc();
            self.happened(id, Kind::Adverts, "let go (priority 0 sent)".to_owned(), now);
        }
        self.note_sending(id, outcome.err(), now);
    }

    /// Told once, until it works again.
    fn note_sending(&mut self, id: Id, error: Option<std::io::Error>, now: Instant) {
        let Some(member) = self.member(id) else { return };
        match error {
            None => member.unsent = None,
            Some(error) if member.unsent == Some(error.kind()) => {}
            Some(error) => {
                member.unsent = Some(error.kind());
                self.happened(id, Kind::Adverts, format!("an advertisement could not be sent: {error}"), now);
            }
        }
    }

    fn install(&mut self, id: Id, term: Term, now: Instant) -> Event {
        self.note_own(id);
        self.hold(id);
        self.remove_forms(id, false, now);
        let Some((router, member)) = self.parts(id) else { return Event::AddressesFailed(term) };
        let addresses: Vec<_> = router.addresses_of(member.family).collect();
        let outcome = match (member.address_link(), &member.virtual_mac) {
            (None, _) => Err(std::io::Error::other(member.absent.clone())),
            (Some(_), Some(virtual_mac)) => virtual_mac.install(&self.writer, &addresses),
            (Some(link), None) => addresses.iter().try_for_each(|address| self.writer.add(link, *address)),
        };
        if let Some(member) = self.member(id) {
            let wanted = Wanted { addresses, since: now, seen: false };
            if member.wanted.replace(wanted).is_none() {
                member.taking_over = Some(now);
            }
        }
        match outcome {
            Ok(()) => Event::AddressesInstalled(term),
            Err(error) => {
                if let Some(router) = self.routers.get(id.router) {
                    router.metrics.address_errors.inc();
                }
                self.happened(id, Kind::Addresses, format!("cannot be installed: {error}"), now);
                Event::AddressesFailed(term)
            }
        }
    }

    /// What the interface of an owner has of its own is neither put there nor taken away.
    fn note_own(&mut self, id: Id) {
        let table = self.monitor.table();
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let Some(member) = router.members.get_mut(id.member) else { return };
        let Some(link) = member.address_link() else { return };
        if router.settings.priority == Priority::OWNER && member.wanted.is_none() {
            let own =
                |address: &IpNet| table.addresses(link).any(|known| known.address == *address && !known.ours);
            member.own = router.settings.addresses_of(member.family).filter(own).collect();
        }
    }

    /// Removes the addresses in every form in which they are here; without `all`, only those that are not configured.
    pub(super) fn remove_forms(&mut self, id: Id, all: bool, now: Instant) -> Vec<IpNet> {
        let Some((router, member)) = self.parts(id) else { return Vec::new() };
        let Some(link) = member.address_link() else { return Vec::new() };
        let configured: Vec<IpNet> = router.addresses_of(member.family).collect();
        let table = self.monitor.table();
        let here = configured.iter().flat_map(|address| table.forms(link, address.addr()));
        let mut forms: Vec<IpNet> = here.map(|known| known.address).collect();
        if all {
            // and those that the kernel has not told of yet
            forms.extend(configured.iter().copied().filter(|address| !table.holds(link, *address)));
        }
        forms.retain(|form| !member.own.contains(form) && (all || !configured.contains(form)));
        let mut removed = Vec::new();
        for address in forms {
            match self.writer.remove(link, address) {
                Ok(true) => removed.push(address),
                Ok(false) => {}
                Err(error) => {
                    if let Some(router) = self.routers.get(id.router) {
                        router.metrics.address_errors.inc();
                    }
                    self.happened(id, Kind::Addresses, format!("{address} cannot be removed: {error}"), now);
                }
            }
        }
        removed
    }

    /// The guard knows first: whatever happens to this process, the addresses do not stay.
    pub(super) fn hold(&mut self, id: Id) {
        let Some((router, member)) = self.parts(id) else { return };
        let Some(place) = &member.place else { return };
        let holding = Holding {
            name: member.guarded_as(&router.name),
            link: place.link,
            link_name: router.interface.clone(),
            address_link: member.address_link().unwrap_or(place.link),
            addresses: router.addresses_of(member.family).filter(|form| !member.own.contains(form)).collect(),
            advert: setup::spec(router, member.family, place.source),
        };
        self.guard.hold(holding);
    }

    fn remove(&mut self, id: Id, now: Instant) {
        let Some((router, member)) = self.parts(id) else { return };
        let macvlan = member.virtual_mac.as_ref().map(|virtual_mac| virtual_mac.link);
        let guarded = member.guarded_as(&router.name);
        // an owner that does not have them yet: what is there is the interface's own
        let owner = router.priority == Priority::OWNER && member.wanted.is_none();
        if let Some(Err(error)) = macvlan.map(|macvlan| self.writer.switch_off(macvlan)) {
            self.happened(id, Kind::Addresses, format!("the macvlan cannot be switched off: {error}"), now);
        }
        if !owner {
            self.remove_forms(id, true, now);
        }
        // a claim that was noted before was that of the next owner
        let had_them = self.member(id).is_some_and(|member| {
            member.claim = None;
            member.wanted.take().is_some()
        });
        if had_them {
            self.happened(id, Kind::Addresses, "removed".to_owned(), now);
        }
        self.guard.drop_holding(&guarded);
    }

    /// Every address, `count` times, in turns.
    fn announce(&mut self, id: Id, reason: AnnounceReason, now: Instant) {
        let Some((router, member)) = self.parts(id) else { return };
        let Some(place) = &member.place else { return };
        let mac = member.address_mac().unwrap_or(place.mac);
        let (link, count) = (place.link, router.announce.count);
        let addresses: Vec<IpAddr> =
            router.addresses_of(member.family).map(|address| address.addr()).collect();
        let (mut failure, mut announced) = (None, 0);
        if let Some(sockets) = self.sockets.get(&link) {
            for _ in 0..count {
                for address in &addresses {
                    let sent = match address {
                        IpAddr::V4(address) => sockets.arp.send(&frames::gratuitous_arp(*address, mac)),
                        IpAddr::V6(address) => {
                            sockets.neighbours.send(&frames::unsolicited_advert(*address, mac))
                        }
                    };
                    announced += u64::from(sent.is_ok());
                    failure = failure.or_else(|| sent.err());
                }
            }
        }
        let Some(router) = self.routers.get_mut(id.router) else { return };
        router.metrics.announcements.inc_by(announced);
        let took =
            match (reason, router.members.get_mut(id.member).and_then(|member| member.taking_over.take())) {
                (AnnounceReason::TookOver, Some(decided)) => {
                    let took = decided.elapsed();
                    router.take_over = Some((now, took));
                    router.metrics.take_over_took.set(took.as_secs_f64());
                    let wall = clock::since_epoch();
                    router.metrics.take_over_at.set(wall.as_secs_f64());
                    router.changed = true;
                    format!(", {} after the decision", words::time(took))
                }
                (_, _) => String::new(),
            };
        let text = match failure {
            None => format!("announced {count} times: {}{took}", words::announcement(reason)),
            Some(error) => format!("cannot be announced: {error}"),
        };
        self.happened(id, Kind::Announcement, text, now);
    }

    /// Asks who has the addresses. Of IPv6 nobody is asked: the answer would come no sooner than the take-over.
    fn probe(&mut self, id: Id) {
        let Some((router, member)) = self.parts(id) else { return };
        let Some(place) = &member.place else { return };
        let Some(sockets) = self.sockets.get(&place.link) else { return };
        for address in router.addresses_of(member.family) {
            if let IpAddr::V4(address) = address.addr() {
                // without an answer nothing is lost
                let _ = sockets.arp.send(&frames::arp_probe(address, place.mac));
            }
        }
    }

    fn state_changed(&mut self, id: Id, reason: Reason, now: Instant) {
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let absent = router.members.get(id.member).map_or("", |member| member.absent.as_str());
        let text = match reason {
            Reason::Fault(FaultReason::InterfaceDown) if !absent.is_empty() => absent.to_owned(),
            reason => words::reason(reason),
        };
        let state = router.merged_state();
        router.changed = true;
        router.reason.clone_from(&text);
        if state == router.state {
            return;
        }
        (router.state, router.since) = (state, now);
        router.metrics.state.set(state.number());
        router.metrics.transitions.with_label_values(&[&router.name, state.word()]).inc();
        let (name, priority) = (router.name.clone(), router.priority());
        match state {
            State::Fault => {
                tracing::error!(router = %name, state = state.word(), priority, reason = text, "virtual router")
            }
            State::Initialize | State::Backup | State::Active => {
                tracing::warn!(router = %name, state = state.word(), priority, reason = text, "virtual router");
            }
        }
        let took_over = state == State::Active && is_rescue(reason);
        self.tell(id, What::StateChanged { state, reason: text, priority, took_over }, now);
    }

    fn record(&mut self, id: Id, record: Record, now: Instant) {
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let metrics = &router.metrics;
        match record {
            Record::SplitBrain { .. } => metrics.split_brain.inc(),
            Record::AdvertsMissed { count, .. } => metrics.adverts_missed.inc_by(u64::from(count)),
            Record::AddressLost => metrics.addresses_lost.inc(),
            Record::Conflict { .. } => metrics.conflicts.inc(),
            Record::PriorityChanged { priority, .. } => {
                metrics.priority.set(i64::from(priority.get()));
                router.changed = true;
            }
            Record::Held => router.changed = true,
            Record::Election { .. }
            | Record::TwoOwners { .. }
            | Record::AddressAnswered { .. }
            | Record::AddressesDiffer { .. }
            | Record::IntervalDiffers { .. }
            | Record::OwnAddressHeard
            | Record::TimerLate { .. }
            | Record::PreemptWaits { .. }
            | Record::TakeRefused { .. }
            | Record::CommandIgnored
            | Record::InstallFailed { .. } => {}
        }
        let (kind, text) = words::record(record);
        self.happened(id, kind, text, now);
    }

    /// A member and its router's settings.
    fn parts(&self, id: Id) -> Option<(&lb_core::config::VirtualRouter, &Member)> {
        let router = self.routers.get(id.router)?;
        Some((&router.settings, router.members.get(id.member)?))
    }
}

/// Whether another router is Active no longer, and this one has to be.
fn is_rescue(reason: Reason) -> bool {
    match reason {
        Reason::ActiveSilent { .. }
        | Reason::ActiveReleased { .. }
        | Reason::ActiveUnable { .. }
        | Reason::ActiveGone { .. } => true,
        Reason::Started
        | Reason::Shutdown
        | Reason::Owner
        | Reason::NobodyActive
        | Reason::Preempted { .. }
        | Reason::Outranked { .. }
        | Reason::ReplacedWhileStalled { .. }
        | Reason::Withdrawn
        | Reason::Released
        | Reason::Taken
        | Reason::Group
        | Reason::Fault(_)
        | Reason::Recovered => false,
    }
}
