//! What the last run left.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use domain::{Account, Millis};
use rusqlite::{Connection, Row};

use super::marks::{Marks, from_sql};
use super::types::{Consumer, Counts, Fragment, Stored};
use crate::sqlite::{Database, StoreError};

/// Messages read at once.
const PAGE: i64 = 1000;

#[derive(Debug)]
pub struct Recovered {
    /// This run's epoch: when it started, or a millisecond after the last run's if the clock went back. No two runs of
    /// one spool have the same.
    pub epoch: Millis,
    pub counts: Counts,
    pub messages: Unfinished,
    pub fragments: Vec<Fragment>,
    pub consumers: Vec<Consumer>,
}

/// The messages that were unfinished when the spool was opened, in the order of their keys, read from the disk piece by
/// piece. It may be read while the spool works: one that is finished meanwhile may be missing. Until it is dropped, the
/// folder stays in use.
#[derive(Debug)]
pub struct Unfinished {
    database: Arc<Database>,
    connection: Connection,
    page: VecDeque<Stored>,
    after: i64,
    last: i64,
    over: bool,
}

pub(super) fn recover(
    database: &Arc<Database>,
    connection: &Connection,
    started: Millis,
) -> Result<Recovered, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(database.path(), &error);
    let mut marks = Marks::load(connection).map_err(failed)?;
    marks.epoch = started.max(Millis(marks.epoch.0.saturating_add(1)));
    marks.store(connection).map_err(failed)?;
    let messages = Unfinished {
        database: database.clone(),
        connection: database.reader()?,
        page: VecDeque::new(),
        after: 0,
        last: marks.last_key,
        over: false,
    };
    let fragments = fragments(database.path(), connection)?;
    let consumers = consumers(connection).map_err(failed)?;
    Ok(Recovered { epoch: marks.epoch, counts: marks.counts(), messages, fragments, consumers })
}

impl Iterator for Unfinished {
    type Item = Result<Stored, StoreError>;

    /// After an error nothing more comes.
    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.over {
            match self.read() {
                Ok(page) => self.page = page,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        let next = self.page.pop_front();
        match &next {
            Some(stored) => self.after = stored.key,
            None => self.over = true,
        }
        next.map(Ok)
    }
}

impl Unfinished {
    fn read(&self) -> Result<VecDeque<Stored>, StoreError> {
        let file = self.database.path();
        let failed = |error: rusqlite::Error| StoreError::of(file, &error);
        let sql = "SELECT key, taken_at, progress, submission FROM messages
                   WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query([self.after, self.last, PAGE]).map_err(failed)?;
        let mut page = VecDeque::new();
        while let Some(row) = rows.next().map_err(failed)? {
            page.push_back(stored(file, row)?);
        }
        Ok(page)
    }
}

fn stored(file: &Path, row: &Row<'_>) -> Result<Stored, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(file, &error);
    let key = row.get(0).map_err(failed)?;
    let json = row.get_ref(3).and_then(|value| Ok(value.as_str()?)).map_err(failed)?;
    // What serde says may quote a number or a text.
    let unreadable = |_| StoreError::Unreadable { file: file.to_owned(), table: "messages", key };
    Ok(Stored {
        key,
        taken_at: from_sql(row.get(1).map_err(failed)?),
        progress: row.get(2).map_err(failed)?,
        submission: serde_json::from_str(json).map_err(unreadable)?,
    })
}

fn consumers(connection: &Connection) -> rusqlite::Result<Vec<Consumer>> {
    let mut statement = connection.prepare("SELECT name, acknowledged FROM consumers ORDER BY name")?;
    let consumer = |row: &Row<'_>| Ok(Consumer { name: row.get(0)?, acknowledged: row.get(1)? });
    statement.query_map([], consumer)?.collect()
}

fn fragments(file: &Path, connection: &Connection) -> Result<Vec<Fragment>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(file, &error);
    let sql = "SELECT id, account, key, part, parts, coding, content, at FROM fragments ORDER BY id";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut fragments = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let id = row.get(0).map_err(failed)?;
        let unreadable = |_| StoreError::Unreadable { file: file.to_owned(), table: "fragments", key: id };
        let account: Account = row.get::<_, String>(1).map_err(failed)?.parse().map_err(unreadable)?;
        fragments.push(fragment(row, id, account).map_err(failed)?);
    }
    Ok(fragments)
}

fn fragment(row: &Row<'_>, id: i64, account: Account) -> rusqlite::Result<Fragment> {
    Ok(Fragment {
        id,
        account,
        key: row.get(2)?,
        part: row.get(3)?,
        parts: row.get(4)?,
        coding: row.get(5)?,
        content: row.get(6)?,
        at: from_sql(row.get(7)?),
    })
}
