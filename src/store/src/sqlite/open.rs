//! Opening the file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::lock::Lock;
use super::migrate::migrate;

/// How long a connection waits for a lock, for instance when somebody looks into the file by hand.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;

/// What the file may take.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Memory of the writer for pages, in KiB.
    pub cache_kib: u32,
    /// The write-ahead log is carried over into the file when it has this many pages of 4 KiB. Pages that are written
    /// often are carried over once, so more is faster; it is also the longest pause of the writer, and what a start
    /// after a kill must read.
    pub checkpoint_pages: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { cache_kib: 64 * 1024, checkpoint_pages: 8 * 1024 }
    }
}

/// A file that is ours alone until this is dropped, or shared with other processes of this host.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    _lock: Option<Lock>,
}

impl Database {
    /// Opens or makes the file with its folders, readable for its owner only, and brings its schema to the last of
    /// `steps`. The connection is the one to write with: in WAL mode, a commit is on the disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process (or another `Database`) has it, [`StoreError::Newer`] when a newer
    /// program wrote it; what the disk or SQLite says.
    pub fn open(path: &Path, steps: &[&str], tuning: Tuning) -> Result<(Self, Connection), StoreError> {
        make_folder(path)?;
        let lock = Lock::take(path)?;
        let connection = prepare(path, steps, tuning)?;
        Ok((Self { path: path.to_owned(), _lock: Some(lock) }, connection))
    }

    /// As [`Database::open`], for a file that several processes write in turn: a transaction of one waits for those of
    /// the others. Nobody else may be opening it: the caller sees to that.
    ///
    /// # Errors
    /// As [`Database::open`], except that a file in use is none.
    pub fn open_shared(
        path: &Path,
        steps: &[&str],
        tuning: Tuning,
    ) -> Result<(Self, Connection), StoreError> {
        make_folder(path)?;
        let connection = prepare(path, steps, tuning)?;
        Ok((Self { path: path.to_owned(), _lock: None }, connection))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that reads only. It sees what was committed when its statement began, and holds up nobody.
    ///
    /// # Errors
    /// What the disk or SQLite says.
    pub fn reader(&self) -> Result<Connection, StoreError> {
        let connection = connect(&self.path)?;
        connection.pragma_update(None, "query_only", true).map_err(|e| StoreError::of(&self.path, &e))?;
        Ok(connection)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder_of(path)).map_err(|error| io(path, &error))
}

fn io(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { file: path.to_owned(), detail: error.to_string() }
}

fn prepare(path: &Path, steps: &[&str], tuning: Tuning) -> Result<Connection, StoreError> {
    make(path, folder_of(path)).map_err(|error| io(path, &error))?;
    let connection = connect(path).and_then(|connection| tune(path, connection, tuning))?;
    migrate(path, &connection, steps)?;
    Ok(connection)
}

/// Makes the file if it is missing, with its mode from the first moment on; SQLite gives its log the same.
fn make(path: &Path, folder: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        // SQLite makes the entry of the log durable, not that of a file which was there before it.
        Ok(_) => File::open(folder)?.sync_all(),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    });
    opened.map_err(|error| StoreError::of(path, &error))
}

fn tune(path: &Path, connection: Connection, tuning: Tuning) -> Result<Connection, StoreError> {
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    let mode = mode.map_err(|error| StoreError::of(path, &error))?;
    if mode != "wal" {
        let detail = "its file system cannot hold a write-ahead log; use a local disk".to_owned();
        return Err(StoreError::Io { file: path.to_owned(), detail });
    }
    let log_bytes = i64::from(tuning.checkpoint_pages) * 4096 * 2;
    let pragmas = [
        ("synchronous", 2), // FULL
        ("cache_size", -i64::from(tuning.cache_kib)),
        ("wal_autocheckpoint", i64::from(tuning.checkpoint_pages)),
        // After a burst the log gives its space back.
        ("journal_size_limit", log_bytes),
    ];
    for (name, value) in pragmas {
        connection.pragma_update(None, name, value).map_err(|error| StoreError::of(path, &error))?;
    }
    Ok(connection)
}
