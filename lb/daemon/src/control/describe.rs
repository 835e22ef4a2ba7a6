//! Changes of a configuration in words.

use lb_core::config::{Change, FieldChange, Plan};

/// So many changes are told in one line.
const TOLD: usize = 8;

/// One change, after a sign: `+` added, `-` removed, `~` changed, `±` removed and added, `!` needs a restart.
pub fn describe(change: &Change) -> String {
    let set = |FieldChange { name, from, to }: &FieldChange| format!("{name}: {from} → {to}");
    match change {
        Change::Process { field, needs_restart: false } => format!("~ {}", set(field)),
        Change::Process { field, needs_restart: true } => format!("! {} (needs a restart)", set(field)),
        Change::PoolAdded { pool } => format!("+ pool {pool}"),
        Change::PoolRemoved { pool } => format!("- pool {pool}"),
        Change::PoolChanged { pool, field } => format!("~ pool {pool}: {}", set(field)),
        Change::ServerAdded { pool, server, address } => format!("+ server {pool}/{server} at {address}"),
        Change::ServerRemoved { pool, server, address } => format!("- server {pool}/{server} at {address}"),
        Change::ServerChanged { pool, server, field } => format!("~ server {pool}/{server}: {}", set(field)),
        Change::ListenerAdded { listener, binds } => format!("+ listener {listener} on {}", binds.join(", ")),
        Change::ListenerRemoved { listener } => format!("- listener {listener}"),
        Change::ListenerRebound { listener, opened, closed } => {
            let part =
                |sign: &str, list: &[String]| list.iter().map(|a| format!(" {sign}{a}")).collect::<String>();
            format!("~ listener {listener}:{}{}", part("+", opened), part("-", closed))
        }
        Change::ListenerChanged { listener, field } => format!("~ listener {listener}: {}", set(field)),
        Change::VirtualRouterAdded { router, addresses } => {
            format!("+ virtual router {router}: {}", addresses.join(", "))
        }
        Change::VirtualRouterRemoved { router } => format!("- virtual router {router}"),
        Change::VirtualRouterReplaced { router, field } => {
            format!("± virtual router {router}: {}", set(field))
        }
        Change::VirtualRouterChanged { router, field } => {
            format!("~ virtual router {router}: {}", set(field))
        }
    }
}

/// What a reload did, in one line.
pub(super) fn in_one_line(plan: &Plan) -> String {
    if plan.is_empty() {
        return "applied; nothing changed".to_owned();
    }
    let told: Vec<String> = plan.changes.iter().take(TOLD).map(describe).collect();
    let more = plan.changes.len() - told.len();
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("applied: {}{more}", told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_plan_is_cut() {
        let plan = |count: usize| Plan {
            changes: (0..count).map(|n| Change::PoolAdded { pool: format!("p{n}") }).collect(),
        };
        assert_eq!(in_one_line(&plan(0)), "applied; nothing changed");
        assert_eq!(in_one_line(&plan(2)), "applied: + pool p0; + pool p1");
        assert!(in_one_line(&plan(8)).ends_with("; + pool p7"));
        assert!(in_one_line(&plan(10)).ends_with("; + pool p7; and 2 more"));
    }
}
