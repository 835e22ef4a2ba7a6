//! What is known of what facts touch.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;

use super::super::known::{Known, Marks, Needs, Response};
use super::super::plan::Work;
use crate::StoreError;
use crate::row::{limit, to_sql};

pub(super) async fn load(transaction: &Transaction<'_>, work: &Work) -> Result<(Marks, Known), StoreError> {
    let marks = marks(transaction).await?;
    let mut known = Known::default();
    match work {
        Work::Join { facts, .. } => {
            joined(transaction, &Needs::of(facts), marks.orphans > 0, &mut known).await?;
        }
        Work::Overdue { before, most, .. } => {
            let sql = "SELECT key, uaop_id, journey FROM messages WHERE due < $1 ORDER BY due LIMIT $2";
            let statement = transaction.prepare_cached(sql).await?;
            let rows = transaction.query(&statement, &[&to_sql(*before), &limit(*most)]).await?;
            messages(&rows, &mut known)?;
        }
    }
    Ok((marks, known))
}

async fn marks(transaction: &Transaction<'_>) -> Result<Marks, StoreError> {
    let statement = transaction.prepare_cached("SELECT last_key, messages, open, orphans FROM marks").await?;
    let row = transaction.query_one(&statement, &[]).await?;
    Ok(Marks {
        last_key: row.try_get(0)?,
        messages: row.try_get(1)?,
        open: row.try_get(2)?,
        orphans: row.try_get(3)?,
    })
}

async fn joined(
    transaction: &Transaction<'_>,
    needs: &Needs<'_>,
    orphans: bool,
    known: &mut Known,
) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    if !needs.reports.is_empty() {
        let sql = "SELECT r.carrier, r.resp_sequence, r.message, r.part
             FROM unnest($1::text[], $2::text[]) AS g (carrier, resp_sequence)
             JOIN responses r USING (carrier, resp_sequence)";
        let statement = transaction.prepare_cached(sql).await?;
        let (carriers, responses) = both(&needs.reports);
        for row in transaction.query(&statement, &[&carriers, &responses]).await? {
            let key: i64 = row.try_get(2)?;
            let part = u8::try_from(row.try_get::<_, i64>(3)?).unwrap_or(u8::MAX);
            known.responses.insert((row.try_get(0)?, row.try_get(1)?), (key, part));
            keys.push(key);
        }
    }
    let ids: Vec<&str> = needs.ids.iter().map(|id| id.as_str()).collect();
    let sql = "SELECT key, uaop_id, journey FROM messages WHERE uaop_id = ANY($1)
         UNION SELECT key, uaop_id, journey FROM messages WHERE key = ANY($2)";
    let statement = transaction.prepare_cached(sql).await?;
    messages(&transaction.query(&statement, &[&ids, &keys]).await?, known)?;
    if orphans && !needs.orphans.is_empty() {
        orphans_of(transaction, needs, known).await?;
    }
    if !needs.user_messages.is_empty() {
        let sql = "SELECT u.mo_id, u.part FROM unnest($1::text[], $2::bigint[]) AS g (mo_id, part)
             JOIN user_messages u USING (mo_id, part)";
        let statement = transaction.prepare_cached(sql).await?;
        let (ids, parts): (Vec<&str>, Vec<i64>) =
            needs.user_messages.iter().map(|(id, part)| (id.as_str(), *part)).unzip();
        for row in transaction.query(&statement, &[&ids, &parts]).await? {
            known.user_messages.insert((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(())
}

fn messages(rows: &[tokio_postgres::Row], known: &mut Known) -> Result<(), StoreError> {
    for row in rows {
        known.message(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)?;
    }
    Ok(())
}

async fn orphans_of(
    transaction: &Transaction<'_>,
    needs: &Needs<'_>,
    known: &mut Known,
) -> Result<(), StoreError> {
    let sql = "SELECT o.key, o.carrier, o.resp_sequence, o.report, o.told
         FROM unnest($1::text[], $2::text[]) AS g (carrier, resp_sequence)
         JOIN orphans o USING (carrier, resp_sequence) ORDER BY o.key";
    let statement = transaction.prepare_cached(sql).await?;
    let (carriers, responses) = both(&needs.orphans);
    for row in transaction.query(&statement, &[&carriers, &responses]).await? {
        let response = (row.try_get(1)?, row.try_get(2)?);
        known.orphan(row.try_get(0)?, response, row.try_get(3)?, row.try_get(4)?)?;
    }
    Ok(())
}

fn both(responses: &BTreeSet<Response>) -> (Vec<&str>, Vec<&str>) {
    responses.iter().map(|(carrier, response)| (carrier.as_str(), response.as_str())).unzip()
}
