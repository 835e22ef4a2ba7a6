//! The whole line as real processes: bank, lb, two EMPIs, lb, two UAOPs, two gateways, carrier; and the center.
//!
//! ```text
//!   Bank ── lb "bank" ─┬─ empi a ─┐                  ┌─ uaop 1 ─┬─ gateway cm-1 ─┬─ carrier
//!                      └─ empi b ─┴── lb "core" ─────┴─ uaop 2 ─┴─ gateway cm-2 ─┘
//!                                        bus: copies, events ──► center ──► reports ──► empis
//! ```
//!
//! | module | gives |
//! |---|---|
//! | [`engines`] | SQLite and the embedded log, or PostgreSQL and a broker |
//! | [`scene`] | the processes: [`House`] |
//! | [`bank`] | the bank's side: signed requests, its own list of what was accepted |
//! | [`mailbox`] | what the bank is told: reports and users' messages, by cursor |
//! | [`book`] | the bank's list, the carrier's record and the reports, message by message |

pub mod bank;
pub mod book;
pub mod engines;
pub mod mailbox;
pub mod scene;

pub use bank::Bank;
pub use book::Balance;
pub use engines::Engines;
pub use mailbox::Mailbox;
pub use scene::{House, Part};
