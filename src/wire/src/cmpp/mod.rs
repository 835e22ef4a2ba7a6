//! CMPP 2.0 and 3.0 (China Mobile). A file a PDU; where the two versions differ is in [`layout`], what a session needs
//! in `protocol`, what a gateway or a carrier needs in `messages`.

pub mod active_test;
pub mod auth;
pub mod cancel;
pub mod codes;
pub mod command;
pub mod connect;
pub mod deliver;
pub mod fwd;
pub mod layout;
mod messages;
pub mod msg_id;
pub mod pdu;
mod protocol;
pub mod query;
pub mod receipt;
pub mod submit;
pub mod terminate;

pub use pdu::Pdu;

/// The protocol, for the generic code.
#[derive(Clone, Copy, Debug)]
pub enum Cmpp {}
