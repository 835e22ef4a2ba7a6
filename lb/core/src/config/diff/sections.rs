//! Each section of the configuration, written out. Every field is named here, so that a new one cannot be
//! forgotten.

use super::checks::{agent, check};
use super::written::{Entries, Written};
use crate::config::{
    AcceptProxy, AccessList, Balance, Config, Connect, Egress, Keepalive, Listener, LogFormat, MaxAge,
    OnDown, OnReturn, Passive, Persistence, Pool, ProxyVersion, Rate, Resolver, Server, SpillOver, Stop,
    Tiers,
};

/// What a reload changes at once.
pub(super) fn process(config: &Config) -> Entries {
    let Stop { drain } = config.stop;
    let Resolver { servers, interval, timeout } = &config.resolver;
    vec![
        ("stop", Written::Section(vec![("drain", Written::time(drain))])),
        (
            "resolver",
            Written::Section(vec![
                ("servers", Written::list(servers)),
                ("interval", Written::time(*interval)),
                ("timeout", Written::time(*timeout)),
            ]),
        ),
        ("log", Written::Section(vec![("access", Written::word(config.log.access))])),
    ]
}

/// What takes a restart.
pub(super) fn at_restart(config: &Config) -> Entries {
    let format = match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let log = vec![("format", Written::word(format)), ("level", Written::word(&config.log.level))];
    vec![
        ("workers", Written::or(config.workers, "auto")),
        ("log", Written::Section(log)),
        (
            "metrics",
            Written::part(config.metrics.map(|metrics| vec![("listen", Written::word(metrics.listen))])),
        ),
        ("admin", Written::Section(vec![("socket", Written::word(config.admin.socket.display()))])),
    ]
}

/// All but its name and its servers.
pub(super) fn pool(pool: &Pool) -> Entries {
    let Pool {
        name: _,
        balance,
        tiers,
        persistence: kept,
        check: checked,
        agent: asked,
        passive: observed,
        connect: Connect { timeout, budget },
        on_down,
        on_return: returned,
        proxy_protocol,
        egress: leaving,
        slow_start,
        queue_timeout,
        sorry_server,
        servers: _,
    } = pool;
    let balance = match balance {
        Balance::RoundRobin => "round_robin",
        Balance::LeastConnections => "least_connections",
        Balance::RandomTwo => "random_two",
        Balance::SourceHash => "source_hash",
    };
    let on_down = match on_down {
        OnDown::Keep => "keep",
        OnDown::Close => "close",
    };
    let connect = vec![("timeout", Written::time(*timeout)), ("budget", Written::time(*budget))];
    vec![
        ("balance", Written::word(balance)),
        ("spill_over", spill_over(*tiers)),
        ("persistence", Written::part(kept.as_ref().map(persistence))),
        ("check", Written::part(checked.as_ref().map(check))),
        ("agent", Written::part(asked.as_ref().map(agent))),
        ("passive", Written::part(observed.as_ref().map(passive))),
        ("connect", Written::Section(connect)),
        ("on_down", Written::word(on_down)),
        ("on_return", on_return(*returned)),
        ("proxy_protocol", proxy_version(*proxy_protocol)),
        ("egress", egress(*leaving)),
        ("slow_start", Written::time_or_off(*slow_start)),
        ("queue_timeout", Written::time(*queue_timeout)),
        ("sorry_server", Written::or_off(sorry_server.as_ref())),
    ]
}

/// All but its address, which is its identity; its check only if it is not the pool's.
pub(super) fn server(server: &Server, with_check: bool) -> Entries {
    let Server { name, address: _, weight, priority, max_connections, check: checked } = server;
    let mut entries = vec![
        ("name", Written::word(name)),
        ("weight", Written::word(weight)),
        ("priority", Written::word(priority)),
        ("max_connections", Written::or_off(*max_connections)),
    ];
    if with_check {
        entries.push(("check", Written::part(checked.as_ref().map(check))));
    }
    entries
}

/// All but its name and its addresses.
pub(super) fn listener(listener: &Listener) -> Entries {
    let Listener {
        name: _,
        binds: _,
        pool,
        freebind,
        backlog,
        keepalive: probes,
        user_timeout,
        max_connections,
        max_connections_per_source,
        rate_per_source,
        access: AccessList { allow, deny },
        proxy_protocol,
        idle_timeout,
        max_age,
    } = listener;
    let mut entries = vec![
        ("pool", Written::word(pool)),
        ("freebind", Written::word(freebind)),
        ("backlog", Written::word(backlog)),
        ("keepalive", Written::part(probes.map(keepalive))),
        ("user_timeout", Written::time_or_off(*user_timeout)),
        ("max_connections", Written::or_off(*max_connections)),
        ("max_connections_per_source", Written::or_off(*max_connections_per_source)),
        ("rate_per_source", rate_per_source.map_or_else(|| Written::part(None), rate)),
        ("allow", Written::list(allow)),
        ("deny", Written::list(deny)),
        ("proxy_protocol", Written::part(proxy_protocol.as_ref().map(accept_proxy))),
        ("idle_timeout", Written::time_or_off(*idle_timeout)),
        ("max_age", Written::time_or_off(max_age.map(|limit| limit.age))),
    ];
    if let Some(MaxAge { age: _, jitter_percent }) = max_age {
        entries.push(("max_age_jitter_percent", Written::word(jitter_percent)));
    }
    entries
}

fn spill_over(tiers: Tiers) -> Written {
    match tiers {
        Tiers::Classic => Written::part(None),
        Tiers::SpillOver(SpillOver { overprovisioning_percent, panic_threshold_percent }) => {
            Written::Section(vec![
                ("overprovisioning_percent", Written::word(overprovisioning_percent)),
                ("panic_threshold_percent", Written::word(panic_threshold_percent)),
            ])
        }
    }
}

fn persistence(persistence: &Persistence) -> Entries {
    let Persistence { timeout, prefix_v4, prefix_v6 } = *persistence;
    vec![
        ("timeout", Written::time(timeout)),
        ("prefix_v4", Written::word(prefix_v4)),
        ("prefix_v6", Written::word(prefix_v6)),
    ]
}

fn passive(passive: &Passive) -> Entries {
    let Passive { failures, window, ejection, max_ejection, early_reset } = *passive;
    let early_reset = (!early_reset.is_zero()).then_some(early_reset);
    vec![
        ("failures", Written::word(failures)),
        ("window", Written::time(window)),
        ("ejection", Written::time(ejection)),
        ("max_ejection", Written::time(max_ejection)),
        ("early_reset", Written::time_or_off(early_reset)),
    ]
}

fn on_return(on_return: OnReturn) -> Written {
    match on_return {
        OnReturn::Stay => Written::word("stay"),
        OnReturn::Close => Written::word("close"),
        OnReturn::Drain { rate: pace, jitter_percent } => {
            Written::Section(vec![("drain", rate(pace)), ("jitter_percent", Written::word(jitter_percent))])
        }
    }
}

pub(super) fn proxy_version(version: Option<ProxyVersion>) -> Written {
    Written::or_off(version.map(|version| match version {
        ProxyVersion::V1 => "v1",
        ProxyVersion::V2 => "v2",
    }))
}

fn egress(egress: Egress) -> Written {
    match egress {
        Egress::Auto => Written::word("auto"),
        Egress::Address(address) => Written::word(address),
        Egress::Transparent => Written::word("transparent"),
    }
}

fn keepalive(keepalive: Keepalive) -> Entries {
    let Keepalive { idle, interval, count } = keepalive;
    vec![
        ("idle", Written::time(idle)),
        ("interval", Written::time(interval)),
        ("count", Written::word(count)),
    ]
}

fn accept_proxy(accept: &AcceptProxy) -> Entries {
    let AcceptProxy { trusted, timeout } = accept;
    vec![("trusted", Written::list(trusted)), ("timeout", Written::time(*timeout))]
}

/// `100/s`, `5/10s`.
fn rate(Rate { count, per }: Rate) -> Written {
    let per = settings::format_duration(per);
    let unit = per.strip_prefix('1').filter(|unit| unit.chars().all(|c| c.is_ascii_alphabetic()));
    Written::Word(format!("{count}/{}", unit.unwrap_or(&per)))
}
