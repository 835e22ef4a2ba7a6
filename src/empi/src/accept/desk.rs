//! Accepts messages.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use domain::{EmpiId, MessageText, Millis, Number, Submission};
use serde_json::Value;
use store::StoreError;
use store::empi::{Accepted, EmpiStore, Entry};
use tokio::sync::Notify;

use super::read::{self, NewMessage, Rules};
use super::{MOST_RECIPIENTS, Waiting, uaop_id};
use crate::api::shapes::{MessageResult, RecipientResult, Status};
use crate::clock::Clock;
use crate::door::Client;
use crate::metrics::Families;
use crate::problem::{Code, Problem};

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where messages come in.
#[derive(Clone)]
pub struct Desk {
    pub empi: EmpiId,
    pub rules: Rules,
    pub store: Arc<dyn EmpiStore>,
    pub waiting: Arc<Waiting>,
    /// Rung when something new waits.
    pub more: Arc<Notify>,
    pub clock: Clock,
    pub families: Arc<Families>,
    /// Whether there is a record for each message.
    pub access: bool,
}

/// A message on its way to its result.
struct Draft {
    reference: Option<String>,
    outcome: Result<Vec<Recipient>, Problem>,
}

/// As it was written, and its place among the entries.
type Recipient = (String, Result<usize, Problem>);

impl Desk {
    /// Accepts what can be accepted; one result for each message, in their order. All that is accepted is durable.
    ///
    /// # Errors
    /// The request as a whole cannot be served. Perhaps some of it is durable.
    pub async fn take(
        &self,
        client: &Arc<Client>,
        messages: Vec<Value>,
    ) -> Result<Vec<MessageResult>, Problem> {
        let count = messages.iter().map(read::recipients).fold(0, usize::saturating_add);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count > MOST_RECIPIENTS {
            let message = format!("the request has {count} recipients, {MOST_RECIPIENTS} are possible");
            return Err(Problem::new(Code::TooManyRecipients, message));
        }
        // the first was counted at the door
        if let Some(more) = NonZeroU32::new(count.saturating_sub(1)) {
            client.charge(more)?;
        }
        let (drafts, entries) = self.draft(client, messages);
        let ids: Vec<String> = entries.iter().map(|entry| entry.submission.uaop_id.to_string()).collect();
        let accepted = if entries.is_empty() { Vec::new() } else { self.store(client, entries).await? };
        let results = drafts.into_iter().map(|draft| result(draft, &ids, &accepted)).collect();
        self.count(client, &results);
        Ok(results)
    }

    fn draft(&self, client: &Client, messages: Vec<Value>) -> (Vec<Draft>, Vec<Entry>) {
        let now = self.clock.now();
        let believed = self.clock.steady().then_some(now);
        let mut entries = Vec::with_capacity(messages.len());
        let drafts =
            messages.into_iter().map(|message| match read::message(message, &self.rules, believed) {
                Err((reference, problem)) => Draft { reference, outcome: Err(problem) },
                Ok(mut message) => {
                    let to = std::mem::take(&mut message.to);
                    let recipients = to.into_iter().map(|(written, number)| {
                        let place = number.and_then(|number| {
                            entries.push(self.entry(client, &message, number, now)?);
                            Ok(entries.len() - 1)
                        });
                        (written, place)
                    });
                    let recipients = recipients.collect();
                    Draft { reference: Some(message.reference.into()), outcome: Ok(recipients) }
                }
            });
        let drafts = drafts.collect();
        (drafts, entries)
    }

    fn entry(&self, client: &Client, message: &NewMessage, to: Number, at: Millis) -> Result<Entry, Problem> {
        let id = uaop_id(&self.empi, &client.bank, &message.reference, &to);
        let submission = Submission {
            uaop_id: id.ok_or_else(|| Problem::new(Code::BadMessage, "it cannot be given an id"))?,
            empi_id: self.empi.clone(),
            class: message.class.clone(),
            account: None,
            to,
            extension: message.extension.clone(),
            text: MessageText(message.text.clone()),
            report: message.report,
            priority: message.priority,
            not_after: message.not_after,
        };
        Ok(Entry { bank: client.bank.clone(), reference: message.reference.clone(), submission, at })
    }

    /// Whatever becomes of the request: what the store has accepted is counted, and handed on.
    async fn store(&self, client: &Arc<Client>, entries: Vec<Entry>) -> Result<Vec<Accepted>, Problem> {
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        self.waiting.room(count)?;
        if let Some(quota) = &client.quota {
            quota.reserve(count, self.clock.now()).map_err(|seconds| {
                Problem::new(Code::QuotaExceeded, "the messages of this day are used up").after(seconds)
            })?;
        }
        let (desk, client) = (self.clone(), Arc::clone(client));
        let work = tokio::spawn(async move {
            let accepted = desk.keep(entries).await;
            let new = accepted.iter().flatten().filter(|&accepted| *accepted == Accepted::New).count();
            let new = u64::try_from(new).unwrap_or(u64::MAX);
            if let Some(quota) = &client.quota {
                quota.settle(count, new);
            }
            if new > 0 {
                desk.waiting.add(new);
                desk.more.notify_one();
            }
            accepted
        });
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(Ok(accepted))) => Ok(accepted),
            Ok(Ok(Err(error))) => {
                tracing::error!(%error, "messages cannot be stored");
                Err(away("the messages cannot be stored at present"))
            }
            Ok(Err(_)) => Err(away("the messages could not be stored")),
            Err(_) => Err(away("the store does not answer in time")),
        }
    }

    async fn keep(&self, entries: Vec<Entry>) -> Result<Vec<Accepted>, StoreError> {
        let shown: Vec<_> = if self.access {
            let shown = |entry: &Entry| {
                let Entry { bank, reference, submission, at: _ } = entry;
                (submission.uaop_id.clone(), bank.clone(), reference.clone(), submission.class.clone())
            };
            entries.iter().map(shown).collect()
        } else {
            Vec::new()
        };
        let accepted = self.store.accept(entries).await?;
        for ((uaop_id, bank, reference, class), accepted) in shown.iter().zip(&accepted) {
            let outcome = word(accepted);
            tracing::info!(target: "access", %uaop_id, %bank, %reference, %class, outcome, "message");
        }
        Ok(accepted)
    }

    fn count(&self, client: &Client, results: &Vec<MessageResult>) {
        let count = |outcome: &str| {
            self.families.messages.with_label_values(&[client.bank.as_str(), outcome]).inc();
        };
        for result in results {
            if let Some(error) = &result.error {
                count(error.code.word());
            }
            for recipient in &result.recipients {
                match (&recipient.error, recipient.status) {
                    (Some(error), _) => count(error.code.word()),
                    (None, status) => count(status.word()),
                }
            }
        }
    }
}

fn away(message: &str) -> Problem {
    Problem::new(Code::StoreAway, message).after(1)
}

const fn word(accepted: &Accepted) -> &'static str {
    match accepted {
        Accepted::New => "accepted",
        Accepted::Duplicate => "duplicate",
        Accepted::Conflict => "reference_reused",
    }
}

fn result(draft: Draft, ids: &[String], accepted: &[Accepted]) -> MessageResult {
    let Draft { reference, outcome } = draft;
    let recipients = match outcome {
        Ok(recipients) => recipients,
        Err(problem) => {
            let status = Status::Refused;
            return MessageResult { reference, status, recipients: Vec::new(), error: Some(problem) };
        }
    };
    let recipients: Vec<RecipientResult> = recipients
        .into_iter()
        .map(|(to, place)| {
            let stored = place.and_then(|place| {
                let id = ids.get(place).cloned();
                match accepted.get(place) {
                    Some(Accepted::New) => Ok((Status::Accepted, id)),
                    Some(Accepted::Duplicate) => Ok((Status::Duplicate, id)),
                    Some(Accepted::Conflict) => {
                        let message = "this reference was used for another message";
                        Err(Problem::new(Code::ReferenceReused, message))
                    }
                    None => Err(away("the store has not said whether it has it")),
                }
            });
            match stored {
                Ok((status, uaop_id)) => RecipientResult { to, status, uaop_id, error: None },
                Err(problem) => {
                    RecipientResult { to, status: Status::Refused, uaop_id: None, error: Some(problem) }
                }
            }
        })
        .collect();
    MessageResult { reference, status: Status::of_all(&recipients), recipients, error: None }
}
