//! Connections that read, each for one reader at a time, on threads that may wait for the disk.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::Database;
use crate::row::Strange;
use crate::{Refused, StoreError};

/// Readers at the same time.
const MOST: usize = 4;

pub(crate) struct Readers {
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
    database: Database,
}

impl Readers {
    pub(crate) fn new(database: Database) -> Self {
        Self { idle: Mutex::default(), turns: Semaphore::new(MOST), database }
    }

    pub(crate) async fn run<T: Send + 'static>(
        readers: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Unread> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = StoreError::Refused(Refused::Stopped);
        let Ok(_turn) = readers.turns.acquire().await else { return Err(stopped) };
        let here = Arc::clone(readers);
        let read = move || {
            let connection = here.take()?;
            let result = work(&connection).map_err(|unread| unread.of(here.database.path()));
            here.idle().push(connection);
            result
        };
        // One that panics says so by itself.
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(stopped))
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.database.reader(), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why something could not be read.
pub(crate) enum Unread {
    Sqlite(rusqlite::Error),
    Strange(Strange),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Strange> for Unread {
    fn from(strange: Strange) -> Self {
        Self::Strange(strange)
    }
}

impl Unread {
    fn of(self, file: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::of(file, &error),
            Self::Strange(Strange { table, key }) => {
                StoreError::Unreadable { file: file.to_owned(), table, key }
            }
        }
    }
}
