//! Messages that come from a bank.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use deadpool_postgres::Transaction;

use super::super::Accepted;
use super::super::row::NewMessage;
use super::nodes::Node;
use crate::StoreError;
use crate::postgres::{Batch, Database, lock};

pub(super) struct Accept {
    pub(super) database: Database,
    pub(super) node: Node,
}

/// The first message of each id in a batch, and its position there. In the order of ids, in which they are inserted: so
/// two nodes that insert the same ones never wait for each other in a circle.
type Firsts<'a> = BTreeMap<&'a str, (i64, &'a NewMessage)>;

/// Returns the positions of those that were there before.
const INSERT: &str = "
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[])
        AS g (uaop_id, bank, reference, digest, at, minute, submission, position)
), new AS (
    INSERT INTO messages (uaop_id, bank, reference, digest, accepted_at, submission)
    SELECT uaop_id, bank, reference, digest, at, submission FROM given ORDER BY uaop_id COLLATE \"C\"
    ON CONFLICT (uaop_id) DO NOTHING RETURNING key, uaop_id
), placed AS (
    INSERT INTO waiting (key, node)
    SELECT key, $9 FROM new JOIN given USING (uaop_id) ORDER BY position
), counted AS (
    INSERT INTO accepted AS a (bank, minute, messages)
    SELECT bank, minute, count(*) FROM new JOIN given USING (uaop_id) GROUP BY bank, minute ORDER BY bank, minute
    ON CONFLICT (bank, minute) DO UPDATE SET messages = a.messages + excluded.messages
)
SELECT position FROM given LEFT JOIN new USING (uaop_id) WHERE new.key IS NULL";

#[async_trait]
impl Batch for Accept {
    type Work = Vec<NewMessage>;
    type Answer = Vec<Accepted>;

    fn size(work: &Self::Work) -> usize {
        work.len()
    }

    async fn write(&self, works: &[Self::Work]) -> Result<Vec<Self::Answer>, StoreError> {
        self.database.within(self.insert(works)).await
    }
}

impl Accept {
    async fn insert(&self, works: &[Vec<NewMessage>]) -> Result<Vec<Vec<Accepted>>, StoreError> {
        let firsts = firsts(works);
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await?;
        lock(&transaction, self.node.places).await?;
        let old = insert(&transaction, &firsts, &self.node).await?;
        let old_ids = firsts.iter().filter(|(_, (position, _))| old.contains(position));
        let digests = digests(&transaction, old_ids.map(|(id, _)| *id).collect()).await?;
        transaction.commit().await?;
        Ok(answers(works, &firsts, &digests))
    }
}

fn firsts(works: &[Vec<NewMessage>]) -> Firsts<'_> {
    let mut firsts = Firsts::new();
    for (position, message) in (0..).zip(works.iter().flatten()) {
        firsts.entry(message.uaop_id.as_str()).or_insert((position, message));
    }
    firsts
}

async fn insert(
    transaction: &Transaction<'_>,
    firsts: &Firsts<'_>,
    node: &Node,
) -> Result<BTreeSet<i64>, StoreError> {
    let column = |of: fn(&NewMessage) -> &str| firsts.values().map(|(_, m)| of(m)).collect::<Vec<_>>();
    let ids = column(|m| m.uaop_id.as_str());
    let (banks, references) = (column(|m| &m.bank), column(|m| &m.reference));
    let submissions = column(|m| &m.submission);
    let digests: Vec<&[u8]> = firsts.values().map(|(_, m)| m.digest.as_slice()).collect();
    let ats: Vec<i64> = firsts.values().map(|(_, m)| m.at).collect();
    let minutes: Vec<i64> = firsts.values().map(|(_, m)| m.minute).collect();
    let positions: Vec<i64> = firsts.values().map(|(position, _)| *position).collect();
    let statement = transaction.prepare_cached(INSERT).await?;
    let old = transaction
        .query(
            &statement,
            &[&ids, &banks, &references, &digests, &ats, &minutes, &submissions, &positions, &node.name],
        )
        .await?;
    old.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Of messages that were accepted before.
async fn digests(
    transaction: &Transaction<'_>,
    ids: Vec<&str>,
) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement =
        transaction.prepare_cached("SELECT uaop_id, digest FROM messages WHERE uaop_id = ANY($1)").await?;
    let rows = transaction.query(&statement, &[&ids]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

fn answers(
    works: &[Vec<NewMessage>],
    firsts: &Firsts<'_>,
    digests: &BTreeMap<String, Vec<u8>>,
) -> Vec<Vec<Accepted>> {
    let answer = |position: i64, message: &NewMessage| {
        let id = message.uaop_id.as_str();
        let before = match (digests.get(id), firsts.get(id)) {
            (Some(digest), _) => digest,
            (None, Some((first, _))) if *first == position => return Accepted::New,
            (None, Some((_, first))) => &first.digest,
            (None, None) => return Accepted::New,
        };
        if *before == message.digest { Accepted::Duplicate } else { Accepted::Conflict }
    };
    let mut positions = 0..;
    works
        .iter()
        .map(|messages| {
            messages.iter().zip(&mut positions).map(|(m, position)| answer(position, m)).collect()
        })
        .collect()
}
