//! Virtual addresses on this host: what the machines of [`lb_core::vrrp`] want, carried out.

#![allow(dead_code)]

mod adverts;
pub mod guard;
#[cfg(test)]
mod namespace;
mod netlink;
mod news;
mod realtime;

pub use news::{ActivePeer, Kind, News, RouterStatus, State, TakeOver, What};
