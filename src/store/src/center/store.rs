//! The store, in statements that both engines understand.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Alarm, ForBank, Millis, Submission, UaopId, UserMessage};
use jiff::tz::TimeZone;

use super::engine::{Change, Engine};
use super::plan::Work;
use super::query::{self, Query};
use super::row::{day, index_key, strange, view};
use super::value::Columns;
use super::{
    AlarmView, CenterStore, Counts, Fact, Figure, Joined, MessageView, OrphanView, Page, SetAside, Wanted,
    alarm, figures, forget,
};
use crate::StoreError;
use crate::row::{Strange, count, json, limit};

/// The store of the center on one of the engines.
pub(super) struct Center<E> {
    engine: E,
    zone: TimeZone,
}

impl<E: Engine> Center<E> {
    pub(super) const fn new(engine: E, zone: TimeZone) -> Self {
        Self { engine, zone }
    }

    /// Each row as what `of` makes of it.
    async fn list<T>(
        &self,
        query: Query,
        of: impl Fn(&Columns) -> Result<T, Strange> + Send + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.engine.read(query).await?;
        rows.iter().map(|row| of(row).map_err(|strange| self.engine.strange(strange))).collect()
    }

    async fn write(&self, statements: Vec<Query>) -> Result<Vec<u64>, StoreError> {
        Ok(self.engine.change(Change::write(statements)).await?.written)
    }
}

#[async_trait]
impl<E: Engine> CenterStore for Center<E> {
    async fn join(&self, facts: Vec<Fact>, now: Millis) -> Result<Joined, StoreError> {
        self.engine.work(Work::Join { facts, now }).await
    }

    async fn overdue(&self, before: Millis, now: Millis, most: usize) -> Result<u64, StoreError> {
        Ok(self.engine.work(Work::Overdue { before, now, most }).await?.finished)
    }

    async fn outbox(&self, most: usize) -> Result<Vec<(i64, ForBank)>, StoreError> {
        let query = Query::new("SELECT place, record FROM outbox ORDER BY place LIMIT $1").with(limit(most));
        self.list(query, |row| parsed("outbox", row, 1)).await
    }

    async fn published(&self, mut places: Vec<i64>) -> Result<(), StoreError> {
        places.sort_unstable();
        // They mostly follow each other.
        let runs = places
            .chunk_by(|one, next| next - one <= 1)
            .filter_map(|run| Some((*run.first()?, *run.last()?)));
        let delete = "DELETE FROM outbox WHERE place BETWEEN $1 AND $2";
        self.write(runs.map(|(first, last)| Query::new(delete).with(first).with(last)).collect()).await?;
        Ok(())
    }

    async fn set_aside(&self, records: Vec<SetAside>) -> Result<(), StoreError> {
        let insert =
            "INSERT INTO aside (topic, part, place, value, error, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (topic, part, place) DO NOTHING";
        let record = |SetAside { topic, partition, offset, value, error, at }| {
            let query = Query::new(insert).with(topic).with(i64::from(partition)).with(offset);
            query.with(value).with(error.replace('\0', "")).with(at)
        };
        self.write(records.into_iter().map(record).collect()).await?;
        Ok(())
    }

    async fn aside(&self, after: i64, most: usize) -> Result<Vec<(i64, SetAside)>, StoreError> {
        let query = Query::new(
            "SELECT key, topic, part, place, value, error, at FROM aside WHERE key > $1 ORDER BY key LIMIT $2",
        );
        self.list(query.with(after).with(limit(most)), |row| {
            let record = || {
                let record = SetAside {
                    topic: row.text(1)?.to_owned(),
                    partition: u32::try_from(row.int(2)?).ok()?,
                    offset: row.int(3)?,
                    value: row.bytes(4)?.to_owned(),
                    error: row.text(5)?.to_owned(),
                    at: row.at(6)?,
                };
                Some((row.int(0)?, record))
            };
            record().ok_or_else(|| strange("aside", row))
        })
        .await
    }

    async fn message(&self, id: &UaopId) -> Result<Option<MessageView>, StoreError> {
        let query = Query::new(
            "SELECT m.key, m.at, m.uaop_id, m.journey,
                    (SELECT resend_of FROM orders o WHERE o.uaop_id = m.uaop_id)
             FROM messages m WHERE m.uaop_id = $1",
        );
        let found = self.list(query.with(id.as_str()), view).await?;
        Ok(found.into_iter().next().map(|(_, _, view)| view))
    }

    async fn messages(&self, wanted: &Wanted) -> Result<Page<MessageView>, StoreError> {
        match query::messages(wanted) {
            Some(query) => Ok(query::page(self.list(query, view).await?, wanted.most)),
            None => Ok(Page { rows: Vec::new(), next: None }),
        }
    }

    async fn user_messages(&self, wanted: &Wanted) -> Result<Page<UserMessage>, StoreError> {
        let Some(query) = query::user_messages(wanted) else {
            return Ok(Page { rows: Vec::new(), next: None });
        };
        let found = self.list(query, |row| {
            let (key, message) = parsed("user_messages", row, 2)?;
            let at = row.int(1).ok_or_else(|| strange("user_messages", row))?;
            Ok((at, key, message))
        });
        Ok(query::page(found.await?, wanted.most))
    }

    async fn orphans(&self, after: i64, most: usize) -> Result<Vec<(i64, OrphanView)>, StoreError> {
        let query = Query::new("SELECT key, told, at FROM orphans WHERE key > $1 ORDER BY key LIMIT $2");
        self.list(query.with(after).with(limit(most)), |row| {
            let (key, told) = parsed("orphans", row, 1)?;
            Ok((key, OrphanView { told, at: row.at(2).unwrap_or_default() }))
        })
        .await
    }

    async fn figures(&self, first: &str, last: &str) -> Result<Vec<Figure>, StoreError> {
        let query = Query::new(
            "SELECT day, empi, class, carrier, state, messages, parts FROM figures
             WHERE day BETWEEN $1 AND $2 AND messages > 0 ORDER BY day, empi, class, carrier, state",
        );
        let rows = self.engine.read(query.with(first).with(last)).await?;
        figures::figures(&rows).map_err(|strange| self.engine.strange(strange))
    }

    async fn alarm(&self, alarms: Vec<Alarm>) -> Result<(), StoreError> {
        // Those that are one come together, in the order of their keys, as in every such transaction.
        let mut said: BTreeMap<(String, String), Vec<Alarm>> = BTreeMap::new();
        for alarm in alarms {
            said.entry((alarm.what.clone(), alarm.of.clone())).or_default().push(alarm);
        }
        let reads = said.values().filter_map(|alarms| alarms.first()).map(alarm::find).collect();
        let then = move |rows: &[Vec<Columns>]| {
            let mut writes = Vec::new();
            for (alarms, found) in said.values().zip(rows) {
                let mut known = found.first().map(alarm::read).transpose()?;
                for alarm in alarms {
                    known.get_or_insert_with(|| alarm::Known::new(alarm)).say(alarm);
                }
                writes.extend(known.as_ref().map(alarm::Known::write));
            }
            Ok(writes)
        };
        self.engine.change(Change { reads, then: Arc::new(then) }).await?;
        Ok(())
    }

    async fn alarms(&self, over: bool, most: usize) -> Result<Vec<AlarmView>, StoreError> {
        let query = Query::new(
            "SELECT CAST(0 AS bigint), first_at, times, known_at, seen_by, alarm FROM alarms
             WHERE raised >= $1 ORDER BY raised DESC, at DESC, what, about LIMIT $2",
        );
        let query = query.with(i64::from(!over)).with(limit(most));
        self.list(query, |row| alarm::read(row).map(alarm::Known::view)).await
    }

    async fn know(&self, what: &str, of: &str, at: Millis) -> Result<bool, StoreError> {
        let query = Query::new("UPDATE alarms SET known_at = $1 WHERE what = $2 AND about = $3").with(at);
        let query = query.with(index_key(what).into_owned()).with(index_key(of).into_owned());
        Ok(self.write(vec![query]).await?.iter().any(|&rows| rows > 0))
    }

    async fn order(
        &self,
        orders: Vec<(Submission, Option<UaopId>)>,
        now: Millis,
    ) -> Result<Vec<bool>, StoreError> {
        let insert = "INSERT INTO orders (uaop_id, at, waiting, resend_of, submission)
             VALUES ($1, $2, 1, $3, $4) ON CONFLICT (uaop_id) DO NOTHING";
        let order = |(submission, resend_of): (Submission, Option<UaopId>)| {
            let query = Query::new(insert).with(submission.uaop_id.as_str()).with(now);
            query.with(resend_of.map(String::from)).with(json(&submission))
        };
        let written = self.write(orders.into_iter().map(order).collect()).await?;
        Ok(written.into_iter().map(|rows| rows > 0).collect())
    }

    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, StoreError> {
        let query = Query::new(
            "SELECT key, submission FROM orders WHERE waiting = 1 AND key > $1 ORDER BY key LIMIT $2",
        );
        self.list(query.with(after).with(limit(most)), |row| parsed("orders", row, 1)).await
    }

    async fn handed(&self, ids: Vec<UaopId>) -> Result<(), StoreError> {
        let update =
            |id: &UaopId| Query::new("UPDATE orders SET waiting = 0 WHERE uaop_id = $1").with(id.as_str());
        self.write(ids.iter().map(update).collect()).await?;
        Ok(())
    }

    async fn forget(&self, before: Millis, most: usize) -> Result<u64, StoreError> {
        let day = day(before, &self.zone);
        let changed = self.engine.change(forget::forget(before, day, most)).await?;
        Ok(changed.read.first().map_or(0, |&rows| rows as u64))
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let query = Query::new(
            "SELECT messages, open, orphans, (SELECT count(*) FROM aside), (SELECT count(*) FROM outbox),
                    (SELECT count(*) FROM orders WHERE waiting = 1), (SELECT count(*) FROM alarms WHERE raised = 1)
             FROM marks",
        );
        let found = self.list(query, |row| {
            let number = |column| row.int(column).map(count).ok_or_else(|| strange("marks", row));
            Ok(Counts {
                messages: number(0)?,
                open: number(1)?,
                orphans: number(2)?,
                set_aside: number(3)?,
                outbox: number(4)?,
                waiting: number(5)?,
                alarms: number(6)?,
            })
        });
        Ok(found.await?.into_iter().next().unwrap_or_default())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.engine.ping().await
    }
}

/// A key and what its row has as JSON.
fn parsed<T: serde::de::DeserializeOwned>(
    table: &'static str,
    row: &Columns,
    column: usize,
) -> Result<(i64, T), Strange> {
    let parsed = || Some((row.int(0)?, serde_json::from_str(row.text(column)?).ok()?));
    parsed().ok_or_else(|| strange(table, row))
}
