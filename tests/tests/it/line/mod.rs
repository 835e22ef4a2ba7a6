//! The SMS line's protocols among peers.

mod dissector;
