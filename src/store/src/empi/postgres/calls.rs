//! Calls to banks.

use domain::{Bank, Millis};

use super::super::row::{StoredCall, limit, to_sql};
use super::super::{Call, Called};
use super::read;
use crate::StoreError;
use crate::postgres::Database;

const LEASE: &str = "
WITH due AS MATERIALIZED (
    SELECT cursor, bank, due FROM calls WHERE due <= $1 AND ($4::text IS NULL OR bank = $4) ORDER BY due, cursor, bank LIMIT $3 FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE calls c SET due = $2 FROM due WHERE c.cursor = due.cursor AND c.bank = due.bank
    RETURNING c.cursor, c.bank, c.tries, c.since, due.due AS was
)
SELECT i.cursor, i.bank, i.reference, i.item, l.bank, l.tries, l.since
FROM leased l JOIN items i ON i.cursor = l.cursor ORDER BY l.was, l.cursor, l.bank";

pub(super) async fn lease(
    database: &Database,
    bank: Option<&Bank>,
    now: Millis,
    until: Millis,
    most: usize,
) -> Result<Vec<Call>, StoreError> {
    let client = database.client().await?;
    let statement = client.prepare_cached(LEASE).await?;
    let rows = client.query(&statement, &[&to_sql(now), &to_sql(until), &limit(most), &bank.map(Bank::as_str)]).await?;
    rows.iter()
        .map(|row| {
            let item = read::stored_item(row)?;
            let call =
                StoredCall { item, bank: row.try_get(4)?, tries: row.try_get(5)?, since: row.try_get(6)? };
            Ok(call.call()?)
        })
        .collect()
}

pub(super) async fn called(database: &Database, calls: &[(Bank, i64, Called)]) -> Result<(), StoreError> {
    let (mut over, mut again) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new(), Vec::new()));
    for (bank, cursor, called) in calls {
        match called {
            Called::Done | Called::GivenUp => {
                over.0.push(*cursor);
                over.1.push(bank.as_str());
            }
            Called::Again(at) => {
                again.0.push(*cursor);
                again.1.push(bank.as_str());
                again.2.push(to_sql(*at));
            }
        }
    }
    let mut client = database.client().await?;
    let transaction = client.transaction().await?;
    if !over.0.is_empty() {
        let statement = transaction
            .prepare_cached(
                "DELETE FROM calls c USING unnest($1::bigint[], $2::text[]) AS g (cursor, bank)
                 WHERE c.cursor = g.cursor AND c.bank = g.bank",
            )
            .await?;
        transaction.execute(&statement, &[&over.0, &over.1]).await?;
    }
    if !again.0.is_empty() {
        let statement = transaction
            .prepare_cached(
                "UPDATE calls c SET tries = c.tries + 1, due = g.due
                 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS g (cursor, bank, due)
                 WHERE c.cursor = g.cursor AND c.bank = g.bank",
            )
            .await?;
        transaction.execute(&statement, &[&again.0, &again.1, &again.2]).await?;
    }
    transaction.commit().await?;
    Ok(())
}
