//! What the last run left and no account of this one can take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::event::Outcome;
use domain::lifecycle::Delivery;
use domain::{Account, Event, GatewayId, Happened, Millis};
use store::spool::{Change, Fragment, Spool, Stored};
use tokio::sync::Notify;

use crate::engine::Orphan;
use crate::metrics::Families;

/// Collects them while the spool is read.
pub(super) struct Orphans {
    pub(super) gateway: GatewayId,
    pub(super) epoch: Millis,
    /// When the spool is read.
    pub(super) now: Millis,
    /// Whether there is an access record for each message.
    pub(super) access: bool,
    pub(super) families: Arc<Families>,
    /// How many stay, by the reason.
    staying: BTreeMap<Orphan, u64>,
    ended: Vec<Change>,
}

impl Orphans {
    pub(super) fn new(
        gateway: GatewayId,
        epoch: Millis,
        now: Millis,
        access: bool,
        families: Arc<Families>,
    ) -> Self {
        Self { gateway, epoch, now, access, families, staying: BTreeMap::new(), ended: Vec::new() }
    }

    /// A message. It ends if its time is over; otherwise it waits for a run that has its account again.
    pub(super) fn add(&mut self, stored: &Stored, orphan: Orphan) {
        let over = stored.submission.not_after.is_some_and(|end| end < self.now);
        match &stored.submission.account {
            Some(account) if over => self.end(stored, account.clone()),
            _ => *self.staying.entry(orphan).or_default() += 1,
        }
    }

    /// Says what stays, and writes what has ended.
    pub(super) fn settle(self, spool: &Spool, events: Arc<Notify>) {
        let mut all = 0;
        for (reason, messages) in &self.staying {
            all += messages;
            tracing::error!(messages, %reason, "messages of the last run wait in the spool, and no account takes them");
        }
        self.families.orphaned_messages.set(i64::try_from(all).unwrap_or(i64::MAX));
        if self.ended.is_empty() {
            return;
        }
        // one that has stopped already is noticed elsewhere; they end with the next start
        let _ = spool.write(self.ended, move |written| match written {
            Ok(()) => events.notify_waiters(),
            Err(unwritten) => {
                tracing::error!(error = %unwritten.error, "messages without an account whose time is over could not be ended");
            }
        });
    }

    fn end(&mut self, stored: &Stored, account: Account) {
        let outcome = outcome(&stored.progress);
        let submission = &stored.submission;
        self.families.finished.with_label_values(&[account.as_str(), outcome.word()]).inc();
        if self.access {
            tracing::info!(
                target: "access",
                uaopId = %submission.uaop_id,
                empiId = %submission.empi_id,
                class = %submission.class,
                account = %account,
                to = %submission.to,
                outcome = outcome.word(),
                total_ms = self.now.0.saturating_sub(stored.taken_at.0),
                "message"
            );
        }
        let happened = Happened::Finished { uaop_id: submission.uaop_id.clone(), outcome: outcome.clone() };
        let (gateway, epoch, at) = (self.gateway.clone(), self.epoch, self.now);
        self.ended.push(Change::Event(Event { gateway, epoch, account, at, happened }));
        self.ended.push(Change::Finish { key: stored.key, outcome, at });
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

    #[test]
    fn a_message_without_an_account_ends_when_its_time_is_over_and_is_counted_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let settings = SpoolSettings { queue: 10, started: Millis(1), tuning: Default::default() };
        let (spool, _) = Spool::open(folder.path(), settings).unwrap();
        let families = Arc::new(Families::new(&Registry::new()).unwrap());
        let gateway = "gw".parse().unwrap();
        let mut orphans = Orphans::new(gateway, Millis(1), Millis(1000), true, Arc::clone(&families));
        let new = progress(&Delivery::new(1, WhenUncertain::Resend));
        let gone = || Orphan::AccountGone(Some("gone".parse().unwrap()));
        orphans.add(&stored(1, Some(999), new.clone()), gone());
        orphans.add(&stored(2, Some(1001), new.clone()), gone());
        orphans.add(&stored(3, None, new), gone());
        orphans.settle(&spool, Arc::default());
        spool.stop();
        assert_eq!(families.orphaned_messages.get(), 2);
        assert_eq!(families.finished.with_label_values(&["gone", "expired"]).get(), 1);
        let told: Vec<Happened> =
            spool.events(0, 10).unwrap().into_iter().map(|(_, event)| event.happened).collect();
        let expired = Happened::Finished { uaop_id: "m1".parse().unwrap(), outcome: Outcome::Expired };
        assert_eq!(told, [expired]);
    }
}
