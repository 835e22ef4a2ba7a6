//! Two hosts that share a virtual address by VRRP.

mod interop;
mod scene;
