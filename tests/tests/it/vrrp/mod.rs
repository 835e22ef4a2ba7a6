//! Two hosts that share a virtual address by VRRP.

mod authentication;
mod fitness;
mod group;
mod interop;
mod preempt;
mod scene;
mod split_brain;
