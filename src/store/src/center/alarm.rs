//! One alarm, out of what all who see it say.

use domain::{Alarm, Millis};

use super::AlarmView;
use super::query::Query;
use super::row::{index_key, strange};
use super::value::Columns;
use crate::row::{Strange, from_sql, json, to_sql};

/// Who saw it, at most.
const SEERS: usize = 64;

/// What is known of one alarm.
#[derive(Clone, Debug)]
pub(super) struct Known {
    first_at: Millis,
    times: i64,
    known_at: Option<Millis>,
    seen_by: Vec<String>,
    last: Alarm,
}

/// The row of an alarm.
pub(super) fn find(alarm: &Alarm) -> Query {
    Query::new("SELECT CAST(0 AS bigint), first_at, times, known_at, seen_by, alarm FROM alarms WHERE what = $1 AND about = $2")
        .with(index_key(&alarm.what).into_owned())
        .with(index_key(&alarm.of).into_owned())
}

pub(super) fn read(row: &Columns) -> Result<Known, Strange> {
    let known = || {
        Some(Known {
            first_at: row.at(1)?,
            times: row.int(2)?,
            known_at: row.int(3).map(from_sql),
            seen_by: serde_json::from_str(row.text(4)?).ok()?,
            last: serde_json::from_str(row.text(5)?).ok()?,
        })
    };
    known().ok_or_else(|| strange("alarms", row))
}

impl Known {
    pub(super) fn new(alarm: &Alarm) -> Self {
        let (first_at, last) = (alarm.at, alarm.clone());
        Self { first_at, times: 0, known_at: None, seen_by: vec![seer(alarm)], last }
    }

    /// What was said last counts; what comes late, or again, is only somebody more who saw it. An alarm that is raised
    /// anew is one that no operator knows of.
    pub(super) fn say(&mut self, alarm: &Alarm) {
        let seer = seer(alarm);
        if !self.seen_by.contains(&seer) && self.seen_by.len() < SEERS {
            self.seen_by.push(seer);
            self.seen_by.sort();
        }
        self.first_at = self.first_at.min(alarm.at);
        if (alarm.at, !alarm.raised) <= (self.last.at, !self.last.raised) {
            return;
        }
        if alarm.raised && !self.last.raised {
            self.times = self.times.saturating_add(1);
            self.known_at = None;
        }
        self.last = alarm.clone();
    }

    pub(super) fn write(&self) -> Query {
        Query::new(
            "INSERT INTO alarms (what, about, raised, at, first_at, times, known_at, seen_by, alarm)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (what, about) DO UPDATE SET raised = excluded.raised, at = excluded.at,
                 first_at = excluded.first_at, times = excluded.times, known_at = excluded.known_at,
                 seen_by = excluded.seen_by, alarm = excluded.alarm",
        )
        .with(index_key(&self.last.what).into_owned())
        .with(index_key(&self.last.of).into_owned())
        .with(i64::from(self.last.raised))
        .with(self.last.at)
        .with(to_sql(self.first_at))
        .with(self.times)
        .with(self.known_at)
        .with(json(&self.seen_by))
        .with(json(&self.last))
    }

    pub(super) fn view(self) -> AlarmView {
        AlarmView {
            alarm: self.last,
            first_at: self.first_at,
            times: u64::try_from(self.times).unwrap_or(0),
            seen_by: self.seen_by,
            known_at: self.known_at,
        }
    }
}

fn seer(alarm: &Alarm) -> String {
    format!("{} {} {}", alarm.role, alarm.node, alarm.site)
}
