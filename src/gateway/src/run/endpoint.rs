//! What Prometheus and load balancers ask.

use std::sync::Arc;

use prometheus::Registry;
use runtime::endpoint::Watched;

use crate::clock::Clock;
use crate::events::ConsumerLevel;
use crate::metrics::Families;
use crate::uplink::Uplink;

pub(super) struct Endpoint {
    pub(super) registry: Registry,
    pub(super) families: Arc<Families>,
    pub(super) uplink: Arc<Uplink>,
    pub(super) clock: Clock,
}

impl Watched for Endpoint {
    fn registry(&self) -> &Registry {
        let (spool, families) = (&self.uplink.engine.spool, &self.families);
        families.spool_events_limit.set(i64::from(self.uplink.most_events));
        // those that were forgotten have no series
        families.consumer_connected.reset();
        families.consumer_unacknowledged.reset();
        for ConsumerLevel { consumer, acknowledged: _, unacknowledged, connected } in
            self.uplink.events.consumers()
        {
            families.consumer_connected.with_label_values(&[&consumer]).set(i64::from(connected));
            let lacks = i64::try_from(unacknowledged).unwrap_or(i64::MAX);
            families.consumer_unacknowledged.with_label_values(&[&consumer]).set(lacks);
        }
        families.spool_events.set(i64::try_from(spool.counts().events).unwrap_or(i64::MAX));
        // one thread asks: nobody adds in between
        let figures = spool.figures();
        families.spool_batches.inc_by(figures.batches.saturating_sub(families.spool_batches.get()));
        let more = figures.commit_seconds_sum - families.spool_commit_seconds.get();
        families.spool_commit_seconds.inc_by(more.max(0.0));
        families.clock_jumps.inc_by(self.clock.jump_count().saturating_sub(families.clock_jumps.get()));
        &self.registry
    }

    fn ready(&self) -> Result<(), String> {
        let status = self.uplink.status();
        let accounts = status.accounts.iter().filter(|level| !level.ready);
        let mut not: Vec<String> =
            accounts.map(|level| format!("account {} cannot submit", level.account)).collect();
        let spool = &self.uplink.engine.spool;
        if !spool.works() {
            not.push("the spool cannot be written".to_owned());
        }
        if not.is_empty() { Ok(()) } else { Err(not.join("\n")) }
    }
}
