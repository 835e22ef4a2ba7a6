//! What is wrong with a configuration.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::line::in_order;
use crate::node::{Node, Path};

/// One thing that is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Fault {
    /// Where in the file, as `pools[empi].servers[empi-a].weight`.
    #[serde(serialize_with = "path_as_text", deserialize_with = "path_from_text")]
    pub path: Path,
    /// The offending value as written; `None` when something is missing.
    pub value: Option<String>,
    /// Line in the file, counted from 1; filled in by [`crate::add_lines`].
    pub line: Option<usize>,
    pub problem: String,
    pub advice: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.0.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.value {
            Some(value) => write!(f, "{} (here: {value}); {}", self.problem, self.advice),
            None => write!(f, "{}; {}", self.problem, self.advice),
        }
    }
}

fn path_as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}

/// Only for showing it again: the text becomes one step.
fn path_from_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Path, D::Error> {
    String::deserialize(deserializer).map(|text| Path::default().key(&text))
}

/// What a single value has wrong, before it is known where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub problem: String,
    pub advice: String,
}

impl Problem {
    pub fn new(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: advice.into() }
    }
}

/// Collects faults while reading goes on.
#[derive(Debug, Default)]
pub struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    /// Notes what is wrong with the value of `node`.
    pub fn at(&self, node: &Node, problem: Problem) {
        self.push(node.path.clone(), Some(node.to_string()), problem);
    }

    /// Notes that something is missing, or wrong with a part as a whole, at `path`.
    pub fn missing(&self, path: Path, problem: Problem) {
        self.push(path, None, problem);
    }

    /// The outcome of reading `text`: what came of it, if nothing is wrong.
    ///
    /// # Errors
    /// Every fault with its line, in the text's order.
    pub fn conclude<C>(self, text: &str, config: Option<C>) -> Result<C, Vec<Fault>> {
        let faults = self.into_vec();
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(in_order(text, faults)),
        }
    }

    /// The faults noted so far, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Fault> {
        self.0.into_inner()
    }

    fn push(&self, path: Path, value: Option<String>, Problem { problem, advice }: Problem) {
        self.0.borrow_mut().push(Fault { path, value, line: None, problem, advice });
    }
}
