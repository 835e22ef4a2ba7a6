//! Reads the file. Defaults stand here, and only here.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::{Class, EmpiId, GatewayId};
use runtime::config::{Host, ThisHost, listen, log_lines, time_zone};
use runtime::logging::Format;
use settings::{Faults, Name, Node, Problem, Section, between, not_zero};

use super::value::{Prefix, token};
use super::{Classes, Config, Log, Numbers, Operator};

/// What a file needs of the host it finds here.
pub(super) const HOST: ThisHost = ThisHost { program: "center" };
const DAY: Duration = Duration::from_secs(86_400);

/// Reads the whole tree. Where something is wrong, a fault is noted and a default stands in, so that the rest is checked
/// too. `None` if there is something that nothing can stand in for.
pub(super) fn config(tree: &Node, faults: &Faults) -> Option<Config> {
    let mut top = Section::open(tree, faults)?;
    let node = node(&mut top);
    let site = top.required("site").map(|Name::<GatewayId>(site)| site.to_string());
    let empi = top.or("empi", Name("center".parse::<EmpiId>().ok()?)).0;
    let store = store::Place::read(&mut top);
    let bus = bus::Place::read(&mut top);
    let partitions = top.checked("partitions", 8_u16, between(1, 256));
    let uaops = top.node("uaops").and_then(|_| link::PoolSettings::read(&mut top, "uaops"));
    let http = listen(top.part("http"), SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)));
    if http.is_none() {
        top.fault("http", Problem::new("the API cannot be off", "write `{ listen: \"ADDRESS:PORT\" }`"));
    }
    let metrics = listen(top.part("metrics"), SocketAddr::from((Ipv4Addr::LOCALHOST, 9314)));
    if metrics.is_some() && metrics == http {
        top.fault("metrics", Problem::new("`http.listen` is the same", "give one of them another port"));
    }
    let log = log(top.section("log"));
    let time_zone = time_zone(&mut top, &HOST);
    let patience = top.checked("patience", 3 * DAY, not_zero);
    let keep = top.checked("keep", 180 * DAY, not_zero);
    if keep < patience {
        let problem =
            Problem::new("this is shorter than `patience`", "keep messages until they are given up");
        top.fault("keep", problem);
    }
    let numbers = numbers(&mut top);
    let classes = classes(&mut top);
    let operators = operators(&mut top);
    top.finish();
    Some(Config {
        node: node?,
        site: site?,
        empi,
        store: store?,
        bus: bus?,
        partitions: u32::from(partitions),
        uaops,
        http: http?,
        metrics,
        log,
        time_zone: time_zone?,
        patience,
        keep,
        numbers,
        classes,
        operators,
    })
}

/// The host's name, if the file has none.
fn node(top: &mut Section<'_>) -> Option<String> {
    if let Some(Name::<GatewayId>(node)) = top.optional("node") {
        return Some(node.to_string());
    }
    let host = HOST.name().and_then(|name| name.parse::<GatewayId>().ok());
    if host.is_none() && !top.has("node") {
        top.missing("node", "add `node: …`; the host's own name cannot be used");
    }
    host.map(|name| name.to_string())
}

fn log(section: Option<Section<'_>>) -> Log {
    let Some(mut section) = section else { return Log { format: Format::Text, level: "info".to_owned() } };
    let (format, level) = log_lines(&mut section, &HOST);
    section.finish();
    Log { format, level }
}

fn numbers(top: &mut Section<'_>) -> Numbers {
    let mut numbers = Numbers::default();
    let faults = top.faults();
    for node in top.items("numbers") {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let prefix: Option<Prefix> = section.required("prefix");
        let empi: Option<Name<EmpiId>> = section.required("empi");
        if let (Some(Prefix(prefix)), Some(Name(empi))) = (prefix, empi)
            && numbers.0.insert(prefix, empi).is_some()
        {
            section.fault("prefix", Problem::new("this prefix stands here twice", "remove one of the two"));
        }
        section.finish();
    }
    numbers
}

/// A list of names with their policy; the name `default` stands for all classes that are not in it.
fn classes(top: &mut Section<'_>) -> Classes {
    let mut classes = Classes { default: true, named: BTreeMap::new() };
    let faults = top.faults();
    for node in top.items("classes") {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let name: Option<Name<Class>> = section.required("name");
        let resend = section.or("resend", classes.default);
        match name {
            Some(Name(class)) if class.as_str() == "default" => classes.default = resend,
            Some(Name(class)) => {
                let earlier = classes.named.insert(class, resend);
                if earlier.is_some() {
                    let problem = Problem::new("this class stands here twice", "remove one of the two");
                    section.fault("name", problem);
                }
            }
            None => {}
        }
        section.finish();
    }
    classes
}

fn operators(top: &mut Section<'_>) -> Vec<Operator> {
    let faults = top.faults();
    let mut operators: Vec<Operator> = Vec::new();
    for node in top.items("operators") {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let Some(operator) = operator(&mut section) else { continue };
        section.finish();
        if operators.iter().any(|other| other.name == operator.name) {
            faults.at(node.get("name").unwrap_or(node), twice("an operator of this name is there already"));
        }
        if operators.iter().any(|other| other.token == operator.token) {
            faults.missing(node.path.clone(), twice("another operator has the same token"));
        }
        operators.push(operator);
    }
    operators
}

fn operator(section: &mut Section<'_>) -> Option<Operator> {
    let name = section.required("name").map(|Name::<GatewayId>(name)| name.to_string());
    let token = token(section);
    let (mut read, mut send) = (false, false);
    for right in section.list::<String>("rights") {
        match right.as_str() {
            "read" => read = true,
            "send" => send = true,
            _ => section.fault("rights", Problem::new("there is no such right", "use read, send, or both")),
        }
    }
    if !section.has("rights") {
        section.missing("rights", "add `rights: [read]` or `rights: [read, send]`");
    }
    let numbers = section.or("numbers", false);
    let sources = section.list("sources");
    Some(Operator { name: name?, token: token?, read, send, numbers, sources })
}

fn twice(problem: &str) -> Problem {
    Problem::new(problem, "give each operator a name and a token of its own")
}
