//! Messages that come from a bank and go to a UAOP.

use std::collections::BTreeMap;

use domain::{Millis, UaopId};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::Accepted;
use super::super::row::{NewMessage, to_sql};
use crate::sqlite::Stage;

/// What the messages of one transaction add to each bank's minute: written once for all of them.
#[derive(Default)]
pub(crate) struct Counting {
    new: BTreeMap<(String, i64), i64>,
}

impl Stage for Counting {
    fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.new.is_empty() {
            return Ok(());
        }
        let mut add = connection.prepare_cached(
            "INSERT INTO accepted VALUES (?1, ?2, ?3)
             ON CONFLICT (bank, minute) DO UPDATE SET messages = messages + excluded.messages",
        )?;
        for ((bank, minute), messages) in std::mem::take(&mut self.new) {
            add.execute(params![bank, minute, messages])?;
        }
        Ok(())
    }

    fn committed(&mut self) {}

    fn rolled_back(&mut self) {
        self.new.clear();
    }
}

pub(super) fn accept(
    connection: &Connection,
    counting: &mut Counting,
    messages: &[NewMessage],
) -> rusqlite::Result<Vec<Accepted>> {
    messages.iter().map(|message| accept_one(connection, counting, message)).collect()
}

fn accept_one(
    connection: &Connection,
    counting: &mut Counting,
    message: &NewMessage,
) -> rusqlite::Result<Accepted> {
    let NewMessage { uaop_id, bank, reference, digest, at, minute, submission } = message;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO messages (uaop_id, bank, reference, digest, accepted_at, submission)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (uaop_id) DO NOTHING",
        )?
        .execute(params![uaop_id.as_str(), bank, reference, digest, at, submission])?;
    if inserted == 0 {
        let same = connection
            .prepare_cached("SELECT digest = ?2 FROM messages WHERE uaop_id = ?1")?
            .query_row(params![uaop_id.as_str(), digest], |row| row.get(0))?;
        return Ok(if same { Accepted::Duplicate } else { Accepted::Conflict });
    }
    let key = connection.last_insert_rowid();
    connection.prepare_cached("INSERT INTO waiting VALUES (?1)")?.execute([key])?;
    *counting.new.entry((bank.clone(), *minute)).or_default() += 1;
    Ok(Accepted::New)
}

pub(super) fn handed(connection: &Connection, ids: &[UaopId], at: Millis) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE messages SET handed_at = ?2 WHERE uaop_id = ?1 AND handed_at IS NULL RETURNING key",
    )?;
    let mut delete = connection.prepare_cached("DELETE FROM waiting WHERE key = ?1")?;
    for id in ids {
        let key: Option<i64> =
            update.query_row(params![id.as_str(), to_sql(at)], |row| row.get(0)).optional()?;
        if let Some(key) = key {
            delete.execute([key])?;
        }
    }
    Ok(())
}
