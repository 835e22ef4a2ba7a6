//! Taking a message.

use domain::event::Outcome;
use domain::{Millis, Submission, UaopId};
use rusqlite::types::Type;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::marks::to_sql;
use super::stage::{SpoolStage, unwritable};
use super::types::Taken;

/// Bytes of the digest that are kept: enough that two submissions do not share one by chance.
const DIGEST: usize = 16;

pub(super) fn take(
    connection: &Connection,
    stage: &mut SpoolStage,
    submission: &Submission,
    progress: &str,
    now: Millis,
) -> rusqlite::Result<Taken> {
    let json = serde_json::to_string(submission).map_err(unwritable)?;
    let digest = &Sha256::digest(&json)[..DIGEST];
    let id = submission.uaop_id.as_str();
    let marks = stage.marks(connection)?;
    let key = marks.last_key + 1;
    let inserted = connection
        .prepare_cached("INSERT OR IGNORE INTO known (uaop_id, key, digest) VALUES (?1, ?2, ?3)")?
        .execute(params![id, key, digest])?;
    if inserted == 0 {
        return duplicate(connection, id, digest);
    }
    connection
        .prepare_cached(
            "INSERT INTO messages (key, uaop_id, taken_at, progress, submission) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![key, id, to_sql(now), progress, json])?;
    marks.last_key = key;
    marks.unfinished += 1;
    Ok(Taken::New { key })
}

/// Whether a message of this id was taken and is remembered.
pub(super) fn is_known(connection: &Connection, id: &UaopId) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM known WHERE uaop_id = ?1")?.exists([id.as_str()])
}

fn duplicate(connection: &Connection, id: &str, digest: &[u8]) -> rusqlite::Result<Taken> {
    connection.prepare_cached("SELECT key, digest, outcome FROM known WHERE uaop_id = ?1")?.query_one(
        [id],
        |row| {
            let outcome = row.get_ref(2)?.as_str_or_null()?.map(outcome_of).transpose()?;
            Ok(Taken::Duplicate { key: row.get(0)?, same: row.get_ref(1)?.as_blob()? == digest, outcome })
        },
    )
}

fn outcome_of(json: &str) -> rusqlite::Result<Outcome> {
    serde_json::from_str(json)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, Box::new(e)))
}
