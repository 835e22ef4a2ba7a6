//! Virtual addresses on this host: what the machines of [`lb_core::vrrp`] want, carried out.

mod frames;
#[cfg(test)]
mod namespace;
mod netlink;
mod packet_socket;
