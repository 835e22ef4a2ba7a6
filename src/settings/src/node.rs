//! The file as a tree whose nodes know where they stand.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::fault::Fault;

/// A value and its place in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub path: Path,
    pub value: Value,
}

/// A YAML value; numbers and words keep their type, keys become text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In the file's order; a key may stand twice (that is a fault which [`crate::Section`] notes).
    Map(Vec<(String, Node)>),
}

/// The way from the top of the file to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The `nth` (from 0) occurrence of a key.
    Key { key: String, nth: usize },
    /// An item of a list; `name` is the item's `name:`, for people.
    Item { index: usize, name: Option<String> },
}

impl Path {
    /// The path of the (first) `key` below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key { key: key.to_owned(), nth: 0 })
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key { key, .. } if position == 0 => f.write_str(key)?,
                Step::Key { key, .. } => write!(f, ".{key}")?,
                Step::Item { name: Some(name), .. } => write!(f, "[{name}]")?,
                Step::Item { index, name: None } => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Parses YAML text.
///
/// # Errors
/// The one fault of a text that is not YAML at all, with its line.
pub fn parse(text: &str) -> Result<Node, Box<Fault>> {
    match serde_yaml::from_str::<Raw>(text) {
        Ok(raw) => Ok(raw.place(Path::default())),
        Err(error) => Err(Box::new(Fault {
            path: Path::default(),
            value: None,
            line: error.location().map(|location| location.line()),
            problem: format!("this is not YAML: {error}"),
            advice: "check indentation, colons and quotes near that line".to_owned(),
        })),
    }
}

impl Node {
    /// The value under `key`, if this is a map that has it and it is not null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(k, _)| k == key).map(|(_, node)| node).filter(|node| node.value != Value::Null)
    }

    /// The text of `name:` of this map.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.get("name")?.value {
            Value::Text(name) => Some(name),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => None,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => f.write_str("nothing"),
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::Text(value) => write!(f, "\"{value}\""),
            Value::List(items) => write!(f, "a list of {}", items.len()),
            Value::Map(entries) => {
                let keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
                write!(f, "a section of {}", keys.join(", "))
            }
        }
    }
}

/// A YAML value before it has been given its place.
enum Raw {
    Scalar(Value),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Raw {
    fn place(self, path: Path) -> Node {
        let value = match self {
            Self::Scalar(value) => value,
            Self::List(items) => Value::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let name = item.name().map(str::to_owned);
                        item.place(path.step(Step::Item { index, name }))
                    })
                    .collect(),
            ),
            Self::Map(entries) => {
                let mut placed: Vec<(String, Node)> = Vec::with_capacity(entries.len());
                for (key, raw) in entries {
                    let nth = placed.iter().filter(|(k, _)| *k == key).count();
                    let node = raw.place(path.step(Step::Key { key: key.clone(), nth }));
                    placed.push((key, node));
                }
                Value::Map(placed)
            }
        };
        Node { path, value }
    }

    fn name(&self) -> Option<&str> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find_map(|(key, value)| match value {
            Self::Scalar(Value::Text(name)) if key == "name" => Some(name.as_str()),
            _ => None,
        })
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Int(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Int(value.into())))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Int(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Raw, Raw>()? {
            let key = match key {
                Raw::Scalar(Value::Text(text)) => text,
                Raw::Scalar(scalar) => Node { path: Path::default(), value: scalar }.to_string(),
                Raw::List(_) | Raw::Map(_) => "(a list or section as a key)".to_owned(),
            };
            entries.push((key, value));
        }
        Ok(Raw::Map(entries))
    }
}
