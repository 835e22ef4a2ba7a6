//! The row that numbers everything else.

use domain::Millis;
use rusqlite::{Connection, params};

use super::types::Counts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) epoch: Millis,
    pub(super) last_key: i64,
    pub(super) last_event: i64,
    pub(super) acknowledged: i64,
    pub(super) unfinished: i64,
}

impl Marks {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT epoch, last_key, last_event, acknowledged, unfinished FROM marks";
        connection.prepare_cached(sql)?.query_one([], |row| {
            Ok(Self {
                epoch: from_sql(row.get(0)?),
                last_key: row.get(1)?,
                last_event: row.get(2)?,
                acknowledged: row.get(3)?,
                unfinished: row.get(4)?,
            })
        })
    }

    pub(super) fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Self { epoch, last_key, last_event, acknowledged, unfinished } = *self;
        let sql =
            "UPDATE marks SET epoch = ?1, last_key = ?2, last_event = ?3, acknowledged = ?4, unfinished = ?5";
        connection.prepare_cached(sql)?.execute(params![
            to_sql(epoch),
            last_key,
            last_event,
            acknowledged,
            unfinished
        ])?;
        Ok(())
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Counts {
            unfinished: count(self.unfinished),
            events: count(self.last_event - self.acknowledged),
            last_event: self.last_event,
        }
    }
}

/// SQLite's integers have a sign; time is over before it matters.
pub(super) fn to_sql(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(time: i64) -> Millis {
    Millis(u64::try_from(time).unwrap_or(0))
}
