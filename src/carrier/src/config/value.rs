//! Values that only this file has.

use std::path::PathBuf;
use std::str::FromStr;

use jiff::tz::TimeZone;
use settings::{Node, Problem, Setting, Value};

use super::RecordFile;
use crate::behaviour::{Latency, Share, State};

impl Setting for Share {
    const EXPECTED: &'static str = "a share such as 0.1 % or 5 %";

    fn read(node: &Node) -> Result<Self, Problem> {
        parse(node)
    }
}

impl Setting for Latency {
    const EXPECTED: &'static str =
        "a duration such as 5ms, `1ms to 9ms`, `mean 5ms`, or `median 5ms, p99 50ms`";

    fn read(node: &Node) -> Result<Self, Problem> {
        match node.value {
            Value::Int(0) => Ok(Self::NONE),
            _ => parse(node),
        }
    }
}

/// A time zone by its name.
#[derive(Clone, Debug)]
pub(super) struct Zone(pub(super) TimeZone);

impl Setting for Zone {
    const EXPECTED: &'static str = "the name of a time zone, such as Asia/Shanghai";

    fn read(node: &Node) -> Result<Self, Problem> {
        let name = String::read(node)?;
        let unknown =
            |_| Problem::new("this host knows no such time zone", format!("write {}", Self::EXPECTED));
        TimeZone::get(&name).map(Self).map_err(unknown)
    }
}

impl Setting for RecordFile {
    const EXPECTED: &'static str =
        "an absolute path; a name ending in .jsonl has lines of JSON, any other SQLite";

    fn read(node: &Node) -> Result<Self, Problem> {
        let path = PathBuf::read(node)
            .map_err(|_| Problem::new("this is not an absolute path", format!("write {}", Self::EXPECTED)))?;
        let lines = path.extension().is_some_and(|suffix| suffix == "jsonl");
        Ok(if lines { Self::Lines(path) } else { Self::Sqlite(path) })
    }
}

/// A key that is a number.
pub(super) fn code(key: &str) -> Result<u32, Problem> {
    let problem = || Problem::new("this is not a code", "write a number from 1 on; 0 is what the rest gets");
    key.parse().ok().filter(|&code| code != 0).ok_or_else(problem)
}

/// A key that is a state.
pub(super) fn state(key: &str) -> Result<State, Problem> {
    key.parse().map_err(|why: &str| {
        Problem::new(why, "write failed, waiting, or a carrier's word such as UNDELIV or UNDELIV/006")
    })
}

fn parse<T: Setting + FromStr<Err: ToString>>(node: &Node) -> Result<T, Problem> {
    let advice = || format!("write {}", T::EXPECTED);
    let Value::Text(text) = &node.value else {
        return Err(Problem::new("this is not of the expected type", advice()));
    };
    text.parse().map_err(|why: T::Err| Problem::new(why.to_string(), advice()))
}
