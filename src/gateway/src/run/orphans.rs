//! What the last run left and no account of this one can take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::event::Outcome;
use domain::lifecycle::Delivery;
use domain::{Account, Event, GatewayId, Happened, Millis};
use store::spool::{Change, Fragment, Spool, Stored};
use tokio::sync::{Notify, oneshot};

use crate::engine::Orphan;
use crate::metrics::Families;

/// Ended with one write, at most.
const AT_ONCE: usize = 1000;

/// They wait for a run that has their account again, and end when their time is over.
pub(super) struct Orphans {
    pub(super) gateway: GatewayId,
    pub(super) epoch: Millis,
    /// Whether there is an access record for each message.
    pub(super) access: bool,
    pub(super) families: Arc<Families>,
    pub(super) spool: Spool,
    /// Rung when there are events.
    pub(super) events: Arc<Notify>,
    /// How many there are, by the reason.
    pub(super) staying: BTreeMap<Orphan, u64>,
    /// Those of them that end by themselves, by when and by their keys.
    pub(super) ending: BTreeMap<(Millis, i64), Ending>,
}

/// A message whose time will be over.
pub(super) struct Ending {
    stored: Stored,
    account: Account,
    reason: Orphan,
}

impl Orphans {
    /// A message.
    pub(super) fn add(&mut self, stored: Stored, reason: Orphan) {
        *self.staying.entry(reason.clone()).or_default() += 1;
        if let (Some(account), Some(end)) = (stored.submission.account.clone(), stored.submission.not_after) {
            self.ending.insert((end, stored.key), Ending { stored, account, reason });
        }
        self.show();
    }

    /// Says what stays.
    pub(super) fn say(&self) {
        for (reason, messages) in &self.staying {
            tracing::error!(messages, %reason, "messages of the last run wait in the spool, and no account takes them");
        }
    }

    /// Ends those whose time is over. What cannot be written is tried again with the next call.
    pub(super) async fn end_due(&mut self, now: Millis) {
        loop {
            let due = self.ending.range(..(now, i64::MIN)).take(AT_ONCE);
            let ends: Vec<(Millis, i64, Outcome)> =
                due.map(|(&(end, key), ending)| (end, key, outcome(&ending.stored.progress))).collect();
            if ends.is_empty() {
                return;
            }
            let changes =
                ends.iter().flat_map(|(end, key, outcome)| self.changes(*end, *key, outcome, now)).collect();
            let (sender, written) = oneshot::channel();
            let handed = self.spool.write(changes, move |written| {
                // the process may end meanwhile
                let _ = sender.send(written.map_err(|unwritten| unwritten.error));
            });
            let written = match handed {
                Ok(()) => written.await,
                // it is noticed elsewhere; they end with the next start
                Err(_) => return,
            };
            match written {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "messages without an account whose time is over could not be ended");
                    return;
                }
                Err(_) => return,
            }
            self.events.notify_waiters();
            for (end, key, outcome) in ends {
                self.ended((end, key), &outcome, now);
            }
            self.show();
        }
    }

    fn changes(&self, end: Millis, key: i64, outcome: &Outcome, at: Millis) -> Vec<Change> {
        let Some(Ending { stored, account, .. }) = self.ending.get(&(end, key)) else { return Vec::new() };
        let uaop_id = stored.submission.uaop_id.clone();
        let happened = Happened::Finished { uaop_id, outcome: outcome.clone() };
        let (gateway, epoch, account) = (self.gateway.clone(), self.epoch, account.clone());
        vec![
            Change::Event(Event { gateway, epoch, account, at, happened }),
            Change::Finish { key, outcome: outcome.clone(), at },
        ]
    }

    fn ended(&mut self, place: (Millis, i64), outcome: &Outcome, now: Millis) {
        let Some(Ending { stored, account, reason }) = self.ending.remove(&place) else { return };
        if let Some(count) = self.staying.get_mut(&reason) {
            *count -= 1;
        }
        self.families.finished.with_label_values(&[account.as_str(), outcome.word()]).inc();
        let submission = &stored.submission;
        if self.access {
            tracing::info!(
                target: "access",
                uaopId = %submission.uaop_id,
                empiId = %submission.empi_id,
                class = %submission.class,
                account = %account,
                to = %submission.to,
                outcome = outcome.word(),
                total_ms = now.0.saturating_sub(stored.taken_at.0),
                "message"
            );
        }
    }

    fn show(&self) {
        let all: u64 = self.staying.values().sum();
        self.families.orphaned_messages.set(i64::try_from(all).unwrap_or(i64::MAX));
    }
}

/// Says which parts of users' messages wait for accounts that are not there.
pub(super) fn fragments(fragments: &[Fragment], accounts: &BTreeSet<&Account>, families: &Families) {
    let orphaned = fragments.iter().filter(|fragment| !accounts.contains(&fragment.account));
    let mut by_account: BTreeMap<&Account, i64> = BTreeMap::new();
    for fragment in orphaned {
        *by_account.entry(&fragment.account).or_default() += 1;
    }
    for (account, parts) in &by_account {
        tracing::warn!(%account, parts, "parts of users' messages wait in the spool: their account is not in the file any more");
    }
    families.orphaned_fragments.set(by_account.values().sum());
}

/// How a message ends that nothing is sent of any more. What was pushed of it and not answered is lost.
fn outcome(progress: &str) -> Outcome {
    let Ok(mut delivery) = serde_json::from_str::<Delivery>(progress) else { return Outcome::Uncertain };
    delivery.recover();
    delivery.expire();
    delivery.outcome().unwrap_or(Outcome::Uncertain)
}

#[cfg(test)]
mod tests {
    use domain::WhenUncertain;
    use prometheus::Registry;
    use store::spool::SpoolSettings;

    use super::*;
    use crate::account::core::progress;

    fn stored(key: i64, not_after: Option<u64>, progress: String) -> Stored {
        let json = serde_json::json!({
            "uaop_id": format!("m{key}"), "empi_id": "b", "class": "c", "account": "gone", "to": "13800138000",
            "text": "hi", "not_after": not_after,
        });
        Stored { key, submission: serde_json::from_value(json).unwrap(), progress, taken_at: Millis(1) }
    }

    #[test]
    fn what_was_pushed_of_a_message_decides_how_it_ends() {
        let mut delivery = Delivery::new(1, WhenUncertain::Resend);
        assert_eq!(outcome(&progress(&delivery)), Outcome::Expired);
        delivery.pushed(1, "7").unwrap();
        assert_eq!(outcome(&progress(&delivery)), Outcome::Uncertain);
        assert_eq!(outcome("nonsense"), Outcome::Uncertain);
    }

    #[tokio::test]
    async fn a_message_without_an_account_ends_when_its_time_is_over_and_is_counted_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let settings = SpoolSettings { queue: 10, started: Millis(1), tuning: Default::default() };
        let (spool, _) = Spool::open(folder.path(), settings).unwrap();
        let families = Arc::new(Families::new(&Registry::new()).unwrap());
        let mut orphans = Orphans {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(1),
            access: true,
            families: Arc::clone(&families),
            spool: spool.clone(),
            events: Arc::default(),
            staying: BTreeMap::new(),
            ending: BTreeMap::new(),
        };
        let new = progress(&Delivery::new(1, WhenUncertain::Resend));
        let gone = || Orphan::AccountGone(Some("gone".parse().unwrap()));
        orphans.add(stored(1, Some(999), new.clone()), gone());
        orphans.add(stored(2, Some(1001), new.clone()), gone());
        orphans.add(stored(3, None, new), gone());
        let mut left = Vec::new();
        for now in [999, 1000, 1001, 1002] {
            orphans.end_due(Millis(now)).await;
            left.push(families.orphaned_messages.get());
        }
        assert_eq!(left, [3, 2, 2, 1]);
        assert_eq!(families.finished.with_label_values(&["gone", "expired"]).get(), 2);
        let told = spool.events(0, 10).unwrap().into_iter();
        let told: Vec<Happened> =
            told.map(|(_, event)| serde_json::from_slice::<Event>(&event).unwrap().happened).collect();
        let expired =
            |id: &str| Happened::Finished { uaop_id: id.parse().unwrap(), outcome: Outcome::Expired };
        assert_eq!(told, [expired("m1"), expired("m2")]);
    }

    #[tokio::test]
    async fn what_cannot_be_written_ends_later() {
        let folder = tempfile::tempdir().unwrap();
        let settings = SpoolSettings { queue: 10, started: Millis(1), tuning: Default::default() };
        let (spool, _) = Spool::open(folder.path(), settings).unwrap();
        spool.stop();
        let families = Arc::new(Families::new(&Registry::new()).unwrap());
        let mut orphans = Orphans {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(1),
            access: true,
            families: Arc::clone(&families),
            spool,
            events: Arc::default(),
            staying: BTreeMap::new(),
            ending: BTreeMap::new(),
        };
        orphans.add(stored(1, Some(9), String::new()), Orphan::Unreadable);
        orphans.end_due(Millis(10)).await;
        assert_eq!((families.orphaned_messages.get(), orphans.ending.len()), (1, 1));
    }
}
