//! The processes that share the store.

use domain::Millis;

use super::super::row::to_sql;
use crate::StoreError;
use crate::postgres::{Database, lock, lock_key};

/// One of them: this one.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub name: String,
    /// Held while messages get places in this node's row of waiting ones. So no smaller place is ever committed after a
    /// greater one, not even by a transaction of ours that we have given up.
    pub places: i64,
}

impl Node {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), places: lock_key(&format!("places of the EMPI node {name}")) }
    }
}

/// Says that this one lives, by the server's clock, before anybody asks.
pub(super) async fn begin(database: &Database, node: &Node) -> Result<(), StoreError> {
    let sql = "INSERT INTO nodes VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
               ON CONFLICT (name) DO UPDATE SET seen = greatest(nodes.seen, excluded.seen)";
    database.client().await?.execute(sql, &[&node.name]).await?;
    Ok(())
}

pub(super) async fn take_over(
    database: &Database,
    node: &Node,
    now: Millis,
    silent: Millis,
) -> Result<u64, StoreError> {
    let client = database.client().await?;
    let seen = client
        .prepare_cached(
            "INSERT INTO nodes VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET seen = greatest(nodes.seen, excluded.seen)",
        )
        .await?;
    client.execute(&seen, &[&node.name, &to_sql(now)]).await?;
    let silent = to_sql(silent);
    let any = client
        .prepare_cached(
            "SELECT 1 FROM nodes n WHERE n.name <> $1 AND n.seen < $2
                 AND EXISTS (SELECT 1 FROM waiting w WHERE w.node = n.name) LIMIT 1",
        )
        .await?;
    if client.query_opt(&any, &[&node.name, &silent]).await?.is_none() {
        return Ok(0);
    }
    drop(client);
    take(database, node, silent).await
}

async fn take(database: &Database, node: &Node, silent: i64) -> Result<u64, StoreError> {
    let mut client = database.client().await?;
    let transaction = client.transaction().await?;
    lock(&transaction, node.places).await?;
    let take = transaction
        .prepare_cached(
            "WITH gone AS (DELETE FROM waiting w USING nodes n
                           WHERE w.node = n.name AND n.name <> $1 AND n.seen < $2 RETURNING w.key)
             INSERT INTO waiting (key, node) SELECT key, $1 FROM gone ORDER BY key",
        )
        .await?;
    let taken = transaction.execute(&take, &[&node.name, &silent]).await?;
    transaction.commit().await?;
    Ok(taken)
}
