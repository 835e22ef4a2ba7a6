//! A map of the file, read key by key.

use crate::fault::{Faults, Problem};
use crate::node::{Node, Path, Value};
use crate::setting::Setting;

/// A map of the file, read key by key. What is wrong is noted in [`Faults`], and reading goes on; keys that
/// nobody asked for are noted by [`Section::finish`].
#[derive(Debug)]
pub struct Section<'a> {
    node: &'a Node,
    faults: &'a Faults,
    known: Vec<&'static str>,
}

/// See [`Section::part`].
#[derive(Debug)]
pub enum Part<'a> {
    /// Not in the file (or not a section, which has been noted).
    Absent,
    /// The word `off`.
    Off,
    Given(Section<'a>),
}

impl<'a> Section<'a> {
    /// Notes a fault and returns `None` if `node` is not a map.
    pub fn open(node: &'a Node, faults: &'a Faults) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            faults.at(node, Problem::new("a section is expected", "write `key: value` pairs below it"));
            return None;
        };
        for (position, (key, second)) in entries.iter().enumerate() {
            if entries[..position].iter().any(|(k, _)| k == key) {
                let problem = format!("`{key}` stands here twice");
                faults.at(second, Problem::new(problem, "remove one of the two"));
            }
        }
        Some(Self { node, faults, known: Vec::new() })
    }

    /// Where this section stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.node.path
    }

    /// The raw value of `key`; a null counts as absent.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.node.get(key)
    }

    /// Whether `key` is there, be it right or wrong.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.node.get(key).is_some()
    }

    /// The value of `key`; notes a fault if it is missing or wrong.
    pub fn required<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        if self.node(key).is_none() {
            self.missing(key, &format!("add `{key}: …`, {}", T::EXPECTED));
            return None;
        }
        self.optional(key)
    }

    /// The value of `key` if it is there; notes a fault if it is wrong.
    pub fn optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let node = self.node(key)?;
        self.read(node, T::read)
    }

    /// The value of `key`, or `default` if it is missing or wrong.
    pub fn or<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// The value of `key`, where the word `off` means `None`; `default` if it is missing or wrong.
    pub fn or_off<T: Setting>(&mut self, key: &'static str, default: Option<T>) -> Option<T> {
        self.checked_or_off(key, default, |_| Ok(()))
    }

    /// As [`Section::or_off`], and checks the value.
    pub fn checked_or_off<T: Setting>(
        &mut self,
        key: &'static str,
        default: Option<T>,
        check: impl Fn(&T) -> Result<(), Problem>,
    ) -> Option<T> {
        let Some(node) = self.node(key) else { return default };
        if is_off(node) {
            return None;
        }
        self.read(node, |node| T::read(node).and_then(|value| check(&value).map(|()| value))).or(default)
    }

    /// As [`Section::or`], and checks the value.
    pub fn checked<T: Setting + Clone>(
        &mut self,
        key: &'static str,
        default: T,
        check: impl Fn(&T) -> Result<(), Problem>,
    ) -> T {
        let Some(node) = self.node(key) else { return default };
        self.read(node, |node| T::read(node).and_then(|value| check(&value).map(|()| value)))
            .unwrap_or(default)
    }

    /// One word out of `choices`, or `default` if it is missing or wrong.
    pub fn choice<T: Clone>(&mut self, key: &'static str, choices: &[(&'static str, T)], default: T) -> T {
        let Some(node) = self.node(key) else { return default };
        self.read(node, |node| choose(node, choices)).unwrap_or(default)
    }

    /// A value or a list of values; a list item that is wrong is noted and left out.
    pub fn list<T: Setting>(&mut self, key: &'static str) -> Vec<T> {
        self.items(key).into_iter().filter_map(|node| self.read(node, T::read)).collect()
    }

    /// The nodes of a list; a single value counts as a list of one.
    pub fn items(&mut self, key: &'static str) -> Vec<&'a Node> {
        match self.node(key) {
            None => Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items.iter().collect(),
            Some(node) => vec![node],
        }
    }

    /// A section below `key`, if it is there.
    pub fn section(&mut self, key: &'static str) -> Option<Self> {
        let node = self.node(key)?;
        Section::open(node, self.faults)
    }

    /// A section below `key` that can be switched off.
    pub fn part(&mut self, key: &'static str) -> Part<'a> {
        match self.node(key) {
            None => Part::Absent,
            Some(node) if is_off(node) => Part::Off,
            Some(node) => Section::open(node, self.faults).map_or(Part::Absent, Part::Given),
        }
    }

    /// Notes that `key` is missing.
    pub fn missing(&self, key: &str, advice: &str) {
        self.faults.missing(self.node.path.clone(), Problem::new(format!("`{key}` is missing"), advice));
    }

    /// Notes what is wrong with the value of `key`, or with the section if the key is not there.
    pub fn fault(&self, key: &str, problem: Problem) {
        match self.node.get(key) {
            Some(node) => self.faults.at(node, problem),
            None => self.faults.missing(self.node.path.clone(), problem),
        }
    }

    /// The collector of this section's faults.
    #[must_use]
    pub fn faults(&self) -> &'a Faults {
        self.faults
    }

    /// Notes every key that was never asked for.
    pub fn finish(self) {
        let Value::Map(entries) = &self.node.value else { return };
        for (key, node) in entries {
            if !self.known.contains(&key.as_str()) {
                let problem = Problem::new(format!("`{key}` is not a key here"), advice(key, &self.known));
                self.faults.at(node, problem);
            }
        }
    }

    fn read<T>(&self, node: &'a Node, read: impl Fn(&'a Node) -> Result<T, Problem>) -> Option<T> {
        read(node).map_err(|problem| self.faults.at(node, problem)).ok()
    }
}

fn is_off(node: &Node) -> bool {
    node.value == Value::Text("off".to_owned()) || node.value == Value::Bool(false)
}

fn choose<T: Clone>(node: &Node, choices: &[(&'static str, T)]) -> Result<T, Problem> {
    let words: Vec<&'static str> = choices.iter().map(|(word, _)| *word).collect();
    let Value::Text(word) = &node.value else {
        return Err(Problem::new("a word is expected", format!("use one of {}", words.join(", "))));
    };
    choices
        .iter()
        .find(|(candidate, _)| candidate == word)
        .map(|(_, value)| value.clone())
        .ok_or_else(|| Problem::new("this word is not known here", advice(word, &words)))
}

/// "Did you mean", or all that is known.
fn advice(word: &str, known: &[&'static str]) -> String {
    let nearest = known.iter().map(|k| (strsim::damerau_levenshtein(word, k), *k)).min();
    match nearest {
        Some((distance, candidate)) if distance <= candidate.len().div_ceil(3) => {
            format!("did you mean `{candidate}`?")
        }
        _ => {
            let mut known = known.to_vec();
            known.sort_unstable();
            known.dedup();
            format!("known here: {}", known.join(", "))
        }
    }
}
