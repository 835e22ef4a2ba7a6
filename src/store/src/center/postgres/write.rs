//! What was planned: one statement for all rows of a kind.

use deadpool_postgres::Transaction;
use tokio_postgres::types::ToSql;

use super::super::known::Marks;
use super::super::plan::{OrphanRow, Plan};
use super::super::row::{MessageRow, UserMessageRow};
use crate::StoreError;
use crate::row::to_sql;

pub(super) async fn write(
    transaction: &Transaction<'_>,
    plan: &Plan,
    before: &Marks,
) -> Result<(), StoreError> {
    if !plan.inserted.is_empty() {
        let sql = "INSERT INTO messages (key, uaop_id, at, number, empi, carrier, stage, due, journey)
             SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                                  $7::bigint[], $8::bigint[], $9::text[])";
        messages(transaction, sql, plan.inserted.iter()).await?;
    }
    if !plan.updated.is_empty() {
        let sql = "UPDATE messages m SET at = g.at, number = g.number, empi = g.empi, carrier = g.carrier,
                    stage = g.stage, due = g.due, journey = g.journey
             FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                         $7::bigint[], $8::bigint[], $9::text[])
                  AS g (key, uaop_id, at, number, empi, carrier, stage, due, journey)
             WHERE m.key = g.key";
        messages(transaction, sql, plan.updated.iter().map(|update| &update.row)).await?;
    }
    responses(transaction, plan).await?;
    orphans(transaction, plan).await?;
    user_messages(transaction, &plan.user_messages).await?;
    if !plan.outbox.is_empty() {
        let sql = "INSERT INTO outbox (record)
             SELECT record FROM unnest($1::text[]) WITH ORDINALITY AS g (record, place) ORDER BY place";
        execute(transaction, sql, &[&plan.outbox]).await?;
    }
    figures(transaction, plan).await?;
    let Marks { last_key, messages, open, orphans } = plan.marks;
    if plan.marks != *before {
        let sql = "UPDATE marks SET last_key = $1, messages = $2, open = $3, orphans = $4";
        execute(transaction, sql, &[&last_key, &messages, &open, &orphans]).await?;
    }
    Ok(())
}

async fn messages<'a>(
    transaction: &Transaction<'_>,
    sql: &str,
    rows: impl Iterator<Item = &'a MessageRow> + Clone + Send,
) -> Result<(), StoreError> {
    let keys: Vec<i64> = rows.clone().map(|row| row.key).collect();
    let ids: Vec<&str> = rows.clone().map(|row| row.uaop_id.as_str()).collect();
    let ats: Vec<i64> = rows.clone().map(|row| row.at).collect();
    let numbers: Vec<Option<&str>> = rows.clone().map(|row| row.number.as_deref()).collect();
    let empis: Vec<Option<&str>> = rows.clone().map(|row| row.empi.as_deref()).collect();
    let carriers: Vec<Option<&str>> = rows.clone().map(|row| row.carrier.as_deref()).collect();
    let stages: Vec<i64> = rows.clone().map(|row| row.stage).collect();
    let dues: Vec<Option<i64>> = rows.clone().map(|row| row.due).collect();
    let journeys: Vec<&str> = rows.map(|row| row.journey.as_str()).collect();
    let values: [&(dyn ToSql + Sync); 9] =
        [&keys, &ids, &ats, &numbers, &empis, &carriers, &stages, &dues, &journeys];
    execute(transaction, sql, &values).await
}

async fn responses(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), StoreError> {
    if plan.responses.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO responses (carrier, resp_sequence, message, part)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
         ON CONFLICT (carrier, resp_sequence) DO NOTHING";
    let rows = plan.responses.iter();
    let carriers: Vec<&str> = rows.clone().map(|((carrier, _), ..)| carrier.as_str()).collect();
    let responses: Vec<&str> = rows.clone().map(|((_, response), ..)| response.as_str()).collect();
    let keys: Vec<i64> = rows.clone().map(|(_, key, _)| *key).collect();
    let parts: Vec<i64> = rows.map(|(.., part)| i64::from(*part)).collect();
    execute(transaction, sql, &[&carriers, &responses, &keys, &parts]).await
}

async fn orphans(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), StoreError> {
    if !plan.adopted.is_empty() {
        execute(transaction, "DELETE FROM orphans WHERE key = ANY($1)", &[&plan.adopted]).await?;
    }
    if plan.orphans.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO orphans (carrier, resp_sequence, report, at, told)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
         ON CONFLICT (carrier, resp_sequence, report) DO UPDATE SET at = excluded.at, told = excluded.told";
    let text = |of: fn(&OrphanRow) -> &str| plan.orphans.iter().map(of).collect::<Vec<&str>>();
    let (carriers, responses) = (text(|row| &row.response.0), text(|row| &row.response.1));
    let (reports, tolds) = (text(|row| &row.report), text(|row| &row.told));
    let ats: Vec<i64> = plan.orphans.iter().map(|row| to_sql(row.at)).collect();
    execute(transaction, sql, &[&carriers, &responses, &reports, &ats, &tolds]).await
}

async fn user_messages(transaction: &Transaction<'_>, rows: &[UserMessageRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO user_messages (mo_id, part, at, sender, empi, message)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])";
    let text = |of: fn(&UserMessageRow) -> &str| rows.iter().map(of).collect::<Vec<&str>>();
    let (ids, senders) = (text(|row| &row.mo_id), text(|row| &row.sender));
    let (empis, messages) = (text(|row| &row.empi), text(|row| &row.message));
    let parts: Vec<i64> = rows.iter().map(|row| row.part).collect();
    let ats: Vec<i64> = rows.iter().map(|row| row.at).collect();
    execute(transaction, sql, &[&ids, &parts, &ats, &senders, &empis, &messages]).await
}

async fn figures(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), StoreError> {
    let rows: Vec<_> = plan.figures.iter().collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO figures AS f (day, empi, class, carrier, state, messages, parts)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                              $7::bigint[])
         ON CONFLICT (day, empi, class, carrier, state)
         DO UPDATE SET messages = f.messages + excluded.messages, parts = f.parts + excluded.parts";
    let days: Vec<&str> = rows.iter().map(|(key, _)| key.day.as_str()).collect();
    let empis: Vec<&str> = rows.iter().map(|(key, _)| key.empi.as_str()).collect();
    let classes: Vec<&str> = rows.iter().map(|(key, _)| key.class.as_str()).collect();
    let carriers: Vec<&str> = rows.iter().map(|(key, _)| key.carrier.as_str()).collect();
    let states: Vec<i64> = rows.iter().map(|(key, _)| key.state).collect();
    let messages: Vec<i64> = rows.iter().map(|(_, sum)| sum.messages).collect();
    let parts: Vec<i64> = rows.iter().map(|(_, sum)| sum.parts).collect();
    execute(transaction, sql, &[&days, &empis, &classes, &carriers, &states, &messages, &parts]).await
}

async fn execute(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(sql).await?;
    transaction.execute(&statement, values).await?;
    Ok(())
}
