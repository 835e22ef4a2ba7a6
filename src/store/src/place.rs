//! Where a store is: `store:` in the files of the roles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runtime::config::secret_file;
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
        None if in_file => match secret_file(
            &section.optional::<PathBuf>("password_file")?,
            "password",
            "the user of this program",
        ) {
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

#[cfg(test)]
mod tests {
    use settings::{Fault, Faults, parse};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(text: &str) -> (Option<Place>, Vec<Fault>) {
        let node = parse(text).unwrap();
        let faults = Faults::default();
        let mut section = Section::open(&node, &faults).unwrap();
        let place = Place::read(&mut section);
        section.finish();
        (place, faults.into_vec())
    }

    fn faults(text: &str) -> String {
        let (place, faults) = read(text);
        assert_eq!(place, None, "{text}");
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn a_place_is_one_of_two_engines() {
        let folder = Place::Sqlite { folder: "/var/lib/smsline".into() };
        assert_eq!(read("store: { sqlite: /var/lib/smsline }"), (Some(folder), Vec::new()));
        let url = "host=192.0.2.1 dbname=empi user=empi";
        let place = Place::Postgres(Postgres {
            url: url.to_owned(),
            password: Some("01".to_owned()),
            connections: 8,
            patience: Duration::from_secs(10),
            tls: false,
        });
        let text = format!("store: {{ postgres: {{ url: \"{url}\", password: \"01\" }} }}");
        assert_eq!(read(&text), (Some(place.clone()), Vec::new()));
        let Place::Postgres(defaults) = place else { panic!("another engine") };
        let all = Postgres {
            password: None,
            connections: 3,
            patience: Duration::from_secs(2),
            tls: true,
            ..defaults
        };
        let text =
            format!("store: {{ postgres: {{ url: \"{url}\", connections: 3, patience: 2s, tls: true }} }}");
        assert_eq!(read(&text), (Some(Place::Postgres(all)), Vec::new()));
    }

    #[test]
    fn a_password_is_the_line_of_a_file_that_not_everybody_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "s3cret \n").unwrap();
        let url = "postgresql://empi@192.0.2.1/empi";
        let text = format!("store: {{ postgres: {{ url: \"{url}\", password_file: {} }} }}", file.display());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(faults(&text).contains("every user of this host can read this file"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let (place, _) = read(&text);
        assert!(
            matches!(&place, Some(Place::Postgres(place)) if place.password.as_deref() == Some("s3cret "))
        );
        assert!(!format!("{place:?}").contains("s3cret"));
        fs::remove_file(&file).unwrap();
        assert!(faults(&text).contains("`password_file`: this file cannot be read"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        assert!(faults("x: 1").contains("`store` is missing"));
        assert!(faults("store: { sqlite: /a, postgres: { url: x } }").contains("both engines are named"));
        assert!(faults("store: {}").contains("no engine is named"));
        assert!(faults("store: { sqlite: a }").contains("an absolute path"));
        assert!(faults("store: { postgres: {} }").contains("`url` is missing"));
        let url = "\"postgresql://empi@192.0.2.1/empi\"";
        let secrets = [
            "url: \"postgresql://empi:7777@192.0.2.1/empi\"".to_owned(),
            format!("url: {url}, password: 7777"),
            format!("url: {url}, password: \"7777\", password_file: /secret"),
        ];
        for secret in secrets {
            let said = faults(&format!("store: {{ postgres: {{ {secret} }} }}"));
            assert!(said.contains("password") && !said.contains("7777"), "{said}");
        }
    }
}
