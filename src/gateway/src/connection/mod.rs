//! The driver of one session with a carrier: it connects, logs in, sends what its account orders, tells its account what
//! comes back, and connects again when the session is over. It keeps nothing that must outlive it.
//!
//! An account gives [`Order`]s to each of its connections and hears [`Report`]s of all of them. A connection that is up has
//! as many places as the window; a part takes one with [`Order::Submit`] and has it until exactly one of
//! [`News::Answered`], [`News::Unanswered`], [`News::NotSent`] or [`News::Down`] names it. So an account that keeps to the
//! window never fills the channel of [`orders`], and never waits for a connection.
//!
//! | module | what it is |
//! |---|---|
//! | `task` | a connection that we make: dial → session → pause, and again ([`Connection`]) |
//! | `listener` | connections that an SGIP carrier makes to us ([`Listener`]) |
//! | `link` | one session and its socket |
//! | `dial`, `backoff`, `held`, `odd` | how to connect, how long to wait, orders that wait, log lines that do not flood |

mod backoff;
mod dial;
mod held;
mod link;
mod listener;
mod odd;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use wire::exchange::{Answer, Incoming, Submit};
use wire::protocol::Protocol;
use wire::session::Numbers;

pub use listener::{Listener, bind, listener_orders};
pub use task::Connection;

use crate::clock::Clock;
use crate::config;
use crate::metrics::connection::ConnectionMetrics;

/// Position of a connection in its account; a listener comes after the last.
pub type ConnectionId = u32;

/// One part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartKey {
    /// Its key in the spool.
    pub message: i64,
    /// From 1.
    pub part: u8,
}

/// From an account to one connection.
#[derive(Debug)]
pub enum Order<P: Protocol> {
    /// Send a part, under a sequence that is reserved for it and written down.
    Submit {
        /// Of [`News::Up`]: for another login it is not sent.
        login: u32,
        key: PartKey,
        sequence: P::Sequence,
        submit: Submit,
    },
    /// What [`News::Incoming`] brought is durable, or could not be made so.
    DeliverAnswer { ticket: u64, code: u32 },
    /// Send nothing new, wait at most for so long for the answers that are open, log out and end. An account that drops
    /// its end of the channel orders the same, without patience.
    Stop { patience: Duration },
}

/// From a connection to its account.
#[derive(Debug)]
pub struct Report {
    pub connection: ConnectionId,
    pub news: News,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum News {
    /// It is logged in, for the `login`th time; its whole window is free. A listener says so once, when it listens.
    Up { login: u32 },
    /// It was up, and is not any more. Nobody knows whether the carrier has these parts.
    Down { reason: String, unanswered: Vec<PartKey> },
    /// It does not come up. Told once for each reason.
    NotUp { reason: String },
    /// The carrier has answered a part.
    Answered { key: PartKey, answer: Answer },
    /// The part was sent as often as it may be, or the carrier says of a repeat only that it is one. Nobody knows whether
    /// the carrier has it.
    Unanswered { key: PartKey },
    /// The part has not left, and will not. It was ordered for this login, of which [`News::Down`] may have told already.
    NotSent { login: u32, key: PartKey },
    /// The carrier brings something: answer with [`Order::DeliverAnswer`] once it is durable.
    Incoming { ticket: u64, incoming: Incoming },
}

/// The channel of orders to a connection with this window. It holds all that may be under way.
#[must_use]
pub fn orders<P: Protocol>(window: u16) -> (mpsc::Sender<Order<P>>, mpsc::Receiver<Order<P>>) {
    // submits, answers, and the stop
    mpsc::channel(usize::from(window) + usize::from(config::INBOUND) + 1)
}

/// What a connection works with.
#[derive(Clone, Debug)]
pub struct Context {
    pub account: Arc<config::Account>,
    pub connection: ConnectionId,
    pub numbers: Arc<Numbers>,
    pub clock: Clock,
    pub reports: mpsc::Sender<Report>,
    pub metrics: ConnectionMetrics,
}

impl Context {
    /// Waits while the account is behind. To an account that is gone nothing is told.
    async fn tell(&self, news: News) {
        let _ = self.reports.send(Report { connection: self.connection, news }).await;
    }
}
