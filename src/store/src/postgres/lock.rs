//! Advisory locks: numbers that all programs of a database share.

use deadpool_postgres::Transaction;
use sha2::{Digest, Sha256};

use crate::StoreError;

/// A number for what is locked, which another program should not hit by chance.
#[must_use]
pub fn lock_key(what: &str) -> i64 {
    let digest = Sha256::digest(format!("smsline: {what}"));
    digest.iter().take(8).fold(0, |key, byte| key << 8 | i64::from(*byte))
}

/// Waits until no other transaction holds `key`, and holds it to the end of this one.
///
/// # Errors
/// It took too long.
pub async fn lock(transaction: &Transaction<'_>, key: i64) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached("SELECT pg_advisory_xact_lock($1)").await?;
    transaction.execute(&statement, &[&key]).await?;
    Ok(())
}
