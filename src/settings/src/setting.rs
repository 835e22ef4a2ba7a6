//! Values that a node can be read into.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::fault::Problem;
use crate::node::{Node, Value};

/// A value that one node of the file can be read into.
pub trait Setting: Sized {
    /// What is expected, as advice: `a duration such as 250ms, 2s or 5m`.
    const EXPECTED: &'static str;

    /// # Errors
    /// What is wrong with the value, and what to write instead.
    fn read(node: &Node) -> Result<Self, Problem>;
}

fn expected<T: Setting>() -> Problem {
    Problem::new("this is not of the expected type", format!("write {}", T::EXPECTED))
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(node: &Node) -> Result<Self, Problem> {
        if let Value::Bool(value) = node.value { Ok(value) } else { Err(expected::<Self>()) }
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text";

    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.value {
            Value::Text(value) if !value.is_empty() => Ok(value.clone()),
            Value::Int(value) => Ok(value.to_string()),
            Value::Text(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => Err(expected::<Self>()),
        }
    }
}

macro_rules! whole_number {
    ($($type:ty: $expected:literal),*) => {$(
        impl Setting for $type {
            const EXPECTED: &'static str = $expected;

            fn read(node: &Node) -> Result<Self, Problem> {
                let Value::Int(value) = node.value else { return Err(expected::<Self>()) };
                Self::try_from(value).map_err(|_| Problem::new("this number is out of range", format!("write {}", $expected)))
            }
        }
    )*};
}

whole_number!(
    i16: "a whole number from -32768 to 32767",
    u8: "a whole number from 0 to 255",
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295"
);

impl Setting for NonZeroUsize {
    const EXPECTED: &'static str = "a whole number of at least 1";

    fn read(node: &Node) -> Result<Self, Problem> {
        let Value::Int(value) = node.value else { return Err(expected::<Self>()) };
        usize::try_from(value).ok().and_then(Self::new).ok_or_else(expected::<Self>)
    }
}

impl Setting for f64 {
    const EXPECTED: &'static str = "a number";

    fn read(node: &Node) -> Result<Self, Problem> {
        match node.value {
            Value::Float(value) => Ok(value),
            #[expect(clippy::cast_precision_loss, reason = "a setting is a small number")]
            Value::Int(value) => Ok(value as Self),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                Err(expected::<Self>())
            }
        }
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration such as 250ms, 2s or 5m";

    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.value {
            Value::Text(text) => parse_duration(text).map_err(|error| Problem::new(error, with_unit())),
            Value::Int(0) => Ok(Self::ZERO),
            Value::Int(_) | Value::Float(_) => Err(Problem::new("a duration needs a unit", with_unit())),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => Err(expected::<Self>()),
        }
    }
}

fn with_unit() -> String {
    format!("write {}", Duration::EXPECTED)
}

/// So that a point in time plus a duration is always a point in time.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Reads a duration as the file writes it.
///
/// # Errors
/// What is wrong with it.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("this is not a duration: {error}"))?;
    if duration > LONGEST { Err("this is longer than ten years".to_owned()) } else { Ok(duration) }
}

/// A duration as the file writes it: `250ms`, `2s`, `1m 30s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "an absolute path";

    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.value {
            Value::Text(text) if text.starts_with('/') => Ok(Self::from(text)),
            _ => Err(expected::<Self>()),
        }
    }
}

macro_rules! parsed {
    ($($type:ty: $expected:literal),*) => {$(
        impl Setting for $type {
            const EXPECTED: &'static str = $expected;

            fn read(node: &Node) -> Result<Self, Problem> {
                let Value::Text(text) = &node.value else { return Err(expected::<Self>()) };
                text.parse().map_err(|_| expected::<Self>())
            }
        }
    )*};
}

parsed!(
    IpAddr: "an address such as 192.0.2.1 or 2001:db8::1",
    SocketAddr: "an address and port such as \"192.0.2.1:7099\" or \"[2001:db8::1]:7099\""
);

impl Setting for IpNet {
    const EXPECTED: &'static str = "a network such as 192.0.2.0/24, or one address";

    fn read(node: &Node) -> Result<Self, Problem> {
        let Value::Text(text) = &node.value else { return Err(expected::<Self>()) };
        text.parse::<Self>()
            .or_else(|_| text.parse::<IpAddr>().map(Self::from))
            .map_err(|_| expected::<Self>())
    }
}
