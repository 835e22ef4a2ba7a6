//! Follows a gateway's events, as a UAOP does, whatever becomes of the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use domain::Happened;

use super::Uplink;
use super::uplink::Told;
use crate::follow::Follow;

/// Events asked for at once, and how long for the first.
const MOST: usize = 5_000;
const WAIT_SECONDS: u64 = 1;

/// All events of a gateway from the first on, kept in memory; a thread asks for more as long as this lives.
#[derive(Debug)]
pub struct Feed(Follow<Seen>);

/// What has come.
#[derive(Debug, Default)]
pub struct Seen {
    pub events: Vec<Told>,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Message ids of the carrier that a report came for.
    pub reported: BTreeSet<String>,
}

impl Feed {
    /// As `consumer`, from the first event that the gateway still has.
    #[must_use]
    pub fn follow(uplink: Uplink, consumer: &str) -> Self {
        let (consumer, mut after) = (consumer.to_owned(), 0);
        Self(Follow::new(move || {
            let events = uplink.events(&consumer, after, MOST, WAIT_SECONDS)?;
            after = events.last().map_or(after, |told| told.id);
            Ok(|seen: &mut Seen| seen.add(events))
        }))
    }

    /// Looks at what has come.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        self.0.look(look)
    }

    /// How many events of this kind have come.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.look(|seen| seen.count(kind))
    }

    /// Waits until what has come satisfies `condition`, which is asked after each batch of events.
    ///
    /// # Errors
    /// The deadline has passed; with the count of each kind.
    pub fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        condition: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        self.0.wait(what, deadline, condition, |seen| format!("events so far: {:?}", seen.kinds))
    }

    /// Waits for the first event that `wanted` makes something of.
    ///
    /// # Errors
    /// As [`Feed::wait`].
    pub fn find<T>(
        &self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Happened) -> Option<T>,
    ) -> Result<T> {
        let mut looked_at = 0;
        self.wait(what, deadline, |seen| {
            let new = &seen.events[looked_at..];
            looked_at = seen.events.len();
            new.iter().find_map(|told| wanted(&told.event.happened))
        })
    }

    /// Waits for so many events of a kind.
    ///
    /// # Errors
    /// As [`Feed::wait`].
    pub fn wait_count(&self, kind: &str, count: usize, deadline: Duration) -> Result<()> {
        let what = format!("{count} events of the kind {kind}");
        self.wait(&what, deadline, |seen| (seen.count(kind) >= count).then_some(()))
    }
}

impl Seen {
    /// How many events of this kind have come.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    fn add(&mut self, events: Vec<Told>) {
        for told in events {
            *self.kinds.entry(kind(&told.event.happened)).or_default() += 1;
            if let Happened::Reported { resp_sequence, .. } = &told.event.happened {
                self.reported.insert(resp_sequence.clone());
            }
            self.events.push(told);
        }
    }
}

/// The word of an event in its JSON.
fn kind(happened: &Happened) -> &'static str {
    match happened {
        Happened::Pushed { .. } => "pushed",
        Happened::Answered { .. } => "answered",
        Happened::Finished { .. } => "finished",
        Happened::Reported { .. } => "reported",
        Happened::Mo { .. } => "mo",
        Happened::MoIncomplete { .. } => "mo_incomplete",
        Happened::UserState { .. } => "user_state",
        Happened::LinkUp { .. } => "link_up",
        Happened::LinkDown { .. } => "link_down",
    }
}
