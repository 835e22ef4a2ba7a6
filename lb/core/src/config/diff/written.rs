//! Settings as the file writes them, and where two of them differ.

use std::fmt::{self, Display};
use std::time::Duration;

use super::FieldChange;

/// A value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Word(String),
    Section(Entries),
}

/// The keys of a section, in the order in which they are shown.
pub(super) type Entries = Vec<(&'static str, Written)>;

impl Written {
    pub(super) fn word(word: impl Display) -> Self {
        Self::Word(word.to_string())
    }

    /// `None` is shown as this word.
    pub(super) fn or<T: Display>(value: Option<T>, absent: &str) -> Self {
        value.map_or_else(|| Self::word(absent), Self::word)
    }

    /// `None` is `off`.
    pub(super) fn or_off<T: Display>(value: Option<T>) -> Self {
        Self::or(value, OFF)
    }

    /// A section that is there, or `off`.
    pub(super) fn part(section: Option<Entries>) -> Self {
        section.map_or_else(|| Self::word(OFF), Self::Section)
    }

    pub(super) fn time(duration: Duration) -> Self {
        Self::Word(settings::format_duration(duration))
    }

    pub(super) fn time_or_off(duration: Option<Duration>) -> Self {
        duration.map_or_else(|| Self::word(OFF), Self::time)
    }

    pub(super) fn list<T: Display>(items: &[T]) -> Self {
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        Self::Word(format!("[{}]", items.join(", ")))
    }
}

const OFF: &str = "off";

impl Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Section(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                write!(f, "{{ {} }}", entries.join(", "))
            }
        }
    }
}

/// Every key in which two sections differ: `interval`, `check.interval`.
pub(super) fn differences(from: &Entries, to: &Entries) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare_sections("", from, to, &mut changes);
    changes
}

fn compare(path: &str, from: &Written, to: &Written, changes: &mut Vec<FieldChange>) {
    match (from, to) {
        (Written::Section(from), Written::Section(to)) => {
            compare_sections(&format!("{path}."), from, to, changes);
        }
        (from, to) if from == to => {}
        (from, to) => {
            changes.push(FieldChange { name: path.to_owned(), from: from.to_string(), to: to.to_string() });
        }
    }
}

fn compare_sections(prefix: &str, from: &Entries, to: &Entries, changes: &mut Vec<FieldChange>) {
    // a key that only another kind of section has
    let absent = Written::word("-");
    let value = |entries: &Entries, key: &str| {
        entries.iter().find(|(k, _)| *k == key).map_or_else(|| absent.clone(), |(_, value)| value.clone())
    };
    let only_from = from.iter().filter(|(key, _)| to.iter().all(|(k, _)| k != key));
    for (key, _) in to.iter().chain(only_from) {
        compare(&format!("{prefix}{key}"), &value(from, key), &value(to, key), changes);
    }
}
