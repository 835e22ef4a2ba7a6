//! One process for one store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::StoreError;

/// Held as long as it lives; the kernel lets go of it when the process is gone, however it went.
///
/// It is a file of its own beside the store: SQLite's own locks are lost when anybody else in the process closes the
/// store's file, and its exclusive mode would shut out our own readers.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let path = store.with_added_extension("lock");
        let io = |error: std::io::Error| StoreError::Io { file: path.clone(), detail: error.to_string() };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { file: store.to_owned(), by: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        write!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Closing the file would not do while a child process is being started, which has it, too, until it runs its program.
    fn drop(&mut self) {
        // The kernel lets go of it in any case, a little later.
        let _ = self.file.unlock();
    }
}

fn holder(file: &mut File) -> String {
    let mut id = String::new();
    match file.read_to_string(&mut id) {
        Ok(_) if !id.is_empty() => format!("process {id}"),
        _ => "another process".to_owned(),
    }
}
