//! What this host's fitness to have the addresses comes from.
//!
//! | fact | what follows |
//! |---|---|
//! | a tracked pool has no usable server, or none that has passed a check yet; a thread of the daemon hangs | [`Eligibility::Unable`] |
//! | a tracked pool has fewer usable servers than its quorum | [`Eligibility::Degraded`] |
//! | something tracked without a weight is not well | [`Eligibility::Barred`] |
//! | something tracked with a weight | the priority |

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Eligibility, Priority, UNABLE_MAX};
use crate::config::{Tracked, VirtualRouter};

/// What is known of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Usable servers of each pool.
    pub pools: BTreeMap<String, usize>,
    /// Pools of whose usable servers none is known to work: the daemon has just started.
    pub unproven: BTreeSet<String>,
    /// Whether each link is up.
    pub interfaces: BTreeMap<String, bool>,
    /// By name.
    pub commands: BTreeMap<String, bool>,
    /// The number that stands in each file; 0 is well.
    pub files: BTreeMap<PathBuf, i32>,
    /// Threads of the daemon that give no sign of life.
    pub stalled: Vec<String>,
}

/// What the facts come to for one virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub eligibility: Eligibility,
    /// Configured, with weights added; before [`Eligibility::priority`].
    pub priority: Priority,
    /// What weighs on it, in words; empty when all is well.
    pub burdens: Vec<String>,
}

/// Holds the facts against what a virtual router tracks.
pub fn judge(router: &VirtualRouter, facts: &Facts) -> Verdict {
    let mut judge = Judge { eligibility: Eligibility::Full, weights: 0, burdens: Vec::new() };
    for thread in &facts.stalled {
        judge.burden(Eligibility::Unable, format!("the daemon's thread {thread} hangs"));
    }
    for tracked in &router.track.pools {
        let Some(&usable) = facts.pools.get(&tracked.pool) else { continue };
        let (pool, quorum) = (&tracked.pool, tracked.quorum);
        if facts.unproven.contains(pool) {
            judge.burden(Eligibility::Unable, format!("no server of pool {pool} has passed a check yet"));
        } else if usable == 0 {
            judge.burden(Eligibility::Unable, format!("pool {pool} has no usable server"));
        } else if usable < quorum as usize {
            let text = format!("pool {pool} has {usable} usable servers, fewer than its quorum of {quorum}");
            judge.burden(Eligibility::Degraded, text);
        }
    }
    for tracked in &router.track.interfaces {
        let well = facts.interfaces.get(&tracked.what).copied().unwrap_or(true);
        judge.tracked(tracked.weight, well, || format!("interface {} is down", tracked.what));
    }
    for Tracked { what, weight } in &router.track.commands {
        match facts.commands.get(&what.name) {
            Some(&well) => judge.tracked(*weight, well, || format!("command {} fails", what.name)),
            // its weight counts when it is known
            None if weight.is_some() => {}
            None => judge.burden(Eligibility::Unable, format!("command {} has not answered yet", what.name)),
        }
    }
    for Tracked { what, weight } in &router.track.files {
        let number = facts.files.get(what).copied().unwrap_or(0);
        judge.file(*weight, number, || format!("file {} says {number}", what.display()));
    }
    judge.verdict(router.priority)
}

struct Judge {
    eligibility: Eligibility,
    weights: i32,
    burdens: Vec<String>,
}

impl Judge {
    fn burden(&mut self, eligibility: Eligibility, text: String) {
        self.eligibility = self.eligibility.min(eligibility);
        self.burdens.push(text);
    }

    /// keepalived's weights: a positive one counts while it is well, a negative one while it is not.
    fn tracked(&mut self, weight: Option<i16>, well: bool, text: impl Fn() -> String) {
        match weight {
            None if well => {}
            None => self.burden(Eligibility::Barred, text()),
            Some(weight) => {
                if well == (weight > 0) {
                    self.weights += i32::from(weight);
                }
                if !well {
                    self.burdens.push(format!("{} (weight {weight:+})", text()));
                }
            }
        }
    }

    /// keepalived's files: the number times the weight.
    fn file(&mut self, weight: Option<i16>, number: i32, text: impl Fn() -> String) {
        match weight {
            _ if number == 0 => {}
            None => self.burden(Eligibility::Barred, text()),
            Some(weight) => {
                let change = i32::from(weight).saturating_mul(number);
                self.weights = self.weights.saturating_add(change);
                self.burdens.push(format!("{} ({change:+})", text()));
            }
        }
    }

    /// An owner's priority never changes; the others' stay those of a router that can serve.
    fn verdict(self, configured: Priority) -> Verdict {
        let Self { eligibility, weights, burdens } = self;
        let priority = if configured == Priority::OWNER {
            configured
        } else {
            let (least, most) = (i32::from(UNABLE_MAX.get()) + 1, 254);
            let number = i32::from(configured.get()).saturating_add(weights).clamp(least, most);
            u8::try_from(number).ok().and_then(Priority::from_wire).unwrap_or(configured)
        };
        Verdict { eligibility, priority, burdens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn router(track: &str) -> VirtualRouter {
        let text = format!(
            "listeners: [{{ name: bank, bind: \"192.0.2.100:7099\", pool: empi }}]\n\
             pools: [{{ name: empi, servers: [{{ name: a, address: \"192.0.2.21:1\" }}, {{ name: b, address: \"192.0.2.22:1\" }}] }}]\n\
             vrrp: [{{ name: vip, interface: eth0, vrid: 51, priority: 100, addresses: [192.0.2.100/24], track: {track} }}]\n"
        );
        config::compile(&text, None).unwrap().virtual_routers.remove(0)
    }

    fn facts(change: impl FnOnce(&mut Facts)) -> Facts {
        let mut facts = Facts::default();
        change(&mut facts);
        facts
    }

    fn judged(track: &str, facts: &Facts) -> (Eligibility, u8, usize) {
        let verdict = judge(&router(track), facts);
        (verdict.eligibility, verdict.priority.get(), verdict.burdens.len())
    }

    #[test]
    fn what_is_not_known_yet_is_no_reason_to_take_addresses_or_to_refuse_them() {
        let track = "{ interfaces: [eth1], files: [/run/maintenance] }";
        assert_eq!(judged(track, &Facts::default()), (Eligibility::Full, 100, 0));
        let command = "{ commands: [{ name: own, command: [/bin/true] }] }";
        assert_eq!(judged(command, &Facts::default()), (Eligibility::Unable, 100, 1));
        let weighted = "{ commands: [{ name: own, command: [/bin/true], weight: 10 }] }";
        assert_eq!(judged(weighted, &Facts::default()), (Eligibility::Full, 100, 0));
        let answered = facts(|facts| _ = facts.commands.insert("own".to_owned(), true));
        assert_eq!(judged(command, &answered), (Eligibility::Full, 100, 0));
        let unproven = facts(|facts| {
            facts.pools.insert("empi".to_owned(), 2);
            facts.unproven.insert("empi".to_owned());
        });
        assert_eq!(judged("{}", &unproven), (Eligibility::Unable, 100, 1));
    }

    #[test]
    fn the_pool_of_the_listener_that_serves_the_address_is_tracked() {
        let pool = |usable| facts(|facts| _ = facts.pools.insert("empi".to_owned(), usable));
        assert_eq!(judged("{}", &pool(2)), (Eligibility::Full, 100, 0));
        assert_eq!(judged("{}", &pool(0)), (Eligibility::Unable, 100, 1));
        assert_eq!(judged("{ pools: off }", &pool(0)), (Eligibility::Full, 100, 0));
        let quorum = "{ pools: [{ name: empi, quorum: 2 }] }";
        assert_eq!(judged(quorum, &pool(2)), (Eligibility::Full, 100, 0));
        assert_eq!(judged(quorum, &pool(1)), (Eligibility::Degraded, 100, 1));
    }

    #[test]
    fn weights_are_those_of_keepalived() {
        let down = facts(|facts| _ = facts.interfaces.insert("eth1".to_owned(), false));
        let up = facts(|facts| _ = facts.interfaces.insert("eth1".to_owned(), true));
        for (weight, when_up, when_down) in [
            ("off", (Eligibility::Full, 100, 0), (Eligibility::Barred, 100, 1)),
            ("20", (Eligibility::Full, 120, 0), (Eligibility::Full, 100, 1)),
            ("-20", (Eligibility::Full, 100, 0), (Eligibility::Full, 80, 1)),
            // it never says that it cannot serve, nor that it is the owner
            ("-253", (Eligibility::Full, 100, 0), (Eligibility::Full, 11, 1)),
            ("253", (Eligibility::Full, 254, 0), (Eligibility::Full, 100, 1)),
        ] {
            let track = format!("{{ interfaces: [{{ name: eth1, weight: {weight} }}] }}");
            assert_eq!(judged(&track, &up), when_up, "{weight}");
            assert_eq!(judged(&track, &down), when_down, "{weight}");
        }
        let file = facts(|facts| _ = facts.files.insert("/run/load".into(), 3));
        assert_eq!(judged("{ files: [/run/load] }", &file), (Eligibility::Barred, 100, 1));
        let weighted = "{ files: [{ file: /run/load, weight: -10 }] }";
        assert_eq!(judged(weighted, &file), (Eligibility::Full, 70, 1));
    }

    #[test]
    fn a_daemon_that_hangs_in_part_cannot_serve() {
        let stalled = facts(|facts| facts.stalled.push("worker-1".to_owned()));
        assert_eq!(judged("{}", &stalled), (Eligibility::Unable, 100, 1));
    }
}
