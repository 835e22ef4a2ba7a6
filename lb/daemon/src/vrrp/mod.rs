//! Virtual addresses on this host: what the machines of [`lb_core::vrrp`] want, carried out.
