//! What PostgreSQL says, for a person.

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error.as_db_error() {
            Some(said) => {
                // Its details may quote what the rows hold.
                let detail = format!("{} {}", said.code().code(), said.message());
                if passes(said.code()) { Self::Away { detail } } else { Self::Database { detail } }
            }
            None if error.is_closed() => Self::Away { detail: error.to_string() },
            None => {
                let source = std::error::Error::source(&error);
                let detail = match source {
                    Some(source) => format!("{error}: {source}"),
                    None => error.to_string(),
                };
                // The rest is an answer that we do not understand, or a login that cannot be.
                if source.is_some_and(|source| source.is::<std::io::Error>()) {
                    Self::Away { detail }
                } else {
                    Self::Database { detail }
                }
            }
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::Away { detail: "no connection in time".to_owned() },
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::Away { detail: error.to_string() }
            }
        }
    }
}

/// Whether the server may do later what it refused now: by the class of the code, its first two characters.
fn passes(code: &SqlState) -> bool {
    match &code.code()[..2] {
        // connection, rolled back (deadlock), resources (disk, memory, connections), operator (shutdown, timeout), system
        "08" | "40" | "53" | "57" | "58" => true,
        _ => {
            *code == SqlState::READ_ONLY_SQL_TRANSACTION
                || *code == SqlState::LOCK_NOT_AVAILABLE
                || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_busy_starting_or_a_replica_is_away_and_one_that_refuses_is_not() {
        let passing = [
            SqlState::CONNECTION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::DISK_FULL,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::QUERY_CANCELED,
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ];
        assert!(passing.iter().all(passes));
        let lasting = [
            SqlState::INVALID_PASSWORD,
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::UNIQUE_VIOLATION,
            SqlState::UNDEFINED_TABLE,
            SqlState::INVALID_CATALOG_NAME,
        ];
        assert!(!lasting.iter().any(passes));
    }
}
