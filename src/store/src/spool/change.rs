//! Changing what was taken, and forgetting what is done.

use domain::Millis;
use domain::event::Outcome;
use rusqlite::{Connection, OptionalExtension, params};

use super::marks::to_sql;
use super::stage::{SpoolStage, unwritable};
use super::types::{Change, Fragment};

pub(super) fn apply(
    connection: &Connection,
    stage: &mut SpoolStage,
    changes: &[Change],
) -> rusqlite::Result<()> {
    changes.iter().try_for_each(|change| match change {
        Change::Progress { key, progress } => {
            stage.progress(*key, progress);
            Ok(())
        }
        Change::Finish { key, outcome, at } => finish(connection, stage, *key, outcome, *at),
        Change::Event(event) => stage.event(event),
        Change::Fragment(fragment) => keep(connection, fragment),
        Change::FragmentsGone(ids) => ids.iter().try_for_each(|id| {
            connection.prepare_cached("DELETE FROM fragments WHERE id = ?1")?.execute([id]).map(|_| ())
        }),
    })
}

/// Forgets whole rows of finished messages; the answer is how many messages.
pub(super) fn forget(
    connection: &Connection,
    stage: &mut SpoolStage,
    older_than: Millis,
    most: usize,
) -> rusqlite::Result<usize> {
    // marks that were asked for are written
    stage.marks(connection)?;
    let mut forgotten = 0;
    let mut oldest =
        connection.prepare_cached("SELECT id, lines FROM finished WHERE at < ?1 ORDER BY at LIMIT 1")?;
    while forgotten < most {
        let row: Option<(i64, Vec<u8>)> =
            oldest.query_one([to_sql(older_than)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((id, lines)) = row else { break };
        for uaop_id in String::from_utf8_lossy(&lines).lines() {
            connection.prepare_cached("DELETE FROM known WHERE uaop_id = ?1")?.execute([uaop_id])?;
            forgotten += 1;
        }
        connection.prepare_cached("DELETE FROM finished WHERE id = ?1")?.execute([id])?;
    }
    Ok(forgotten)
}

fn finish(
    connection: &Connection,
    stage: &mut SpoolStage,
    key: i64,
    outcome: &Outcome,
    at: Millis,
) -> rusqlite::Result<()> {
    let id: Option<String> = connection
        .prepare_cached("DELETE FROM messages WHERE key = ?1 RETURNING uaop_id")?
        .query_one([key], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(()) };
    let outcome = serde_json::to_string(outcome).map_err(unwritable)?;
    connection
        .prepare_cached("UPDATE known SET outcome = ?2 WHERE uaop_id = ?1")?
        .execute(params![id, outcome])?;
    stage.finished(key, &id, at);
    stage.marks(connection)?.unfinished -= 1;
    Ok(())
}

fn keep(connection: &Connection, fragment: &Fragment) -> rusqlite::Result<()> {
    let Fragment { id, account, key, part, parts, coding, content, at } = fragment;
    connection
        .prepare_cached("INSERT OR REPLACE INTO fragments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![id, account.as_str(), key, part, parts, coding, content, to_sql(*at)])?;
    Ok(())
}
