//! Where a store is: `store:` in the files of the roles.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use settings::{Problem, Section, Value, between, not_zero};

use crate::center::{self, CenterStore};
use crate::empi::EmpiStore;
use crate::empi::postgres::PostgresEmpi;
use crate::empi::sqlite::SqliteEmpi;
use crate::{Refused, StoreError, postgres};

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
    /// Reads `store:` of a section: `{ sqlite: FOLDER }` or `{ postgres: { url, password_file, … } }`. What is noted of a
    /// password or a URL never shows it.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        if !section.has("store") {
            section.node("store");
            section.missing("store", "add `store: { sqlite: FOLDER }` or `store: { postgres: { url: … } }`");
            return None;
        }
        let mut store = section.section("store")?;
        let place = match (store.has("sqlite"), store.has("postgres")) {
            (true, false) => store.required("sqlite").map(|folder| Self::Sqlite { folder }),
            (false, true) => store.section("postgres").and_then(|mut postgres| {
                let place = Postgres::read(&mut postgres);
                postgres.finish();
                place.map(Self::Postgres)
            }),
            both => {
                store.node("sqlite");
                store.node("postgres");
                let said = if both.0 { "both engines are named" } else { "no engine is named" };
                store.faults().missing(
                    store.path().clone(),
                    Problem::new(said, "write `sqlite: FOLDER` or `postgres: { url: … }`"),
                );
                None
            }
        };
        store.finish();
        place
    }
}

impl Postgres {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let url = section.required::<String>("url");
        if let Some(Err(problem)) = url.as_deref().map(postgres::check_url) {
            let advice = "write for instance \"host=192.0.2.1 dbname=smsline user=smsline\"";
            fault(section, "url", Problem::new(problem, advice));
            return None;
        }
        let password = password(section);
        let connections = section.checked("connections", 8_u16, between(1, 1000));
        let patience = section.checked("patience", Duration::from_secs(10), not_zero);
        let tls = section.or("tls", false);
        Some(Self { url: url?, password: password?, connections: connections.into(), patience, tls })
    }
}

/// `None`: it cannot be read. Without one the server must let its user in by other means.
fn password(section: &mut Section<'_>) -> Option<Option<String>> {
    let text = section.node("password").map(|node| &node.value);
    let in_file = section.node("password_file").is_some();
    let (key, problem) = match text {
        None if in_file => match secret_of(&section.optional::<PathBuf>("password_file")?) {
            Ok(password) => return Some(Some(password)),
            Err(problem) => ("password_file", problem),
        },
        None => return Some(None),
        Some(_) if in_file => {
            ("password", Problem::new("`password_file` says this too", "remove one of the two"))
        }
        Some(Value::Text(text)) => return Some(Some(text.clone())),
        // as a number it may have lost a zero
        Some(_) => ("password", Problem::new("this is not a text", "write it in quotes")),
    };
    fault(section, key, problem);
    None
}

/// Notes a fault without the value.
fn fault(section: &Section<'_>, key: &str, problem: Problem) {
    let problem = Problem::new(format!("`{key}`: {}", problem.problem), problem.advice);
    section.faults().missing(section.path().clone(), problem);
}

fn secret_of(file: &Path) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| {
        let advice = "put the password on the file's only line, and let the user of this program read it";
        Problem::new(format!("this file cannot be read: {error}"), advice)
    };
    if fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o007 != 0 {
        let advice = format!("chmod o= {}", file.display());
        return Err(Problem::new("every user of this host can read this file", advice));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Opens the store of an EMPI, brings its schema up to date. `node` is this process among those that share the store.
///
/// # Errors
/// It cannot be reached, is in use (SQLite), or is of a newer version.
pub async fn open_empi(place: &Place, node: &str) -> Result<Arc<dyn EmpiStore>, StoreError> {
    match place {
        Place::Sqlite { folder } => {
            let folder = folder.clone();
            let opened = tokio::task::spawn_blocking(move || SqliteEmpi::open(&folder)).await;
            Ok(Arc::new(opened.unwrap_or(Err(StoreError::Refused(Refused::Stopped)))?))
        }
        Place::Postgres(place) => Ok(Arc::new(PostgresEmpi::open(place, node).await?)),
    }
}

/// Opens the store of the center; days are those of `zone`.
///
/// # Errors
/// As for [`open_empi`].
pub async fn open_center(
    place: &Place,
    zone: jiff::tz::TimeZone,
) -> Result<Arc<dyn CenterStore>, StoreError> {
    center::open(place, zone).await
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("url", &self.url).finish_non_exhaustive()
    }
}
