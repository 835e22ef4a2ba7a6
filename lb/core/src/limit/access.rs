//! By source address. An IPv4-mapped IPv6 address, as a dual-stack socket shows it, is its IPv4 address.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{AcceptProxy, AccessList};

impl AccessList {
    /// Whether `source` may connect.
    pub fn permits(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        !contains(&self.deny, source) && (self.allow.is_empty() || contains(&self.allow, source))
    }
}

impl AcceptProxy {
    /// Whether a PROXY header is required of `source`.
    pub fn trusts(&self, source: IpAddr) -> bool {
        contains(&self.trusted, source.to_canonical())
    }
}

fn contains(nets: &[IpNet], source: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&source))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|net| net.parse().unwrap()).collect()
    }

    fn permits(allow: &[&str], deny: &[&str], source: &str) -> bool {
        AccessList { allow: nets(allow), deny: nets(deny) }.permits(source.parse().unwrap())
    }

    #[test]
    fn deny_comes_first_then_allow_if_there_is_any() {
        for (allow, deny, source, permitted) in [
            (&[][..], &[][..], "192.0.2.1", true),
            (&[], &["192.0.2.0/24"], "192.0.2.1", false),
            (&[], &["192.0.2.0/24"], "192.0.3.1", true),
            (&["192.0.2.0/24"], &[], "192.0.2.255", true),
            (&["192.0.2.0/24"], &[], "192.0.3.0", false),
            (&["192.0.2.0/24"], &["192.0.2.1/32"], "192.0.2.1", false),
            (&["192.0.2.0/24"], &["192.0.2.1/32"], "192.0.2.2", true),
            (&["2001:db8::/32"], &[], "2001:db8::1", true),
            (&["2001:db8::/32"], &[], "192.0.2.1", false),
        ] {
            assert_eq!(permits(allow, deny, source), permitted, "{allow:?} {deny:?} {source}");
        }
    }

    #[test]
    fn an_ipv4_mapped_address_is_ipv4() {
        assert!(!permits(&[], &["192.0.2.0/24"], "::ffff:192.0.2.1"));
        assert!(permits(&["192.0.2.0/24"], &["::/0"], "::ffff:192.0.2.1"));
        let accept = AcceptProxy { trusted: nets(&["10.0.0.0/8"]), timeout: Duration::from_secs(1) };
        assert!(accept.trusts("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!accept.trusts("11.1.2.3".parse().unwrap()));
    }
}
