//! The top of the file. Defaults stand here and in the files of the sections, and only there.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::tz::TimeZone;
use runtime::logging::Format;
use settings::{Faults, Node, Problem, Section, Value, between, not_zero};

use super::value::Zone;
use super::{Account, Config, Listen, Log, Timers, account, behaviour};

/// Reads the whole tree; `None` if it is not even a section, which is noted as all faults are.
pub(super) fn config(tree: &Node, faults: &Faults) -> Option<Config> {
    let mut top = Section::open(tree, faults)?;
    let listen = listen(top.section("listen"));
    let control = top.or("control", SocketAddr::from((Ipv4Addr::LOCALHOST, 7899)));
    let record = top.or_off("record", None);
    let seed = top.or("seed", 1);
    let node = top.checked("node", 1, between(0, 999_999));
    let time_zone = top.optional("time_zone").map_or_else(beijing, |Zone(zone)| zone);
    let log = log(top.section("log"));
    let timers = timers(top.section("timers"));
    let base = behaviour::behaviour(top.node("behaviour"), faults, &behaviour::default());
    let accounts: Vec<Account> = named(&mut top, "accounts")
        .into_iter()
        .filter_map(|(name, node)| account::account(name, Section::open(node, faults)?, &base))
        .collect();
    check(&top, &accounts, &listen);
    top.finish();
    Some(Config { listen, control, record, seed, node, time_zone, log, timers, accounts })
}

fn listen(section: Option<Section<'_>>) -> Listen {
    let mut listen = Listen { cmpp: None, sgip: None, smgp: None };
    let Some(mut section) = section else { return listen };
    listen.cmpp = section.or_off("cmpp", None);
    listen.sgip = section.or_off("sgip", None);
    listen.smgp = section.or_off("smgp", None);
    section.finish();
    listen
}

/// China has one time, and no summer time.
fn beijing() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)))
}

fn log(section: Option<Section<'_>>) -> Log {
    let mut log = Log { format: Format::Text, level: "info".to_owned() };
    let Some(mut section) = section else { return log };
    log.format = section.choice("format", &[("text", Format::Text), ("json", Format::Json)], log.format);
    log.level = section.checked("level", log.level, |filter: &String| {
        let problem =
            |error| Problem::new(format!("{error:#}"), "write error, warn, info, debug, or a tracing filter");
        runtime::logging::parse_filter(filter).map(drop).map_err(problem)
    });
    section.finish();
    log
}

fn timers(section: Option<Section<'_>>) -> Timers {
    let mut timers = Timers {
        answer: Duration::from_secs(60),
        sgip_answer: Duration::from_secs(30),
        tries: 3,
        probe: Some(Duration::from_secs(180)),
        login: Duration::from_secs(30),
        again: Duration::from_secs(1),
    };
    let Some(mut section) = section else { return timers };
    timers.answer = section.checked("answer", timers.answer, not_zero);
    let sgip_answer = if section.has("answer") { timers.answer } else { timers.sgip_answer };
    timers.sgip_answer = section.checked("sgip_answer", sgip_answer, not_zero);
    timers.tries = section.checked("tries", timers.tries, between(1, u8::MAX));
    timers.probe = section.checked_or_off("probe", timers.probe, not_zero);
    timers.login = section.checked("login", timers.login, not_zero);
    timers.again = section.checked("again", timers.again, not_zero);
    section.finish();
    timers
}

/// The sections below `key` with their names.
fn named<'a>(top: &mut Section<'a>, key: &'static str) -> Vec<(&'a str, &'a Node)> {
    let faults = top.faults();
    let Some(node) = top.node(key) else {
        top.missing(key, "add at least one account below it, as `NAME: { protocol: …, id: …, secret: … }`");
        return Vec::new();
    };
    if Section::open(node, faults).is_none() {
        return Vec::new();
    }
    let Value::Map(entries) = &node.value else { return Vec::new() };
    entries.iter().map(|(name, node)| (name.as_str(), node)).collect()
}

/// What no section can see alone.
fn check(top: &Section<'_>, accounts: &[Account], listen: &Listen) {
    for (position, account) in accounts.iter().enumerate() {
        let family = account.protocol.family();
        let path = top.path().key("accounts").key(&account.name);
        if !listen.addresses().any(|(served, _)| served == family) {
            let problem =
                format!("this account's protocol is not served: `listen.{}` is missing", family.name());
            let advice = format!("add `{}: \"0.0.0.0:PORT\"` below `listen:`", family.name());
            top.faults().missing(path.clone(), Problem::new(problem, advice));
        }
        let same = |other: &&Account| other.protocol.family() == family && other.id == account.id;
        if let Some(other) = accounts[..position].iter().find(same) {
            let problem = format!("account `{}` has the same id", other.name);
            top.faults().missing(path.key("id"), Problem::new(problem, "give one of them another id"));
        }
    }
}
