//! A simulated carrier, good enough to test a customer against: CMPP, SGIP and SMGP, any number of accounts, faults on
//! demand, and a record of every message.
//!
//! | module | what it is |
//! |---|---|
//! | [`config`] | what the file means |
//! | [`behaviour`], [`check`] | what becomes of each submit; pure |
//! | [`service`] | the whole: ports, tasks, the end |
//! | [`connection`] | one session and its socket, one for all protocols |
//! | [`protocol`] | where protocols differ |
//! | [`account`] | what the connections of an account share: its chances, its reports and MO on their way |
//! | [`record`], [`metrics`] | what is written down, what is counted |
//! | [`control`] | the control port, and a client for it |

use std::future::Future;

pub mod account;
pub mod behaviour;
pub mod check;
pub mod clock;
pub mod config;
pub mod connection;
pub mod control;
pub mod metrics;
pub mod protocol;
pub mod record;
pub mod service;

pub use config::Config;
pub use service::{Addresses, Service};

/// Serves until `shutdown` is over. [`Service`] does the same in two steps, to learn the ports in between.
///
/// # Errors
/// A port or the record cannot be opened, or the record cannot be written any more.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    Service::bind(config).await?.serve(shutdown).await
}
