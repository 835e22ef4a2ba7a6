//! Connections that read, each for one reader at a time, on threads that may wait for the disk.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::Unread;
use crate::sqlite::Database;
use crate::{Refused, StoreError};

/// Readers at the same time.
const MOST: usize = 4;

pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
    database: Database,
}

impl Readers {
    pub(super) fn new(database: Database) -> Self {
        Self { idle: Mutex::default(), turns: Semaphore::new(MOST), database }
    }

    pub(super) async fn run<T: Send + 'static>(
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
