//! Connections against a carrier's end of a session, over TCP.

mod carrier;
mod failures;
mod listener;
mod scene;
mod traffic;
