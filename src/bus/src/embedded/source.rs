//! One topic as a member reads it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::group::{self, Identity, Mark, Standing};
use super::log;
use super::topic::{Topic, monotonic};
use crate::{BusError, Delivered};

/// How long a partition that another member should have is kept for a commit.
const GRACE: Duration = Duration::from_secs(2);

/// A record on its way to who asked.
#[derive(Debug)]
pub(super) struct Taken {
    /// The number of its source.
    pub(super) source: usize,
    pub(super) epoch: i64,
    pub(super) delivered: Delivered,
}

pub(super) struct Source {
    pub(super) topic: Arc<Topic>,
    number: usize,
    reader: Connection,
    held: BTreeMap<u32, Held>,
    share: usize,
    /// SQLite's number of the file's state, when everything was read.
    read_out: Option<i64>,
    /// The partition from which the next read begins.
    turn: u32,
}

#[derive(Debug)]
struct Held {
    epoch: i64,
    /// The offset of the record that is read next.
    position: i64,
    committed: i64,
    /// Since when another member should have it: it is not read any more.
    leaving: Option<Instant>,
}

impl Source {
    pub(super) fn open(topic: Arc<Topic>, number: usize) -> Result<Self, BusError> {
        let reader = topic.reader()?;
        let share = topic.partitions as usize;
        Ok(Self { topic, number, reader, held: BTreeMap::new(), share, read_out: None, turn: 0 })
    }

    /// Says that the member is there, lets go and takes. Whether it has what it should.
    pub(super) fn tick(&mut self, identity: &Identity) -> Result<bool, BusError> {
        let releases = self.releases();
        let (identity, partitions) = (identity.clone(), self.topic.partitions);
        let standing = self.topic.write(move |connection| {
            group::tick(connection, &identity, partitions, monotonic(), &releases)
        })?;
        self.settle(&standing);
        Ok(self.held.len() == self.share)
    }

    /// Appends what there is, until there are `most` or no `bytes` are left.
    pub(super) fn read(
        &mut self,
        most: usize,
        bytes: &mut usize,
        taken: &mut Vec<Taken>,
    ) -> Result<(), BusError> {
        // asked before reading: what is written meanwhile changes it again
        let version = self.version()?;
        if self.read_out == Some(version) {
            return Ok(());
        }
        self.turn = (self.turn + 1) % self.topic.partitions;
        let partitions = (self.turn..self.topic.partitions).chain(0..self.turn);
        for partition in partitions {
            let Some(held) = self.held.get_mut(&partition).filter(|held| held.leaving.is_none()) else {
                continue;
            };
            let room = most.saturating_sub(taken.len());
            if room == 0 || *bytes == 0 {
                return Ok(());
            }
            let read = log::read(&self.reader, partition, held.position, room, *bytes);
            let (rows, more) = read.map_err(|error| self.topic.meaning(&error))?;
            for row in rows {
                held.position = row.offset + 1;
                *bytes = bytes.saturating_sub(row.value.len());
                let topic = self.topic.name.clone();
                let delivered =
                    Delivered { topic, partition, offset: row.offset, key: row.key, value: row.value };
                taken.push(Taken { source: self.number, epoch: held.epoch, delivered });
            }
            if more {
                return Ok(());
            }
        }
        self.read_out = Some(version);
        Ok(())
    }

    /// The partitions that are lost.
    pub(super) fn commit(&mut self, identity: &Identity, marks: Vec<Mark>) -> Result<Vec<u32>, BusError> {
        let (identity, made) = (identity.clone(), marks.clone());
        let lost = self.topic.write(move |connection| group::commit(connection, &identity, &made))?;
        for mark in marks {
            if lost.contains(&mark.partition) {
                self.held.retain(|partition, held| *partition != mark.partition || held.epoch != mark.epoch);
            } else if let Some(held) = self.held.get_mut(&mark.partition) {
                held.committed = mark.next;
            }
        }
        Ok(lost)
    }

    /// Whether a partition can be let go of.
    pub(super) fn is_leaving(&self) -> bool {
        self.held.values().any(Held::is_free_to_go)
    }

    /// Marks what others should have; what of it can go now.
    fn releases(&mut self) -> Vec<u32> {
        let surplus = self.held.len().saturating_sub(self.share);
        for (count, held) in self.held.values_mut().rev().enumerate() {
            if count < surplus {
                held.leaving.get_or_insert_with(Instant::now);
            } else if held.leaving.take().is_some() {
                self.read_out = None;
            }
        }
        self.held.iter().filter(|(_, held)| held.is_free_to_go()).map(|(partition, _)| *partition).collect()
    }

    fn settle(&mut self, standing: &Standing) {
        let mut before = std::mem::take(&mut self.held);
        for lease in &standing.leases {
            let kept = before.remove(&lease.partition).filter(|held| held.epoch == lease.epoch);
            let held = kept.unwrap_or_else(|| {
                self.read_out = None;
                Held { epoch: lease.epoch, position: lease.next, committed: lease.next, leaving: None }
            });
            self.held.insert(lease.partition, held);
        }
        self.share = standing.share;
    }

    fn version(&self) -> Result<i64, BusError> {
        let mut pragma =
            self.reader.prepare_cached("PRAGMA data_version").map_err(|error| self.topic.meaning(&error))?;
        pragma.query_row([], |row| row.get(0)).map_err(|error| self.topic.meaning(&error))
    }
}

impl Held {
    fn is_free_to_go(&self) -> bool {
        self.leaving.is_some_and(|since| self.position == self.committed || since.elapsed() >= GRACE)
    }
}
