//! The pool of connections.

use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::time::timeout;
use tokio_postgres::config::{Config, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::NoTls;

use super::{migrate, tls};
use crate::{Postgres, StoreError};

/// A plan is kept while its tables grow from nothing to millions of rows: that of an empty table would read all of them.
/// What that setting adds to the costs of a plan must not make the server compile it.
const PLANS: &str = "-c enable_seqscan=off -c jit=off";

/// A schema of a database; all clones are one.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    patience: Duration,
}

impl Database {
    /// Makes `schema` if it is not there, and brings it to the last of `steps`, the SQL of the steps from number 1 on.
    /// Several processes may do so at the same time.
    ///
    /// # Errors
    /// The server is away, refuses us, or the schema is from a newer program.
    pub async fn open(
        place: &Postgres,
        schema: &'static str,
        steps: &'static [&'static str],
    ) -> Result<Self, StoreError> {
        let database = Self { pool: pool(place, schema)?, patience: place.patience };
        let mut client = database.client().await?;
        migrate::migrate(&mut client, schema, steps).await?;
        warn_of_loss(&client).await?;
        drop(client);
        Ok(database)
    }

    /// Lends a connection. `prepare_cached` prepares a statement once for each of them.
    ///
    /// # Errors
    /// None could be had in time.
    pub async fn client(&self) -> Result<Client, StoreError> {
        Ok(self.pool.get().await?)
    }

    /// Bounds `work`: the server ends a statement that takes longer than our patience, and we do not wait for a server
    /// that does not even do that. What is not committed then is undone; whether a commit under way is, nobody knows.
    ///
    /// # Errors
    /// Those of `work`, or [`StoreError::Away`].
    pub async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match timeout(self.patience.saturating_mul(2), work).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Away { detail: "no answer in time".to_owned() }),
        }
    }

    /// Whether it answers and can write.
    ///
    /// # Errors
    /// [`StoreError::Away`] if not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.within(async {
            let client = self.client().await?;
            let read_only: bool = client
                .query_one(&client.prepare_cached("SELECT pg_is_in_recovery()").await?, &[])
                .await?
                .try_get(0)?;
            if read_only {
                return Err(StoreError::Away { detail: "the server is a replica now".to_owned() });
            }
            Ok(())
        })
        .await
    }
}

/// Whether this is a way to write where a server is.
///
/// # Errors
/// Why not.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    let config: Config = url.parse().map_err(|error: tokio_postgres::Error| error.to_string())?;
    if config.get_password().is_some() {
        return Err("it holds the password, which belongs into `password` or `password_file`".to_owned());
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err("it names no host".to_owned());
    }
    if config.get_dbname().is_none() {
        return Err("it names no database".to_owned());
    }
    Ok(())
}

fn pool(place: &Postgres, schema: &str) -> Result<Pool, StoreError> {
    let config = config(place, schema)?;
    // A connection that is closed is noticed without a question.
    let manage = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if place.tls {
        let tls = tls::connector().map_err(|detail| StoreError::Database { detail })?;
        Manager::from_config(config, tls, manage)
    } else {
        Manager::from_config(config, NoTls, manage)
    };
    Pool::builder(manager)
        .max_size(place.connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(place.patience))
        .create_timeout(Some(place.patience))
        .recycle_timeout(Some(place.patience))
        .build()
        .map_err(|error| StoreError::Database { detail: error.to_string() })
}

fn config(place: &Postgres, schema: &str) -> Result<Config, StoreError> {
    let mut config: Config = place
        .url
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::Database { detail: format!("`url`: {error}") })?;
    if let Some(password) = &place.password {
        config.password(password);
    }
    let patience = place.patience.as_millis();
    let options = format!(
        "{} -c search_path={schema} -c statement_timeout={patience} \
         -c idle_in_transaction_session_timeout={patience} {PLANS}",
        config.get_options().unwrap_or_default(),
    );
    config
        .options(options.trim_start())
        .application_name(format!("smsline {schema}"))
        .ssl_mode(if place.tls { SslMode::Require } else { SslMode::Disable })
        // Of several hosts the one that is no replica.
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .connect_timeout(place.patience)
        .tcp_user_timeout(place.patience)
        .keepalives_idle(place.patience)
        .keepalives_interval(place.patience)
        .keepalives_retries(2);
    Ok(config)
}

/// What the server answers must be on a disk; whether it is, is its owner's choice.
async fn warn_of_loss(client: &Client) -> Result<(), StoreError> {
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String = client.query_one("SELECT current_setting($1)", &[&setting]).await?.try_get(0)?;
        if value == "off" {
            tracing::warn!(
                setting,
                "off at the database server: when it dies, what was accepted may be lost"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_host_or_database_or_with_a_password_is_refused() {
        assert_eq!(check_url("host=192.0.2.1 dbname=empi user=empi"), Ok(()));
        assert_eq!(check_url("postgresql://empi@192.0.2.1:5432,192.0.2.2:5432/empi"), Ok(()));
        assert_eq!(check_url("host=/run/postgresql dbname=empi"), Ok(()));
        assert!(check_url("dbname=empi").unwrap_err().contains("no host"));
        assert!(check_url("host=192.0.2.1").unwrap_err().contains("no database"));
        assert!(check_url("postgresql://empi:secret@192.0.2.1/empi").unwrap_err().contains("password"));
        assert!(check_url("nonsense").is_err());
    }

    #[test]
    fn the_options_of_the_url_stay() {
        let place = Postgres {
            url: "host=192.0.2.1 dbname=x options='-c work_mem=8MB'".to_owned(),
            password: Some("secret".to_owned()),
            connections: 1,
            patience: Duration::from_secs(3),
            tls: false,
        };
        let config = config(&place, "empi").unwrap();
        assert_eq!(
            config.get_options(),
            Some(
                "-c work_mem=8MB -c search_path=empi -c statement_timeout=3000 \
                 -c idle_in_transaction_session_timeout=3000 -c enable_seqscan=off -c jit=off"
            )
        );
    }
}
