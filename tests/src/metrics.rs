//! Prometheus' text format, read.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::wait;

/// One sample's labels.
pub type Labels = BTreeMap<String, String>;

/// All samples of one look at `/metrics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    samples: BTreeMap<String, Vec<(Labels, f64)>>,
}

/// Looks until the sum of the samples of `name` with these labels satisfies `wanted`, and returns it.
///
/// # Errors
/// The deadline has passed; with the last value.
pub fn wait(
    name: &str,
    labels: &[(&str, &str)],
    deadline: Duration,
    look: impl Fn() -> Result<Metrics>,
    wanted: impl Fn(f64) -> bool,
) -> Result<f64> {
    let mut last = None;
    let result = wait::until(&format!("{name}{labels:?}"), deadline, || {
        last = look().ok().map(|metrics| metrics.sum(name, labels));
        last.filter(|value| wanted(*value))
    });
    result.with_context(|| format!("the last value was {last:?}"))
}

impl Metrics {
    /// Reads the text format.
    ///
    /// # Errors
    /// Names the first line that is none.
    pub fn parse(text: &str) -> Result<Self> {
        let mut samples: BTreeMap<String, Vec<(Labels, f64)>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, labels, value) = sample(line).with_context(|| format!("no sample: {line:?}"))?;
            samples.entry(name.to_owned()).or_default().push((labels, value));
        }
        Ok(Self { samples })
    }

    /// The only sample of `name` that has all these labels (and maybe more).
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut matching = self.matching(name, labels);
        matching.next().filter(|_| matching.next().is_none())
    }

    /// The sum over all samples of `name` that have all these labels; 0 without any.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).sum()
    }

    /// Names of all metrics, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.samples.keys().map(String::as_str)
    }

    /// All samples of `name`.
    pub fn samples(&self, name: &str) -> &[(Labels, f64)] {
        self.samples.get(name).map_or(&[], Vec::as_slice)
    }

    fn matching<'a>(&'a self, name: &str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = f64> + 'a {
        let wanted = |has: &Labels| labels.iter().all(|(k, v)| has.get(*k).is_some_and(|value| value == v));
        self.samples(name).iter().filter(move |(has, _)| wanted(has)).map(|(_, value)| *value)
    }
}

/// `name{label="value",…} number [timestamp]`.
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let end_of_name = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end_of_name);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.insert(label.to_owned(), value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.split_whitespace().next()?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some((name, labels, value))
}

/// A value up to its closing quote, unescaped; and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return text.get(at + 1..).map(|rest| (value, rest)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP lb_connections_total Connections.
# TYPE lb_connections_total counter
lb_connections_total{listener="bank",reason="done"} 5
lb_connections_total{listener="bank",reason="reset"} 2
lb_connections_total{listener="other",reason="done"} 1.5e3

lb_up 1
lb_bucket{le="+Inf"} +Inf 1700000000
lb_odd{text="a \"b\", {c}\\\n"} 0
"#;

    #[test]
    fn finds_by_some_of_the_labels() {
        let metrics = Metrics::parse(TEXT).unwrap();
        assert_eq!(metrics.get("lb_up", &[]), Some(1.0));
        assert_eq!(metrics.get("lb_connections_total", &[("reason", "reset")]), Some(2.0));
        assert_eq!(metrics.get("lb_connections_total", &[("listener", "bank")]), None, "there are two");
        assert_eq!(metrics.sum("lb_connections_total", &[("listener", "bank")]), 7.0);
        assert_eq!(metrics.sum("lb_connections_total", &[("reason", "done")]), 1505.0);
        assert_eq!(metrics.get("lb_nothing", &[]), None);
        assert_eq!(metrics.get("lb_bucket", &[("le", "+Inf")]), Some(f64::INFINITY));
    }

    #[test]
    fn unescapes_values() {
        let metrics = Metrics::parse(TEXT).unwrap();
        assert_eq!(metrics.samples("lb_odd")[0].0["text"], "a \"b\", {c}\\\n");
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        for wrong in ["lb_up", "lb_up one", "lb_up{a=\"b\" 1", "lb_up{a} 1"] {
            let error = Metrics::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("no sample"), "{error}");
        }
    }
}
