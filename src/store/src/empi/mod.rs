//! What an EMPI keeps: messages until their report is old, reports and users' messages for the bank to fetch.

mod keep;
pub(crate) mod postgres;
mod row;
pub(crate) mod sqlite;

use async_trait::async_trait;
use domain::{Bank, BankReference, FinalState, ForBank, Millis, Submission, UaopId};

use crate::StoreError;

/// A message of a bank, to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub bank: Bank,
    pub reference: BankReference,
    pub submission: Submission,
    pub at: Millis,
}

/// What became of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is durable.
    New,
    /// The same message was accepted before.
    Duplicate,
    /// The bank used this reference for another message.
    Conflict,
}

/// How a message stands, for its bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    pub bank: Bank,
    pub reference: BankReference,
    pub submission: Submission,
    pub accepted_at: Millis,
    /// When a UAOP had taken it; `None` = it waits here.
    pub handed_at: Option<Millis>,
    pub report: Option<domain::Report>,
}

/// What the bank fetches or is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The offset on the topic of the EMPI; grows, with gaps; the same on every EMPI of the pair.
    pub cursor: i64,
    /// Whose: of a report the bank that sent the message, if this EMPI knows it. `None`: every bank of the EMPI sees it.
    pub bank: Option<Bank>,
    pub reference: Option<BankReference>,
    pub item: ForBank,
}

/// A call to a bank that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub bank: Bank,
    pub item: Item,
    /// Calls that were made in vain.
    pub tries: u32,
    pub since: Millis,
}

/// How a call to a bank went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// The bank has it.
    Done,
    /// Try again at this time.
    Again(Millis),
    /// It was tried for too long; the bank can still fetch it.
    GivenUp,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted and not handed to a UAOP, by this node.
    pub waiting: u64,
    /// Calls to banks that are not done.
    pub calls: u64,
}

/// Keys that a bank knows a message by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Id(UaopId),
    Reference(BankReference),
}

/// The store of an EMPI. What returns `Ok` is durable. Several calls at the same time are in order: they share commits.
#[async_trait]
pub trait EmpiStore: Send + Sync {
    /// Accepts messages, all together or (on an error) none; one answer each, in their order. What is new waits to be handed
    /// to a UAOP by this node.
    async fn accept(&self, entries: Vec<Entry>) -> Result<Vec<Accepted>, StoreError>;

    /// Messages of this node that wait, the oldest first, after (not with) the one whose place is given; each with its
    /// place, which grows.
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, StoreError>;

    /// A UAOP has taken these, or refused them for good (which was published before): they do not wait any more.
    async fn handed(&self, ids: Vec<UaopId>, at: Millis) -> Result<(), StoreError>;

    /// Says that this node lives, and takes over what waits at nodes of the same store that were not seen since `silent`.
    /// Returns how many messages. With a store of its own there is never any.
    async fn take_over(&self, now: Millis, silent: Millis) -> Result<u64, StoreError>;

    /// Keeps what came on the topic, each by its offset, once; a report only if no later revision is there. For each bank
    /// in `called` there will be a call about what is its own (and about every user's message).
    async fn keep(&self, came: Vec<(i64, ForBank)>, called: &[Bank], now: Millis) -> Result<(), StoreError>;

    /// Of a reference that has several recipients, the message to the first one.
    async fn message(&self, bank: &Bank, key: &Key) -> Result<Option<MessageView>, StoreError>;

    /// The messages to all recipients of a reference, in the order in which they were accepted.
    async fn messages(
        &self,
        bank: &Bank,
        reference: &BankReference,
        most: usize,
    ) -> Result<Vec<MessageView>, StoreError>;

    /// What there is for a bank after the cursor.
    async fn items(&self, bank: &Bank, after: i64, most: usize) -> Result<Vec<Item>, StoreError>;

    /// Calls that are due, the oldest first. They are handed to one caller only (of all nodes of the store) until `lease`
    /// is over.
    async fn calls(&self, now: Millis, lease: Millis, most: usize) -> Result<Vec<Call>, StoreError>;

    /// As [`EmpiStore::calls`], of one bank: so that one that is slow holds up no other.
    async fn calls_of(
        &self,
        bank: &Bank,
        now: Millis,
        lease: Millis,
        most: usize,
    ) -> Result<Vec<Call>, StoreError>;

    async fn called(&self, calls: Vec<(Bank, i64, Called)>) -> Result<(), StoreError>;

    /// Messages accepted for a bank since the minute of a moment: its quota.
    async fn accepted_since(&self, bank: &Bank, since: Millis) -> Result<u64, StoreError>;

    /// Forgets messages, reports and users' messages from before `before` that nothing waits for; `most` of them. Returns
    /// how many.
    async fn forget(&self, before: Millis, most: usize) -> Result<u64, StoreError>;

    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Whether it answers now: for `/readyz`.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// The states that a message view is searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Waiting,
    Handed,
    Final(FinalState),
}

impl MessageView {
    /// How it stands.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match (&self.report, self.handed_at) {
            (Some(report), _) => Stage::Final(report.state),
            (None, Some(_)) => Stage::Handed,
            (None, None) => Stage::Waiting,
        }
    }
}
