//! Virtual addresses on this host: what the machines of [`lb_core::vrrp`] want, carried out.

#![allow(dead_code)]

#[cfg(test)]
mod namespace;
mod netlink;
mod news;

pub use news::{ActivePeer, Kind, News, RouterStatus, State, TakeOver, What};
