//! What comes from the network: advertisements, and claims of our addresses.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lb_core::vrrp::packet::{self, Datagram};
use lb_core::vrrp::{Event, Heard, State};

use super::adverts::{BUFFER_BYTES, Incoming};
use super::frames;
use super::member::{Claim, Member};
use super::news::Kind;
use super::thread::{Driver, Id, is_nothing};
use runtime::clock;

/// As many as are read before timers are looked at again.
const BATCH: usize = 256;
/// Whoever takes over announces the addresses and then says that it is Active: so long it may take.
const LEAST_PATIENCE: Duration = Duration::from_millis(20);
/// So many refusals are told; more are counted.
const REFUSALS: usize = 16;

/// What was read, before anything of it is believed.
struct Packet {
    link: u32,
    datagram: (lb_core::vrrp::Endpoints, u8),
    payload: Vec<u8>,
}

impl Driver {
    pub(super) fn read_adverts(&mut self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut packets = Vec::new();
        for (link, sockets) in &self.sockets {
            for (_, _, receiver) in &sockets.receivers {
                for _ in 0..BATCH {
                    match receiver.receive(&mut buffer) {
                        Ok(Some(Incoming::Datagram(Datagram { endpoints, ttl, payload }))) => {
                            packets.push(Packet {
                                link: *link,
                                datagram: (endpoints, ttl),
                                payload: payload.to_vec(),
                            })
                        }
                        Ok(Some(Incoming::Malformed)) => {
                            tracing::debug!(link, "a packet is malformed or too long");
                        }
                        Ok(None) => break,
                        Err(error) => {
                            tracing::debug!(%error, "advertisements cannot be read");
                            break;
                        }
                    }
                }
            }
        }
        for packet in packets {
            self.read_advert(&packet, Instant::now());
        }
    }

    fn read_advert(&mut self, packet: &Packet, now: Instant) {
        let (endpoints, ttl) = packet.datagram;
        let datagram = Datagram { endpoints, ttl, payload: &packet.payload };
        let Some(id) = self.addressee(packet.link, &datagram) else { return };
        match self.check(id, &datagram) {
            Ok(heard) => {
                let released = heard.priority.is_none();
                if let Some(router) = self.routers.get(id.router) {
                    router.metrics.adverts_received.inc();
                    if released {
                        router.metrics.releases_received.inc();
                    }
                }
                if let Some(member) = self.member(id) {
                    member.refused.retain(|(source, _)| *source != heard.source);
                }
                if released {
                    self.happened(
                        id,
                        Kind::Adverts,
                        format!("{} lets go (priority 0 received)", heard.source),
                        now,
                    );
                }
                let before = self.member(id).and_then(|member| member.active_peer());
                self.drive(id, Event::AdvertReceived(heard), now);
                let Some(router) = self.routers.get_mut(id.router) else { return };
                // whoever waits for a new one wants to know at once
                router.changed |= router.members.get(id.member).and_then(Member::active_peer) != before;
            }
            Err((label, text)) => self.refuse(id, endpoints.source(), label, &text, now),
        }
    }

    /// Packets for virtual routers that are not ours are nobody's fault.
    fn addressee(&self, link: u32, datagram: &Datagram<'_>) -> Option<Id> {
        let vrid = packet::vrid(datagram.payload)?;
        let family = datagram.endpoints.family();
        self.ids().into_iter().find(|id| {
            let Some(router) = self.routers.get(id.router) else { return false };
            let Some(member) = router.members.get(id.member) else { return false };
            let here = member.place.as_ref().is_some_and(|place| place.link == link);
            here && member.family == family && router.settings.vrid == vrid
        })
    }

    fn check(&mut self, id: Id, datagram: &Datagram<'_>) -> Result<Heard, (&'static str, String)> {
        let unknown = || ("unknown_peer", "it is none of unicast_peers".to_owned());
        let router = self.routers.get_mut(id.router).ok_or_else(unknown)?;
        let member = router.members.get_mut(id.member).ok_or_else(unknown)?;
        let source = datagram.endpoints.source();
        if !router.settings.peers.is_empty() && !router.settings.peers.contains(&source) {
            return Err(unknown());
        }
        let received = packet::decode(datagram, &member.expected)
            .map_err(|rejected| (rejected.label(), rejected.to_string()))?;
        let context = member.context(source);
        if let Some(verifier) = &mut member.verifier {
            let wall = clock::since_epoch();
            verifier
                .verify(&context, &received, wall)
                .map_err(|rejected| (rejected.label(), rejected.to_string()))?;
        }
        let packet::Advert { priority, interval, addresses, .. } = received.advert;
        Ok(Heard { source, priority, interval, addresses })
    }

    /// Counted each time, told once.
    fn refuse(&mut self, id: Id, source: IpAddr, label: &'static str, text: &str, now: Instant) {
        let Some(router) = self.routers.get_mut(id.router) else { return };
        router.metrics.adverts_rejected.with_label_values(&[&*router.name, label]).inc();
        let Some(member) = router.members.get_mut(id.member) else { return };
        let news = (source, label);
        if !member.refused.contains(&news) && member.refused.len() < REFUSALS {
            member.refused.push(news);
            tracing::warn!(router = %router.name, %source, reason = text, "an advertisement is refused");
            self.happened(id, Kind::Adverts, format!("an advertisement of {source} is refused: {text}"), now);
        }
    }

    /// Of ARP and neighbour discovery.
    pub(super) fn read_claims(&mut self, now: Instant) {
        let mut buffer = [0; 256];
        let mut claims = Vec::new();
        let sockets = self.sockets.iter();
        for (link, socket) in sockets.flat_map(|(link, of)| [(link, &of.arp), (link, &of.neighbours)]) {
            for _ in 0..BATCH {
                match socket.receive(&mut buffer) {
                    Ok(length) => claims
                        .extend(buffer.get(..length).and_then(frames::claim).map(|claim| (*link, claim))),
                    Err(error) if is_nothing(&error) => break,
                    Err(error) => {
                        tracing::debug!(%error, "claims cannot be read");
                        break;
                    }
                }
            }
        }
        for (link, claim) in claims {
            self.note_claim(link, &claim, now);
        }
    }

    fn note_claim(&mut self, link: u32, claim: &frames::Claim, now: Instant) {
        for id in self.ids() {
            let Some(router) = self.routers.get_mut(id.router) else { continue };
            let interval = router.settings.advert_interval.get();
            let Some(member) = router.members.get_mut(id.member) else { continue };
            let ours =
                router.settings.addresses_of(member.family).any(|address| address.addr() == claim.address);
            let here =
                member.place.as_ref().is_some_and(|place| place.link == link && place.mac != claim.mac);
            if !ours || !here {
                continue;
            }
            match member.machine.state() {
                // with the virtual MAC address nobody can tell whose it is
                State::Active if member.address_mac() != Some(claim.mac) && member.claim_is_news(now) => {
                    let due = now + LEAST_PATIENCE.max(interval * 2);
                    member.claim = Some(Claim { due, address: claim.address, mac: claim.mac });
                }
                // perhaps the answer to a probe
                State::Backup => self.drive(id, Event::AddressAnswered(claim.address), now),
                State::Active | State::Initialize | State::Fault(_) => {}
            }
        }
    }

    /// The claimant had time to say that it is Active, and we still are.
    pub(super) fn claimed(&mut self, id: Id, claim: Claim, now: Instant) {
        let Claim { address, mac, .. } = claim;
        if self.member(id).is_some_and(|member| member.machine.state() == State::Active) {
            self.happened(id, Kind::Announcement, format!("{mac} claims {address}"), now);
            self.drive(id, Event::ConflictSeen(address), now);
        }
    }
}
