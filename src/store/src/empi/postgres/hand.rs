//! Messages that a UAOP has.

use async_trait::async_trait;
use domain::{Millis, UaopId};

use super::super::row::to_sql;
use crate::StoreError;
use crate::postgres::{Batch, Database};

pub(super) struct Hand {
    pub(super) database: Database,
}

const HAND: &str = "
WITH given AS MATERIALIZED (
    SELECT m.key, g.at
    FROM unnest($1::text[], $2::bigint[]) AS g (uaop_id, at) JOIN messages m USING (uaop_id)
    WHERE m.handed_at IS NULL ORDER BY m.key FOR UPDATE OF m
), handed AS (
    UPDATE messages m SET handed_at = given.at FROM given WHERE m.key = given.key
)
DELETE FROM waiting w USING given WHERE w.key = given.key";

#[async_trait]
impl Batch for Hand {
    type Work = (Vec<UaopId>, Millis);
    type Answer = ();

    fn size((ids, _): &Self::Work) -> usize {
        ids.len()
    }

    async fn write(&self, works: &[Self::Work]) -> Result<Vec<()>, StoreError> {
        self.database.within(self.hand(works)).await?;
        Ok(vec![(); works.len()])
    }
}

impl Hand {
    async fn hand(&self, works: &[(Vec<UaopId>, Millis)]) -> Result<(), StoreError> {
        let ids: Vec<&str> = works.iter().flat_map(|(ids, _)| ids).map(UaopId::as_str).collect();
        let ats: Vec<i64> = works.iter().flat_map(|(ids, at)| ids.iter().map(|_| to_sql(*at))).collect();
        // One statement is a transaction.
        let client = self.database.client().await?;
        client.execute(&client.prepare_cached(HAND).await?, &[&ids, &ats]).await?;
        Ok(())
    }
}
