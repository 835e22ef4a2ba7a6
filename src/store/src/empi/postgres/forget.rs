//! What is old.

use domain::Millis;

use super::super::row::{limit, minute, to_sql};
use crate::StoreError;
use crate::postgres::Database;

const MESSAGES: &str = "
DELETE FROM messages WHERE key IN (
    SELECT m.key FROM messages m
    WHERE m.accepted_at < $1 AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.key = m.key)
    ORDER BY m.accepted_at LIMIT $2)";

const ITEMS: &str = "
WITH gone AS (
    DELETE FROM items WHERE cursor IN (
        SELECT i.cursor FROM items i
        WHERE i.at < $1 AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.cursor = i.cursor)
        ORDER BY i.at LIMIT $2)
    RETURNING cursor, uaop_id
), strays_gone AS (
    DELETE FROM strays s USING gone WHERE s.uaop_id = gone.uaop_id AND s.cursor = gone.cursor
), unreported AS (
    -- a message that still waits must not point to what may come under this cursor next
    UPDATE messages m SET report = NULL FROM gone WHERE m.uaop_id = gone.uaop_id AND m.report = gone.cursor
)
SELECT count(*) FROM gone";

/// `most` messages and items.
pub(super) async fn forget(database: &Database, before: Millis, most: usize) -> Result<u64, StoreError> {
    let mut client = database.client().await?;
    let transaction = client.transaction().await?;
    let statement = transaction.prepare_cached(MESSAGES).await?;
    let messages = transaction.execute(&statement, &[&to_sql(before), &limit(most)]).await?;
    let rest = most.saturating_sub(usize::try_from(messages).unwrap_or(most));
    let statement = transaction.prepare_cached(ITEMS).await?;
    let items: i64 = transaction.query_one(&statement, &[&to_sql(before), &limit(rest)]).await?.try_get(0)?;
    let statement = transaction.prepare_cached("DELETE FROM accepted WHERE minute < $1").await?;
    transaction.execute(&statement, &[&minute(before)]).await?;
    transaction.commit().await?;
    Ok(messages + super::super::row::count(items))
}
