//! The store of an EMPI in a PostgreSQL database that its nodes share.

mod accept;
mod calls;
mod forget;
mod hand;
mod keep;
mod nodes;
mod read;

use async_trait::async_trait;
use domain::{Bank, BankReference, ForBank, Millis, Submission, UaopId};

use super::keep::Keep;
use super::row::{NewMessage, Strange};
use super::{Accepted, Call, Called, Counts, EmpiStore, Entry, Item, Key, MessageView};
use crate::postgres::{Database, Gather};
use crate::{Postgres, StoreError};
use accept::Accept;
use hand::Hand;
use keep::Keeping;
use nodes::Node;

const SCHEMA: &str = "empi";
const STEPS: [&str; 1] = [include_str!("001.sql")];
/// Rows that one transaction takes at most.
const TOGETHER: usize = 4096;
/// From how many messages waiting for the database on more are refused.
const QUEUE: usize = 65_536;

pub(crate) struct PostgresEmpi {
    database: Database,
    node: Node,
    accept: Gather<Accept>,
    hand: Gather<Hand>,
    keep: Gather<Keeping>,
}

impl PostgresEmpi {
    pub(crate) async fn open(place: &Postgres, node: &str) -> Result<Self, StoreError> {
        let database = Database::open(place, SCHEMA, &STEPS).await?;
        let node = Node::new(node);
        database.within(nodes::begin(&database, &node)).await?;
        let accept = Accept { database: database.clone(), node: node.clone() };
        let accept = Gather::start(accept, TOGETHER, QUEUE);
        let hand = Gather::start(Hand { database: database.clone() }, TOGETHER, QUEUE);
        let keep = Gather::start(Keeping { database: database.clone() }, TOGETHER, QUEUE);
        Ok(Self { database, node, accept, hand, keep })
    }
}

impl From<Strange> for StoreError {
    fn from(Strange { table, key }: Strange) -> Self {
        Self::UnreadableRow { table, key: key.to_string() }
    }
}

#[async_trait]
impl EmpiStore for PostgresEmpi {
    async fn accept(&self, entries: Vec<Entry>) -> Result<Vec<Accepted>, StoreError> {
        self.accept.offer(entries.into_iter().map(NewMessage::of).collect()).await
    }

    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, StoreError> {
        self.database.within(read::waiting(&self.database, &self.node, after, most)).await
    }

    async fn handed(&self, ids: Vec<UaopId>, at: Millis) -> Result<(), StoreError> {
        self.hand.give((ids, at)).await
    }

    async fn take_over(&self, now: Millis, silent: Millis) -> Result<u64, StoreError> {
        self.database.within(nodes::take_over(&self.database, &self.node, now, silent)).await
    }

    async fn keep(&self, came: Vec<(i64, ForBank)>, called: &[Bank], now: Millis) -> Result<(), StoreError> {
        self.keep.give(Keep { came, called: called.to_vec(), now }).await
    }

    async fn message(&self, bank: &Bank, key: &Key) -> Result<Option<MessageView>, StoreError> {
        self.database
            .within(async {
                match key {
                    Key::Id(id) => read::by_id(&self.database, bank, id).await,
                    Key::Reference(reference) => {
                        Ok(read::by_reference(&self.database, bank, reference, 1).await?.pop())
                    }
                }
            })
            .await
    }

    async fn messages(
        &self,
        bank: &Bank,
        reference: &BankReference,
        most: usize,
    ) -> Result<Vec<MessageView>, StoreError> {
        self.database.within(read::by_reference(&self.database, bank, reference, most)).await
    }

    async fn items(&self, bank: &Bank, after: i64, most: usize) -> Result<Vec<Item>, StoreError> {
        self.database.within(read::items(&self.database, bank, after, most)).await
    }

    async fn calls(&self, now: Millis, lease: Millis, most: usize) -> Result<Vec<Call>, StoreError> {
        self.database.within(calls::lease(&self.database, None, now, lease, most)).await
    }

    async fn calls_of(
        &self,
        bank: &Bank,
        now: Millis,
        lease: Millis,
        most: usize,
    ) -> Result<Vec<Call>, StoreError> {
        self.database.within(calls::lease(&self.database, Some(bank), now, lease, most)).await
    }

    async fn called(&self, calls: Vec<(Bank, i64, Called)>) -> Result<(), StoreError> {
        self.database.within(calls::called(&self.database, &calls)).await
    }

    async fn accepted_since(&self, bank: &Bank, since: Millis) -> Result<u64, StoreError> {
        self.database.within(read::accepted_since(&self.database, bank, since)).await
    }

    async fn forget(&self, before: Millis, most: usize) -> Result<u64, StoreError> {
        self.database.within(forget::forget(&self.database, before, most)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.database.within(read::counts(&self.database, &self.node)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }
}
