use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use domain::Party;
use settings::Fault;

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/center.yaml");

/// What the example says, without anything that is a default.
const MINIMAL: &str = r#"
node: center-1
site: dc-1
store: { sqlite: /var/lib/smsline/center }
bus: { embedded: /var/lib/smsline/bus }
"#;

fn faults(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(Fault::to_string).collect()
}

#[test]
fn the_defaults_shown_are_the_defaults() {
    assert_eq!(read(EXAMPLE).unwrap(), read(MINIMAL).unwrap());
}

#[test]
fn every_line_that_is_off_can_be_turned_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("desk.token");
    fs::write(&file, "0123456789abcdef\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let unchanged = read(EXAMPLE).unwrap();
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let mut seen = 0;
    for (position, line) in lines.iter().enumerate() {
        let Some(setting) = line.trim_start().strip_prefix("#| ") else { continue };
        let text = turned_on(&lines, position, setting);
        let text = text.replace("/etc/smsline/center-desk.token", &file.display().to_string());
        let config = read(&text).unwrap_or_else(|faults| panic!("{setting}: {faults:#?}"));
        assert!(config != unchanged, "{setting}");
        seen += 1;
    }
    assert!(seen >= 14, "only {seen} lines");
}

/// The line takes the place of the same key, if that is there.
fn turned_on(lines: &[&str], position: usize, setting: &str) -> String {
    let indent = lines[position].len() - lines[position].trim_start().len();
    let key = setting.split_once(':').unwrap().0;
    let same = |line: &&str| {
        line.len() - line.trim_start().len() == indent && line.trim_start().starts_with(&format!("{key}:"))
    };
    let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if let Some(old) = lines[..position].iter().rposition(same).filter(|_| !setting.starts_with("- ")) {
        text[old].clear();
    }
    text[position] = format!("{}{setting}", " ".repeat(indent));
    text.join("\n")
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = r#"
node: "a b"
empi: "x y"
store: { sqlite: /s }
bus: { embedded: /b }
partitions: 0
http: off
metrics: { listen: here }
log: { format: xml, level: "center=loud" }
time_zone: Asia/Nowhere
patience: 0s
keep: 1h
extra: 1
numbers:
  - { prefix: "10x", empi: bank-1 }
  - { prefix: "10", empi: bank-1 }
  - { prefix: "10", empi: bank-2 }
classes:
  - { name: otp, resend: perhaps }
  - { name: otp, resend: false }
operators:
  - { name: a, token: "short", rights: [read] }
  - { name: b, token: "long-enough-long-enough", rights: [write] }
  - { name: b, token: "long-enough-long-enough", rights: [read], sources: [192.0.2.0/33] }
  - { name: c, rights: [read] }
  - { name: d, token: "long-enough-long-enough-2", token_file: /t }
  - { name: e, token_file: /no/such/file, rights: [read] }
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
}

#[test]
fn no_fault_and_no_debug_output_shows_a_token() {
    let secret = "Pa55w0rd-Pa55w0rd-Pa55";
    let with = |keys: &str| format!("{MINIMAL}operators:\n  - {{ name: a, rights: [read], {keys} }}\n");
    let config = read(&with(&format!("token: \"{secret}\""))).unwrap();
    assert_eq!(config.operators[0].token, Token::of(secret));
    assert!(!format!("{config:?}").contains("Pa55"));
    for wrong in [
        format!("token: \"1\", tokne: \"{secret}\""),
        format!("Token: \"{secret}\""),
        format!("token: \"{secret} \""),
        format!("token: \"{secret}\", token: \"{secret}\""),
    ] {
        let faults = faults(&with(&wrong)).join("\n");
        assert!(!faults.contains("Pa55"), "{faults}");
    }
}

#[test]
fn a_file_of_a_token_is_not_for_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "0123456789abcdef\n").unwrap();
    let text =
        format!("{MINIMAL}operators: [ {{ name: a, rights: [read], token_file: {} }} ]\n", file.display());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(faults(&text)[0].contains("every user"), "{:?}", faults(&text));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(read(&text).unwrap().operators[0].token, Token::of("0123456789abcdef"));
}

#[test]
fn the_longest_prefix_owns_a_number() {
    let text = format!(
        "{MINIMAL}numbers: [ {{ prefix: \"1069\", empi: a }}, {{ prefix: \"106901\", empi: b }}, {{ prefix: default, empi: c }} ]\n"
    );
    let config = read(&text).unwrap();
    for (number, owner) in [
        ("1069", "a"),
        ("10690", "a"),
        ("106901", "b"),
        ("10690199", "b"),
        ("955", "c"),
        ("夏", "c"),
        ("", "c"),
    ] {
        assert_eq!(config.numbers.owner(&Party(number.to_owned())).unwrap().as_str(), owner, "{number}");
    }
    assert_eq!(Numbers::default().owner(&Party("1069".to_owned())), None);
    assert_eq!(config.patience, Duration::from_secs(72 * 3600));
}
