//! What a reload would change.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{Config, Listener, Pool, Server};

/// Everything that differs between two configurations, in the order in which it would be applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Plan {
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A section of the process: `log`, `metrics` …; some need a restart.
    Process {
        field: FieldChange,
        needs_restart: bool,
    },
    PoolAdded {
        pool: String,
    },
    PoolRemoved {
        pool: String,
    },
    PoolChanged {
        pool: String,
        field: FieldChange,
    },
    ServerAdded {
        pool: String,
        server: String,
        address: String,
    },
    ServerRemoved {
        pool: String,
        server: String,
        address: String,
    },
    ServerChanged {
        pool: String,
        server: String,
        field: FieldChange,
    },
    ListenerAdded {
        listener: String,
        binds: Vec<String>,
    },
    ListenerRemoved {
        listener: String,
    },
    /// Sockets are opened and closed; those that stay keep their connections.
    ListenerRebound {
        listener: String,
        opened: Vec<String>,
        closed: Vec<String>,
    },
    ListenerChanged {
        listener: String,
        field: FieldChange,
    },
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct FieldChange {
    pub name: String,
    pub from: String,
    pub to: String,
}

impl Plan {
    /// What leads from `old` to `new`.
    #[must_use]
    pub fn between(old: &Config, new: &Config) -> Self {
        let mut changes = Vec::new();
        process(old, new, &mut changes);
        pools(&old.pools, &new.pools, &mut changes);
        listeners(&old.listeners, &new.listeners, &mut changes);
        Self { changes }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Notes each named field in which `$old` and `$new` differ.
macro_rules! fields {
    ($old:expr, $new:expr; $($field:ident),+) => {{
        let mut changed = Vec::new();
        $(field(stringify!($field), &$old.$field, &$new.$field, &mut changed);)+
        changed
    }};
}

fn field<T: PartialEq + Debug>(name: &str, from: &T, to: &T, changed: &mut Vec<FieldChange>) {
    if from != to {
        changed.push(FieldChange { name: name.to_owned(), from: format!("{from:?}"), to: format!("{to:?}") });
    }
}

fn process(old: &Config, new: &Config, changes: &mut Vec<Change>) {
    let mut note = |fields: Vec<FieldChange>, needs_restart| {
        changes.extend(fields.into_iter().map(|field| Change::Process { field, needs_restart }));
    };
    note(fields!(old, new; stop, resolver), false);
    note(fields!(old.log, new.log; access), false);
    note(fields!(old.log, new.log; format, level), true);
    note(fields!(old, new; workers, metrics, admin), true);
}

fn pools(old: &[Pool], new: &[Pool], changes: &mut Vec<Change>) {
    for pool in new {
        let Some(before) = old.iter().find(|candidate| candidate.name == pool.name) else {
            changes.push(Change::PoolAdded { pool: pool.name.clone() });
            continue;
        };
        let fields = fields!(before, pool; balance, tiers, persistence, check, agent, passive, connect, on_down,
            on_return, proxy_protocol, egress, slow_start, queue_timeout, sorry_server);
        changes
            .extend(fields.into_iter().map(|field| Change::PoolChanged { pool: pool.name.clone(), field }));
        servers(&pool.name, &before.servers, &pool.servers, changes);
    }
    for pool in old.iter().filter(|pool| new.iter().all(|candidate| candidate.name != pool.name)) {
        changes.push(Change::PoolRemoved { pool: pool.name.clone() });
    }
}

fn servers(pool: &str, old: &[Server], new: &[Server], changes: &mut Vec<Change>) {
    let pool = || pool.to_owned();
    for server in new {
        let name = || server.name.clone();
        let Some(before) = old.iter().find(|candidate| candidate.address == server.address) else {
            let address = server.address.to_string();
            changes.push(Change::ServerAdded { pool: pool(), server: name(), address });
            continue;
        };
        let fields = fields!(before, server; name, weight, priority, max_connections, check);
        changes.extend(fields.into_iter().map(|field| Change::ServerChanged {
            pool: pool(),
            server: name(),
            field,
        }));
    }
    for server in old.iter().filter(|server| new.iter().all(|candidate| candidate.address != server.address))
    {
        let address = server.address.to_string();
        changes.push(Change::ServerRemoved { pool: pool(), server: server.name.clone(), address });
    }
}

fn listeners(old: &[Listener], new: &[Listener], changes: &mut Vec<Change>) {
    for listener in new {
        let name = || listener.name.clone();
        let Some(before) = old.iter().find(|candidate| candidate.name == listener.name) else {
            let binds = listener.binds.iter().map(ToString::to_string).collect();
            changes.push(Change::ListenerAdded { listener: name(), binds });
            continue;
        };
        let opened = missing_in(&listener.binds, &before.binds);
        let closed = missing_in(&before.binds, &listener.binds);
        if !opened.is_empty() || !closed.is_empty() {
            changes.push(Change::ListenerRebound { listener: name(), opened, closed });
        }
        let fields = fields!(before, listener; pool, freebind, backlog, keepalive, user_timeout, max_connections,
            max_connections_per_source, rate_per_source, access, proxy_protocol, idle_timeout, max_age);
        changes.extend(fields.into_iter().map(|field| Change::ListenerChanged { listener: name(), field }));
    }
    for listener in old.iter().filter(|listener| new.iter().all(|candidate| candidate.name != listener.name))
    {
        changes.push(Change::ListenerRemoved { listener: listener.name.clone() });
    }
}

fn missing_in<T: PartialEq + ToString>(items: &[T], others: &[T]) -> Vec<String> {
    items.iter().filter(|item| !others.contains(item)).map(ToString::to_string).collect()
}
