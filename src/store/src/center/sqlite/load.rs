//! What is known of what facts touch.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::known::{Known, Marks, Needs};
use super::super::plan::Work;
use crate::row::{Strange, limit, to_sql};

type Loaded<T> = rusqlite::Result<Result<T, Strange>>;

pub(super) fn load(connection: &Connection, work: &Work) -> Loaded<(Marks, Known)> {
    let marks = marks(connection)?;
    let loaded = match work {
        Work::Join { facts, .. } => joined(connection, &Needs::of(facts), marks.orphans > 0)?,
        Work::Overdue { before, most, .. } => {
            let sql = "SELECT key, uaop_id, journey FROM messages WHERE due < ?1 ORDER BY due LIMIT ?2";
            let mut known = Known::default();
            let found = messages(connection, sql, &[to_sql(*before), limit(*most)], &mut known)?;
            found.map(|()| known)
        }
    };
    Ok(loaded.map(|known| (marks, known)))
}

fn marks(connection: &Connection) -> rusqlite::Result<Marks> {
    connection.prepare_cached("SELECT last_key, messages, open, orphans FROM marks")?.query_one([], |row| {
        Ok(Marks { last_key: row.get(0)?, messages: row.get(1)?, open: row.get(2)?, orphans: row.get(3)? })
    })
}

fn joined(connection: &Connection, needs: &Needs<'_>, orphans: bool) -> Loaded<Known> {
    let mut known = Known::default();
    for id in &needs.ids {
        let sql = "SELECT key, uaop_id, journey FROM messages WHERE uaop_id = ?1";
        if let Err(strange) = messages(connection, sql, &[id.as_str()], &mut known)? {
            return Ok(Err(strange));
        }
    }
    let mut find = connection
        .prepare_cached("SELECT message, part FROM responses WHERE carrier = ?1 AND resp_sequence = ?2")?;
    for response in &needs.reports {
        let found = find.query_row(params![response.0, response.1], |row| Ok((row.get(0)?, row.get(1)?)));
        let Some((key, part)) = found.optional()? else { continue };
        known.responses.insert(response.clone(), (key, part));
        if !known.messages.contains_key(&key) {
            let sql = "SELECT key, uaop_id, journey FROM messages WHERE key = ?1";
            if let Err(strange) = messages(connection, sql, &[key], &mut known)? {
                return Ok(Err(strange));
            }
        }
    }
    if orphans && let Err(strange) = orphans_of(connection, needs, &mut known)? {
        return Ok(Err(strange));
    }
    let mut find = connection.prepare_cached("SELECT 1 FROM user_messages WHERE mo_id = ?1 AND part = ?2")?;
    for key in &needs.user_messages {
        if find.exists(params![key.0, key.1])? {
            known.user_messages.insert(key.clone());
        }
    }
    Ok(Ok(known))
}

fn messages<P: rusqlite::ToSql>(
    connection: &Connection,
    sql: &str,
    parameters: &[P],
    known: &mut Known,
) -> Loaded<()> {
    let mut find = connection.prepare_cached(sql)?;
    let mut rows = find.query(rusqlite::params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        let read = known.message(row.get(0)?, text(row.get_ref(1)?), text(row.get_ref(2)?));
        if let Err(strange) = read {
            return Ok(Err(strange));
        }
    }
    Ok(Ok(()))
}

fn orphans_of(connection: &Connection, needs: &Needs<'_>, known: &mut Known) -> Loaded<()> {
    let mut find = connection.prepare_cached(
        "SELECT key, report, told FROM orphans WHERE carrier = ?1 AND resp_sequence = ?2 ORDER BY key",
    )?;
    for response in &needs.orphans {
        let mut rows = find.query(params![response.0, response.1])?;
        while let Some(row) = rows.next()? {
            let read = known.orphan(row.get(0)?, response.clone(), row.get(1)?, text(row.get_ref(2)?));
            if let Err(strange) = read {
                return Ok(Err(strange));
            }
        }
    }
    Ok(Ok(()))
}

/// What is no text is none that can be read.
fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap_or_default()
}
