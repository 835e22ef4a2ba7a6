//! A section of a configuration file.

use std::collections::BTreeMap;
use std::fmt;

/// Keys with their values, which are YAML in flow style. Its `Display` is a section in flow style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, String>);

impl Keys {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key, or gives it another value.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.insert(key.to_owned(), value.to_string());
        self
    }

    /// Sets a key unless it is there.
    #[must_use]
    pub fn or(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.entry(key.to_owned()).or_insert_with(|| value.to_string());
        self
    }

    /// Without a key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.0.remove(key);
        self
    }

    /// These keys, and those of `others` that are not among them.
    #[must_use]
    pub fn over(self, mut others: Self) -> Self {
        others.0.extend(self.0);
        others
    }

    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// A whole file, a key a line.
    #[must_use]
    pub fn file(&self) -> String {
        self.0.iter().map(|(key, value)| format!("{key}: {value}\n")).collect()
    }
}

/// A text in quotes.
#[must_use]
pub fn quoted(text: impl fmt::Display) -> String {
    format!("\"{text}\"")
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ ")?;
        for (position, (key, value)) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{key}: {value}")?;
        }
        f.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_written_in_one_line_and_a_file_in_many() {
        let inner =
            Keys::new().set("b", quoted("x")).set("a", 1).set("a", 2).or("a", 3).or("c", 4).without("c");
        assert_eq!(inner.to_string(), "{ a: 2, b: \"x\" }");
        assert_eq!(Keys::new().set("k", &inner).set("l", "[]").file(), "k: { a: 2, b: \"x\" }\nl: []\n");
    }
}
