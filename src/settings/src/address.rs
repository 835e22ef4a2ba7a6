//! Where a peer is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::fault::Problem;
use crate::node::{Node, Value};
use crate::setting::Setting;

/// Where a peer is: a socket address, or a name that is looked up while running.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    Socket(SocketAddr),
    Name { host: String, port: u16 },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl Setting for Address {
    const EXPECTED: &'static str =
        "an address and port such as \"192.0.2.21:7099\", \"[2001:db8::21]:7099\" or \"empi-a.example:7099\"";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem = || Problem::new("this is not a server's address", format!("write {}", Self::EXPECTED));
        let Value::Text(text) = &node.value else { return Err(problem()) };
        let (host, port) = text.rsplit_once(':').ok_or_else(problem)?;
        let port: u16 = port.parse().ok().filter(|port| *port != 0).ok_or_else(problem)?;
        if let Ok(address) = unbracket(host).parse::<IpAddr>() {
            return Ok(Self::Socket(SocketAddr::new(address, port)));
        }
        if !is_host_name(host) {
            return Err(problem());
        }
        Ok(Self::Name { host: host.to_ascii_lowercase(), port })
    }
}

/// An IPv6 address as it stands beside a port, without its brackets; anything else as it is.
#[must_use]
pub fn unbracket(address: &str) -> &str {
    address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address)
}

/// Whether DNS and TLS can take this for the name of a host: labels of letters, digits, `-` and `_`.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let plausible = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() < 253 && name.split('.').all(plausible) && !is_number(name.rsplit('.').next().unwrap_or(name))
}

/// A last label that is a number makes the whole a mistaken address: 192.0.2.300.
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.chars().all(|c| c.is_ascii_digit())
        || hex.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
}
