//! What must be known of the rows before facts can be joined to them.

use std::collections::{BTreeMap, BTreeSet};

use domain::join::{About, Fact, Journey, Tally, about, answered};
use domain::{Carrier, Number, Told, UaopId};

use super::row::{index_key, mo_key};
use crate::row::Strange;

/// An id that a carrier has given a part: the carrier, the id as a key.
pub(super) type Response = (String, String);

pub(super) fn response(carrier: &Carrier, resp_sequence: &str) -> Response {
    (carrier.as_str().to_owned(), index_key(resp_sequence).into_owned())
}

/// The one row that changes with every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Of messages.
    pub last_key: i64,
    pub messages: i64,
    pub open: i64,
    pub orphans: i64,
}

/// What facts touch.
#[derive(Debug, Default)]
pub(super) struct Needs<'a> {
    pub ids: BTreeSet<&'a UaopId>,
    /// Whose message is to be found by the carrier's id.
    pub reports: BTreeSet<Response>,
    /// Carriers' ids of which there may be orphans.
    pub orphans: BTreeSet<Response>,
    pub user_messages: BTreeSet<(String, i64)>,
}

impl<'a> Needs<'a> {
    pub(super) fn of(facts: &'a [Fact]) -> Self {
        let mut needs = Self::default();
        for fact in facts {
            match fact {
                Fact::Copy(copy) => {
                    needs.ids.insert(&copy.submission.uaop_id);
                }
                Fact::Told(told) => needs.told(told),
                Fact::Mo(message) => {
                    needs.user_messages.insert(mo_key(message));
                }
            }
        }
        needs
    }

    fn told(&mut self, told: &'a Told) {
        match about(told) {
            Some(About::Message(id)) => {
                self.ids.insert(id);
            }
            Some(About::Response(carrier, resp_sequence)) => {
                let response = response(carrier, resp_sequence);
                self.reports.insert(response.clone());
                self.orphans.insert(response);
            }
            None => {}
        }
        if let Some((_, _, resp_sequence)) = answered(told) {
            self.orphans.insert(response(&told.carrier, resp_sequence));
        }
    }
}

/// What the rows say.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub messages: BTreeMap<i64, Message>,
    pub keys: BTreeMap<UaopId, i64>,
    pub responses: BTreeMap<Response, (i64, u8)>,
    pub orphans: BTreeMap<Response, Vec<Orphan>>,
    pub user_messages: BTreeSet<(String, i64)>,
}

#[derive(Debug)]
pub(super) struct Message {
    pub uaop_id: UaopId,
    pub journey: Journey,
    pub changed: bool,
    /// What the row counts for and is found by; `None`: there is no row.
    pub before: Option<Before>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub tally: Option<Tally>,
    pub open: bool,
    pub waits: bool,
    pub at: domain::Millis,
    pub number: Option<Number>,
}

impl Before {
    pub(super) fn of(journey: &Journey) -> Self {
        Self {
            tally: journey.tally(),
            open: journey.is_open(),
            waits: journey.waits(),
            at: journey.at(),
            number: journey.copy().map(|copy| copy.submission.to.clone()),
        }
    }

    /// Whether it is found under other words.
    pub(super) fn is_elsewhere(&self, other: &Self) -> bool {
        fn empi(tally: Option<&Tally>) -> Option<&str> {
            tally.map(|tally| tally.empi.as_str())
        }
        let same = self.at == other.at && self.number == other.number;
        !same || empi(self.tally.as_ref()) != empi(other.tally.as_ref())
    }
}

/// A report without a message.
#[derive(Debug)]
pub(super) struct Orphan {
    /// `None`: it is new.
    pub key: Option<i64>,
    /// What it is known by, beside the response.
    pub report: String,
    pub told: Told,
    pub changed: bool,
}

impl Known {
    /// A row of messages.
    pub(super) fn message(&mut self, key: i64, uaop_id: &str, journey: &str) -> Result<(), Strange> {
        let strange = Strange { table: "messages", key };
        let Ok(uaop_id) = uaop_id.parse::<UaopId>() else { return Err(strange) };
        let Ok(journey) = serde_json::from_str::<Journey>(journey) else { return Err(strange) };
        let before = Some(Before::of(&journey));
        self.keys.insert(uaop_id.clone(), key);
        self.messages.insert(key, Message { uaop_id, journey, changed: false, before });
        Ok(())
    }

    /// A row of orphans.
    pub(super) fn orphan(
        &mut self,
        key: i64,
        response: Response,
        report: String,
        told: &str,
    ) -> Result<(), Strange> {
        let told = serde_json::from_str(told).map_err(|_| Strange { table: "orphans", key })?;
        let orphan = Orphan { key: Some(key), report, told, changed: false };
        self.orphans.entry(response).or_default().push(orphan);
        Ok(())
    }
}
