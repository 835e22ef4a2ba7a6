//! Virtual addresses on this host: what the machines of [`lb_core::vrrp`] want, carried out.

#[cfg(test)]
mod namespace;
mod netlink;
