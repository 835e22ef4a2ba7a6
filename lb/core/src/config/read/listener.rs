//! `listeners:`.

use std::time::Duration;

use settings::{Part, Problem, Section, between, not_zero};

use super::value::{Bind, limit, plain_name};
use crate::config::{AcceptProxy, AccessList, Keepalive, Listener, MaxAge};

pub(super) fn listener(mut section: Section<'_>) -> Option<Listener> {
    let name: Option<String> = section.required("name");
    if let Some(Err(problem)) = name.as_deref().map(plain_name) {
        section.fault("name", problem);
    }
    let binds: Vec<_> = section.list::<Bind>("bind").into_iter().flat_map(|bind| bind.0).collect();
    if section.node("bind").is_none() {
        section.missing("bind", "add `bind: \"ADDRESS:PORT\"`");
    }
    let pool: Option<String> = section.required("pool");
    let access = AccessList { allow: section.list("allow"), deny: section.list("deny") };
    let keepalive = keepalive(section.part("keepalive"));
    let proxy_protocol = section.section("proxy_protocol").and_then(accept_proxy);
    let max_age = section.checked_or_off("max_age", None, limit);
    let jitter_percent = section.checked("max_age_jitter_percent", 10, between(0, 100));
    let freebind = section.or("freebind", true);
    let backlog = section.checked("backlog", 4096, between(1, 65_535));
    let user_timeout =
        section.checked_or_off("user_timeout", Some(Duration::from_secs(60)), kernel_milliseconds);
    let max_connections = section.checked_or_off("max_connections", None, limit);
    let max_connections_per_source = section.checked_or_off("max_connections_per_source", None, limit);
    let rate_per_source = section.or_off("rate_per_source", None);
    let idle_timeout = section.checked_or_off("idle_timeout", Some(Duration::from_secs(3600)), limit);
    section.finish();
    Some(Listener {
        name: name?,
        binds,
        pool: pool?,
        freebind,
        backlog,
        keepalive,
        user_timeout,
        max_connections,
        max_connections_per_source,
        rate_per_source,
        access,
        proxy_protocol,
        idle_timeout,
        max_age: max_age.map(|age| MaxAge { age, jitter_percent }),
    })
}

fn keepalive(part: Part<'_>) -> Option<Keepalive> {
    let default = Keepalive { idle: Duration::from_secs(30), interval: Duration::from_secs(5), count: 3 };
    match part {
        Part::Absent => Some(default),
        Part::Off => None,
        Part::Given(mut section) => {
            let keepalive = Keepalive {
                idle: section.checked("idle", default.idle, kernel_seconds),
                interval: section.checked("interval", default.interval, kernel_seconds),
                count: section.checked("count", default.count, between(1, 127)),
            };
            section.finish();
            Some(keepalive)
        }
    }
}

/// TCP_KEEPIDLE and TCP_KEEPINTVL: 1 to 32767 s.
fn kernel_seconds(duration: &Duration) -> Result<(), Problem> {
    if duration.subsec_nanos() == 0 && (1..=32_767).contains(&duration.as_secs()) {
        Ok(())
    } else {
        let problem = "the kernel counts keepalive in whole seconds, up to 32767";
        Err(Problem::new(problem, "write whole seconds, at least 1s and at most 32767s"))
    }
}

/// TCP_USER_TIMEOUT: 1 to `i32::MAX` ms.
fn kernel_milliseconds(duration: &Duration) -> Result<(), Problem> {
    let highest = i32::MAX.unsigned_abs();
    if (1..=u128::from(highest)).contains(&duration.as_millis()) {
        Ok(())
    } else {
        let problem = format!("the kernel counts this in milliseconds, from 1 to {highest}");
        Err(Problem::new(problem, "write a duration from 1ms to 24days, or `off`"))
    }
}

fn accept_proxy(mut section: Section<'_>) -> Option<AcceptProxy> {
    if section.node("trusted").is_none() {
        section.missing("trusted", "list the networks whose PROXY headers are believed");
    }
    let trusted = section.list("trusted");
    let timeout = section.checked("timeout", Duration::from_secs(5), not_zero);
    section.finish();
    Some(AcceptProxy { trusted, timeout })
}
