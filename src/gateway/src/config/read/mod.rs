//! Reads each section of the file; one file per section. Defaults stand here, and only here.

mod account;
mod secret;
mod timers;
mod value;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use domain::lifecycle::WhenUncertain;
use domain::{Class, GatewayId};
use runtime::config::{Host, listen, log, time_zone};
use settings::{Faults, Name, Node, Part, Problem, Section, between, not_zero, socket_path};

use super::{Account, Classes, Config, Consumers};
use crate::events::LONGEST_WAIT;

/// Reads the whole tree. Where something is wrong, a fault is noted and a default stands in, so that the rest can be
/// checked too. `None` if the file is not a map.
pub(super) fn config(tree: &Node, faults: &Faults, host: &dyn Host) -> Option<Config> {
    let mut top = Section::open(tree, faults)?;
    let gateway = top.required("gateway").map(|name: Name<GatewayId>| name.0);
    let config = Config {
        gateway: gateway.or_else(|| "nameless".parse().ok())?,
        spool: top.required("spool").unwrap_or_default(),
        uplink: top.checked("uplink", PathBuf::from("/run/smsline/gateway.sock"), |path| socket_path(path)),
        site: top.or("site", Name("main".parse::<GatewayId>().ok()?)).0.to_string(),
        link: link(top.part("link")),
        consumers: consumers(top.section("consumers")),
        metrics: listen(top.part("metrics"), SocketAddr::from((Ipv4Addr::LOCALHOST, 9311))),
        log: log(top.section("log"), host),
        time_zone: time_zone(&mut top, host)?,
        queue: top.or("queue", QUEUE).get(),
        keep: top.checked("keep", Duration::from_secs(3 * 86_400), not_zero),
        classes: classes(&mut top),
        accounts: accounts(&mut top, host),
    };
    top.finish();
    Some(config)
}

/// Twice the longest time between two questions of a consumer that is there.
const LEAST_FORGET: Duration = LONGEST_WAIT.saturating_mul(2);
const QUEUE: NonZeroUsize = NonZeroUsize::new(200_000).expect("this is not zero");

fn link(part: Part<'_>) -> Option<SocketAddr> {
    let Part::Given(mut section) = part else { return None };
    let listen = section.or("listen", SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9410)));
    section.finish();
    Some(listen)
}

fn consumers(section: Option<Section<'_>>) -> Consumers {
    let mut consumers = Consumers { forget: Duration::from_secs(86_400), most_events: 20_000_000 };
    let Some(mut section) = section else { return consumers };
    consumers.forget = section.checked("forget", consumers.forget, |forget| {
        if *forget >= LEAST_FORGET {
            return Ok(());
        }
        let advice = format!("write at least {} s", LEAST_FORGET.as_secs());
        Err(Problem::new("one that waits for events would be forgotten", advice))
    });
    consumers.most_events = section.checked("most_events", consumers.most_events, between(1000, u32::MAX));
    section.finish();
    consumers
}

/// A list of names with their policy; the name `default` stands for all classes that are not in it.
fn classes(top: &mut Section<'_>) -> Classes {
    let mut classes = Classes { default: WhenUncertain::Resend, named: BTreeMap::new() };
    let choices = [("resend", WhenUncertain::Resend), ("mark", WhenUncertain::Mark)];
    let faults = top.faults();
    for node in top.items("classes") {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let name: Option<Name<Class>> = section.required("name");
        let uncertain = section.choice("uncertain", &choices, classes.default);
        section.finish();
        match name {
            Some(Name(class)) if class.as_str() == "default" => classes.default = uncertain,
            Some(Name(class)) => drop(classes.named.insert(class, uncertain)),
            None => {}
        }
    }
    classes
}

fn accounts(top: &mut Section<'_>, host: &dyn Host) -> Vec<Account> {
    let nodes = top.items("accounts");
    if nodes.is_empty() {
        top.missing("accounts", "add at least one item under `accounts:`");
    }
    let faults = top.faults();
    nodes.into_iter().filter_map(|node| account::account(Section::open(node, faults)?, host)).collect()
}
