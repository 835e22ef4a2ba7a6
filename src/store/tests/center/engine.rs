//! The engines.

use std::sync::Arc;
use std::time::Duration;

use store::center::CenterStore;
use store::{Place, Postgres, StoreError, open_center};
use tempfile::TempDir;

/// A place for one store.
pub enum Engine {
    Sqlite(TempDir),
    Postgres { server: Arc<testkit::postgres::Postgres>, database: String },
}

impl Engine {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Self {
        let server = testkit::postgres::Postgres::shared().unwrap();
        let database = server.new_database().unwrap();
        Self::Postgres { server, database }
    }

    fn place(&self) -> Place {
        match self {
            Self::Sqlite(folder) => Place::Sqlite { folder: folder.path().to_owned() },
            Self::Postgres { server, database } => Place::Postgres(Postgres {
                url: server.url(database),
                password: Some(server.password().to_owned()),
                connections: 4,
                patience: Duration::from_secs(10),
                tls: false,
            }),
        }
    }

    pub async fn try_open(&self) -> Result<Arc<dyn CenterStore>, StoreError> {
        open_center(&self.place(), jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).await
    }

    pub async fn open(&self) -> Arc<dyn CenterStore> {
        self.try_open().await.unwrap()
    }
}
