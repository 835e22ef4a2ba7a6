//! What rows of all stores have in common.

use domain::Millis;
use serde::Serialize;

/// A row that cannot be understood. What serde says of it may quote a number or a text.
#[derive(Debug)]
pub(crate) struct Strange {
    pub table: &'static str,
    pub key: i64,
}

/// Our own types have no maps with keys that JSON lacks, which is all that could fail.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Moments beyond year 292,278,994 are that year's.
pub(crate) fn to_sql(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(crate) fn from_sql(at: i64) -> Millis {
    Millis(u64::try_from(at).unwrap_or(0))
}

/// A count is never below zero.
pub(crate) fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}

/// As a limit of rows.
pub(crate) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
