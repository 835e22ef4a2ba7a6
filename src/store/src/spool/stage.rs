//! What one transaction holds back, because it is cheaper written together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use domain::{Event, Millis};
use rusqlite::{Connection, params};

use super::marks::{Marks, to_sql};
use super::types::Counts;
use crate::sqlite::Stage;

/// Events, or finished messages, in one row. A row costs much more than a line in it; but it is read, and the finished
/// are forgotten, as a whole.
const LINES: usize = 128;

/// The counts, for other threads.
#[derive(Debug, Default)]
pub(super) struct Level {
    unfinished: AtomicU64,
    events: AtomicU64,
    last_event: AtomicI64,
}

impl Level {
    pub(super) fn set(&self, counts: Counts) {
        self.unfinished.store(counts.unfinished, Relaxed);
        self.events.store(counts.events, Relaxed);
        self.last_event.store(counts.last_event, Relaxed);
    }

    pub(super) fn get(&self) -> Counts {
        Counts {
            unfinished: self.unfinished.load(Relaxed),
            events: self.events.load(Relaxed),
            last_event: self.last_event.load(Relaxed),
        }
    }
}

pub(super) struct SpoolStage {
    level: Arc<Level>,
    /// Read when first asked for in a transaction, so that no number outlives a rollback.
    marks: Option<Marks>,
    /// The last one of each message, by its key.
    progress: BTreeMap<i64, String>,
    events: Vec<Lines>,
    finished: Vec<Lines>,
    finished_at: Millis,
}

#[derive(Default)]
struct Lines {
    count: usize,
    bytes: Vec<u8>,
}

impl SpoolStage {
    pub(super) const fn new(level: Arc<Level>) -> Self {
        Self {
            level,
            marks: None,
            progress: BTreeMap::new(),
            events: Vec::new(),
            finished: Vec::new(),
            finished_at: Millis(0),
        }
    }

    pub(super) fn marks(&mut self, connection: &Connection) -> rusqlite::Result<&mut Marks> {
        let marks = match self.marks.take() {
            Some(marks) => marks,
            None => Marks::load(connection)?,
        };
        Ok(self.marks.insert(marks))
    }

    pub(super) fn progress(&mut self, key: i64, progress: &str) {
        self.progress.insert(key, progress.to_owned());
    }

    pub(super) fn event(&mut self, event: &Event) -> rusqlite::Result<()> {
        serde_json::to_writer(line_of(&mut self.events), event).map_err(unwritable)
    }

    pub(super) fn finished(&mut self, key: i64, id: &str, at: Millis) {
        self.progress.remove(&key);
        line_of(&mut self.finished).extend_from_slice(id.as_bytes());
        self.finished_at = self.finished_at.max(at);
    }

    fn clear(&mut self) {
        self.progress.clear();
        self.events.clear();
        self.finished.clear();
        self.finished_at = Millis(0);
    }
}

impl Stage for SpoolStage {
    fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (key, progress) in &self.progress {
            connection
                .prepare_cached("UPDATE messages SET progress = ?2 WHERE key = ?1")?
                .execute(params![key, progress])?;
        }
        for Lines { bytes, .. } in &self.finished {
            connection
                .prepare_cached("INSERT INTO finished (at, lines) VALUES (?1, ?2)")?
                .execute(params![to_sql(self.finished_at), bytes])?;
        }
        for Lines { count, bytes } in std::mem::take(&mut self.events) {
            let marks = self.marks(connection)?;
            let first = marks.last_event + 1;
            marks.last_event += i64::try_from(count).unwrap_or(i64::MAX);
            connection
                .prepare_cached("INSERT INTO events (last, first, lines) VALUES (?1, ?2, ?3)")?
                .execute(params![marks.last_event, first, bytes])?;
        }
        self.clear();
        match self.marks {
            Some(marks) => marks.store(connection),
            // Nothing was changed since a rollback, but perhaps before it: the counts are wanted after the commit.
            None => self.marks(connection).map(|_| ()),
        }
    }

    fn committed(&mut self) {
        if let Some(marks) = self.marks.take() {
            self.level.set(marks.counts());
        }
    }

    fn rolled_back(&mut self) {
        self.marks = None;
        self.clear();
    }
}

/// Where the next line goes.
fn line_of(rows: &mut Vec<Lines>) -> &mut Vec<u8> {
    if rows.last().is_none_or(|row| row.count == LINES) {
        rows.push(Lines::default());
    }
    let index = rows.len() - 1;
    let row = &mut rows[index];
    if row.count > 0 {
        row.bytes.push(b'\n');
    }
    row.count += 1;
    &mut row.bytes
}

pub(super) fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
