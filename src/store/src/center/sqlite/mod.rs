//! The store of the center in a file of its own.

mod load;
mod write;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params_from_iter};

use super::engine::{Change, Changed, Engine};
use super::plan::{Work, plan};
use super::query::Query;
use super::value::{Columns, Value};
use super::{Center, Joined};
use crate::row::Strange;
use crate::sqlite::{Database, Readers, Tuning, Writer, completion};
use crate::{Refused, StoreError};

const FILE: &str = "center.db";
const STEPS: [&str; 1] = [include_str!("001.sql")];
/// Only what belongs to work that was let in is written, and that is never refused.
const QUEUE: usize = 8192;
/// The two indexes that messages fall into at random are as good as the part of them that is in memory.
const CACHE_KIB: u32 = 256 * 1024;

/// Fields in the order in which they must go: the lock on the file last, which the readers hold.
pub(super) struct SqliteCenter {
    writer: Writer<()>,
    readers: Arc<Readers>,
    file: std::path::PathBuf,
    zone: TimeZone,
}

impl SqliteCenter {
    /// Reads and writes the disk: not for a thread that must not wait.
    pub(super) fn open(folder: &Path, zone: TimeZone) -> Result<Center<Self>, StoreError> {
        let file = folder.join(FILE);
        let tuning = Tuning { cache_kib: CACHE_KIB, ..Tuning::default() };
        let (database, connection) = Database::open(&file, &STEPS, tuning)?;
        let writer = Writer::start(&file, connection, (), QUEUE)?;
        let readers = Arc::new(Readers::new(database));
        Ok(Center::new(Self { writer, readers, file, zone: zone.clone() }, zone))
    }

    /// `Strange`: nothing was written.
    async fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&Connection) -> rusqlite::Result<Result<T, Strange>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, written) = completion();
        self.writer.push(move |c, ()| work(c), done)?;
        let written = written.await.unwrap_or(Err(StoreError::Refused(Refused::Stopped)))?;
        written.map_err(|strange| self.strange(strange))
    }
}

#[async_trait]
impl Engine for SqliteCenter {
    async fn read(&self, query: Query) -> Result<Vec<Columns>, StoreError> {
        Readers::run(&self.readers, move |c| Ok(read(c, &query)?)).await
    }

    async fn change(&self, change: Change) -> Result<Changed, StoreError> {
        self.write(move |c| {
            let rows =
                change.reads.iter().map(|query| read(c, query)).collect::<rusqlite::Result<Vec<_>>>()?;
            let statements = match (change.then)(&rows) {
                Ok(statements) => statements,
                Err(strange) => return Ok(Err(strange)),
            };
            let mut written = Vec::with_capacity(statements.len());
            for Query { sql, values } in statements {
                written.push(c.prepare_cached(&sql)?.execute(params_from_iter(values))? as u64);
            }
            Ok(Ok(Changed { read: rows.iter().map(Vec::len).collect(), written }))
        })
        .await
    }

    async fn work(&self, work: Work) -> Result<Joined, StoreError> {
        let zone = self.zone.clone();
        self.write(move |c| {
            let (marks, known) = match load::load(c, &work)? {
                Ok(loaded) => loaded,
                Err(strange) => return Ok(Err(strange)),
            };
            let plan = plan(&work, known, marks, &zone);
            write::write(c, &plan, &marks)?;
            Ok(Ok(plan.joined))
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.writer.is_stopped() {
            return Err(Refused::Stopped.into());
        }
        if self.writer.figures().failing {
            // Nobody may be sending anything while we are not ready: find out ourselves when the disk works again.
            self.write(|c| c.execute("UPDATE marks SET one = 1", []).map(|_| Ok(()))).await?;
        }
        self.read(Query::new("SELECT 1")).await.map(drop)
    }

    fn strange(&self, Strange { table, key }: Strange) -> StoreError {
        StoreError::Unreadable { file: self.file.clone(), table, key }
    }
}

fn read(connection: &Connection, Query { sql, values }: &Query) -> rusqlite::Result<Vec<Columns>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(params_from_iter(values), |row| {
        (0..columns)
            .map(|column| Ok(Value::from(row.get_ref(column)?)))
            .collect::<Result<_, _>>()
            .map(Columns)
    })?;
    rows.collect()
}
