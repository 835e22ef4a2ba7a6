//! `lb why`: sentences from what `lb status` knows.

use anyhow::Context;
use lb_core::pool::{AdminState, ServerStatus, State as ServerState, Status};
use runtime::command::say;

use super::args::{ServerName, Why};
use super::status::{state_word, time};
use super::vrrp::milliseconds;
use crate::admin::client::Client;
use crate::vrrp::{ActivePeer, RouterStatus, State};

pub(super) async fn why(client: Client, what: Why) -> anyhow::Result<()> {
    match what {
        Why::Vip { name } => say(&vip(&client.virtual_router(&name).await?)),
        Why::Server { server: ServerName { pool, server } } => {
            let report = client.status().await?;
            let found = report.pools.iter().find(|candidate| candidate.name == pool);
            let found = found.with_context(|| format!("no pool is called `{pool}`"))?;
            // of a server that was replaced, the one that is in the file
            let named = || found.servers.iter().filter(|candidate| candidate.name == server);
            let server =
                named().find(|candidate| candidate.state != ServerState::Retired).or_else(|| named().next());
            let server = server.with_context(|| format!("pool `{pool}` has no such server"))?;
            say(&of_server(found, server));
        }
    }
    Ok(())
}

fn vip(router: &RouterStatus) -> String {
    let mut sentences = vec![state(router), identity(router), priority(router)];
    match router.state {
        State::Active => {
            sentences.extend(router.last_take_over.map(|take_over| {
                format!(
                    "It took over {} ago, within {}.",
                    time(take_over.ago_seconds),
                    milliseconds(take_over.took_seconds)
                )
            }));
            sentences.extend(router.active_peer.as_ref().map(rival));
            sentences.push(while_active(router));
        }
        State::Backup => sentences.extend([other(router), while_backup(router)]),
        State::Fault => {
            sentences.push(other(router));
            sentences.push("It comes back by itself when that is repaired.".to_owned());
        }
        State::Initialize => sentences.push(other(router)),
    }
    sentences.join("\n")
}

fn state(router: &RouterStatus) -> String {
    let RouterStatus { name, reason, state_seconds, .. } = router;
    let since = time(*state_seconds);
    match router.state {
        State::Active => format!("{name}: this host has been Active for {since}: {reason}."),
        State::Backup => format!("{name}: this host has been Backup for {since}: {reason}."),
        State::Fault => format!("{name}: this host CANNOT have the addresses, for {since} now: {reason}."),
        State::Initialize => format!("{name}: this host takes no part, for {since} now: {reason}."),
    }
}

fn identity(router: &RouterStatus) -> String {
    format!(
        "Addresses: {} on {}; VRID {}, VRRP version {}, an advertisement every {}.",
        router.addresses.join(", "),
        router.interface,
        router.vrid,
        router.version,
        milliseconds(router.advert_interval_seconds)
    )
}

fn priority(router: &RouterStatus) -> String {
    let RouterStatus { priority, configured_priority, burdens, .. } = router;
    let because = if burdens.is_empty() { String::new() } else { format!(": {}", burdens.join("; ")) };
    if priority == configured_priority {
        format!("Its priority is {priority}, as in the file{because}.")
    } else {
        format!("Its priority is {priority} instead of the file's {configured_priority}{because}.")
    }
}

fn rival(peer: &ActivePeer) -> String {
    let ActivePeer { source, priority, heard_seconds } = peer;
    let heard = milliseconds(*heard_seconds);
    format!("{source} says that it is Active too (priority {priority}, heard {heard} ago): SPLIT BRAIN.")
}

fn other(router: &RouterStatus) -> String {
    router.active_peer.as_ref().map_or_else(
        || "No Active router is heard.".to_owned(),
        |ActivePeer { source, priority, heard_seconds }| {
            format!(
                "{source} is Active with priority {priority}, heard {} ago.",
                milliseconds(*heard_seconds)
            )
        },
    )
}

fn while_active(router: &RouterStatus) -> String {
    let RouterStatus { name, priority, .. } = router;
    let better = match priority {
        255 => String::new(),
        priority => format!(", a router that preempts with a priority above {priority}"),
    };
    format!(
        "What would change that: `lb vrrp release {name}`{better}, a fault of {} or of what it tracks, the end of \
         this daemon.",
        router.interface
    )
}

fn while_backup(router: &RouterStatus) -> String {
    let RouterStatus { name, priority: ours, .. } = router;
    let Some(peer) = &router.active_peer else {
        return "It becomes Active as soon as it has listened for long enough.".to_owned();
    };
    let (source, theirs) = (&peer.source, peer.priority);
    let silent = format!("{source} falls silent, releases them or says that it cannot serve");
    if theirs > *ours {
        return format!(
            "It stays Backup because {theirs} is above {ours}. What would change that: {silent}; a priority above \
             {theirs} here; `lb vrrp release {name}` there."
        );
    }
    let why = if router.held {
        "an operator released them here".to_owned()
    } else if theirs == *ours {
        format!("both have priority {ours}, and a router does not preempt its equal")
    } else {
        format!("it does not preempt, or not yet (`preempt`), although {ours} is above {theirs}")
    };
    format!("It stays Backup because {why}. What would change that: {silent}; `lb vrrp take {name}` here.")
}

fn of_server(pool: &Status, server: &ServerStatus) -> String {
    let name = format!("{}/{}", pool.name, server.name);
    let because = server.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let mut sentences = vec![format!(
        "{name} has been {} for {}{because}.",
        state_word(server.state),
        time(server.state_seconds)
    )];
    sentences.extend(server.check.as_ref().map(|check| {
        let (said, took) = (&check.text, milliseconds(check.took_seconds));
        format!("Its last check, {} ago, took {took}: {said}.", time(check.ago_seconds))
    }));
    if let Some(left) = server.ejected_seconds {
        sentences.push(format!("Live connections to it failed; it is used again in {}.", time(left)));
    }
    sentences.push(match pool.active_tier {
        None => format!("No server of {} is usable.", pool.name),
        Some(_) if server.sorry => "It is the sorry server: used when no other is usable.".to_owned(),
        Some(tier) if tier < server.tier => {
            format!("Its tier {} gets connections when tier {tier} cannot carry them.", server.tier)
        }
        Some(tier) => format!("Tier {tier} is in use; its own is {}.", server.tier),
    });
    sentences.extend(match (server.state, server.admin) {
        (_, AdminState::Drain | AdminState::Maint) => {
            Some(format!("What would change that: `lb server ready {name}`."))
        }
        (ServerState::Down, AdminState::Ready) => {
            Some("What would change that: checks that pass, `rise` of them.".to_owned())
        }
        (
            ServerState::Up
            | ServerState::Draining
            | ServerState::Ejected
            | ServerState::Maint
            | ServerState::Retired,
            AdminState::Ready,
        ) => None,
    });
    sentences.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::testing::{active, backup};

    #[test]
    fn a_virtual_router_is_explained() {
        let rival = backup("x").active_peer;
        let held = RouterStatus { held: true, priority: 250, ..backup("held-vip") };
        let equal = RouterStatus { priority: 240, ..backup("equal-vip") };
        let patient = RouterStatus { priority: 250, configured_priority: 250, ..backup("patient-vip") };
        let alone = RouterStatus { active_peer: None, ..backup("alone-vip") };
        let split = RouterStatus { active_peer: rival, ..active("split-vip") };
        let owner = RouterStatus { priority: 255, configured_priority: 255, ..active("owner-vip") };
        let fault = RouterStatus {
            state: State::Fault,
            reason: "eth0 is down".to_owned(),
            priority: 1,
            burdens: vec!["pool empi has 0 usable servers, and needs 1".to_owned()],
            ..backup("fault-vip")
        };
        let initialize = RouterStatus { state: State::Initialize, ..alone.clone() };
        let all = [
            active("bank-vip"),
            backup("core-vip"),
            held,
            equal,
            patient,
            alone,
            split,
            owner,
            fault,
            initialize,
        ];
        let text: Vec<String> = all.iter().map(vip).collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }
}
