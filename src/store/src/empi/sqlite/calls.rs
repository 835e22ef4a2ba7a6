//! Calls to banks.

use domain::{Bank, Millis};
use rusqlite::{Connection, Row, params};

use super::super::row::{StoredCall, limit, to_sql};
use super::super::{Call, Called};
use super::{Unread, read};

/// An item and the bank to be called about it.
pub(super) type Which = (i64, String);

pub(super) fn due(connection: &Connection, now: Millis, most: usize) -> Result<Vec<Which>, Unread> {
    let which = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let rows = connection
        .prepare_cached("SELECT cursor, bank FROM calls WHERE due <= ?1 ORDER BY due, cursor, bank LIMIT ?2")?
        .query_map([to_sql(now), limit(most)], which)?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

pub(super) fn due_for(
    connection: &Connection,
    bank: &Bank,
    now: Millis,
    most: usize,
) -> Result<Vec<Which>, Unread> {
    let which = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let rows = connection
        .prepare_cached(
            "SELECT cursor, bank FROM calls WHERE bank = ?1 AND due <= ?2 ORDER BY due, cursor LIMIT ?3",
        )?
        .query_map(params![bank.as_str(), to_sql(now), limit(most)], which)?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Those of `due` that nobody was quicker to take.
pub(super) fn lease(
    connection: &Connection,
    due: &[Which],
    now: Millis,
    until: Millis,
) -> rusqlite::Result<Vec<Which>> {
    let mut lease = connection
        .prepare_cached("UPDATE calls SET due = ?3 WHERE cursor = ?1 AND bank = ?2 AND due <= ?4")?;
    let mut leased = Vec::with_capacity(due.len());
    for (cursor, bank) in due {
        if lease.execute(params![cursor, bank, to_sql(until), to_sql(now)])? == 1 {
            leased.push((*cursor, bank.clone()));
        }
    }
    Ok(leased)
}

pub(super) fn read(connection: &Connection, which: &[Which]) -> Result<Vec<Call>, Unread> {
    let mut find = connection.prepare_cached(
        "SELECT i.cursor, i.bank, i.reference, i.item, c.bank, c.tries, c.since
         FROM calls c JOIN items i USING (cursor) WHERE c.cursor = ?1 AND c.bank = ?2",
    )?;
    let mut calls = Vec::with_capacity(which.len());
    for (cursor, bank) in which {
        let stored = |row: &Row<'_>| {
            let item = read::stored_item(row)?;
            Ok(StoredCall { item, bank: row.get(4)?, tries: row.get(5)?, since: row.get(6)? })
        };
        for call in find.query_map(params![cursor, bank], stored)? {
            calls.push(call?.call()?);
        }
    }
    Ok(calls)
}

pub(super) fn called(connection: &Connection, calls: &[(Bank, i64, Called)]) -> rusqlite::Result<()> {
    let mut over = connection.prepare_cached("DELETE FROM calls WHERE cursor = ?1 AND bank = ?2")?;
    let mut again = connection
        .prepare_cached("UPDATE calls SET tries = tries + 1, due = ?3 WHERE cursor = ?1 AND bank = ?2")?;
    for (bank, cursor, called) in calls {
        match called {
            Called::Done | Called::GivenUp => over.execute(params![cursor, bank.as_str()])?,
            Called::Again(at) => again.execute(params![cursor, bank.as_str(), to_sql(*at)])?,
        };
    }
    Ok(())
}
