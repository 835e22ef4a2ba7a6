//! Names as DNS, TLS and HTTP know them, and the parts of an HTTP request.

use std::net::IpAddr;

use settings::{Node, Problem, Setting, is_host_name, unbracket};

/// What TLS can verify: a host name or an address.
#[derive(Clone, Debug)]
pub(super) struct ServerName(pub(super) String);

impl Setting for ServerName {
    const EXPECTED: &'static str = "a host name or an address, without a port";

    fn read(node: &Node) -> Result<Self, Problem> {
        valid(node, "this is not a name that TLS can verify", Self::EXPECTED, |name| {
            is_host_name(name) || name.parse::<IpAddr>().is_ok()
        })
        .map(Self)
    }
}

/// The value of `Host:`.
#[derive(Clone, Debug)]
pub(super) struct HttpHost(pub(super) String);

impl Setting for HttpHost {
    const EXPECTED: &'static str =
        "a host name or an address, such as empi.example, empi.example:8080 or [2001:db8::1]:8080";

    fn read(node: &Node) -> Result<Self, Problem> {
        valid(node, "this is not an HTTP host", Self::EXPECTED, |text| {
            let bracketed = text.starts_with('[');
            let (host, port) = match text.rsplit_once(':') {
                Some((host, port)) if !(bracketed && text.ends_with(']')) => (host, Some(port)),
                _ => (text, None),
            };
            let is_host = match unbracket(host).parse::<IpAddr>() {
                Ok(address) => address.is_ipv6() == bracketed,
                Err(_) => is_host_name(host),
            };
            is_host && port.is_none_or(|port| port.parse::<u16>().is_ok())
        })
        .map(Self)
    }
}

/// A token of RFC 9110.
#[derive(Clone, Debug)]
pub(super) struct HttpMethod(pub(super) String);

impl Setting for HttpMethod {
    const EXPECTED: &'static str = "one word such as GET, HEAD or OPTIONS";

    fn read(node: &Node) -> Result<Self, Problem> {
        valid(node, "this is not an HTTP method", Self::EXPECTED, |method| {
            method.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
        })
        .map(Self)
    }
}

/// Path and query of RFC 3986.
#[derive(Clone, Debug)]
pub(super) struct HttpPath(pub(super) String);

impl Setting for HttpPath {
    const EXPECTED: &'static str =
        "a path such as /health or /health?deep=1; spaces and other special characters as %20";

    fn read(node: &Node) -> Result<Self, Problem> {
        valid(node, "this is not a path of HTTP", Self::EXPECTED, |path| {
            path.starts_with('/')
                && path.len() <= 8000
                && path.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%?".contains(c))
        })
        .map(Self)
    }
}

fn valid(
    node: &Node,
    problem: &str,
    expected: &str,
    is_valid: impl Fn(&str) -> bool,
) -> Result<String, Problem> {
    let problem = || Problem::new(problem, format!("write {expected}"));
    let text = String::read(node).map_err(|_| problem())?;
    if is_valid(&text) { Ok(text) } else { Err(problem()) }
}

#[cfg(test)]
mod tests {
    use settings::{Path, Value};

    use super::*;

    fn accepts<T: Setting>(text: &str) -> bool {
        T::read(&Node { path: Path::default(), value: Value::Text(text.to_owned()) }).is_ok()
    }

    #[test]
    fn what_tls_and_http_would_refuse_is_refused_here() {
        for name in ["empi", "empi.example", "a_b.example.", "192.0.2.1", "2001:db8::1", "3com.example"] {
            assert!(accepts::<ServerName>(name), "{name}");
        }
        for name in
            ["empi.example:443", "-a.example", "a-.b", "a..b", "a b", "192.0.2.300", "x.0x1f", "é.example"]
        {
            assert!(!accepts::<ServerName>(name), "{name}");
        }
        for host in ["empi", "empi.example:8080", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"] {
            assert!(accepts::<HttpHost>(host), "{host}");
        }
        for host in
            ["empi example", "http://empi", "empi:port", "2001:db8::1", "[192.0.2.1]", "[empi]", "a\r\nb"]
        {
            assert!(!accepts::<HttpHost>(host), "{host}");
        }
        for method in ["GET", "head", "X-PING"] {
            assert!(accepts::<HttpMethod>(method), "{method}");
        }
        for method in ["", "GET /", "GET\n", "GÉT"] {
            assert!(!accepts::<HttpMethod>(method), "{method}");
        }
        for path in ["/", "/health?deep=1&x=%20", "/a/b;c=1,2"] {
            assert!(accepts::<HttpPath>(path), "{path}");
        }
        for path in ["health", "*", "http://x/", "/a b", "/a\tb", "/a#b", "/é", "/a\0"] {
            assert!(!accepts::<HttpPath>(path), "{path}");
        }
    }
}
