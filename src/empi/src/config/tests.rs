use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use settings::{Fault, Problem};

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/empi.yaml");

/// What the example says, without anything that is a default.
const MINIMAL: &str = r#"
empi: bank-1
site: dc1
store: { sqlite: /var/lib/smsline/empi }
bus: { embedded: /var/lib/smsline/bus }
uaops:
  servers:
    - { name: vip-1, address: "192.0.2.201:9400", priority: 1 }
    - { name: vip-2, address: "192.0.2.202:9400", priority: 2 }
banks: { name: core, keys: { key: core-1, secret: "0123456789abcdef0123456789abcdef" } }
"#;

/// Has every file and every time zone.
struct AnyHost;

impl Host for AnyHost {
    fn program(&self) -> &'static str {
        "empi"
    }

    fn name(&self) -> Option<String> {
        Some("host".to_owned())
    }

    fn secret_file(&self, _: &Path, _: &str) -> Result<String, Problem> {
        Ok("another-secret-that-is-long-enough".to_owned())
    }

    fn time_zone(&self, _: &str) -> Result<TimeZone, Problem> {
        Ok(TimeZone::UTC)
    }
}

fn read(text: &str) -> Result<Config, Vec<Fault>> {
    read_for(text, &AnyHost)
}

fn faults(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(Fault::to_string).collect()
}

#[test]
fn the_defaults_shown_are_the_defaults() {
    assert_eq!(read(EXAMPLE).unwrap(), read(MINIMAL).unwrap());
}

#[test]
fn every_line_that_is_off_can_be_turned_on() {
    let unchanged = read(EXAMPLE).unwrap();
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let mut seen = 0;
    for (position, line) in lines.iter().enumerate() {
        let Some(setting) = line.trim_start().strip_prefix("#| ") else { continue };
        // the file of a password is read where stores are
        let setting = setting.replace("password_file: /etc/smsline/empi.password", "password: secret");
        let text = turned_on(&lines, position, &setting);
        let config = read(&text).unwrap_or_else(|faults| panic!("{setting}: {faults:#?}"));
        assert_ne!(config, unchanged, "{setting}");
        seen += 1;
    }
    assert!(seen >= 13, "only {seen} lines");
}

/// The line takes the place of the same key, if that is there.
fn turned_on(lines: &[&str], position: usize, setting: &str) -> String {
    let indent = lines[position].len() - lines[position].trim_start().len();
    let key = setting.split_once(':').unwrap().0;
    let same = |line: &&str| {
        line.len() - line.trim_start().len() == indent && line.trim_start().starts_with(&format!("{key}:"))
    };
    let old = lines[..position].iter().rposition(same);
    let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if let Some(old) = old.filter(|_| !setting.starts_with("- ")) {
        text[old].clear();
    }
    text[position] = format!("{}{setting}", " ".repeat(indent));
    text.join("\n")
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = r#"
empi: "bank 1"
node: "a/b"
http: { listen: "0.0.0.0", proxy_protocol: [192.0.2.0/33], connections: 0, head: 0s, body: 1, largest: 0, drian: 1s }
metrics: { listen: "127.0.0.1:8080" }
log: { level: info, format: xml }
store: { sqlite: /s }
bus: { embedded: /b }
uaops: { servers: { name: u, address: "192.0.2.1:9400" } }
waiting: 0
keep: 0s
most_parts: 0
classes: ["a b"]
time_zone: Asia/Shanghai
banks:
  - { name: a, keys: [] }
  - { name: b, keys: { key: k, secret: short } }
  - { name: c, keys: { key: k, token: "0123456789abcdef" } }
  - { name: d, keys: { key: k, secret: 12345678901234567 }, rate: 0, quota: -1, sources: [nowhere], at_once: 0, polls: 0 }
  - { name: e, keys: { token: "0123456789abcdef 0" }, callback: { url: "ftp://192.0.2.1/" } }
  - { name: f, keys: { key: f, secret: "0123456789abcdef" }, callback: { url: "https://u:p@192.0.2.1/", retry: { first: 2s, most: 1s }, timeout: 0s } }
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
}

#[test]
fn what_no_section_can_see_alone_is_a_fault_too() {
    let text = MINIMAL.replace("site: dc1", "site: dc1\nmetrics: { listen: \"127.0.0.1:8080\" }");
    assert!(faults(&text)[0].contains("the API listens on this port"));
    let banks = |banks: &str| MINIMAL.split("banks:").next().unwrap().to_owned() + "banks:\n" + banks;
    let one = "  - { name: core, keys: { key: core-1, secret: \"0123456789abcdef\" } }\n";
    assert!(read(&banks(one)).is_ok());
    let told = faults(&banks(&one.repeat(2)));
    assert!(
        told[0].contains("another bank has this name") && told[1].contains("stands here twice"),
        "{told:?}"
    );
    let token =
        r#"  - { name: x, keys: { token: "0123456789abcdef" }, callback: { url: "http://192.0.2.9/x" } }"#;
    assert!(faults(&banks(token))[0].contains("cannot be signed"));
}

#[test]
fn no_fault_and_no_debug_output_shows_a_secret() {
    let secret = "Pa55w0rdPa55w0rd";
    let right = MINIMAL.replace("0123456789abcdef0123456789abcdef", secret);
    let config = read(&right).unwrap();
    assert!(!format!("{config:?}").contains(secret));
    for wrong in ["secert", "secrets", "Secret", "tokn", "Token"] {
        let text = right.replace("secret:", &format!("secret: \"0123456789abcdef\", {wrong}:"));
        let faults = faults(&text).join("\n");
        assert!(faults.contains(wrong) && !faults.contains(secret), "{faults}");
    }
    let wrong = right.replace(secret, &format!("{secret}ß"));
    assert!(!faults(&wrong).join("\n").contains(secret));
}

#[test]
fn a_bank_has_all_that_it_was_given() {
    let bank = r#"banks:
  - name: core
    keys: [ { token: "0123456789abcdef" }, { key: k, secret_file: /s } ]
    rate: 500
    quota: 100000
    sources: 192.0.2.64/26
    callback: { url: "https://core.example/smsline?x=1", retry: { first: 5s } }
"#;
    let text = MINIMAL.split("banks:").next().unwrap().to_owned() + bank;
    let bank = read(&text).unwrap_or_else(|faults| panic!("{faults:#?}")).banks.remove(0);
    assert_eq!((bank.rate.unwrap().get(), bank.quota, bank.sources.len()), (500, Some(100_000), 1));
    assert_eq!(bank.signing_key().unwrap().0, "k");
    let callback = bank.callback.unwrap();
    assert_eq!(callback.retry, (Duration::from_secs(5), Duration::from_secs(600)));
    assert_eq!((callback.at_once, callback.give_up), (4, Duration::from_secs(86_400)));
}
