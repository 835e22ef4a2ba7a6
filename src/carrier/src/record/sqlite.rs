//! The record as a table of SQLite.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::{File, Message};

pub(super) struct SqliteFile {
    connection: Connection,
    last: u64,
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS messages (
    n             INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    account       TEXT NOT NULL,
    connection    INTEGER NOT NULL,
    sequence      TEXT NOT NULL,
    message_id    TEXT,
    source        TEXT NOT NULL,
    destination   TEXT NOT NULL,
    coding        INTEGER NOT NULL,
    reference     INTEGER,
    part          INTEGER NOT NULL,
    parts         INTEGER NOT NULL,
    text          TEXT,
    content       TEXT NOT NULL,
    valid_until   TEXT NOT NULL,
    priority      INTEGER NOT NULL,
    report_wanted INTEGER NOT NULL,
    code          INTEGER NOT NULL,
    answered      INTEGER NOT NULL,
    report        TEXT NOT NULL,
    duplicates    INTEGER NOT NULL
) STRICT";

const COLUMNS: &str = "n, at, account, connection, sequence, message_id, source, destination, coding, reference, part, \
    parts, text, content, valid_until, priority, report_wanted, code, answered, report, duplicates";

impl SqliteFile {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        super::lines::private(path)?;
        let connection = Connection::open(path)?;
        // a batch that is lost with the host's power is no harm to a test
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch(SCHEMA)?;
        let last: Option<i64> = connection.query_row("SELECT max(n) FROM messages", [], |row| row.get(0))?;
        Ok(Self { connection, last: last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0) })
    }
}

impl File for SqliteFile {
    fn last(&self) -> u64 {
        self.last
    }

    fn write(&mut self, messages: &[Message]) -> anyhow::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let marks = vec!["?"; COLUMNS.split(',').count()].join(", ");
            let mut insert =
                transaction.prepare_cached(&format!("INSERT INTO messages ({COLUMNS}) VALUES ({marks})"))?;
            for m in messages {
                insert.execute(params![
                    m.n.cast_signed(),
                    m.at.cast_signed(),
                    m.account,
                    m.connection,
                    m.sequence,
                    m.message_id,
                    m.source,
                    m.destination,
                    m.coding,
                    m.reference,
                    m.part,
                    m.parts,
                    m.text,
                    m.content,
                    m.valid_until,
                    m.priority,
                    m.report_wanted,
                    m.code,
                    m.answered,
                    m.report,
                    m.duplicates,
                ])?;
            }
        }
        transaction.commit()?;
        self.last = messages.last().map_or(self.last, |message| message.n);
        Ok(())
    }

    fn read(&mut self, after: u64, limit: usize) -> anyhow::Result<Vec<Message>> {
        let query = format!("SELECT {COLUMNS} FROM messages WHERE n > ? ORDER BY n LIMIT ?");
        let mut select = self.connection.prepare_cached(&query)?;
        let (after, limit) =
            (i64::try_from(after).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
        let messages = select.query_map([after, limit], message)?.collect::<Result<_, _>>()?;
        Ok(messages)
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        n: row.get::<_, i64>("n")?.cast_unsigned(),
        at: row.get::<_, i64>("at")?.cast_unsigned(),
        account: row.get("account")?,
        connection: row.get("connection")?,
        sequence: row.get("sequence")?,
        message_id: row.get("message_id")?,
        source: row.get("source")?,
        destination: row.get("destination")?,
        coding: row.get("coding")?,
        reference: row.get("reference")?,
        part: row.get("part")?,
        parts: row.get("parts")?,
        text: row.get("text")?,
        content: row.get("content")?,
        valid_until: row.get("valid_until")?,
        priority: row.get("priority")?,
        report_wanted: row.get("report_wanted")?,
        code: row.get("code")?,
        answered: row.get("answered")?,
        report: row.get("report")?,
        duplicates: row.get("duplicates")?,
    })
}
