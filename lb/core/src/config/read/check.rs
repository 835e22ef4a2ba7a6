//! `check:` and `agent:`.

use std::path::PathBuf;
use std::time::Duration;

use settings::{Part, Section, between, not_zero};

use super::names::{HttpHost, HttpMethod, HttpPath, ServerName};
use super::pool::proxy_version;
use super::value::{Hex, Pattern};
use crate::config::{Agent, Check, CheckKind, Host, HttpCheck, StartState, TlsCheck};
use crate::probe::Expect;

const INTERVAL: Duration = Duration::from_secs(2);

/// The pool's check: a TCP connect unless the file says otherwise.
pub(super) fn pool_check(part: Part<'_>, host: &dyn Host) -> Option<Check> {
    match part {
        Part::Off => None,
        Part::Given(section) => Some(check(section, host)),
        Part::Absent => Some(Check {
            kind: CheckKind::Tcp,
            interval: INTERVAL,
            fast_interval: INTERVAL,
            down_interval: INTERVAL,
            jitter_percent: 10,
            timeout: Duration::from_secs(1),
            rise: 2,
            fall: 3,
            start: StartState::Up,
            address: None,
            port: None,
            proxy_protocol: None,
        }),
    }
}

pub(super) fn check(mut section: Section<'_>, host: &dyn Host) -> Check {
    let kind = kind(&mut section, host);
    let interval = section.checked("interval", INTERVAL, not_zero);
    let check = Check {
        kind,
        interval,
        fast_interval: section.checked("fast_interval", interval, not_zero),
        down_interval: section.checked("down_interval", interval, not_zero),
        jitter_percent: section.checked("jitter_percent", 10, between(0, 50)),
        timeout: section.checked("timeout", Duration::from_secs(1).min(interval), not_zero),
        rise: section.checked("rise", 2, between(1, 1000)),
        fall: section.checked("fall", 3, between(1, 1000)),
        start: section.choice(
            "start",
            &[
                ("fully_up", StartState::FullyUp),
                ("up", StartState::Up),
                ("down", StartState::Down),
                ("fully_down", StartState::FullyDown),
            ],
            StartState::Up,
        ),
        address: section.optional("address"),
        port: port(&mut section),
        proxy_protocol: proxy_version(&mut section),
    };
    section.finish();
    check
}

/// Keys of every type.
const COMMON: [&str; 12] = [
    "type",
    "interval",
    "fast_interval",
    "down_interval",
    "jitter_percent",
    "timeout",
    "rise",
    "fall",
    "start",
    "address",
    "port",
    "proxy_protocol",
];
const OF_HTTP: [&str; 7] = ["method", "path", "host", "status", "expect", "expect_hex", "expect_regex"];
const OF_TLS: [&str; 3] = ["server_name", "verify", "ca_file"];

/// Whether a key means the same to checks of both types.
pub(super) fn is_shared(key: &str, one: &str, other: &str) -> bool {
    let both = |types: [&str; 2]| types.contains(&one) && types.contains(&other);
    one == other
        || COMMON.contains(&key)
        || both(["http", "https"]) && OF_HTTP.contains(&key)
        || both(["https", "tls"]) && OF_TLS.contains(&key)
}

fn port(section: &mut Section<'_>) -> Option<u16> {
    section.node("port")?;
    Some(section.checked("port", 1, between(1, u16::MAX)))
}

#[derive(Clone, Copy)]
enum Kind {
    Tcp,
    SendExpect,
    Http,
    Https,
    Tls,
    Command,
}

fn kind(section: &mut Section<'_>, host: &dyn Host) -> CheckKind {
    let kinds = [
        ("tcp", Kind::Tcp),
        ("send_expect", Kind::SendExpect),
        ("http", Kind::Http),
        ("https", Kind::Https),
        ("tls", Kind::Tls),
        ("command", Kind::Command),
    ];
    match section.choice("type", &kinds, Kind::Tcp) {
        Kind::Tcp => CheckKind::Tcp,
        Kind::SendExpect => CheckKind::Exchange { send: send(section), expect: expect(section) },
        Kind::Http => CheckKind::Http(http(section, None)),
        Kind::Https => {
            let tls = tls(section, host);
            CheckKind::Http(http(section, Some(tls)))
        }
        Kind::Tls => CheckKind::Tls(tls(section, host)),
        Kind::Command => {
            let program: Option<PathBuf> = section.required("program");
            if let Some(Err(problem)) = program.as_deref().map(|program| host.program(program)) {
                section.fault("program", problem);
            }
            let program = program.unwrap_or_default();
            CheckKind::Command { program, args: section.list("args") }
        }
    }
}

fn send(section: &mut Section<'_>) -> Vec<u8> {
    let text: Option<String> = section.optional("send");
    let hex: Option<Hex> = section.optional("send_hex");
    hex.map(|hex| hex.0).or_else(|| text.map(String::into_bytes)).unwrap_or_default()
}

fn expect(section: &mut Section<'_>) -> Option<Expect> {
    let text: Option<String> = section.optional("expect");
    let hex: Option<Hex> = section.optional("expect_hex");
    let regex: Option<Pattern> = section.optional("expect_regex");
    regex
        .map(|pattern| pattern.0)
        .or_else(|| hex.map(|hex| Expect::Bytes(hex.0)))
        .or_else(|| text.map(|text| Expect::Bytes(text.into_bytes())))
}

fn http(section: &mut Section<'_>, tls: Option<TlsCheck>) -> HttpCheck {
    let mut status: Vec<(u16, u16)> =
        section.list::<StatusRange>("status").into_iter().map(|r| r.0).collect();
    if status.is_empty() {
        status.push((200, 299));
    }
    HttpCheck {
        method: section.or("method", HttpMethod("GET".to_owned())).0,
        path: section.or("path", HttpPath("/".to_owned())).0,
        host: section.optional::<HttpHost>("host").map(|host| host.0),
        status,
        body: expect(section),
        tls,
    }
}

/// `200` or `200-299`.
struct StatusRange((u16, u16));

impl settings::Setting for StatusRange {
    const EXPECTED: &'static str = "a status such as 200, or a range such as 200-299";

    fn read(node: &settings::Node) -> Result<Self, settings::Problem> {
        let problem =
            || settings::Problem::new("this is not an HTTP status", format!("write {}", Self::EXPECTED));
        let text = String::read(node).map_err(|_| problem())?;
        let (low, high) = text.split_once('-').unwrap_or((&text, &text));
        let low: u16 = low.trim().parse().map_err(|_| problem())?;
        let high: u16 = high.trim().parse().map_err(|_| problem())?;
        if (100..=599).contains(&low) && low <= high && high <= 599 {
            Ok(Self((low, high)))
        } else {
            Err(problem())
        }
    }
}

fn tls(section: &mut Section<'_>, host: &dyn Host) -> TlsCheck {
    let ca_file: Option<PathBuf> = section.optional("ca_file");
    if let Some(Err(problem)) = ca_file.as_deref().map(|file| host.ca_file(file)) {
        section.fault("ca_file", problem);
    }
    TlsCheck {
        server_name: section.optional::<ServerName>("server_name").map(|name| name.0),
        verify: section.or("verify", true),
        ca_file,
    }
}

pub(super) fn agent(mut section: Section<'_>) -> Option<Agent> {
    let port = port(&mut section);
    if port.is_none() {
        section.missing("port", "add `port: …`, where the agent listens");
    }
    let interval = section.checked("interval", INTERVAL, not_zero);
    let agent = port.map(|port| Agent {
        port,
        address: section.optional("address"),
        interval,
        timeout: section.checked("timeout", Duration::from_secs(1).min(interval), not_zero),
        send: send(&mut section),
    });
    section.finish();
    agent
}
