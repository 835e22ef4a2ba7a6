//! The records of a topic's file: what is appended, read, and dropped when it is old.

use rusqlite::{Connection, OptionalExtension, params};

use crate::Record;

/// Bits of a record's id that are its offset.
const OFFSET_BITS: u32 = 48;
/// Partitions of a topic at most.
pub(super) const PARTITIONS: u32 = 1024;
/// Records of a partition that one sweep looks at.
const SWEPT: u32 = 1000;

/// A record and where it goes.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) partition: u32,
    pub(super) record: Record,
}

/// A record as it is read.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) offset: i64,
    pub(super) key: String,
    pub(super) value: Vec<u8>,
}

/// The number of partitions; none: the making of the topic was cut short.
pub(super) fn partitions(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    connection.query_row("SELECT partitions FROM topic", [], |row| row.get(0)).optional()
}

pub(super) fn make(connection: &Connection, partitions: u32) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for number in 0..partitions {
        transaction.execute("INSERT INTO partition (number, next) VALUES (?1, 0)", [number])?;
    }
    transaction.execute("INSERT INTO topic (one, partitions) VALUES (1, ?1)", [partitions])?;
    transaction.commit()
}

/// Those of one partition must stand together.
pub(super) fn append(connection: &Connection, at: i64, records: &[Placed]) -> rusqlite::Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT INTO record (id, at, key, value) VALUES (?1, ?2, ?3, ?4)")?;
    for run in records.chunk_by(|one, next| one.partition == next.partition) {
        let partition = run[0].partition;
        let count = i64::try_from(run.len()).unwrap_or(i64::MAX);
        let mut advance = connection
            .prepare_cached("UPDATE partition SET next = next + ?2 WHERE number = ?1 RETURNING next")?;
        let next: i64 = advance.query_row(params![partition, count], |row| row.get(0))?;
        for (offset, placed) in (next - count..).zip(run) {
            insert.execute(params![id(partition, offset), at, placed.record.key, placed.record.value])?;
        }
    }
    Ok(())
}

/// Records of a partition from an offset on: `most` at most, and no more after `bytes` of values. Whether there may be
/// more.
pub(super) fn read(
    connection: &Connection,
    partition: u32,
    from: i64,
    most: usize,
    bytes: usize,
) -> rusqlite::Result<(Vec<Row>, bool)> {
    let mut select = connection.prepare_cached(
        "SELECT id, key, value FROM record WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
    )?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut found = select.query(params![id(partition, from), id(partition + 1, 0), limit])?;
    let (mut rows, mut size) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let id: i64 = row.get(0)?;
        let row = Row { offset: id & ((1 << OFFSET_BITS) - 1), key: row.get(1)?, value: row.get(2)? };
        size += row.value.len();
        rows.push(row);
        if size >= bytes {
            return Ok((rows, true));
        }
    }
    let more = rows.len() == most;
    Ok((rows, more))
}

/// Drops the first records of each partition that were written before `before`. Whether there may be more.
pub(super) fn sweep(connection: &Connection, partitions: u32, before: i64) -> rusqlite::Result<bool> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM record WHERE at < ?4 AND id IN \
         (SELECT id FROM record WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3)",
    )?;
    let mut more = false;
    for partition in 0..partitions {
        let gone = delete.execute(params![id(partition, 0), id(partition + 1, 0), SWEPT, before])?;
        more |= gone == SWEPT as usize;
    }
    Ok(more)
}

fn id(partition: u32, offset: i64) -> i64 {
    i64::from(partition) << OFFSET_BITS | offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(partitions: u32) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("001.sql")).unwrap();
        make(&connection, partitions).unwrap();
        connection
    }

    fn placed(partition: u32, value: &str) -> Placed {
        Placed { partition, record: Record { key: "key".to_owned(), value: value.into() } }
    }

    fn values(connection: &Connection, partition: u32, from: i64) -> Vec<(i64, String)> {
        let (rows, _) = read(connection, partition, from, 100, usize::MAX).unwrap();
        rows.into_iter().map(|row| (row.offset, String::from_utf8(row.value).unwrap())).collect()
    }

    #[test]
    fn offsets_grow_in_each_partition_on_its_own() {
        let connection = topic(2);
        append(&connection, 1, &[placed(0, "a"), placed(0, "b"), placed(1, "c")]).unwrap();
        append(&connection, 2, &[placed(0, "d")]).unwrap();
        let text = str::to_owned;
        assert_eq!(values(&connection, 0, 0), [(0, text("a")), (1, text("b")), (2, text("d"))]);
        assert_eq!(values(&connection, 0, 2), [(2, text("d"))]);
        assert_eq!(values(&connection, 1, 0), [(0, text("c"))]);
    }

    #[test]
    fn a_read_ends_after_its_bytes_but_brings_one() {
        let connection = topic(1);
        append(&connection, 1, &[placed(0, "long"), placed(0, "longer")]).unwrap();
        let (rows, more) = read(&connection, 0, 0, 100, 1).unwrap();
        assert_eq!((rows.len(), more), (1, true));
    }

    #[test]
    fn what_is_old_goes_and_its_offsets_do_not_come_again() {
        let connection = topic(2);
        append(&connection, 1, &[placed(0, "old"), placed(1, "old")]).unwrap();
        append(&connection, 5, &[placed(1, "new")]).unwrap();
        assert!(!sweep(&connection, 2, 5).unwrap());
        append(&connection, 6, &[placed(0, "next")]).unwrap();
        assert_eq!(values(&connection, 0, 0), [(1, "next".to_owned())]);
        assert_eq!(values(&connection, 1, 0), [(1, "new".to_owned())]);
    }

    #[test]
    fn a_sweep_is_short_and_says_that_there_is_more() {
        let connection = topic(1);
        let old: Vec<Placed> = (0..=SWEPT).map(|_| placed(0, "old")).collect();
        append(&connection, 1, &old).unwrap();
        assert!(sweep(&connection, 1, 5).unwrap());
        assert!(!sweep(&connection, 1, 5).unwrap());
        assert_eq!(values(&connection, 0, 0), []);
    }
}
