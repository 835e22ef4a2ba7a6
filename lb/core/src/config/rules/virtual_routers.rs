//! Virtual routers beside each other, and beside pools and listeners.

use settings::{Faults, Node, Problem};

use super::{located, place, places, unique};
use crate::config::{Config, VirtualRouter, family_of};

pub(super) fn check(config: &Config, tree: &Node, faults: &Faults) {
    unique(faults, &places(tree, "vrrp"), "virtual router");
    let routers = located(&config.virtual_routers, |router| &router.name, tree, "vrrp");
    for (position, (router, node)) in routers.iter().enumerate() {
        for (other, _) in &routers[..position] {
            beside(router, node, other, faults);
        }
        tracked_pools(config, router, node, faults);
        families(router, node, faults);
    }
}

/// Two virtual routers of one host.
fn beside(router: &VirtualRouter, node: &Node, other: &VirtualRouter, faults: &Faults) {
    let families = |router: &VirtualRouter| router.families().collect::<Vec<_>>();
    let meet = families(router).iter().any(|family| families(other).contains(family));
    if router.interface == other.interface && router.vrid == other.vrid && meet {
        let problem = format!("`{}` has this VRID on {} too", other.name, other.interface);
        place(
            faults,
            node,
            "vrid",
            Problem::new(problem, "choose another number, on all routers of one of them"),
        );
    }
    let taken =
        |address: &&ipnet::IpNet| other.addresses.iter().any(|theirs| theirs.addr() == address.addr());
    if let Some(address) = router.addresses.iter().find(taken) {
        let problem = format!("`{}` has {} too", other.name, address.addr());
        place(faults, node, "addresses", Problem::new(problem, "remove it from one of the two"));
    }
    let commands = |router: &VirtualRouter| {
        router.track.commands.iter().map(|tracked| tracked.what.clone()).collect::<Vec<_>>()
    };
    for command in commands(router) {
        if commands(other).iter().any(|theirs| theirs.name == command.name && *theirs != command) {
            let problem = format!("`{}` tracks another command of the name `{}`", other.name, command.name);
            place(faults, node, "track", Problem::new(problem, "give it another name, or write the same"));
        }
    }
    if router.group.is_some() && router.group == other.group && router.preempt != other.preempt {
        let problem = format!("`{}` of the same group preempts otherwise", other.name);
        let advice = "write the same `preempt` and `preempt_delay` for all members of a group";
        place(faults, node, "preempt", Problem::new(problem, advice));
    }
}

fn tracked_pools(config: &Config, router: &VirtualRouter, node: &Node, faults: &Faults) {
    for tracked in &router.track.pools {
        let Some(pool) = config.pools.iter().find(|pool| pool.name == tracked.pool) else {
            // a listener's pool that is missing is told there
            if config.listeners.iter().all(|listener| listener.pool != tracked.pool) {
                let problem = format!("no pool is called `{}`", tracked.pool);
                let known: Vec<&str> = config.pools.iter().map(|pool| pool.name.as_str()).collect();
                place(
                    faults,
                    node,
                    "track",
                    Problem::new(problem, format!("use one of {}", known.join(", "))),
                );
            }
            continue;
        };
        let servers = pool.servers.len();
        if tracked.quorum as usize > servers {
            let problem =
                format!("a quorum of {} is never reached: `{}` has {servers}", tracked.quorum, pool.name);
            place(faults, node, "track", Problem::new(problem, "write a smaller quorum"));
        }
    }
}

fn families(router: &VirtualRouter, node: &Node, faults: &Faults) {
    let has = |address: &std::net::IpAddr| router.families().any(|family| family == family_of(*address));
    if let Some(source) = router.sources.iter().find(|source| !has(source)) {
        let problem = format!("no virtual address is of the family of {source}");
        place(faults, node, "source", Problem::new(problem, "remove it"));
    }
    if !router.peers.is_empty()
        && let Some(family) = router.families().find(|family| router.peers_of(*family).next().is_none())
    {
        let problem = format!("there is no peer for the virtual addresses of {family}");
        place(faults, node, "unicast_peers", Problem::new(problem, "name peers of each family"));
    }
    if router.peers.iter().any(|peer| router.addresses.iter().any(|address| address.addr() == *peer)) {
        let problem = "a virtual address is no peer".to_owned();
        let advice = "name the addresses that the other routers have of their own";
        place(faults, node, "unicast_peers", Problem::new(problem, advice));
    }
}
