//! The schema's numbered steps.

use deadpool_postgres::{Client, Transaction};

use super::lock::{lock, lock_key};
use crate::StoreError;

/// All that is missing in one transaction, behind a lock that the processes of a role share: of two that start together,
/// one waits and finds nothing to do.
pub(super) async fn migrate(client: &mut Client, schema: &str, steps: &[&str]) -> Result<(), StoreError> {
    let transaction = client.transaction().await?;
    // An index on millions of rows takes its time, and so does the other process.
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    lock(&transaction, lock_key(&format!("steps of {schema}"))).await?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found = found(&transaction, schema).await?;
    if found > known {
        return Err(StoreError::NewerSchema { schema: schema.to_owned(), found, known });
    }
    for (number, step) in (1_i64..).zip(steps).filter(|(number, _)| *number > found) {
        transaction.batch_execute(step).await?;
        transaction.execute("UPDATE schema_version SET number = $1", &[&number]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The number of the last step that was applied. Makes what is missing to say so.
async fn found(transaction: &Transaction<'_>, schema: &str) -> Result<i64, StoreError> {
    // IF NOT EXISTS would need the right to make schemas even where its owner has made this one.
    let made = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
    if transaction.query_opt(made, &[&schema]).await?.is_none() {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    let version = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_version'";
    if transaction.query_opt(version, &[&schema]).await?.is_none() {
        let table =
            "CREATE TABLE schema_version (number bigint NOT NULL); INSERT INTO schema_version VALUES (0)";
        transaction.batch_execute(table).await?;
    }
    Ok(transaction.query_one("SELECT number FROM schema_version", &[]).await?.try_get(0)?)
}
