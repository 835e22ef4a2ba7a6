use domain::{Submission, WhenUncertain};
use settings::Fault;

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/uaop.yaml");

/// What the example says, without anything that is a default.
const MINIMAL: &str = r#"
node: uaop-1a
site: dc-1
bus: { embedded: /var/lib/smsline/bus }
gateways:
  - { name: cm-1, address: "192.0.2.21:9410", carrier: mobile }
  - { name: cm-2, address: "192.0.2.22:9410", carrier: mobile }
  - { name: cu-1, address: "192.0.2.23:9410", carrier: unicom }
  - { name: ct-1, address: "192.0.2.24:9410", carrier: telecom }
"#;

fn config(text: &str) -> Config {
    read(text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn with(more: &str) -> Config {
    config(&format!("{MINIMAL}{more}"))
}

fn faults(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(Fault::to_string).collect()
}

fn first(config: &Config, to: &str, class: &str) -> String {
    let submission: Submission = serde_json::from_value(serde_json::json!({
        "uaop_id": "m", "empi_id": "b", "class": class, "to": to, "text": "hi"
    }))
    .unwrap();
    let candidates = config.router.candidates(&submission).unwrap();
    let target = candidates.first().unwrap();
    match &target.account {
        Some(account) => format!("{}/{account}", target.gateway),
        None => target.gateway.to_string(),
    }
}

#[test]
fn the_defaults_shown_are_the_defaults() {
    assert_eq!(config(EXAMPLE), config(MINIMAL));
}

#[test]
fn every_line_that_is_off_can_be_turned_on() {
    let unchanged = config(EXAMPLE);
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let mut seen = 0;
    for (position, line) in lines.iter().enumerate() {
        let Some(setting) = line.trim_start().strip_prefix("#| ") else { continue };
        assert_ne!(config(&turned_on(&lines, position, setting)), unchanged, "{setting}");
        seen += 1;
    }
    assert!(seen >= 9, "only {seen} lines");
}

/// The line takes the place of the same key, if that is there.
fn turned_on(lines: &[&str], position: usize, setting: &str) -> String {
    let indent = lines[position].len() - lines[position].trim_start().len();
    let key = setting.split_once(':').unwrap().0;
    let same = |line: &&str| {
        line.len() - line.trim_start().len() == indent && line.trim_start().starts_with(&format!("{key}:"))
    };
    let old = lines[..position].iter().rposition(same).filter(|_| !setting.starts_with("- "));
    let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if let Some(old) = old {
        text[old].clear();
    }
    text[position] = format!("{}{setting}", " ".repeat(indent));
    text.join("\n")
}

#[test]
fn without_routes_a_gateway_sends_what_is_for_its_own_carriers() {
    let config = config(&MINIMAL.replace(
        "address: \"192.0.2.23:9410\", carrier: unicom",
        "address: \"192.0.2.23:9410\", carrier: unicom, accounts: [ { name: net, carrier: broadnet }, { name: cu, carrier: unicom } ]",
    ));
    assert_eq!(first(&config, "13000000000", "notice"), "cu-1/cu");
    assert_eq!(first(&config, "19200000000", "notice"), "cu-1/net");
    assert_eq!(first(&config, "18900000000", "notice"), "ct-1");
    assert!(first(&config, "13900000000", "notice").starts_with("cm-"));
}

#[test]
fn routes_go_by_carrier_and_class_and_segments_say_whose_a_number_is() {
    let config = with(
        r#"
segments: [ { prefix: "13800138000", carrier: unicom }, { prefix: "852", carrier: abroad } ]
routes:
  - { carrier: mobile, gateways: [ { name: cm-1 }, { name: ct-1, priority: 2 } ] }
  - { carrier: mobile, class: [verification, login], gateways: [ { name: cm-2, account: fast } ] }
  - { carrier: unicom, gateways: [ { name: cu-1 } ] }
  - { carrier: abroad, gateways: [ { name: ct-1 } ] }
classes: [ { name: login, uncertain: mark } ]
"#,
    );
    assert_eq!(first(&config, "13800138001", "notice"), "cm-1");
    assert_eq!(first(&config, "13800138001", "login"), "cm-2/fast");
    assert_eq!(first(&config, "13800138000", "login"), "cu-1");
    assert_eq!(first(&config, "85212345678", "login"), "ct-1");
    assert_eq!(config.classes.uncertain(&"login".parse().unwrap()), WhenUncertain::Mark);
    assert_eq!(config.classes.uncertain(&"notice".parse().unwrap()), WhenUncertain::Resend);
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = r#"
node: "uaop 1"
link: { listen: "0.0.0.0:9313" }
bus: { embedded: /b }
ready: some
wait: 0s
most: 0
extra: 1
lines: { window: 0 }
gateways:
  - { name: cm-1, address: "192.0.2.21:9410", carrier: mobile, weight: 1 }
  - { name: cm-1, address: "192.0.2.22", carrier: mobile }
  - { name: cm-2, address: "192.0.2.22:9410" }
segments: [ { prefix: "1x", carrier: mobile }, { carrier: mobile } ]
routes:
  - { carrier: mobil, gateways: [ { name: cm-1 }, { name: cm-1 }, { name: cm-9 } ] }
  - { carrier: unicom, gateways: [ { name: cm-1, weight: 0 } ] }
  - { carrier: unicom, gateways: [] }
classes: [ { name: a, uncertain: maybe }, { name: a } ]
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
}

#[test]
fn an_account_for_each_carrier_is_enough_without_routes() {
    let text = MINIMAL.replace(
        "carrier: unicom }",
        "carrier: unicom, accounts: [ { name: a, carrier: unicom }, { name: b, carrier: unicom } ] }",
    );
    let faults = faults(&text);
    assert!(faults[0].contains("several accounts at unicom"), "{faults:?}");
}
