//! What is old.

use domain::Millis;
use rusqlite::{Connection, Row, params};

use super::super::row::{limit, minute, to_sql};

/// `most` messages and items.
pub(super) fn forget(connection: &Connection, before: Millis, most: usize) -> rusqlite::Result<u64> {
    let messages = connection
        .prepare_cached(
            "DELETE FROM messages WHERE key IN
                 (SELECT m.key FROM messages m WHERE m.accepted_at < ?1
                      AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.key = m.key)
                  ORDER BY m.accepted_at LIMIT ?2)",
        )?
        .execute(params![to_sql(before), limit(most)])?;
    let items = items(connection, before, most - messages.min(most))?;
    connection.prepare_cached("DELETE FROM accepted WHERE minute < ?1")?.execute([minute(before)])?;
    Ok((messages + items) as u64)
}

fn items(connection: &Connection, before: Millis, most: usize) -> rusqlite::Result<usize> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM items WHERE cursor IN
             (SELECT i.cursor FROM items i WHERE i.at < ?1
                  AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.cursor = i.cursor)
              ORDER BY i.at LIMIT ?2)
         RETURNING cursor, uaop_id",
    )?;
    let gone = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let gone: Vec<(i64, Option<String>)> =
        delete.query_map(params![to_sql(before), limit(most)], gone)?.collect::<Result<_, _>>()?;
    let mut stray = connection.prepare_cached("DELETE FROM strays WHERE uaop_id = ?2 AND cursor = ?1")?;
    // a message that still waits must not point to what may come under this cursor next
    let mut reported =
        connection.prepare_cached("UPDATE messages SET report = NULL WHERE uaop_id = ?2 AND report = ?1")?;
    for (cursor, id) in &gone {
        if let Some(id) = id {
            stray.execute(params![cursor, id])?;
            reported.execute(params![cursor, id])?;
        }
    }
    Ok(gone.len())
}
