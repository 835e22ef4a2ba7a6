//! `listeners:`.

use std::time::Duration;

use settings::{Part, Section};

use super::value::{Bind, between, not_zero, plain_name};
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
    let max_age = section.optional("max_age");
    let jitter_percent = section.checked("max_age_jitter_percent", 10, between(0, 100));
    let freebind = section.or("freebind", true);
    let backlog = section.checked("backlog", 4096, between(1, 65_535));
    let user_timeout = section.or_off("user_timeout", Some(Duration::from_secs(60)));
    let max_connections = section.optional("max_connections");
    let max_connections_per_source = section.optional("max_connections_per_source");
    let rate_per_source = section.optional("rate_per_source");
    let idle_timeout = section.or_off("idle_timeout", Some(Duration::from_secs(3600)));
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
            let whole_seconds = |duration: &Duration| {
                not_zero(duration)?;
                if duration.subsec_nanos() == 0 {
                    Ok(())
                } else {
                    Err(settings::Problem::new(
                        "the kernel counts keepalive in whole seconds",
                        "write whole seconds",
                    ))
                }
            };
            let keepalive = Keepalive {
                idle: section.checked("idle", default.idle, whole_seconds),
                interval: section.checked("interval", default.interval, whole_seconds),
                count: section.checked("count", default.count, between(1, 127)),
            };
            section.finish();
            Some(keepalive)
        }
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
