//! What a gateway tells: batch → records → durable on the bus → acknowledged.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bus::Record;
use domain::{Account, Carrier, GatewayId};
use link::{Batch, Identity, Numbered};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::alarms::{Alarms, What};
use crate::config;
use crate::gateways::Peer;
use crate::metrics::Metrics;
use crate::publisher::Publisher;

/// Events that go to the bus together, about.
const MOST: usize = 2000;

/// Passes on the events of one gateway.
pub struct Relay {
    pub gateway: GatewayId,
    pub envelope: Envelope,
    pub peer: Arc<dyn Peer>,
    pub publisher: Publisher,
    pub alarms: Alarms,
    pub metrics: Arc<Metrics>,
}

impl Relay {
    /// Until `stop`; what is under way then is finished first.
    pub async fn run(self, mut batches: mpsc::Receiver<Batch>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let first = tokio::select! {
                biased;
                () = &mut stop => return,
                batch = batches.recv() => batch,
            };
            let Some(first) = first else { return };
            let events = self.together(first, &mut batches);
            if !self.pass_on(events).await {
                return;
            }
        }
    }

    /// This batch and what has come after it.
    fn together(&self, first: Batch, batches: &mut mpsc::Receiver<Batch>) -> Vec<Numbered> {
        let mut events = self.own(first);
        while events.len() < MOST
            && let Ok(batch) = batches.try_recv()
        {
            events.extend(self.own(batch));
        }
        events
    }

    /// What another gateway than the file names tells is left to a UAOP that knows it.
    fn own(&self, batch: Batch) -> Vec<Numbered> {
        let Identity { node, site, .. } = &batch.from;
        let ours = *node == self.gateway.as_str() && *site == self.envelope.site;
        if ours { batch.events } else { Vec::new() }
    }

    /// Whether there is more to do.
    async fn pass_on(&self, events: Vec<Numbered>) -> bool {
        let Some(last) = events.last().map(|event| event.id) else { return true };
        let count = events.len();
        let records: Vec<Record> = events.iter().filter_map(|event| self.record(event)).collect();
        let lacking = count - records.len();
        self.alarms.set(What::EventUnreadable, self.gateway.as_str(), lacking > 0, || {
            format!(
                "{lacking} of {count} events of gateway {} cannot be read; the log has their numbers",
                self.gateway
            )
        });
        let told = records.len();
        if self.publisher.publish(records).await.is_err() {
            return false;
        }
        self.peer.acknowledge(last);
        let label = [self.gateway.as_str()];
        self.metrics.events.with_label_values(&label).inc_by(u64::try_from(told).unwrap_or(0));
        true
    }

    /// `None`: it is set aside.
    fn record(&self, event: &Numbered) -> Option<Record> {
        let record = self.envelope.wrap(&event.event);
        if record.is_none() {
            self.metrics.events_set_aside.with_label_values(&[self.gateway.as_str()]).inc();
            tracing::error!(gateway = %self.gateway, event = event.id, "this event cannot be read; it is set aside");
        }
        record
    }
}

/// What is put around an event, so that it is a [`domain::Told`].
#[derive(Clone, Debug)]
pub struct Envelope {
    site: String,
    /// Up to the event.
    usual: Vec<u8>,
    /// The same of accounts of other carriers.
    others: BTreeMap<Account, Vec<u8>>,
}

/// What has to be known of an event; the rest is only checked to be JSON.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    gateway: Cow<'a, str>,
    #[serde(borrow)]
    account: Cow<'a, str>,
}

impl Envelope {
    #[must_use]
    pub fn new(me: &Identity, gateway: &config::Gateway) -> Self {
        let others = gateway.accounts.iter();
        Self {
            site: me.site.clone(),
            usual: opening(me, &gateway.carrier),
            others: others.map(|(account, carrier)| (account.clone(), opening(me, carrier))).collect(),
        }
    }

    /// `None`: it is no event.
    fn wrap(&self, event: &[u8]) -> Option<Record> {
        let head: Head<'_> = serde_json::from_str(std::str::from_utf8(event).ok()?).ok()?;
        let key = format!("{}/{}", head.gateway, head.account);
        let account: Option<Account> = head.account.parse().ok();
        let opening = account.and_then(|account| self.others.get(&account)).unwrap_or(&self.usual);
        Some(Record { key, value: [opening, event, b"}"].concat() })
    }
}

fn opening(me: &Identity, carrier: &Carrier) -> Vec<u8> {
    #[derive(Serialize)]
    struct Before<'a> {
        uaop: &'a str,
        site: &'a str,
        carrier: &'a Carrier,
    }
    let before = Before { uaop: &me.node, site: &me.site, carrier };
    // three texts are always JSON
    let mut text = serde_json::to_string(&before).unwrap_or_default();
    text.pop();
    text.push_str(",\"event\":");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        let me = Identity { role: link::Role::Uaop, node: "uaop-\"1".to_owned(), site: "dc-1".to_owned() };
        let gateway = crate::tests::gateway("cm-1");
        let accounts = [("ct".parse().unwrap(), "telecom".parse().unwrap())].into();
        Envelope::new(&me, &config::Gateway { accounts, ..gateway })
    }

    #[test]
    fn an_event_is_passed_on_as_it_is_in_an_envelope_that_says_whose_it_is() {
        for (account, carrier) in [("cm", "mobile"), ("ct", "telecom")] {
            let event = crate::tests::event(account, 1);
            let record = envelope().wrap(&event).unwrap();
            assert_eq!(record.key, format!("cm-1/{account}"));
            let told: domain::Told = serde_json::from_slice(&record.value).unwrap();
            assert_eq!((told.uaop.as_str(), told.site.as_str()), ("uaop-\"1", "dc-1"));
            assert_eq!(told.carrier.as_str(), carrier);
            assert_eq!(serde_json::to_vec(&told.event).unwrap(), event);
        }
    }

    #[test]
    fn what_is_no_event_is_set_aside() {
        let broken: [&[u8]; 6] = [
            b"",
            b"[]",
            b"{}",
            br#"{"gateway":"g","account":"a""#,
            br#"{"gateway":"g","account":"a"} {}"#,
            b"{\"gateway\":\"g\",\"account\":\"a\",\"word\":\"\xff\"}",
        ];
        for bytes in broken {
            assert_eq!(envelope().wrap(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
