//! Where a store is: `store:` in the files of the roles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use settings::Section;

use crate::StoreError;
use crate::center::CenterStore;
use crate::empi::EmpiStore;

/// One of the two engines.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A folder of this process alone.
    Sqlite {
        folder: PathBuf,
    },
    Postgres(Postgres),
}

/// A PostgreSQL server.
#[derive(Clone, PartialEq)]
pub struct Postgres {
    /// `host=… port=… dbname=… user=…`, or a URL, without the password.
    pub url: String,
    pub password: Option<String>,
    /// Connections at most.
    pub connections: usize,
    /// For a connection, and for one statement.
    pub patience: Duration,
    pub tls: bool,
}

impl Place {
    /// Reads `store:` of a section: `{ sqlite: FOLDER }` or `{ postgres: { url, password_file, … } }`.
    pub fn read(_section: &mut Section<'_>) -> Option<Self> {
        unimplemented!()
    }
}

/// Opens the store of an EMPI, brings its schema up to date. `node` is this process among those that share the store.
///
/// # Errors
/// It cannot be reached, is in use (SQLite), or is of a newer version.
pub async fn open_empi(_place: &Place, _node: &str) -> Result<Arc<dyn EmpiStore>, StoreError> {
    unimplemented!()
}

/// Opens the store of the center; days are those of `zone`.
///
/// # Errors
/// As for [`open_empi`].
pub async fn open_center(
    _place: &Place,
    _zone: jiff::tz::TimeZone,
) -> Result<Arc<dyn CenterStore>, StoreError> {
    unimplemented!()
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("url", &self.url).finish_non_exhaustive()
    }
}
