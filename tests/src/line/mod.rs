//! The SMS line: real `smsline` processes, what a bank gives them, what a carrier says it got, and what must be equal.
//!
//! | module | gives |
//! |---|---|
//! | [`protocol`] | the four protocols, and how a customer and its carrier are set up for each |
//! | [`keys`] | a section of a configuration file, key by key |
//! | [`scene`] | a carrier with one account and a gateway that has it: [`Line`] |
//! | [`node`], [`gateway`], [`carrier`] | the processes: start, kill, start again, stop |
//! | [`control`] | what the carrier tells and is told |
//! | [`uplink`], [`feed`] | what a UAOP does: hand messages in, follow the events |
//! | [`letters`] | messages in every coding and length, each to a number of its own |
//! | [`ledger`] | what was taken, against the events and the carrier's record |

pub mod carrier;
pub mod control;
pub mod feed;
pub mod gateway;
pub mod keys;
pub mod ledger;
pub mod letters;
pub mod node;
pub mod protocol;
pub mod scene;
pub mod uplink;

use std::path::PathBuf;

use anyhow::Result;

pub use carrier::Carrier;
pub use control::CarrierControl;
pub use feed::Feed;
pub use gateway::Gateway;
pub use keys::Keys;
pub use ledger::Ledger;
pub use node::Node;
pub use protocol::Protocol;
pub use scene::{Line, Scene};
pub use uplink::Uplink;

use crate::binary;

/// The binary under test: the one that `SMSLINE_BIN` names, or else the one that was built with the running program.
///
/// # Errors
/// There is none; says how to build it.
pub fn binary() -> Result<PathBuf> {
    binary::find("smsline", "SMSLINE_BIN")
}
