use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use proptest::prelude::*;

use crate::{Fault, Faults, Node, Part, Section, add_lines, parse};

const FILE: &str = "\
name: first
timeout: 2s
nested:
  - { name: a, weight: 5 }
  - name: b
    weight: many
    extra: true
";

/// Reads `FILE`'s shape and returns the faults as text, with lines.
fn faults(text: &str) -> Vec<String> {
    let root = parse(text).unwrap();
    let faults = Faults::default();
    let mut top = Section::open(&root, &faults).unwrap();
    top.required::<String>("name");
    top.or("timeout", Duration::from_secs(1));
    for item in top.items("nested") {
        if let Some(mut section) = Section::open(item, &faults) {
            section.required::<String>("name");
            section.or::<u16>("weight", 1);
            section.finish();
        }
    }
    top.finish();
    let mut faults = faults.into_vec();
    add_lines(text, &mut faults);
    faults.iter().map(Fault::to_string).collect()
}

#[test]
fn every_fault_is_named_in_one_go_with_its_place() {
    assert_eq!(
        faults(FILE),
        [
            "line 6: nested[b].weight: this is not of the expected type (here: \"many\"); \
             write a whole number from 0 to 65535"
                .to_owned(),
            "line 7: nested[b].extra: `extra` is not a key here (here: true); known here: name, weight"
                .to_owned(),
        ]
    );
}

#[test]
fn a_missing_value_is_placed_at_its_section() {
    assert_eq!(
        faults("timeout: 2s\nnested:\n  - weight: 3\n"),
        [
            "line 1: `name` is missing; add `name: …`, a text",
            "line 3: nested[0]: `name` is missing; add `name: …`, a text",
        ]
    );
}

#[test]
fn a_misspelt_key_gets_the_right_one_and_a_double_one_is_refused() {
    assert_eq!(
        faults("name: a\nname: b\ntimeuot: 3s\n"),
        [
            "line 2: name: `name` stands here twice (here: \"b\"); remove one of the two",
            "line 3: timeuot: `timeuot` is not a key here (here: \"3s\"); did you mean `timeout`?",
        ]
    );
}

#[test]
fn text_that_is_not_yaml_is_one_fault_with_a_line() {
    let fault = parse("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
    assert!(fault.line.is_some(), "{fault}");
    assert!(fault.problem.starts_with("this is not YAML"), "{fault}");
}

#[test]
fn an_overlay_merges_sections_and_named_items_and_keeps_lines() {
    let text = "list:\n  - { name: a, x: 1 }\n  - { name: b, x: 2 }\nover:\n  list:\n    - { name: b, x: many }\n    - { name: c }\n";
    let root = parse(text).unwrap();
    let merged = root.clone().overlay(root.get("over").unwrap());
    let faults = Faults::default();
    let mut top = Section::open(&merged, &faults).unwrap();
    let read: Vec<(String, u16)> = top
        .items("list")
        .into_iter()
        .map(|node| {
            let mut section = Section::open(node, &faults).unwrap();
            (section.required("name").unwrap(), section.or("x", 9))
        })
        .collect();
    assert_eq!(read, [("a".to_owned(), 1), ("b".to_owned(), 9), ("c".to_owned(), 9)]);
    let mut faults = faults.into_vec();
    add_lines(text, &mut faults);
    assert_eq!(faults[0].line, Some(6));
    assert_eq!(faults[0].path.to_string(), "over.list[b].x");
}

fn one<T>(text: &str, read: impl Fn(&mut Section<'_>) -> T) -> (T, Vec<String>) {
    let root: Node = parse(text).unwrap();
    let faults = Faults::default();
    let mut section = Section::open(&root, &faults).unwrap();
    let value = read(&mut section);
    (value, faults.into_vec().iter().map(Fault::to_string).collect())
}

#[test]
fn values() {
    let millis = |n| Some(Duration::from_millis(n));
    assert_eq!(one("v: 250ms", |s| s.optional::<Duration>("v")), (millis(250), vec![]));
    assert_eq!(one("v: 5m", |s| s.optional::<Duration>("v")), (millis(300_000), vec![]));
    assert_eq!(one("v: 0", |s| s.optional::<Duration>("v")), (millis(0), vec![]));
    assert_eq!(one("v: off", |s| s.or_off("v", Some(Duration::ZERO))), (None, vec![]));
    assert_eq!(one("w: 1", |s| s.or_off("v", millis(7))), (millis(7), vec![]));
    assert_eq!(one("v: ~", |s| s.optional::<u16>("v")), (None, vec![]));
    assert_eq!(one("v: [1, 2]", |s| s.list::<u16>("v")), (vec![1, 2], vec![]));
    assert_eq!(one("v: 3", |s| s.list::<u16>("v")), (vec![3], vec![]));
    let net: IpNet = "192.0.2.7/32".parse().unwrap();
    assert_eq!(one("v: 192.0.2.7", |s| s.optional::<IpNet>("v")), (Some(net), vec![]));
    assert!(matches!(one("v: off", |s| matches!(s.part("v"), Part::Off)), (true, _)));

    let (value, faults) = one("v: 5", |s| s.optional::<Duration>("v"));
    assert_eq!(value, None);
    assert_eq!(faults, ["v: a duration needs a unit (here: 5); write a duration such as 250ms, 2s or 5m"]);
    let (value, faults) = one("v: 70000", |s| s.or::<u16>("v", 4));
    assert_eq!(value, 4);
    assert_eq!(
        faults,
        ["v: this number is out of range (here: 70000); write a whole number from 0 to 65535"]
    );
    let (value, faults) = one("v: fst", |s| s.choice("v", &[("fast", 1), ("slow", 2)], 2));
    assert_eq!(value, 2);
    assert_eq!(faults, ["v: this word is not known here (here: \"fst\"); did you mean `fast`?"]);
    let (_, faults) = one("v: here", |s| s.optional::<SocketAddr>("v"));
    assert_eq!(faults.len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,80}") {
        if let Ok(root) = parse(&text) {
            let faults = Faults::default();
            if let Some(section) = Section::open(&root, &faults) {
                section.finish();
            }
            let mut faults = faults.into_vec();
            add_lines(&text, &mut faults);
        }
    }
}
