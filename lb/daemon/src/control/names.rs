//! Looks up the names of a pool's servers again and again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use lb_core::config::Address;
use lb_core::pool::ServerId;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::resolve::{Family, Found, Names, ResolveError};
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
    /// Where the server is now.
    current: Option<IpAddr>,
}

fn named_servers(pool: &SharedPool) -> Vec<Named> {
    pool.with(|pool| {
        let named = pool.servers().filter_map(|server| match server.address {
            Address::Name { host, .. } => {
                let (id, name, current) = (server.id, Arc::clone(server.name), server.resolved);
                Some(Named { id, server: name, host: host.clone(), current: current.map(|at| at.ip()) })
            }
            Address::Socket(_) => None,
        });
        named.collect()
    })
}

/// The addresses to go by; `None` = name servers that fail say nothing, the last answer holds.
fn verdict(pool: &SharedPool, named: &Named, found: Result<Found, ResolveError>) -> Option<Vec<IpAddr>> {
    let result = found.as_ref().err().map_or("found", ResolveError::reason);
    pool.families.server_lookups.with_label_values(&[pool.name.as_str(), &named.server, result]).inc();
    let host = &named.host;
    match found {
        Ok(Found { mut addresses, unknown }) => {
            // half an answer: that an address is not in it is no reason to leave it
            let kept = named.current.filter(|current| unknown == Some(Family::of(*current)));
            if let Some(current) = kept {
                tracing::warn!(pool = pool.name, server = %named.server, %host, %current, "no answer for the family of its address, which stays");
            }
            addresses.extend(kept);
            Some(addresses)
        }
        Err(error) if error.says_nothing() => {
            tracing::warn!(pool = pool.name, server = %named.server, %host, %error, "name not looked up; the last answer holds");
            None
        }
        Err(_) => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use lb_core::config;

    use super::*;
    use crate::metrics::Metrics;
    use crate::service::PoolId;

    #[test]
    fn half_an_answer_moves_no_server_off_the_other_half() {
        let text = "listeners: [ { name: l, bind: \"127.0.0.1:1\", pool: p } ]\n\
                    pools: [ { name: p, servers: [ { name: a, address: \"a.example:7099\" } ] } ]\n";
        let settings = config::compile(text, None).unwrap().pools.remove(0);
        let metrics = Arc::new(Metrics::new().unwrap());
        let pool = SharedPool::new(PoolId(0), settings, &metrics, Instant::now(), 1);
        let [v4, v6]: [IpAddr; 2] = ["192.0.2.1", "2001:db8::1"].map(|address| address.parse().unwrap());
        let answer = |addresses: Vec<IpAddr>, unknown| {
            let named = named_servers(&pool).remove(0);
            let addresses = verdict(&pool, &named, Ok(Found { addresses, unknown })).unwrap();
            drop(pool.with(|machine| machine.resolved(named.id, &addresses, Instant::now())));
            named_servers(&pool).remove(0).current.unwrap()
        };
        assert_eq!(answer(vec![v6], Some(Family::V4)), v6);
        assert_eq!(answer(vec![v4], Some(Family::V6)), v6, "it may be there still");
        assert_eq!(answer(vec![v4], None), v4, "it is not");
        assert_eq!(answer(vec![v6], None), v6);
    }
}
