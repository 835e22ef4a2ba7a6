//! What is only read.

use domain::{Bank, BankReference, Millis, Submission, UaopId};
use tokio_postgres::Row;

use super::super::row::{self, StoredItem, StoredMessage, count, limit, minute};
use super::super::{Counts, Item, MessageView};
use super::nodes::Node;
use crate::StoreError;
use crate::postgres::Database;

/// A message with the last of its reports, be that from before or after it was accepted here.
macro_rules! message {
    ($rest:literal) => {
        concat!(
            "SELECT m.key, m.bank, m.reference, m.submission, m.accepted_at, m.handed_at,
                    (SELECT item FROM items WHERE cursor = CASE WHEN s.revision > m.revision THEN s.cursor ELSE m.report END)
             FROM messages m LEFT JOIN strays s USING (uaop_id) ",
            $rest
        )
    };
}

pub(super) async fn waiting(
    database: &Database,
    node: &Node,
    after: i64,
    most: usize,
) -> Result<Vec<(i64, Submission)>, StoreError> {
    let client = database.client().await?;
    let statement = client
        .prepare_cached(
            "SELECT w.place, m.submission FROM waiting w JOIN messages m USING (key)
             WHERE w.node = $1 AND w.place > $2 ORDER BY w.place LIMIT $3",
        )
        .await?;
    let rows = client.query(&statement, &[&node.name, &after, &limit(most)]).await?;
    rows.iter().map(|row| Ok(row::submission(row.try_get(0)?, row.try_get(1)?)?)).collect()
}

pub(super) async fn by_id(
    database: &Database,
    bank: &Bank,
    id: &UaopId,
) -> Result<Option<MessageView>, StoreError> {
    let client = database.client().await?;
    let statement = client.prepare_cached(message!("WHERE m.uaop_id = $1 AND m.bank = $2")).await?;
    let row = client.query_opt(&statement, &[&id.as_str(), &bank.as_str()]).await?;
    row.map(|row| Ok(stored_message(&row)?.view()?)).transpose()
}

pub(super) async fn by_reference(
    database: &Database,
    bank: &Bank,
    reference: &BankReference,
    most: usize,
) -> Result<Vec<MessageView>, StoreError> {
    let client = database.client().await?;
    let statement = client
        .prepare_cached(message!("WHERE m.bank = $1 AND m.reference = $2 ORDER BY m.key LIMIT $3"))
        .await?;
    let rows = client.query(&statement, &[&bank.as_str(), &reference.as_str(), &limit(most)]).await?;
    rows.iter().map(|row| Ok(stored_message(row)?.view()?)).collect()
}

/// The bank's own and every bank's, each in the order of an index; by both together a bank with few items among millions
/// would be searched for one by one.
pub(super) async fn items(
    database: &Database,
    bank: &Bank,
    after: i64,
    most: usize,
) -> Result<Vec<Item>, StoreError> {
    let client = database.client().await?;
    let statement = client
        .prepare_cached(
            "(SELECT cursor, bank, reference, item FROM items
              WHERE bank = $1 AND cursor > $2 ORDER BY cursor LIMIT $3)
             UNION ALL
             (SELECT cursor, bank, reference, item FROM items
              WHERE bank IS NULL AND cursor > $2 ORDER BY cursor LIMIT $3)
             ORDER BY cursor LIMIT $3",
        )
        .await?;
    let rows = client.query(&statement, &[&bank.as_str(), &after, &limit(most)]).await?;
    rows.iter().map(|row| Ok(stored_item(row)?.item()?)).collect()
}

pub(super) async fn accepted_since(
    database: &Database,
    bank: &Bank,
    since: Millis,
) -> Result<u64, StoreError> {
    let client = database.client().await?;
    let sql = "SELECT coalesce(sum(messages), 0)::bigint FROM accepted WHERE bank = $1 AND minute >= $2";
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_one(&statement, &[&bank.as_str(), &minute(since)]).await?;
    Ok(count(row.try_get(0)?))
}

pub(super) async fn counts(database: &Database, node: &Node) -> Result<Counts, StoreError> {
    let client = database.client().await?;
    let sql = "SELECT (SELECT count(*) FROM waiting WHERE node = $1), (SELECT count(*) FROM calls)";
    let row = client.query_one(&client.prepare_cached(sql).await?, &[&node.name]).await?;
    Ok(Counts { waiting: count(row.try_get(0)?), calls: count(row.try_get(1)?) })
}

pub(super) fn stored_item(row: &Row) -> Result<StoredItem, tokio_postgres::Error> {
    Ok(StoredItem {
        cursor: row.try_get(0)?,
        bank: row.try_get(1)?,
        reference: row.try_get(2)?,
        item: row.try_get(3)?,
    })
}

fn stored_message(row: &Row) -> Result<StoredMessage, tokio_postgres::Error> {
    Ok(StoredMessage {
        key: row.try_get(0)?,
        bank: row.try_get(1)?,
        reference: row.try_get(2)?,
        submission: row.try_get(3)?,
        accepted_at: row.try_get(4)?,
        handed_at: row.try_get(5)?,
        report: row.try_get(6)?,
    })
}
