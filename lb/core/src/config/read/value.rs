//! Values that only this file format has.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use settings::{Node, Problem, Setting, Value, not_zero, unbracket};

use crate::config::Rate;
use crate::probe::Expect;

/// For limits, where zero would be none to some and everything to others.
pub(super) fn limit<T: Default + PartialEq>(value: &T) -> Result<(), Problem> {
    if *value == T::default() {
        Err(Problem::new(
            "a limit of zero lets nothing through",
            "write `off`, or leave the key out, for no limit",
        ))
    } else {
        Ok(())
    }
}

/// For names, which become metric labels and parts of commands (`POOL/SERVER`).
pub(super) fn plain_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if name.chars().all(plain) && name.len() <= 64 {
        Ok(())
    } else {
        Err(Problem::new("this is not a plain name", "use up to 64 letters, digits and - _ . :"))
    }
}

/// `ADDRESS:PORT` or `ADDRESS:FIRST-LAST`.
#[derive(Clone, Debug)]
pub(super) struct Bind(pub(super) Vec<SocketAddr>);

impl Setting for Bind {
    const EXPECTED: &'static str =
        "an address and port such as \"192.0.2.100:7099\", \"[::]:7099\" or \"192.0.2.100:7000-7010\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem =
            || Problem::new("this is not an address to listen on", format!("write {}", Self::EXPECTED));
        let Value::Text(text) = &node.value else { return Err(problem()) };
        let (address, ports) = text.rsplit_once(':').ok_or_else(problem)?;
        let address: IpAddr = unbracket(address).parse().map_err(|_| problem())?;
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let first: u16 = first.parse().map_err(|_| problem())?;
        let last: u16 = last.parse().map_err(|_| problem())?;
        if first == 0 {
            return Err(Problem::new("port 0 is no port to listen on", "write a port from 1 to 65535"));
        }
        if first > last {
            return Err(Problem::new("this range of ports is empty", "write the smaller port first"));
        }
        Ok(Self((first..=last).map(|port| SocketAddr::new(address, port)).collect()))
    }
}

impl Setting for Rate {
    const EXPECTED: &'static str = "a rate such as \"100/s\", \"30/m\" or \"5/10s\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem = || Problem::new("this is not a rate", format!("write {}", Self::EXPECTED));
        let Value::Text(text) = &node.value else { return Err(problem()) };
        let (count, per) = text.split_once('/').ok_or_else(problem)?;
        let count: u32 = count.trim().parse().ok().filter(|count| *count > 0).ok_or_else(problem)?;
        let per = per.trim();
        let per =
            if per.starts_with(|c: char| c.is_ascii_digit()) { per.to_owned() } else { format!("1{per}") };
        let per = Duration::read(&Node { path: node.path.clone(), value: Value::Text(per) })
            .map_err(|_| problem())?;
        not_zero(&per)?;
        Ok(Self { count, per })
    }
}

/// Bytes written as hex digits, spaces allowed.
#[derive(Clone, Debug)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl Setting for Hex {
    const EXPECTED: &'static str = "bytes as hex digits such as \"00 00 00 0c\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem = || Problem::new("these are not hex bytes", format!("write {}", Self::EXPECTED));
        let text = String::read(node).map_err(|_| problem())?;
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_digit(16).ok_or_else(problem))
            .collect::<Result<_, _>>()?;
        if digits.is_empty() || !digits.len().is_multiple_of(2) {
            return Err(problem());
        }
        digits
            .chunks(2)
            .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).map_err(|_| problem()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A regular expression over bytes.
#[derive(Clone, Debug)]
pub(super) struct Pattern(pub(super) Expect);

impl Setting for Pattern {
    const EXPECTED: &'static str = "a regular expression";

    fn read(node: &Node) -> Result<Self, Problem> {
        let text = String::read(node)?;
        regex::bytes::Regex::new(&text).map(|regex| Self(Expect::Regex(regex))).map_err(|error| {
            let last = error.to_string().lines().last().unwrap_or_default().to_owned();
            Problem::new(
                format!("this is not a regular expression: {last}"),
                "see the syntax of Rust's regex",
            )
        })
    }
}
