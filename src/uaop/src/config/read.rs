//! Reads the sections of the file. Defaults stand here, and only here.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use domain::{Account, Carrier, Class, GatewayId, Router, Segments, WhenUncertain};
use link::LineSettings;
use runtime::config::{self, Host, ThisHost};
use settings::{Address, Faults, Name, Node, Section, not_zero};

use super::routes;
use super::value::Prefix;
use super::{Classes, Config, Gateway, Ready};

const HOST: ThisHost = ThisHost { program: "uaop" };

/// Reads the whole tree. Where something is wrong, a fault is noted and a default stands in, so that the rest can be
/// checked too.
pub(super) fn config(tree: &Node, faults: &Faults) -> Option<Config> {
    let mut top = Section::open(tree, faults)?;
    let node = match top.optional("node") {
        Some(Name::<GatewayId>(name)) => name.to_string(),
        None => host_name(&top),
    };
    let site: Option<Name<GatewayId>> = top.required("site");
    let bus = bus::Place::read(&mut top);
    let line = line(top.section("lines"));
    let gateways = gateways(&mut top, &line);
    let segments = segments(&mut top);
    let routes = routes::routes(&mut top, &gateways, &segments);
    let ready = [("any", Ready::Any), ("every-carrier", Ready::EveryCarrier)];
    let config = Config {
        node,
        site: site.map_or_else(String::new, |Name(site)| site.to_string()),
        listen: listen(top.section("link")),
        metrics: config::listen(top.part("metrics"), SocketAddr::from((Ipv4Addr::LOCALHOST, 9313))),
        log: config::log(top.section("log"), &HOST),
        bus: bus.unwrap_or_else(|| bus::Place::Embedded { folder: "/".into() }),
        gateways,
        router: Router { segments, routes },
        classes: classes(&mut top),
        ready: top.choice("ready", &ready, Ready::Any),
        wait: top.checked("wait", Duration::from_secs(10), not_zero),
        most: top.or("most", MOST).get(),
    };
    top.finish();
    Some(config)
}

const MOST: NonZeroUsize = NonZeroUsize::new(20_000).expect("this is not zero");

/// The host's, if it can be a name here.
fn host_name(top: &Section<'_>) -> String {
    let name = HOST.name().unwrap_or_default();
    if let Err(error) = name.parse::<GatewayId>()
        && !top.has("node")
    {
        top.missing("node", &format!("add `node: …`; the name of this host {error}"));
    }
    name
}

fn listen(section: Option<Section<'_>>) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9400));
    let Some(mut section) = section else { return default };
    let listen = section.or("listen", default);
    section.finish();
    listen
}

/// How every line to a gateway is made and watched; each has an address of its own.
fn line(section: Option<Section<'_>>) -> impl Fn(Address) -> LineSettings {
    let (mut connect, mut silence) = (Duration::from_secs(1), Duration::from_secs(3));
    let mut reconnect = (Duration::from_millis(50), Duration::from_secs(1));
    let mut window = 4096_u16;
    if let Some(mut section) = section {
        connect = section.checked("connect", connect, not_zero);
        silence = section.checked("silence", silence, not_zero);
        if let Some(mut pauses) = section.section("reconnect") {
            reconnect.0 = pauses.checked("first", reconnect.0, not_zero);
            reconnect.1 = pauses.checked("most", reconnect.1, not_zero);
            pauses.finish();
        }
        window = section.checked("window", window, settings::between(1, 65_535));
        section.finish();
    }
    let window = usize::from(window);
    move |server| LineSettings { server, connect, silence, reconnect, window }
}

fn gateways(top: &mut Section<'_>, line: impl Fn(Address) -> LineSettings) -> Vec<Gateway> {
    let nodes = top.items("gateways");
    if nodes.is_empty() {
        top.missing("gateways", "add at least one item under `gateways:`");
    }
    let faults = top.faults();
    nodes.into_iter().filter_map(|node| gateway(Section::open(node, faults)?, &line)).collect()
}

fn gateway(mut section: Section<'_>, line: impl Fn(Address) -> LineSettings) -> Option<Gateway> {
    let name: Option<Name<GatewayId>> = section.required("name");
    let address: Option<Address> = section.required("address");
    let carrier: Option<Name<Carrier>> = section.required("carrier");
    let mut accounts = BTreeMap::new();
    let faults = section.faults();
    for node in section.items("accounts") {
        let Some(mut account) = Section::open(node, faults) else { continue };
        let name: Option<Name<Account>> = account.required("name");
        let carrier: Option<Name<Carrier>> = account.required("carrier");
        account.finish();
        if let (Some(Name(name)), Some(Name(carrier))) = (name, carrier) {
            accounts.insert(name, carrier);
        }
    }
    section.finish();
    Some(Gateway { name: name?.0, carrier: carrier?.0, accounts, line: line(address?) })
}

fn segments(top: &mut Section<'_>) -> Segments {
    let mut segments = Segments::default();
    let faults = top.faults();
    for node in top.items("segments") {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let prefixes: Vec<Prefix> = section.list("prefix");
        if !section.has("prefix") {
            section.missing("prefix", "add `prefix: …`, the digits that numbers begin with");
        }
        let carrier: Option<Name<Carrier>> = section.required("carrier");
        section.finish();
        let Some(Name(carrier)) = carrier else { continue };
        for Prefix(prefix) in prefixes {
            segments = segments.with(&prefix, carrier.clone());
        }
    }
    segments
}

/// A list of names with their policy; the name `default` stands for all classes that are not in it.
fn classes(top: &mut Section<'_>) -> Classes {
    let patience = top.or("patience", Duration::from_secs(10));
    let mut classes = Classes { default: WhenUncertain::Resend, named: BTreeMap::new(), patience };
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
