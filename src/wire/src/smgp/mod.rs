//! SMGP 3.0 (China Telecom); 1.3 and 2.0 are read and written too.
//!
//! [`pdu::Pdu`] has a variant for each PDU, a file each; [`tlv`] the optional parameters behind some of them,
//! [`receipt`] the text inside a report. [`Smgp`] is what sessions, gateways and carriers use.

pub mod active_test;
pub mod auth;
pub mod codes;
pub mod command;
pub mod deliver;
pub mod exit;
pub mod forward;
pub mod login;
mod messages;
pub mod msg_id;
pub mod pdu;
mod protocol;
pub mod query;
pub mod receipt;
pub mod submit;
pub mod tlv;

use crate::protocol::Version;

/// SMGP, as [`crate::protocol::Protocol`] and [`crate::protocol::Messages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smgp;

/// 1.3, in which SUBMIT has no `FixedFee`.
pub const V1_3: Version = Version(0x13);
pub const V2_0: Version = Version(0x20);
pub const V3_0: Version = Version(0x30);
