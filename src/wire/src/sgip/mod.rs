//! SGIP 1.2 (China Unicom).
//!
//! Commands flow only from the end that opened the connection, so there are two kinds of connections: one that we
//! open for `SUBMIT`, one that the carrier opens for `DELIVER`, `REPORT` and `USERRPT`. There is no heartbeat, no
//! authenticator, and no message id: the sequence of a submit is its id.

mod field;

pub mod bind;
pub mod codes;
pub mod command;
pub mod deliver;
mod messages;
pub mod node;
pub mod pdu;
pub mod private;
mod protocol;
pub mod report;
pub mod resp;
pub mod routing;
pub mod sequence;
pub mod submit;
pub mod trace;
pub mod unbind;
pub mod userrpt;

pub use pdu::Pdu;
pub use sequence::Sequence;

use crate::protocol::Version;

/// The protocol, as a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sgip;

/// The only one there is; no PDU carries it.
pub const VERSION: Version = Version(0x12);
