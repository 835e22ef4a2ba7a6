//! What was planned.

use rusqlite::{Connection, params};

use super::super::known::Marks;
use super::super::plan::{Plan, Update};
use crate::row::to_sql;

pub(super) fn write(connection: &Connection, plan: &Plan, before: &Marks) -> rusqlite::Result<()> {
    messages(connection, plan)?;
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO responses VALUES (?1, ?2, ?3, ?4)")?;
    for ((carrier, resp_sequence), key, part) in &plan.responses {
        insert.execute(params![carrier, resp_sequence, key, part])?;
    }
    orphans(connection, plan)?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO user_messages (mo_id, part, at, sender, empi, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in &plan.user_messages {
        insert.execute(params![row.mo_id, row.part, row.at, row.sender, row.empi, row.message])?;
    }
    let mut insert = connection.prepare_cached("INSERT INTO outbox (record) VALUES (?1)")?;
    for record in &plan.outbox {
        insert.execute([record])?;
    }
    let mut add = connection.prepare_cached(
        "INSERT INTO figures VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, parts = parts + excluded.parts",
    )?;
    for (key, sum) in plan.figures.iter() {
        add.execute(params![key.day, key.empi, key.class, key.carrier, key.state, sum.messages, sum.parts])?;
    }
    let Marks { last_key, messages, open, orphans } = plan.marks;
    if plan.marks != *before {
        connection
            .prepare_cached("UPDATE marks SET last_key = ?1, messages = ?2, open = ?3, orphans = ?4")?
            .execute([last_key, messages, open, orphans])?;
    }
    Ok(())
}

/// Only the indexes of columns that have changed are touched.
fn messages(connection: &Connection, plan: &Plan) -> rusqlite::Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for row in &plan.inserted {
        let (id, at) = (row.uaop_id.as_str(), row.at);
        let values =
            params![row.key, id, at, row.number, row.empi, row.carrier, row.stage, row.due, row.journey];
        insert.execute(values)?;
    }
    let mut journey = connection
        .prepare_cached("UPDATE messages SET carrier = ?2, stage = ?3, journey = ?4 WHERE key = ?1")?;
    let mut place =
        connection.prepare_cached("UPDATE messages SET at = ?2, number = ?3, empi = ?4 WHERE key = ?1")?;
    let mut waits = connection.prepare_cached("UPDATE messages SET due = ?2 WHERE key = ?1")?;
    for Update { row, elsewhere, due } in &plan.updated {
        journey.execute(params![row.key, row.carrier, row.stage, row.journey])?;
        if *elsewhere {
            place.execute(params![row.key, row.at, row.number, row.empi])?;
        }
        if *due {
            waits.execute(params![row.key, row.due])?;
        }
    }
    Ok(())
}

fn orphans(connection: &Connection, plan: &Plan) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM orphans WHERE key = ?1")?;
    for key in &plan.adopted {
        delete.execute([key])?;
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO orphans (carrier, resp_sequence, report, at, told) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (carrier, resp_sequence, report) DO UPDATE SET at = excluded.at, told = excluded.told",
    )?;
    for row in &plan.orphans {
        let (carrier, resp_sequence) = &row.response;
        put.execute(params![carrier, resp_sequence, row.report, to_sql(row.at), row.told])?;
    }
    Ok(())
}
