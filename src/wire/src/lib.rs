//! The carriers' protocols: CMPP 2.0 and 3.0, SGIP 1.2, SMGP 3.0. Pure.
//!
//! Data flows one way: bytes → frames ([`frame`]) → PDUs (a folder per protocol, a file per PDU) → a session
//! ([`session`]) that says what happened and what to send → what the three protocols have in common
//! ([`exchange`]). [`protocol::Protocol`] is what a session needs of a protocol, [`protocol::Messages`] what a gateway
//! or a carrier needs.
//!
//! We send the standard's form, and accept what implementations in the field are known to send instead.

pub mod cmpp;
pub mod counted;
pub mod cursor;
pub mod error;
pub mod exchange;
pub mod frame;
pub mod protocol;
pub mod session;
pub mod sgip;
pub mod smgp;
pub mod text;
