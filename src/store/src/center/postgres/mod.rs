//! The store of the center in a PostgreSQL database.

mod load;
mod write;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use jiff::tz::TimeZone;
use tokio_postgres::types::ToSql;

use super::engine::{Change, Changed, Engine};
use super::plan::{Work, plan};
use super::query::Query;
use super::value::Columns;
use super::{Center, Joined};
use crate::postgres::{Database, lock, lock_key};
use crate::row::Strange;
use crate::{Postgres, StoreError};

const SCHEMA: &str = "center";
const STEPS: [&str; 1] = [include_str!("001.sql")];

pub(super) struct PostgresCenter {
    database: Database,
    zone: TimeZone,
    /// Who joins is alone: two that join facts of the same message would each see half of them.
    lock: i64,
}

impl PostgresCenter {
    pub(super) async fn open(place: &Postgres, zone: TimeZone) -> Result<Center<Self>, StoreError> {
        let database = Database::open(place, SCHEMA, &STEPS).await?;
        let lock = lock_key("the store of the center");
        Ok(Center::new(Self { database, zone: zone.clone(), lock }, zone))
    }

    async fn changed(&self, change: &Change) -> Result<Changed, StoreError> {
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await?;
        lock(&transaction, self.lock).await?;
        let mut rows = Vec::with_capacity(change.reads.len());
        for query in &change.reads {
            rows.push(read(&transaction, query).await?);
        }
        let statements = (change.then)(&rows).map_err(|strange| self.strange(strange))?;
        let mut written = Vec::with_capacity(statements.len());
        for query in &statements {
            written.push(execute(&transaction, query).await?);
        }
        transaction.commit().await?;
        Ok(Changed { read: rows.iter().map(Vec::len).collect(), written })
    }

    async fn worked(&self, work: &Work) -> Result<Joined, StoreError> {
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await?;
        lock(&transaction, self.lock).await?;
        let (marks, known) = load::load(&transaction, work).await?;
        let plan = plan(work, known, marks, &self.zone);
        write::write(&transaction, &plan, &marks).await?;
        transaction.commit().await?;
        Ok(plan.joined)
    }
}

#[async_trait]
impl Engine for PostgresCenter {
    async fn read(&self, query: Query) -> Result<Vec<Columns>, StoreError> {
        self.database
            .within(async {
                let client = self.database.client().await?;
                read(&client, &query).await
            })
            .await
    }

    async fn change(&self, change: Change) -> Result<Changed, StoreError> {
        self.database.within(self.changed(&change)).await
    }

    async fn work(&self, work: Work) -> Result<Joined, StoreError> {
        self.database.within(self.worked(&work)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }

    fn strange(&self, strange: Strange) -> StoreError {
        strange.into()
    }
}

async fn read(client: &impl GenericClient, query: &Query) -> Result<Vec<Columns>, StoreError> {
    let statement = client.prepare_cached(&query.sql).await?;
    let rows = client.query(&statement, &parameters(query)).await?;
    let columns = |row: &tokio_postgres::Row| {
        (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>().map(Columns)
    };
    rows.iter().map(|row| Ok(columns(row)?)).collect()
}

async fn execute(transaction: &Transaction<'_>, query: &Query) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(&query.sql).await?;
    Ok(transaction.execute(&statement, &parameters(query)).await?)
}

fn parameters(query: &Query) -> Vec<&(dyn ToSql + Sync)> {
    query.values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
