//! A change as Alertmanager's webhook tells it, so that whatever receives that can receive this.
//!
//! Firing is what somebody should look at: a router at fault, and one that is Active because another one failed it
//! (`took_over`). It is resolved, with the same labels and so the same fingerprint, by the next change. Any other
//! change is told as resolved from the beginning: receivers that keep incidents open none, those that write
//! a history have it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Change, Word};

/// What Go writes for no time, and Alertmanager for an end that is not known.
const NO_TIME: &str = "0001-01-01T00:00:00Z";
const NAME: &str = "VirtualRouterState";
const RECEIVER: &str = "lb";

type Texts = BTreeMap<&'static str, String>;

/// The body of one request, version 4.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    version: &'static str,
    group_key: String,
    truncated_alerts: u64,
    status: Status,
    receiver: &'static str,
    group_labels: Texts,
    common_labels: Texts,
    common_annotations: Texts,
    /// Empty: there is no page about it.
    #[serde(rename = "externalURL")]
    external_url: &'static str,
    alerts: Vec<Alert>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    status: Status,
    labels: Texts,
    annotations: Texts,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'static str,
    fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

/// What is to be sent about a change; `firing` is what the message before left open.
pub fn message(change: &Change, at: Timestamp, node: &str, firing: Option<Alert>) -> Message {
    let alert = Alert::of(change, at, node);
    let alerts = match firing {
        // the same trouble for another reason
        Some(open) if open.labels == alert.labels => {
            vec![Alert { starts_at: open.starts_at, ..alert }]
        }
        Some(open) if alert.status == Status::Firing => vec![open.resolved(change, at, node), alert],
        Some(open) => vec![open.resolved(change, at, node)],
        None => vec![alert],
    };
    let group_labels = Texts::from([("alertname", NAME.to_owned()), ("router", change.router.to_string())]);
    let firing = alerts.iter().any(|alert| alert.status == Status::Firing);
    Message {
        version: "4",
        group_key: format!("{{}}:{{alertname=\"{NAME}\", router=\"{}\"}}", change.router),
        truncated_alerts: 0,
        status: if firing { Status::Firing } else { Status::Resolved },
        receiver: RECEIVER,
        group_labels,
        common_labels: common(alerts.iter().map(|alert| &alert.labels)),
        common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
        external_url: "",
        alerts,
    }
}

impl Message {
    /// What it leaves open.
    pub fn firing(&self) -> Option<&Alert> {
        self.alerts.iter().find(|alert| alert.status == Status::Firing)
    }
}

impl Alert {
    fn of(change: &Change, at: Timestamp, node: &str) -> Self {
        let Change { router, state, priority, reason, took_over, .. } = change;
        let severity = match state {
            Word::Fault => "critical",
            Word::Master if *took_over => "warning",
            Word::Master | Word::Backup | Word::Stop => "info",
        };
        let status = if severity == "info" { Status::Resolved } else { Status::Firing };
        let labels = Texts::from([
            ("alertname", NAME.to_owned()),
            ("node", node.to_owned()),
            ("router", router.to_string()),
            ("severity", severity.to_owned()),
            ("state", state.to_string()),
        ]);
        let at = at.to_string();
        Self {
            status,
            annotations: Texts::from([
                ("summary", format!("{router} is {state} on {node}")),
                ("description", format!("{reason} (priority {priority})")),
            ]),
            ends_at: if status == Status::Firing { NO_TIME.to_owned() } else { at.clone() },
            starts_at: at,
            generator_url: "",
            fingerprint: fingerprint(&labels),
            labels,
        }
    }

    /// Over, because of that change.
    fn resolved(self, change: &Change, at: Timestamp, node: &str) -> Self {
        let annotations = Self::of(change, at, node).annotations;
        Self { status: Status::Resolved, ends_at: at.to_string(), annotations, ..self }
    }
}

/// The labels or annotations that all have.
fn common<'a>(mut all: impl Iterator<Item = &'a Texts>) -> Texts {
    let mut common = all.next().cloned().unwrap_or_default();
    for texts in all {
        common.retain(|name, text| texts.get(name) == Some(text));
    }
    common
}

/// Prometheus' hash of a set of labels: 64-bit FNV-1a over names and values, each followed by 0xff.
fn fingerprint(labels: &Texts) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let texts = labels.iter().flat_map(|(name, value)| [*name, value.as_str()]);
    let bytes = texts.flat_map(|text| text.bytes().chain([0xff]));
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn change(state: Word, took_over: bool, reason: &str) -> Change {
        let reason = reason.to_owned();
        Change { router: "bank-vip".into(), state, priority: 200, reason, took_over, at: Instant::now() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn statuses(message: &Message) -> Vec<(Status, &str)> {
        message.alerts.iter().map(|alert| (alert.status, alert.labels["state"].as_str())).collect()
    }

    #[test]
    fn what_alertmanager_would_send_is_on_the_page() {
        let taken = change(Word::Master, true, "192.0.2.11 fell silent");
        let message = message(&taken, at(0), "lb-b", None);
        let page = include_str!("../../../../docs/operations.md");
        let sample = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        let sample: serde_json::Value = serde_json::from_str(sample).unwrap();
        assert_eq!(serde_json::to_value(&message).unwrap(), sample, "docs/operations.md");
    }

    #[test]
    fn trouble_is_resolved_under_its_own_labels() {
        let taken = message(&change(Word::Master, true, "192.0.2.11 fell silent"), at(0), "lb-b", None);
        let open = taken.firing().unwrap();
        let back = change(Word::Backup, false, "192.0.2.11 has a higher priority");
        let back = message(&back, at(60), "lb-b", Some(open.clone()));
        assert_eq!(statuses(&back), [(Status::Resolved, "MASTER")]);
        assert_eq!(back.status, Status::Resolved);
        let [closed] = back.alerts.as_slice() else { panic!("{back:?}") };
        assert_eq!((&closed.fingerprint, &closed.starts_at), (&open.fingerprint, &open.starts_at));
        assert_eq!(closed.ends_at, at(60).to_string());
        assert_eq!(closed.annotations["summary"], "bank-vip is BACKUP on lb-b");
        assert!(back.firing().is_none());
    }

    #[test]
    fn trouble_after_trouble_and_the_same_for_another_reason() {
        let taken = message(&change(Word::Master, true, "silent"), at(0), "lb-b", None);
        let fault =
            message(&change(Word::Fault, false, "eth0 is down"), at(5), "lb-b", taken.firing().cloned());
        assert_eq!(statuses(&fault), [(Status::Resolved, "MASTER"), (Status::Firing, "FAULT")]);
        assert_eq!(fault.status, Status::Firing);
        assert_eq!(fault.common_labels.keys().copied().collect::<Vec<_>>(), ["alertname", "node", "router"]);

        let other = change(Word::Fault, false, "pool empi has no usable server");
        let other = message(&other, at(9), "lb-b", fault.firing().cloned());
        assert_eq!(statuses(&other), [(Status::Firing, "FAULT")]);
        assert_eq!(other.alerts[0].starts_at, at(5).to_string(), "since then");
        assert!(other.alerts[0].annotations["description"].contains("empi"));
    }

    #[test]
    fn what_nobody_need_look_at_opens_nothing() {
        for (state, severity) in [(Word::Master, "info"), (Word::Backup, "info"), (Word::Stop, "info")] {
            let told = message(&change(state, false, "started"), at(0), "lb-b", None);
            assert_eq!(told.status, Status::Resolved, "{state}");
            assert_eq!(told.alerts[0].labels["severity"], severity, "{state}");
            assert_eq!(told.alerts[0].ends_at, at(0).to_string());
        }
    }

    #[test]
    fn the_hash_is_the_one_of_prometheus() {
        // of prometheus/common, model/labelset_test.go and signature_test.go
        assert_eq!(fingerprint(&Texts::new()), "cbf29ce484222325");
        let labels =
            Texts::from([("name", "garland, briggs".to_owned()), ("fear", "love is not enough".to_owned())]);
        assert_eq!(u64::from_str_radix(&fingerprint(&labels), 16).unwrap(), 5_799_056_148_416_392_346);
    }
}
