//! The schema's numbered steps.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;

/// Brings the file to the last of `steps`, the SQL of the steps from number 1 on. Each is one transaction together
/// with its number, so that a kill between two leaves a file that the next start goes on from.
///
/// # Errors
/// [`StoreError::Newer`] if the file is past the last step; what SQLite says of a step.
pub(super) fn migrate(file: &Path, connection: &Connection, steps: &[&str]) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(file, &error);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { file: file.to_owned(), found, known });
    }
    for (number, step) in (1_i64..).zip(steps).filter(|(number, _)| *number > found) {
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        transaction.execute_batch(step).map_err(failed)?;
        transaction.pragma_update(None, "user_version", number).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn only_the_steps_that_are_missing_are_applied() {
        let file = Path::new("x.db");
        let connection = Connection::open_in_memory().unwrap();
        migrate(file, &connection, &["CREATE TABLE a (x)"]).unwrap();
        assert_eq!(version(&connection), 1);
        migrate(file, &connection, &["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).unwrap();
        assert_eq!(version(&connection), 2);
        connection.execute("INSERT INTO b VALUES (1)", []).unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_the_steps_before_it() {
        let file = Path::new("x.db");
        let connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
        assert!(matches!(migrate(file, &connection, &steps), Err(StoreError::Rejected { .. })));
        assert_eq!(version(&connection), 1);
        assert!(connection.execute("INSERT INTO b VALUES (1)", []).is_err());
    }

    #[test]
    fn a_newer_file_is_refused_by_name() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 7).unwrap();
        let refused = migrate(Path::new("spool.db"), &connection, &["CREATE TABLE a (x)"]).unwrap_err();
        assert_eq!(refused, StoreError::Newer { file: "spool.db".into(), found: 7, known: 1 });
        assert!(refused.to_string().starts_with("spool.db: was written by a newer version (its schema is 7"));
    }
}
