//! The pages in `docs/` say what the daemon does: metrics, reason codes, alert rules, links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use regex::Regex;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::ports;
use testkit::traffic::{Shape, Traffic};
use testkit::wait;

use crate::repository::{self, read};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn the_metrics_page_and_the_endpoint_say_the_same() {
    let page = Family::of_the_page();
    let endpoint = Family::of_the_endpoint(&busy_endpoint());
    let of_process: BTreeSet<&str> =
        endpoint.keys().map(String::as_str).filter(|name| name.starts_with("process_")).collect();
    assert!(of_process.len() >= 5, "{of_process:?}");

    // a family without a sample is not on the endpoint; all have their place in the source
    let registered = registered();
    let registered: BTreeSet<&str> = registered.iter().map(String::as_str).collect();
    let described: BTreeSet<&str> = page.keys().map(String::as_str).collect();
    assert_eq!(described, registered.union(&of_process).copied().collect(), "docs/metrics.md");

    let seen = endpoint.keys().filter(|name| name.starts_with("lb_")).count();
    assert!(seen >= 25, "only {seen} families have samples: {:?}", endpoint.keys());
    for (name, family) in endpoint {
        let described = page.get(&name).unwrap_or_else(|| panic!("docs/metrics.md lacks {name}"));
        assert_eq!(*described, family, "docs/metrics.md, {name}");
    }
}

#[test]
fn the_metrics_page_of_the_line_has_each_family_of_its_programs() {
    let row = Regex::new(r"(?m)^\| `((?:gateway|carrier|smsline_center)_[a-z_]+)` \|").unwrap();
    let described = columns(&row, &read("docs/line-metrics.md"));
    let call = Regex::new(r#"\b(?:register|r)\s*\.[a-z_]+\(\s*"([a-z_]+)""#).unwrap();
    let of = |namespace: &str, file: &str| -> BTreeSet<String> {
        columns(&call, &read(file)).into_iter().map(|name| format!("{namespace}_{name}")).collect()
    };
    let mut registered = of("gateway", "src/gateway/src/metrics/families.rs");
    registered.extend(of("gateway", "src/gateway/src/metrics/connection.rs"));
    registered.extend(of("carrier", "src/carrier/src/metrics.rs"));
    registered.extend(of("smsline_center", "src/center/src/metrics.rs"));
    assert!(registered.len() > 30, "{registered:?}");
    assert_eq!(described, registered, "docs/line-metrics.md");
}

#[test]
fn every_reason_code_is_explained() {
    let source = read("lb/daemon/src/end.rs");
    let codes = columns(&Regex::new(r#"=> "([a-z_]+)","#).unwrap(), &source);
    assert!(codes.len() > 20 && codes.contains("client_closed"), "{codes:?}");
    let page = read("docs/operations.md");
    let section = page.split("## Reason codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let explained = columns(&Regex::new(r"(?m)^\| `([a-z_]+)` \|").unwrap(), section);
    assert_eq!(explained, codes);
}

#[test]
fn the_alert_rules_are_rules_about_our_metrics() {
    let page: BTreeSet<String> = Family::of_the_page().into_keys().collect();
    for rules in ["deploy/prometheus/lb.rules.yaml", "deploy/prometheus/keepalived.rules.yaml"] {
        check_rules(rules, r"\b((?:lb|process)_[a-z_]+)", &page);
    }
    let row = Regex::new(r"(?m)^\| `(gateway_[a-z_]+)` \|").unwrap();
    let page = columns(&row, &read("docs/line-metrics.md"));
    check_rules("deploy/prometheus/gateway.rules.yaml", r"\b(gateway_[a-z_]+)", &page);
    let row = Regex::new(r"(?m)^\| `(smsline_uaop_[a-z_]+)` \|").unwrap();
    let page = columns(&row, &read("docs/line-metrics.md"));
    check_rules("deploy/prometheus/uaop.rules.yaml", r"\b(smsline_uaop_[a-z_]+)", &page);
    let row = Regex::new(r"(?m)^\| `(smsline_center_[a-z_]+)` \|").unwrap();
    let page = columns(&row, &read("docs/line-metrics.md"));
    check_rules("deploy/prometheus/center.rules.yaml", r"\b(smsline_center_[a-z_]+)", &page);
}

fn check_rules(rules: &str, names: &str, page: &BTreeSet<String>) {
    let output =
        Command::new("promtool").args(["check", "rules"]).arg(repository::path(rules)).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let used = columns(&Regex::new(names).unwrap(), &read(rules));
    assert!(used.len() >= 5, "{used:?}");
    for name in used {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        let known = page.contains(&name) || family.is_some_and(|family| page.contains(family));
        assert!(known, "{rules} uses {name}, which its page does not have");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r#"(?:\]\(|src=")([^)#":]+)(?:#[^)"]*)?[)"]"#).unwrap();
    let mut links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&text) {
            let target = page.parent().unwrap().join(&found[1]);
            assert!(target.exists(), "{} links to {}, which is not there", page.display(), &found[1]);
            links += 1;
        }
    }
    assert!(links >= 10, "only {links} links");
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    labels: BTreeSet<String>,
}

impl Family {
    /// From rows such as ``| `name` | counter | `listener`, `reason` | … |``.
    fn of_the_page() -> BTreeMap<String, Self> {
        let row = Regex::new(r"(?m)^\| `((?:lb|process)_[a-z_]+)` \| (\w+) \| ([^|]*) \|").unwrap();
        let label = Regex::new("`([a-z_]+)`").unwrap();
        let page = read("docs/metrics.md");
        let families = row.captures_iter(&page).map(|found| {
            (found[1].to_owned(), Self { kind: found[2].to_owned(), labels: columns(&label, &found[3]) })
        });
        families.collect()
    }

    fn of_the_endpoint(text: &str) -> BTreeMap<String, Self> {
        let declared = Regex::new(r"^# TYPE (\S+) (\w+)$").unwrap();
        let sample = Regex::new(r"^[a-z_]+\{(.*)\} ").unwrap();
        let label = Regex::new(r#"([a-z_]+)=""#).unwrap();
        let mut families: BTreeMap<String, Self> = BTreeMap::new();
        // samples follow the type of their family
        let mut name = String::new();
        for line in text.lines() {
            if let Some(found) = declared.captures(line) {
                found[1].clone_into(&mut name);
                families.entry(name.clone()).or_default().kind = found[2].to_owned();
            } else if let Some(found) = sample.captures(line) {
                families.entry(name.clone()).or_default().labels.extend(columns(&label, &found[1]));
            }
        }
        for family in families.values_mut() {
            family.labels.remove("le");
        }
        families
    }
}

/// The names in the source of the daemon.
fn registered() -> BTreeSet<String> {
    let source = read("lb/daemon/src/metrics/families.rs") + &read("lb/daemon/src/metrics/vrrp.rs");
    let call = Regex::new(r#"register\s*\.[a-z_]+\(\s*"([a-z_]+)""#).unwrap();
    let names: BTreeSet<String> =
        columns(&call, &source).into_iter().map(|name| format!("lb_{name}")).collect();
    assert!(names.len() > 25, "{names:?}");
    names
}

/// `/metrics` of a daemon to which a lot has happened.
fn busy_endpoint() -> String {
    let echo = Backend::start(Behaviour::Echo).unwrap();
    let rude = Backend::start(Behaviour::Reset).unwrap();
    let (open, closed, broken, nobody) = (
        ports::reserve().unwrap(),
        ports::reserve().unwrap(),
        ports::reserve().unwrap(),
        ports::reserve().unwrap(),
    );
    let config = format!(
        "listeners:\n  \
           - {{ name: open, bind: \"{open}\", pool: good }}\n  \
           - {{ name: closed, bind: \"{closed}\", pool: good, deny: [127.0.0.0/8] }}\n  \
           - {{ name: broken, bind: \"{broken}\", pool: bad }}\n\
         pools:\n  \
           - name: good\n    servers: [ {{ name: echo, address: \"{echo}\" }} ]\n  \
           - name: bad\n    check: {{ interval: 100ms, fall: 1 }}\n    passive: {{ failures: 1, ejection: 1s }}\n    \
             servers:\n      \
               - {{ name: rude, address: \"{rude}\", check: off }}\n      \
               - {{ name: spare, address: \"{echo}\", check: off }}\n      \
               - {{ name: gone, address: \"{nobody}\" }}\n      \
               - {{ name: named, address: \"localhost:1\" }}\n",
        open = open.address(),
        closed = closed.address(),
        broken = broken.address(),
        echo = echo.address(),
        rude = rude.address(),
        nobody = nobody.address(),
    );
    let lb = Lb::start(&config).unwrap();
    lb.reload(&config).unwrap();
    let traffic =
        [&open, &closed, &broken].map(|port| Traffic::start(port.address(), Shape::short(2)).unwrap());
    let wanted = [
        "lb_config_reloads_total",
        "lb_listener_refused_total",
        "lb_listener_connections_ended_total",
        "lb_server_checks_total",
        "lb_server_transitions_total",
        "lb_server_early_resets_total",
        "lb_server_ejections_total",
        "lb_server_lookups_total",
    ];
    wait::until("every kind of event", SOON, || {
        let metrics = lb.metrics().ok()?;
        wanted.iter().all(|name| metrics.sum(name, &[]) > 0.0).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {}", lb.get("/metrics").unwrap().body));
    drop(traffic);
    lb.get("/metrics").unwrap().body
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![repository::path("README.md"), repository::path("deploy/README.md")];
    for folder in ["docs", "docs/adr"] {
        let files = fs::read_dir(repository::path(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    assert!(pages.len() >= 12, "{pages:?}");
    pages
}

fn columns(pattern: &Regex, text: &str) -> BTreeSet<String> {
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}
