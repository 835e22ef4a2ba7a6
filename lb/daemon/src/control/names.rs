//! Looks up the names of a pool's servers again and again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use lb_core::config::Address;
use lb_core::pool::ServerId;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::resolve::{Names, ResolveError};
use crate::service::{PoolEvents, SharedPool};

/// Runs until it is aborted. A new resolver, which each reload brings, looks everything up at once.
pub(super) async fn keep_resolved(
    pool: Arc<SharedPool>,
    mut resolver: watch::Receiver<Arc<Names>>,
    events: UnboundedSender<PoolEvents>,
) {
    loop {
        let names = Arc::clone(&resolver.borrow_and_update());
        let mut look_ups = JoinSet::new();
        for server in named_servers(&pool) {
            let names = Arc::clone(&names);
            look_ups.spawn(async move { (names.lookup(&server.host).await, server) });
        }
        while let Some(Ok((found, server))) = look_ups.join_next().await {
            let Some(addresses) = verdict(&pool, &server, found) else { continue };
            let news = pool.with(|pool| pool.resolved(server.id, &addresses, Instant::now()));
            if !news.is_empty() {
                let _ = events.send(PoolEvents { pool: Arc::clone(&pool), events: news });
            }
        }
        tokio::select! {
            () = tokio::time::sleep(names.interval()) => {}
            changed = resolver.changed() => if changed.is_err() { return },
        }
    }
}

struct Named {
    id: ServerId,
    server: Arc<str>,
    host: String,
}

fn named_servers(pool: &SharedPool) -> Vec<Named> {
    pool.with(|pool| {
        let named = pool.servers().filter_map(|server| match server.address {
            Address::Name { host, .. } => {
                Some(Named { id: server.id, server: Arc::clone(server.name), host: host.clone() })
            }
            Address::Socket(_) => None,
        });
        named.collect()
    })
}

/// The addresses to go by; `None` = name servers that fail say nothing, the last answer holds.
fn verdict(
    pool: &SharedPool,
    named: &Named,
    found: Result<Vec<IpAddr>, ResolveError>,
) -> Option<Vec<IpAddr>> {
    let result = found.as_ref().err().map_or("found", ResolveError::reason);
    pool.families.server_lookups.with_label_values(&[pool.name.as_str(), &named.server, result]).inc();
    match found {
        Ok(addresses) => Some(addresses),
        Err(ResolveError::NotFound | ResolveError::Name(_)) => Some(Vec::new()),
        Err(error @ (ResolveError::Timeout | ResolveError::Failed(_))) => {
            let host = &named.host;
            tracing::warn!(pool = pool.name, server = %named.server, %host, %error, "name not looked up; the last answer holds");
            None
        }
    }
}
