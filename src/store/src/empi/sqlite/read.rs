//! What is only read.

use domain::{Bank, BankReference, Millis, Submission, UaopId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::row::{self, StoredItem, StoredMessage, count, limit, minute};
use super::super::{Counts, Item, MessageView};
use super::Unread;

/// A message with the last of its reports, be that from before or after it was accepted here.
macro_rules! message {
    ($rest:literal) => {
        concat!(
            "SELECT m.key, m.bank, m.reference, m.submission, m.accepted_at, m.handed_at,
                    (SELECT item FROM items
                     WHERE cursor = iif(s.revision > m.revision, s.cursor, m.report))
             FROM messages m LEFT JOIN strays s USING (uaop_id) ",
            $rest
        )
    };
}

pub(super) fn waiting(
    connection: &Connection,
    after: i64,
    most: usize,
) -> Result<Vec<(i64, Submission)>, Unread> {
    let mut statement = connection.prepare_cached(
        "SELECT key, submission FROM waiting JOIN messages USING (key)
         WHERE waiting.key > ?1 ORDER BY waiting.key LIMIT ?2",
    )?;
    let mut rows = statement.query([after, limit(most)])?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        waiting.push(row::submission(row.get(0)?, json)?);
    }
    Ok(waiting)
}

pub(super) fn by_id(
    connection: &Connection,
    bank: &Bank,
    id: &UaopId,
) -> Result<Option<MessageView>, Unread> {
    let found = connection
        .prepare_cached(message!("WHERE m.uaop_id = ?1 AND m.bank = ?2"))?
        .query_row([id.as_str(), bank.as_str()], stored_message)
        .optional()?;
    Ok(found.map(StoredMessage::view).transpose()?)
}

pub(super) fn by_reference(
    connection: &Connection,
    bank: &Bank,
    reference: &BankReference,
    most: usize,
) -> Result<Vec<MessageView>, Unread> {
    let mut statement = connection
        .prepare_cached(message!("WHERE m.bank = ?1 AND m.reference = ?2 ORDER BY m.key LIMIT ?3"))?;
    let found =
        statement.query_map(params![bank.as_str(), reference.as_str(), limit(most)], stored_message)?;
    found.map(|message| Ok(message?.view()?)).collect()
}

/// The bank's own and every bank's, each in the order of an index; by both together a bank with few items among millions
/// would be searched for one by one.
pub(super) fn items(
    connection: &Connection,
    bank: &Bank,
    after: i64,
    most: usize,
) -> Result<Vec<Item>, Unread> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM (SELECT cursor, bank, reference, item FROM items
                        WHERE bank = ?1 AND cursor > ?2 ORDER BY cursor LIMIT ?3)
         UNION ALL
         SELECT * FROM (SELECT cursor, bank, reference, item FROM items
                        WHERE bank IS NULL AND cursor > ?2 ORDER BY cursor LIMIT ?3)
         ORDER BY cursor LIMIT ?3",
    )?;
    let found = statement.query_map(params![bank.as_str(), after, limit(most)], stored_item)?;
    found.map(|item| Ok(item?.item()?)).collect()
}

pub(super) fn accepted_since(connection: &Connection, bank: &Bank, since: Millis) -> Result<u64, Unread> {
    let sum = connection
        .prepare_cached("SELECT coalesce(sum(messages), 0) FROM accepted WHERE bank = ?1 AND minute >= ?2")?
        .query_row(params![bank.as_str(), minute(since)], |row| row.get(0))?;
    Ok(count(sum))
}

pub(super) fn counts(connection: &Connection) -> Result<Counts, Unread> {
    let counts = connection
        .prepare_cached("SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM calls)")?
        .query_row([], |row| Ok(Counts { waiting: count(row.get(0)?), calls: count(row.get(1)?) }))?;
    Ok(counts)
}

pub(super) fn stored_item(row: &Row<'_>) -> rusqlite::Result<StoredItem> {
    Ok(StoredItem { cursor: row.get(0)?, bank: row.get(1)?, reference: row.get(2)?, item: row.get(3)? })
}

fn stored_message(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        key: row.get(0)?,
        bank: row.get(1)?,
        reference: row.get(2)?,
        submission: row.get(3)?,
        accepted_at: row.get(4)?,
        handed_at: row.get(5)?,
        report: row.get(6)?,
    })
}
