//! What came on the topic.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::UaopId;

use super::super::keep::{self, Keep, Known, NewItem, Owner, Plan};
use crate::StoreError;
use crate::postgres::{Batch, Database, lock, lock_key};

pub(super) struct Keeping {
    pub(super) database: Database,
}

#[async_trait]
impl Batch for Keeping {
    type Work = Keep;
    type Answer = ();

    fn size(work: &Keep) -> usize {
        work.came.len()
    }

    async fn write(&self, works: &[Keep]) -> Result<Vec<()>, StoreError> {
        self.database.within(self.keep(works)).await?;
        Ok(vec![(); works.len()])
    }
}

impl Keeping {
    async fn keep(&self, keeps: &[Keep]) -> Result<(), StoreError> {
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await?;
        // The topic has one reader mostly; while it changes, two look up and write the same things.
        lock(&transaction, lock_key("what came on the topic of the EMPI")).await?;
        let there = there(&transaction, keeps).await?;
        let known = known(&transaction, &keep::ids(keeps)).await?;
        write(&transaction, keep::plan(keeps, there, known)).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn there(transaction: &Transaction<'_>, keeps: &[Keep]) -> Result<BTreeSet<i64>, StoreError> {
    let offsets: Vec<i64> = keep::offsets(keeps).collect();
    let statement = transaction.prepare_cached("SELECT cursor FROM items WHERE cursor = ANY($1)").await?;
    let rows = transaction.query(&statement, &[&offsets]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn known(
    transaction: &Transaction<'_>,
    ids: &BTreeSet<&UaopId>,
) -> Result<BTreeMap<UaopId, Known>, StoreError> {
    let statement = transaction
        .prepare_cached(
            "SELECT g.uaop_id, greatest(coalesce(m.revision, 0), coalesce(s.revision, 0)), m.key, m.bank, m.reference
             FROM unnest($1::text[]) AS g (uaop_id)
             LEFT JOIN messages m USING (uaop_id) LEFT JOIN strays s ON s.uaop_id = g.uaop_id",
        )
        .await?;
    let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let rows = transaction.query(&statement, &[&names]).await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let message = match row.try_get::<_, Option<i64>>(2)? {
            Some(key) => Some(Owner { key, bank: row.try_get(3)?, reference: row.try_get(4)? }),
            None => None,
        };
        let revision = u32::try_from(row.try_get::<_, i64>(1)?).unwrap_or(u32::MAX);
        if let Some(&id) = ids.get(&name(row.try_get(0)?)?) {
            known.insert(id.clone(), Known { message, revision });
        }
    }
    Ok(known)
}

/// What we asked by is what comes back.
fn name(text: &str) -> Result<UaopId, StoreError> {
    text.parse().map_err(|_| StoreError::UnreadableRow { table: "messages", key: text.to_owned() })
}

async fn write(transaction: &Transaction<'_>, plan: Plan) -> Result<(), StoreError> {
    let Plan { items, messages, strays, calls } = plan;
    insert(transaction, &items).await?;
    if !messages.is_empty() {
        let statement = transaction
            .prepare_cached(
                // Locked in the order in which others lock them, too.
                "WITH given AS MATERIALIZED (
                     SELECT m.key, g.revision, g.cursor
                     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS g (key, revision, cursor)
                     JOIN messages m USING (key) ORDER BY m.key FOR UPDATE OF m
                 )
                 UPDATE messages m SET revision = given.revision, report = given.cursor
                 FROM given WHERE m.key = given.key",
            )
            .await?;
        let keys: Vec<i64> = messages.keys().copied().collect();
        let (revisions, cursors) = last(messages.values());
        transaction.execute(&statement, &[&keys, &revisions, &cursors]).await?;
    }
    if !strays.is_empty() {
        let statement = transaction
            .prepare_cached(
                "INSERT INTO strays SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
                 ON CONFLICT (uaop_id) DO UPDATE SET revision = excluded.revision, cursor = excluded.cursor",
            )
            .await?;
        let ids: Vec<&str> = strays.keys().map(UaopId::as_str).collect();
        let (revisions, cursors) = last(strays.values());
        transaction.execute(&statement, &[&ids, &revisions, &cursors]).await?;
    }
    if !calls.is_empty() {
        let statement = transaction
            .prepare_cached(
                "INSERT INTO calls (cursor, bank, tries, since, due)
                 SELECT cursor, bank, 0, at, at
                 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS g (cursor, bank, at)
                 ON CONFLICT (cursor, bank) DO NOTHING",
            )
            .await?;
        let cursors: Vec<i64> = calls.iter().map(|(cursor, _, _)| *cursor).collect();
        let banks: Vec<&str> = calls.iter().map(|(_, bank, _)| bank.as_str()).collect();
        let ats: Vec<i64> = calls.iter().map(|(_, _, at)| *at).collect();
        transaction.execute(&statement, &[&cursors, &banks, &ats]).await?;
    }
    Ok(())
}

async fn insert(transaction: &Transaction<'_>, items: &[NewItem]) -> Result<(), StoreError> {
    let statement = transaction
        .prepare_cached(
            "INSERT INTO items (cursor, bank, reference, uaop_id, at, item)
             SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])",
        )
        .await?;
    let cursors: Vec<i64> = items.iter().map(|item| item.cursor).collect();
    let banks: Vec<Option<&str>> = items.iter().map(|item| item.bank.as_deref()).collect();
    let references: Vec<Option<&str>> = items.iter().map(|item| item.reference.as_deref()).collect();
    let ids: Vec<Option<&str>> = items.iter().map(|item| item.uaop_id.as_ref().map(UaopId::as_str)).collect();
    let ats: Vec<i64> = items.iter().map(|item| item.at).collect();
    let texts: Vec<&str> = items.iter().map(|item| item.item.as_str()).collect();
    transaction.execute(&statement, &[&cursors, &banks, &references, &ids, &ats, &texts]).await?;
    Ok(())
}

/// Revisions and offsets of last reports.
fn last<'a>(reports: impl Iterator<Item = &'a (u32, i64)>) -> (Vec<i64>, Vec<i64>) {
    reports.map(|(revision, cursor)| (i64::from(*revision), *cursor)).unzip()
}
