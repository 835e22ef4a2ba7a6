//! `routes:`, or what stands in for it.

use std::collections::BTreeSet;

use domain::{Account, Carrier, Class, GatewayId, Routes, Segments, Target};
use settings::{Name, Node, Problem, Section, between};

use super::Gateway;

const WEIGHT: u16 = 100;
const PRIORITY: u8 = 1;

/// Without `routes:`, every gateway sends what is for its own carriers, and all that do share it alike.
pub(super) fn routes(top: &mut Section<'_>, gateways: &[Gateway], segments: &Segments) -> Routes {
    let mut routes = Routes::new();
    if !top.has("routes") {
        implied(top, gateways, &mut routes);
        return routes;
    }
    let names: BTreeSet<&GatewayId> = gateways.iter().map(|gateway| &gateway.name).collect();
    let carriers: BTreeSet<&Carrier> = segments.carriers().collect();
    let faults = top.faults();
    for node in top.items("routes") {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let carrier: Option<Name<Carrier>> = section.required("carrier");
        let mut classes: Vec<Option<Class>> =
            section.list("class").into_iter().map(|Name(class)| Some(class)).collect();
        if classes.is_empty() {
            classes.push(None);
        }
        let targets = targets(&mut section, &names);
        if let Some(Name(carrier)) = carrier {
            if !carriers.contains(&carrier) {
                section.fault("carrier", no_carrier(&carriers));
            }
            for class in classes {
                if routes.insert((carrier.clone(), class), targets.clone()).is_some() {
                    let problem = "there is a route for this carrier and class already";
                    section.fault("carrier", Problem::new(problem, "put their gateways into one route"));
                }
            }
        }
        section.finish();
    }
    routes
}

fn implied(top: &Section<'_>, gateways: &[Gateway], routes: &mut Routes) {
    for gateway in gateways {
        let mut all: Vec<(&Carrier, Option<&Account>)> =
            gateway.accounts.iter().map(|(account, carrier)| (carrier, Some(account))).collect();
        if all.is_empty() {
            all.push((&gateway.carrier, None));
        }
        for (carrier, account) in all {
            let targets = routes.entry((carrier.clone(), None)).or_default();
            if targets.iter().any(|target| target.gateway == gateway.name) {
                let problem = format!("`{}` has several accounts at {carrier}", gateway.name);
                top.fault("gateways", Problem::new(problem, "say in `routes` which of them sends"));
                continue;
            }
            let (gateway, account) = (gateway.name.clone(), account.cloned());
            targets.push(Target { gateway, account, weight: WEIGHT, priority: PRIORITY });
        }
    }
}

fn targets(section: &mut Section<'_>, names: &BTreeSet<&GatewayId>) -> Vec<Target> {
    let nodes = section.items("gateways");
    if nodes.is_empty() {
        section.missing("gateways", "add at least one item under `gateways:`");
    }
    let faults = section.faults();
    let mut targets: Vec<Target> = Vec::new();
    for node in nodes {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let target = target(&mut section);
        if let Some(target) = target {
            if !names.contains(&target.gateway) {
                section.fault("name", Problem::new("there is no such gateway", one_of(names)));
            } else if targets.iter().any(|other| other.gateway == target.gateway) {
                let advice = "remove one of the two; a message must be found again where it was";
                section.fault("name", Problem::new("this gateway is in the route already", advice));
            }
            targets.push(target);
        }
        section.finish();
    }
    targets
}

fn target(section: &mut Section<'_>) -> Option<Target> {
    let gateway: Option<Name<GatewayId>> = section.required("name");
    let account: Option<Name<Account>> = section.optional("account");
    let weight = section.checked("weight", WEIGHT, between(1, 1000));
    let priority = section.checked("priority", PRIORITY, between(1, 255));
    Some(Target { gateway: gateway?.0, account: account.map(|Name(name)| name), weight, priority })
}

fn no_carrier(carriers: &BTreeSet<&Carrier>) -> Problem {
    Problem::new("no number is of this carrier", format!("{}; or add `segments`", one_of(carriers)))
}

fn one_of<T: ToString>(names: &BTreeSet<T>) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    format!("use one of {}", names.join(", "))
}

/// The node of an item's name, for a fault.
pub(super) fn name_of(item: &Node) -> &Node {
    item.get("name").unwrap_or(item)
}
