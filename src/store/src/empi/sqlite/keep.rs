//! What came on the topic.

use std::collections::{BTreeMap, BTreeSet};

use domain::UaopId;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::keep::{self, Keep, Known, Owner, Plan};

pub(super) fn keep(connection: &Connection, keeps: &[Keep]) -> rusqlite::Result<()> {
    let known = known(connection, &keep::ids(keeps))?;
    write(connection, keep::plan(keeps, there(connection, keeps)?, known))
}

fn there(connection: &Connection, keeps: &[Keep]) -> rusqlite::Result<BTreeSet<i64>> {
    let mut find = connection.prepare_cached("SELECT 1 FROM items WHERE cursor = ?1")?;
    let mut there = BTreeSet::new();
    for offset in keep::offsets(keeps) {
        if find.exists([offset])? {
            there.insert(offset);
        }
    }
    Ok(there)
}

fn known(connection: &Connection, ids: &BTreeSet<&UaopId>) -> rusqlite::Result<BTreeMap<UaopId, Known>> {
    let mut message = connection
        .prepare_cached("SELECT key, bank, reference, revision FROM messages WHERE uaop_id = ?1")?;
    let mut stray = connection.prepare_cached("SELECT revision FROM strays WHERE uaop_id = ?1")?;
    let mut known = BTreeMap::new();
    for &id in ids {
        let found = message
            .query_row([id.as_str()], |row| {
                let owner = Owner { key: row.get(0)?, bank: row.get(1)?, reference: row.get(2)? };
                Ok((owner, row.get::<_, u32>(3)?))
            })
            .optional()?;
        let stray: Option<u32> = stray.query_row([id.as_str()], |row| row.get(0)).optional()?;
        let revision = found.as_ref().map_or(0, |(_, revision)| *revision).max(stray.unwrap_or(0));
        known.insert(id.clone(), Known { message: found.map(|(owner, _)| owner), revision });
    }
    Ok(known)
}

fn write(connection: &Connection, plan: Plan) -> rusqlite::Result<()> {
    let Plan { items, messages, strays, calls } = plan;
    let mut item = connection.prepare_cached("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for new in items {
        let id = new.uaop_id.as_ref().map(UaopId::as_str);
        item.execute(params![new.cursor, new.bank, new.reference, id, new.at, new.item])?;
    }
    let mut message =
        connection.prepare_cached("UPDATE messages SET revision = ?2, report = ?3 WHERE key = ?1")?;
    for (key, (revision, cursor)) in messages {
        message.execute(params![key, revision, cursor])?;
    }
    let mut stray = connection.prepare_cached("INSERT OR REPLACE INTO strays VALUES (?1, ?2, ?3)")?;
    for (id, (revision, cursor)) in strays {
        stray.execute(params![id.as_str(), revision, cursor])?;
    }
    let mut call = connection.prepare_cached("INSERT OR IGNORE INTO calls VALUES (?1, ?2, 0, ?3, ?3)")?;
    for (cursor, bank, at) in calls {
        call.execute(params![cursor, bank.as_str(), at])?;
    }
    Ok(())
}
