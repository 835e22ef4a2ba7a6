//! What an account is told from outside its connections.

use std::fmt;
use std::time::Duration;

use domain::lifecycle::Delivery;
use domain::{Millis, Submission};
use store::spool::Unwritten;
use tokio::sync::mpsc;
use wire::exchange::Submit;
use wire::protocol::Protocol;

use super::core::Turn;
use super::queue::Key;
use crate::connection::ConnectionId;

/// One thing.
pub enum Inbox<P: Protocol> {
    /// A message of this account that is in the spool.
    Message(Message),
    /// The pushes are durable and may go out; or they are not, and must not.
    Recorded { pushes: Vec<Push<P>>, result: Result<(), Unwritten> },
    /// What had happened is durable, and its requests can be answered; or not yet.
    Written { tickets: Vec<Ticket>, result: Result<(), Unwritten> },
    /// Nothing new is pushed; what is under way may be answered for so long.
    Stop(Duration),
}

/// A message for the account, new or left by the last run.
#[derive(Debug)]
pub struct Message {
    pub key: Key,
    pub submission: Submission,
    pub delivery: Delivery,
    pub taken: Millis,
    /// Left by the last run: what was pushed then is lost.
    pub recovered: bool,
}

/// A part on its way to its connection.
pub struct Push<P: Protocol> {
    pub turn: Turn,
    pub sequence: P::Sequence,
    pub submit: Submit,
}

/// A request of the carrier that waits for our answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub connection: ConnectionId,
    pub number: u64,
}

/// Gives messages to an account, whatever its protocol.
#[derive(Clone)]
pub struct Giver(std::sync::Arc<dyn Fn(Message) -> bool + Send + Sync>);

impl Giver {
    #[must_use]
    pub fn new<P: Protocol<Sequence: Send>>(sender: mpsc::UnboundedSender<Inbox<P>>) -> Self
    where
        Inbox<P>: Send,
    {
        Self(std::sync::Arc::new(move |message| sender.send(Inbox::Message(message)).is_ok()))
    }

    /// `false` if the account has stopped; the message waits in the spool for the next run.
    pub fn give(&self, message: Message) -> bool {
        (self.0)(message)
    }
}

impl fmt::Debug for Giver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Giver")
    }
}
