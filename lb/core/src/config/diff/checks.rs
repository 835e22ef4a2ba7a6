//! `check:` and `agent:`, written out.

use super::sections::proxy_version;
use super::written::{Entries, Written};
use crate::config::{Agent, Check, CheckKind, HttpCheck, StartState, TlsCheck};
use crate::probe::Expect;

/// What a server has unless the file says otherwise.
const THE_SERVERS: &str = "the server's";

pub(super) fn check(check: &Check) -> Entries {
    let Check {
        kind: what,
        interval,
        fast_interval,
        down_interval,
        jitter_percent,
        timeout,
        rise,
        fall,
        start,
        address,
        port,
        proxy_protocol,
    } = check;
    let start = match start {
        StartState::FullyUp => "fully_up",
        StartState::Up => "up",
        StartState::Down => "down",
        StartState::FullyDown => "fully_down",
    };
    let mut entries = kind(what);
    entries.extend([
        ("interval", Written::time(*interval)),
        ("fast_interval", Written::time(*fast_interval)),
        ("down_interval", Written::time(*down_interval)),
        ("jitter_percent", Written::word(jitter_percent)),
        ("timeout", Written::time(*timeout)),
        ("rise", Written::word(rise)),
        ("fall", Written::word(fall)),
        ("start", Written::word(start)),
        ("address", Written::or(*address, THE_SERVERS)),
        ("port", Written::or(*port, THE_SERVERS)),
        ("proxy_protocol", proxy_version(*proxy_protocol)),
    ]);
    entries
}

pub(super) fn agent(agent: &Agent) -> Entries {
    let Agent { port, address, interval, timeout, send } = agent;
    vec![
        ("port", Written::word(port)),
        ("address", Written::or(*address, THE_SERVERS)),
        ("interval", Written::time(*interval)),
        ("timeout", Written::time(*timeout)),
        ("send", bytes(send)),
    ]
}

fn kind(kind: &CheckKind) -> Entries {
    match kind {
        CheckKind::Tcp => vec![("type", Written::word("tcp"))],
        CheckKind::Exchange { send, expect } => vec![
            ("type", Written::word("send_expect")),
            ("send", bytes(send)),
            ("expect", expected(expect.as_ref())),
        ],
        CheckKind::Http(HttpCheck { method, path, host, status, body, tls: over }) => {
            let status: Vec<String> = status.iter().map(|(low, high)| range(*low, *high)).collect();
            let mut entries = vec![
                ("type", Written::word(if over.is_some() { "https" } else { "http" })),
                ("method", Written::word(method)),
                ("path", Written::word(path)),
                ("host", Written::or(host.as_ref(), THE_SERVERS)),
                ("status", Written::list(&status)),
                ("expect", expected(body.as_ref())),
            ];
            entries.extend(over.iter().flat_map(tls));
            entries
        }
        CheckKind::Tls(settings) => {
            let mut entries = vec![("type", Written::word("tls"))];
            entries.extend(tls(settings));
            entries
        }
        CheckKind::Command { program, args } => vec![
            ("type", Written::word("command")),
            ("program", Written::word(program.display())),
            ("args", Written::list(args)),
        ],
    }
}

fn tls(TlsCheck { server_name, verify, ca_file }: &TlsCheck) -> Entries {
    vec![
        ("server_name", Written::or(server_name.as_ref(), THE_SERVERS)),
        ("verify", Written::word(verify)),
        ("ca_file", Written::or(ca_file.as_ref().map(|path| path.display()), "the host's")),
    ]
}

fn range(low: u16, high: u16) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

fn bytes(bytes: &[u8]) -> Written {
    Written::Word(format!("\"{}\"", bytes.escape_ascii()))
}

fn expected(expect: Option<&Expect>) -> Written {
    match expect {
        None => Written::word("anything"),
        Some(Expect::Bytes(wanted)) => bytes(wanted),
        Some(Expect::Regex(regex)) => Written::Word(format!("/{regex}/")),
    }
}
