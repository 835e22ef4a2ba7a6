//! What can go wrong with a store, for a person: what, where, and what to do. What PostgreSQL says: [`crate::postgres`].

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a store could not be opened, read or written. It never holds what the rows hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    #[error("{}: is in use by {by}; stop that one, or give this one a folder of its own", file.display())]
    InUse { file: PathBuf, by: String },
    #[error(
        "{}: was written by a newer version (its schema is {found}, this program knows {known}); \
         install the newer version again, or start from a backup made before it",
        file.display()
    )]
    Newer { file: PathBuf, found: i64, known: i64 },
    #[error("{}: the disk is full; nothing is written until there is space, then it goes on by itself", file.display())]
    DiskFull { file: PathBuf },
    #[error("{}: is damaged ({detail}); stop the program, keep a copy, and repair it or restore a backup", file.display())]
    Corrupt { file: PathBuf, detail: String },
    #[error("{}: cannot be read or written ({detail}); look at the disk and at the file's owner and mode", file.display())]
    Io { file: PathBuf, detail: String },
    #[error("{}: a row of {table} cannot be understood (key {key}); it was written by another version or is damaged", file.display())]
    Unreadable { file: PathBuf, table: &'static str, key: i64 },
    /// One job failed; those beside it did not.
    #[error("{}: the change was refused ({detail})", file.display())]
    Rejected { file: PathBuf, detail: String },
    #[error(
        "the database does not work now ({detail}); what is asked meanwhile fails, and it goes on by itself"
    )]
    Away { detail: String },
    /// The database took the question and refused it. One job failed; those beside it did not.
    #[error("the database refused this ({detail}); look at the rights of its user and at the server's log")]
    Database { detail: String },
    #[error(
        "the database's schema `{schema}` was written by a newer version (it is {found}, this program knows {known}); \
             install the newer version again, or start from a backup made before it"
    )]
    NewerSchema { schema: String, found: i64, known: i64 },
    #[error(
        "a row of the table `{table}` in the database cannot be understood (key {key}); it was written by another version or is damaged"
    )]
    UnreadableRow { table: &'static str, key: String },
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why a job did not get into the writer's queue. Its completion is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("the store has more waiting than it may; try again later")]
    QueueFull,
    #[error("the store has stopped")]
    Stopped,
}

impl StoreError {
    /// What an error of SQLite on this file means.
    #[must_use]
    pub fn of(file: &Path, error: &rusqlite::Error) -> Self {
        let file = file.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { file },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { file, detail },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::InUse { file, by: "a program that reads or writes it".to_owned() }
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport,
            ) => Self::Io { file, detail },
            _ => Self::Rejected { file, detail },
        }
    }

    /// Whether it is the fault of one job, so that those beside it are worth another try.
    pub(crate) const fn is_one_jobs(&self) -> bool {
        match self {
            Self::Rejected { .. }
            | Self::Unreadable { .. }
            | Self::Database { .. }
            | Self::UnreadableRow { .. } => true,
            Self::InUse { .. }
            | Self::Newer { .. }
            | Self::DiskFull { .. }
            | Self::Corrupt { .. }
            | Self::Io { .. }
            | Self::Away { .. }
            | Self::NewerSchema { .. }
            | Self::Refused(_) => false,
        }
    }

    /// Whether the same may work later without anybody doing something about the store.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Away { .. }
            | Self::DiskFull { .. }
            | Self::InUse { .. }
            | Self::Refused(Refused::QueueFull) => true,
            Self::Newer { .. }
            | Self::Corrupt { .. }
            | Self::Io { .. }
            | Self::Unreadable { .. }
            | Self::Rejected { .. }
            | Self::Database { .. }
            | Self::NewerSchema { .. }
            | Self::UnreadableRow { .. }
            | Self::Refused(Refused::Stopped) => false,
        }
    }
}
