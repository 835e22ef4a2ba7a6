//! The examples in `config/` are true: they parse, they show every key, and what they call defaults are defaults.

use std::collections::BTreeSet;
use std::fs;

use lb_core::config::{check_all, compile};
use regex::Regex;

use crate::repository;

/// What `config/lb.yaml` says, without anything that is a default.
const MINIMAL: &str = r#"
listeners: [ { name: bank, bind: "192.0.2.100:7099", pool: empi } ]
pools:
  - name: empi
    servers:
      - { name: empi-a, address: "192.0.2.21:7099" }
      - { name: empi-b, address: "192.0.2.22:7099", priority: 2 }
"#;

/// Examples that the crates of their roles read.
const OF_SMSLINE: [&str; 6] =
    ["all.yaml", "carrier.yaml", "center.yaml", "empi.yaml", "gateway.yaml", "uaop.yaml"];

#[test]
fn every_example_is_understood() {
    let mut seen = 0;
    for entry in fs::read_dir(repository::path("config")).unwrap() {
        let path = entry.unwrap().path();
        let is_of_smsline = OF_SMSLINE.iter().any(|name| path.ends_with(name));
        if !is_of_smsline && path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            check_all(&text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", path.display()));
            seen += 1;
        }
    }
    assert!(seen >= 2, "only {seen} examples");
}

#[test]
fn the_defaults_shown_are_the_defaults() {
    assert_eq!(compile(&example(), None).unwrap(), compile(MINIMAL, None).unwrap());
}

#[test]
fn every_line_that_is_off_can_be_turned_on() {
    let text = example();
    let lines: Vec<&str> = text.lines().collect();
    let unchanged = compile(&text, None).unwrap();
    let mut changed = 0;
    let off = lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with(MARK));
    for (position, line) in off {
        let text = turned_on(&lines, position);
        let config =
            compile(&text, Some("lb-a")).unwrap_or_else(|faults| panic!("{}: {faults:#?}", line.trim()));
        changed += usize::from(config != unchanged);
    }
    // `max_age_jitter_percent` aside, each of them makes a difference
    assert!(changed >= 40, "only {changed} lines change something");
}

#[test]
fn every_key_is_in_the_example_and_in_the_reference() {
    let keys = known_keys();
    for known in ["listeners", "rate_per_source", "expect_regex", "jitter_percent", "egress", "send_hex"] {
        assert!(keys.contains(known), "{known} is not found any more: {keys:?}");
    }
    let example = example();
    let reference = repository::read("docs/configuration.md");
    for key in keys {
        let as_key = Regex::new(&format!(r"\b{key}:")).unwrap();
        assert!(as_key.is_match(&example), "config/lb.yaml does not show `{key}`");
        assert!(reference.contains(&format!("`{key}`")), "docs/configuration.md does not explain `{key}`");
    }
}

const MARK: &str = "#|";

fn example() -> String {
    repository::read("config/lb.yaml")
}

/// The file with one marked line in force; it takes the place of the same key right before it, or of its block.
fn turned_on(lines: &[&str], position: usize) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (depth, setting) = (indent(lines[position]), lines[position].trim_start()[MARK.len()..].trim_start());
    let key = setting.split_once(':').unwrap().0;
    let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let before = (0..position).rev().find(|n| {
        let line = lines[*n].trim_start();
        indent(lines[*n]) <= depth && !line.is_empty() && !line.starts_with('#')
    });
    if let Some(start) = before
        && indent(lines[start]) == depth
        && lines[start].trim_start().starts_with(&format!("{key}:"))
    {
        text[start..position].fill(String::new());
    }
    text[position] = format!("{}{setting}", " ".repeat(depth));
    text.join("\n")
}

/// Every key that the reader asks a section for.
fn known_keys() -> BTreeSet<String> {
    let calls = Regex::new(concat!(
        r"\.(?:required|optional|or|or_off|checked|checked_or_off|choice|list|items|section|part|node)(?:::<[^(]*>)?",
        r#"\(\s*"([a-z0-9_]+)""#
    ))
    .unwrap();
    let lists = Regex::new(r#"(?:sections|items)\(&mut top, "([a-z]+)""#).unwrap();
    let mut keys = BTreeSet::from(["nodes".to_owned()]);
    for file in repository::files_below("lb/core/src/config/read") {
        let source = fs::read_to_string(file).unwrap();
        for found in calls.captures_iter(&source).chain(lists.captures_iter(&source)) {
            keys.insert(found[1].to_owned());
        }
    }
    keys
}
