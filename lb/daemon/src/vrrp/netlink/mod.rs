//! Links and addresses of this host, through the kernel's route netlink.
//!
//! | module | what it is |
//! |---|---|
//! | [`Table`] | what there is |
//! | [`Monitor`] | keeps a table true |
//! | [`Writer`] | adds and removes addresses, and waits for the kernel's word |

mod change;
mod connection;
mod macvlan;
mod monitor;
mod table;
mod writer;

pub use self::monitor::Monitor;
pub use self::table::{Link, Table};
pub use self::writer::Writer;

/// Marks an address as put there by us (`IFA_PROTO`), so that another process of ours knows it after a crash.
/// `ip address show proto 177` lists them. Kernels before 5.18 do not keep it.
pub const ADDRESS_PROTOCOL: u8 = 177;

/// Marks a link as made by us, as the [`ADDRESS_PROTOCOL`] an address: `ip link show group 177` lists them.
pub const LINK_GROUP: u32 = 177;
