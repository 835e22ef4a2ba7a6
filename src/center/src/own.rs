//! Messages of the center's own: from its store to a UAOP.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::BASE32_NOPAD;
use domain::alarm::Severity;
use domain::event::Outcome;
use domain::{EmpiId, Event, Happened, MessageCopy, Number, Submission, Told, UaopId};
use link::{News, Pool, PoolSettings, ServerView, Shelf};
use sha2::{Digest, Sha256};
use store::center::{CenterStore, Fact};
use tokio::sync::{Notify, mpsc};

use crate::bell::Bell;
use crate::clock::Clock;
use crate::metrics::Families;

/// The way to the UAOPs. All clones are one.
#[derive(Clone, Debug)]
pub struct Own {
    pub pool: Pool,
    /// Rung when something new waits.
    pub more: Arc<Notify>,
}

impl Own {
    pub fn servers(&self) -> Vec<ServerView> {
        self.pool.servers()
    }
}

/// The id of a message that an operator sends: the same for the same request.
///
/// # Errors
/// Never: it is a name. The type says what the domain says.
pub fn id_of(
    empi: &EmpiId,
    operator: &str,
    reference: &str,
    to: &Number,
) -> Result<UaopId, domain::id::NameError> {
    let mut hash = Sha256::new();
    for part in [empi.as_str(), operator, reference, to.national()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    BASE32_NOPAD.encode(&hash.finalize()[..16]).to_ascii_lowercase().parse()
}

/// Where messages of the center's own wait.
pub struct OwnShelf {
    pub store: Arc<dyn CenterStore>,
    pub node: String,
    pub site: String,
    pub clock: Clock,
    pub families: Arc<Families>,
}

#[async_trait]
impl Shelf for OwnShelf {
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, String> {
        self.store.waiting(after, most).await.map_err(|error| error.to_string())
    }

    async fn taken(&self, ids: Vec<UaopId>) -> Result<(), String> {
        let count = ids.len() as u64;
        self.store.handed(ids).await.map_err(|error| error.to_string())?;
        self.families.own.with_label_values(&["handed"]).inc_by(count);
        Ok(())
    }

    /// No UAOP and no gateway tells of these: the center does, in their words, so that they show as refused.
    async fn refused(&self, refused: Vec<(Submission, String)>) -> Result<(), String> {
        let ids: Vec<UaopId> = refused.iter().map(|(submission, _)| submission.uaop_id.clone()).collect();
        let facts: Vec<Fact> = refused
            .into_iter()
            .map(|(submission, reason)| self.refusal(submission, reason))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?
            .into_iter()
            .flatten()
            .collect();
        self.store.join(facts, self.clock.now()).await.map_err(|error| error.to_string())?;
        let count = ids.len() as u64;
        self.store.handed(ids).await.map_err(|error| error.to_string())?;
        self.families.own.with_label_values(&["refused"]).inc_by(count);
        Ok(())
    }
}

impl OwnShelf {
    fn refusal(&self, submission: Submission, reason: String) -> Result<[Fact; 2], domain::id::NameError> {
        let at = self.clock.now();
        tracing::info!(uaop_id = %submission.uaop_id, reason, "no UAOP takes this message");
        let outcome = Outcome::Refused { code: None, reason };
        let happened = Happened::Finished { uaop_id: submission.uaop_id.clone(), outcome };
        let event = Event { gateway: self.node.parse()?, epoch: at, account: "none".parse()?, at, happened };
        let (uaop, site) = (self.node.clone(), self.site.clone());
        let told = Told { uaop: uaop.clone(), site: site.clone(), carrier: "none".parse()?, event };
        Ok([Fact::Copy(MessageCopy { uaop, site, at, submission }), Fact::Told(told)])
    }
}

/// What the pool tells becomes alarms. Ends with the pool.
pub async fn hear(settings: PoolSettings, mut news: mpsc::UnboundedReceiver<News>, bell: Bell) {
    let tiers: BTreeSet<u8> = settings.pool.servers.iter().map(|server| server.priority).collect();
    let first = tiers.first().copied();
    while let Some(news) = news.recv().await {
        match news {
            News::Up { server } => {
                tracing::info!(server, "connected to a UAOP");
                bell.over("uaop_down", &format!("center:{server}"));
            }
            News::Down { server, reason } => {
                let text = format!("{server} cannot be given messages: {reason}");
                bell.raise("uaop_down", &format!("center:{server}"), Severity::Warning, &text);
            }
            News::Tier { from, to } => {
                tracing::info!(?from, ?to, "another tier of UAOPs is used");
                standing(&bell, first, to);
            }
        }
    }
}

const POOL: &str = "center:uaops";

fn standing(bell: &Bell, first: Option<u8>, to: Option<u8>) {
    match to {
        None => {
            bell.raise("pool_empty", POOL, Severity::Critical, "no UAOP takes messages of the center's own")
        }
        Some(_) => bell.over("pool_empty", POOL),
    }
    match to {
        Some(tier) if Some(tier) != first => {
            let text = format!("messages of the center's own go to the UAOPs of tier {tier}");
            bell.raise("pool_switched", POOL, Severity::Warning, &text);
        }
        Some(_) => bell.over("pool_switched", POOL),
        None => {}
    }
}
