//! `banks:`.

use std::time::Duration;

use settings::{Name, Problem, Section, between, not_zero};

use super::secret::{SECRET, TOKEN, secret};
use super::value::{Count, HttpUrl};
use crate::config::{Bank, Callback, Host, Key};

/// What is wrong is noted; `None` where something that has no default is missing or wrong.
pub(super) fn bank(mut section: Section<'_>, host: &dyn Host) -> Option<Bank> {
    let name = section.required("name").map(|name: Name<domain::Bank>| name.0);
    let keys = keys(&mut section, host);
    let rate = section.or_off("rate", None).map(|count: Count| count.0);
    let quota = section.or_off("quota", None).map(|count: Count| u64::from(count.0.get()));
    let sources = section.list("sources");
    let at_once = section.checked("at_once", 256, between(1, 10_000_u16));
    let polls = section.checked("polls", 16, between(1, 10_000_u16));
    let given = section.has("callback");
    let callback = section.section("callback").and_then(callback);
    if given && callback.is_none() {
        return None;
    }
    section.finish();
    Some(Bank {
        name: name?,
        keys: keys?,
        rate,
        quota,
        sources,
        at_once: at_once.into(),
        polls: polls.into(),
        callback,
    })
}

fn keys(section: &mut Section<'_>, host: &dyn Host) -> Option<Vec<Key>> {
    let nodes = section.items("keys");
    if nodes.is_empty() {
        section.missing("keys", "add at least one: `{ key: NAME, secret: … }`");
        return None;
    }
    let faults = section.faults();
    nodes.into_iter().map(|node| key(Section::open(node, faults)?, host)).collect()
}

fn key(mut section: Section<'_>, host: &dyn Host) -> Option<Key> {
    let is_token = section.has(TOKEN.0) || section.has(TOKEN.1);
    let key = if is_token {
        for key in ["key", SECRET.0, SECRET.1] {
            if section.node(key).is_some() {
                let problem = Problem::new("this means nothing beside a token", "remove one of the two");
                section.fault(key, problem);
            }
        }
        secret(&mut section, TOKEN, host).map(Key::Token)
    } else {
        let name = section.required("key").map(|name: Name<domain::Bank>| name.0.to_string());
        let secret = secret(&mut section, SECRET, host);
        name.zip(secret).map(|(name, secret)| Key::Signed { name, secret })
    };
    section.finish();
    key
}

fn callback(mut section: Section<'_>) -> Option<Callback> {
    let url = section.required("url").map(|url: HttpUrl| url.0);
    let at_once = section.checked("at_once", 4, between(1, 1_000_u16));
    let timeout = section.checked("timeout", Duration::from_secs(10), not_zero);
    let retry = section.section("retry").map_or(RETRY, retry);
    let give_up = section.checked("give_up", Duration::from_secs(86_400), not_zero);
    section.finish();
    Some(Callback { url: url?, at_once: at_once.into(), timeout, retry, give_up })
}

const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

fn retry(mut section: Section<'_>) -> (Duration, Duration) {
    let first = section.checked("first", RETRY.0, not_zero);
    let most = section.checked("most", RETRY.1.max(first), not_zero);
    if most < first {
        section.fault("most", Problem::new("this is shorter than `first`", "write a longer duration"));
    }
    section.finish();
    (first, most.max(first))
}
