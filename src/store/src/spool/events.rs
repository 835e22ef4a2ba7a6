//! Telling events, and letting go of them.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::stage::{SpoolStage, unwritable};
use super::types::Consumer;
use crate::sqlite::StoreError;

/// Rows deleted at once, at most: one that comes back after a day must not hold up everybody else.
const DELETE: i64 = 1000;

pub(super) fn read(
    file: &Path,
    connection: &Connection,
    after: i64,
    most: usize,
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(file, &error);
    // A row may hold acknowledged events too: it goes when its last one is acknowledged.
    let sql = "SELECT first, lines, max(?1, acknowledged) FROM events, marks
               WHERE last > max(?1, acknowledged) ORDER BY last";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([after]).map_err(failed)?;
    let mut events = Vec::new();
    while events.len() < most
        && let Some(row) = rows.next().map_err(failed)?
    {
        read_row(file, row, most, &mut events)?;
    }
    Ok(events)
}

pub(super) fn acknowledge(
    connection: &Connection,
    stage: &mut SpoolStage,
    consumers: &[Consumer],
) -> rusqlite::Result<()> {
    let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name.as_str()).collect();
    let names = serde_json::to_string(&names).map_err(unwritable)?;
    connection
        .prepare_cached("DELETE FROM consumers WHERE name NOT IN (SELECT value FROM json_each(?1))")?
        .execute([names])?;
    for Consumer { name, acknowledged } in consumers {
        connection
            .prepare_cached(
                "INSERT INTO consumers VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET acknowledged = ?2 WHERE acknowledged <> ?2",
            )?
            .execute(params![name, acknowledged])?;
    }
    let Some(up_to) = consumers.iter().map(|consumer| consumer.acknowledged).min() else { return Ok(()) };
    let marks = stage.marks(connection)?;
    marks.acknowledged = marks.acknowledged.max(up_to.min(marks.last_event));
    let sql =
        "DELETE FROM events WHERE last IN (SELECT last FROM events WHERE last <= ?1 ORDER BY last LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![marks.acknowledged, DELETE])?;
    Ok(())
}

fn read_row(
    file: &Path,
    row: &Row<'_>,
    most: usize,
    events: &mut Vec<(i64, Vec<u8>)>,
) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(file, &error);
    let first: i64 = row.get(0).map_err(failed)?;
    let after: i64 = row.get(2).map_err(failed)?;
    let lines = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(failed)?;
    let numbered = (first..).zip(lines.split(|&byte| byte == b'\n'));
    for (number, line) in numbered.skip_while(|&(number, _)| number <= after).take(most - events.len()) {
        if !(line.starts_with(b"{") && line.ends_with(b"}")) {
            return Err(StoreError::Unreadable { file: file.to_owned(), table: "events", key: number });
        }
        events.push((number, line.to_vec()));
    }
    Ok(())
}
