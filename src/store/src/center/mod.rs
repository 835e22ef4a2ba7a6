//! What the center keeps: every message with its journey, joined out of facts in any order; alarms; what it sends itself.
//!
//! What is the same on both engines is in `store` (statements, answers) and `plan` (what facts do to the rows); an
//! `Engine` runs it.

mod alarm;
mod engine;
mod figures;
mod forget;
mod known;
mod plan;
mod postgres;
mod query;
mod row;
mod sqlite;
mod store;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Alarm, Carrier, Class, EmpiId, FinalState, ForBank, GatewayId, Millis, Number, Submission, Told, UaopId,
    UserMessage,
};

pub use domain::join::{Fact, PartView, Stage};
use postgres::PostgresCenter;
use sqlite::SqliteCenter;
use store::Center;

use crate::{Place, Refused, StoreError};

/// What joining did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Facts that were known already.
    pub known: u64,
    /// Reports to be published.
    pub finished: u64,
    /// Reports whose message is not known (yet): kept, and joined when it is.
    pub orphans: u64,
}

/// A record of the bus that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub topic: String,
    pub partition: u32,
    pub offset: i64,
    pub value: Vec<u8>,
    pub error: String,
    pub at: Millis,
}

/// Which messages. Users' messages are of no carrier and no stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By the time of the copy.
    pub from: Option<Millis>,
    pub until: Option<Millis>,
    /// The user, with or without the country code; of users' messages, who sent them.
    pub to: Option<Number>,
    pub empi: Option<EmpiId>,
    pub carrier: Option<Carrier>,
    pub stage: Option<Stage>,
    /// The page after this one: from [`Page::next`]. Anything else gives an empty page.
    pub after: Option<String>,
    /// At most.
    pub most: usize,
}

/// A page, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// `None`: it is the last page.
    pub next: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    pub uaop_id: UaopId,
    /// `None`: facts came, but no copy yet.
    pub submission: Option<Submission>,
    pub at: Millis,
    pub site: Option<String>,
    pub gateway: Option<GatewayId>,
    pub carrier: Option<Carrier>,
    pub stage: Stage,
    pub report: Option<domain::Report>,
    pub parts: Vec<PartView>,
    /// The message that this one sends again.
    pub resend_of: Option<UaopId>,
}

/// Messages of one day (in the center's time zone), by who sent them and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// `2026-03-01`.
    pub day: String,
    pub empi: EmpiId,
    pub class: Class,
    pub carrier: Option<Carrier>,
    pub messages: u64,
    pub parts: u64,
    pub finals: BTreeMap<FinalState, u64>,
}

/// An alarm, once, however many saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmView {
    /// The last that was said.
    pub alarm: Alarm,
    pub first_at: Millis,
    /// How often it was raised anew after it had been over.
    pub times: u64,
    /// `role node site` of all who saw it.
    pub seen_by: Vec<String>,
    /// When an operator said that he knows.
    pub known_at: Option<Millis>,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: u64,
    /// Without an end.
    pub open: u64,
    /// Reports whose message is not known.
    pub orphans: u64,
    pub set_aside: u64,
    /// Reports to be published.
    pub outbox: u64,
    /// Messages of the center's own that wait for a UAOP.
    pub waiting: u64,
    pub alarms: u64,
}

/// A report that nobody knows a message for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanView {
    pub told: Told,
    pub at: Millis,
}

/// The store of the center. What returns `Ok` is durable. Facts may come in any order, several times, from several data
/// centres; joining the same ones again changes nothing.
#[async_trait]
pub trait CenterStore: Send + Sync {
    /// Joins facts, all or (on an error) none; what gets its end goes to the outbox with the same commit.
    async fn join(&self, facts: Vec<Fact>, now: Millis) -> Result<Joined, StoreError>;

    /// Gives an end (`Unknown`) to messages that wanted a report, were copied before `before`, and have none. Returns how
    /// many, `most` at most.
    async fn overdue(&self, before: Millis, now: Millis, most: usize) -> Result<u64, StoreError>;

    /// What is to be published, the oldest first, each with its place.
    async fn outbox(&self, most: usize) -> Result<Vec<(i64, ForBank)>, StoreError>;

    async fn published(&self, places: Vec<i64>) -> Result<(), StoreError>;

    async fn set_aside(&self, records: Vec<SetAside>) -> Result<(), StoreError>;
    async fn aside(&self, after: i64, most: usize) -> Result<Vec<(i64, SetAside)>, StoreError>;

    async fn message(&self, id: &UaopId) -> Result<Option<MessageView>, StoreError>;
    async fn messages(&self, wanted: &Wanted) -> Result<Page<MessageView>, StoreError>;
    async fn user_messages(&self, wanted: &Wanted) -> Result<Page<UserMessage>, StoreError>;
    async fn orphans(&self, after: i64, most: usize) -> Result<Vec<(i64, OrphanView)>, StoreError>;

    /// Of the days from `first` to `last`, each `2026-03-01`.
    async fn figures(&self, first: &str, last: &str) -> Result<Vec<Figure>, StoreError>;

    async fn alarm(&self, alarms: Vec<Alarm>) -> Result<(), StoreError>;
    /// The raised ones; with `over`, those that are over, too.
    async fn alarms(&self, over: bool, most: usize) -> Result<Vec<AlarmView>, StoreError>;
    /// An operator knows of it. `false`: there is no such alarm.
    async fn know(&self, what: &str, of: &str, at: Millis) -> Result<bool, StoreError>;

    /// Messages of the center's own, to be handed to a UAOP; each with the message that it sends again. Those that are there
    /// already stay as they are. One answer each: whether it is new.
    async fn order(
        &self,
        orders: Vec<(Submission, Option<UaopId>)>,
        now: Millis,
    ) -> Result<Vec<bool>, StoreError>;
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, StoreError>;
    async fn handed(&self, ids: Vec<UaopId>) -> Result<(), StoreError>;

    /// Forgets messages, orphans, users' messages, records set aside, alarms that are over, orders that were handed, and
    /// figures from before `before`; `most` of each. Returns how many messages.
    async fn forget(&self, before: Millis, most: usize) -> Result<u64, StoreError>;

    async fn counts(&self) -> Result<Counts, StoreError>;
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Opens the store; days are those of `zone`.
pub(crate) async fn open(
    place: &Place,
    zone: jiff::tz::TimeZone,
) -> Result<Arc<dyn CenterStore>, StoreError> {
    match place {
        Place::Sqlite { folder } => {
            let folder = folder.clone();
            let opened = tokio::task::spawn_blocking(move || SqliteCenter::open(&folder, zone)).await;
            Ok(Arc::new(opened.unwrap_or(Err(StoreError::Refused(Refused::Stopped)))?))
        }
        Place::Postgres(place) => Ok(Arc::new(PostgresCenter::open(place, zone).await?)),
    }
}
