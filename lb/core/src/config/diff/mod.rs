//! What a reload would change.

mod checks;
mod sections;
mod virtual_routers;
mod written;

use serde::{Deserialize, Serialize};

use super::{Config, Listener, Pool, Server};
use written::{Entries, differences};

/// Everything that differs between two configurations, in the order in which it would be applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Plan {
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A setting of the process: `log.level`, `metrics.listen` …; some need a restart.
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
    VirtualRouterAdded {
        router: String,
        addresses: Vec<String>,
    },
    /// Its addresses are released.
    VirtualRouterRemoved {
        router: String,
    },
    /// It is removed and added: what identifies it on the network is another.
    VirtualRouterReplaced {
        router: String,
        field: FieldChange,
    },
    /// Its state stays.
    VirtualRouterChanged {
        router: String,
        field: FieldChange,
    },
}

/// A setting that differs, in the words of the file: `check.interval`, from `500ms` to `1s`.
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
        virtual_routers::changes(&old.virtual_routers, &new.virtual_routers, &mut changes);
        Self { changes }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

fn process(old: &Config, new: &Config, changes: &mut Vec<Change>) {
    let mut note = |section: fn(&Config) -> Entries, needs_restart| {
        let fields = differences(&section(old), &section(new));
        changes.extend(fields.into_iter().map(|field| Change::Process { field, needs_restart }));
    };
    note(sections::process, false);
    note(sections::at_restart, true);
}

fn pools(old: &[Pool], new: &[Pool], changes: &mut Vec<Change>) {
    for pool in new {
        let Some(before) = old.iter().find(|candidate| candidate.name == pool.name) else {
            changes.push(Change::PoolAdded { pool: pool.name.clone() });
            continue;
        };
        let fields = differences(&sections::pool(before), &sections::pool(pool));
        changes
            .extend(fields.into_iter().map(|field| Change::PoolChanged { pool: pool.name.clone(), field }));
        servers(before, pool, changes);
    }
    for pool in old.iter().filter(|pool| new.iter().all(|candidate| candidate.name != pool.name)) {
        changes.push(Change::PoolRemoved { pool: pool.name.clone() });
    }
}

fn servers(old: &Pool, new: &Pool, changes: &mut Vec<Change>) {
    let pool = || new.name.clone();
    for server in &new.servers {
        let name = || server.name.clone();
        let Some(before) = old.servers.iter().find(|candidate| candidate.address == server.address) else {
            let address = server.address.to_string();
            changes.push(Change::ServerAdded { pool: pool(), server: name(), address });
            continue;
        };
        // where both follow their pool, the pool's change says it
        let with_check = before.check != old.check || server.check != new.check;
        let fields =
            differences(&sections::server(before, with_check), &sections::server(server, with_check));
        changes.extend(fields.into_iter().map(|field| Change::ServerChanged {
            pool: pool(),
            server: name(),
            field,
        }));
    }
    let gone = |server: &&Server| new.servers.iter().all(|candidate| candidate.address != server.address);
    for server in old.servers.iter().filter(gone) {
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
        let fields = differences(&sections::listener(before), &sections::listener(listener));
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
