//! What is old goes.

use std::sync::Arc;

use domain::Millis;
use domain::join::Journey;

use super::engine::Change;
use super::known::response;
use super::query::Query;
use super::row::strange;
use super::value::Columns;
use crate::row::{Strange, limit};

/// What has a time of its own, and nothing that hangs on it.
const PLAIN: [&str; 4] = [
    "DELETE FROM user_messages WHERE key IN (SELECT key FROM user_messages WHERE at < $1 ORDER BY at LIMIT $2)",
    "DELETE FROM aside WHERE key IN (SELECT key FROM aside WHERE at < $1 ORDER BY at LIMIT $2)",
    "DELETE FROM orders WHERE key IN (SELECT key FROM orders WHERE at < $1 AND waiting = 0 ORDER BY at LIMIT $2)",
    "DELETE FROM alarms WHERE (what, about) IN
        (SELECT what, about FROM alarms WHERE at < $1 AND raised = 0 ORDER BY at LIMIT $2)",
];

/// What is from before `before`; figures from before its `day`. The first that it reads are the messages.
pub(super) fn forget(before: Millis, day: String, most: usize) -> Change {
    let most = limit(most);
    let messages = "SELECT key, journey FROM messages WHERE at < $1 ORDER BY at LIMIT $2";
    let orphans = "SELECT key FROM orphans WHERE at < $1 ORDER BY at LIMIT $2";
    let reads = [messages, orphans].map(|sql| Query::new(sql).with(before).with(most)).to_vec();
    let then = move |rows: &[Vec<Columns>]| {
        let mut writes: Vec<Query> = PLAIN.map(|sql| Query::new(sql).with(before).with(most)).to_vec();
        writes.push(Query::new("DELETE FROM figures WHERE day < $1").with(day.as_str()));
        let [messages, orphans] = rows else { return Ok(writes) };
        let mut open = 0;
        for row in messages {
            open += i64::from(message(row, &mut writes)?);
        }
        for row in orphans {
            let key = row.int(0).ok_or_else(|| strange("orphans", row))?;
            writes.push(Query::new("DELETE FROM orphans WHERE key = $1").with(key));
        }
        let marks = "UPDATE marks SET messages = messages - $1, open = open - $2, orphans = orphans - $3";
        writes.push(Query::new(marks).with(rows_of(messages)).with(open).with(rows_of(orphans)));
        Ok(writes)
    };
    Change { reads, then: Arc::new(then) }
}

/// Whether it was open.
fn message(row: &Columns, writes: &mut Vec<Query>) -> Result<bool, Strange> {
    let read = || {
        let journey: Journey = serde_json::from_str(row.text(1)?).ok()?;
        Some((row.int(0)?, journey))
    };
    let (key, journey) = read().ok_or_else(|| strange("messages", row))?;
    for (carrier, resp_sequence, _) in journey.responses() {
        let (carrier, resp_sequence) = response(carrier, resp_sequence);
        // Of two messages under one id the first has the row.
        let delete = "DELETE FROM responses WHERE carrier = $1 AND resp_sequence = $2 AND message = $3";
        writes.push(Query::new(delete).with(carrier).with(resp_sequence).with(key));
    }
    writes.push(Query::new("DELETE FROM messages WHERE key = $1").with(key));
    Ok(journey.is_open())
}

fn rows_of(rows: &[Columns]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}
