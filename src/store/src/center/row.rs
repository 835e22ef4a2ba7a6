//! Rows as both engines have them.

use std::borrow::Cow;
use std::fmt::Write as _;

use domain::join::{Journey, Stage};
use domain::{FinalState, Millis, UaopId, UserMessage};
use sha2::{Digest, Sha256};

use super::MessageView;
use super::value::Columns;
use crate::row::{Strange, json, to_sql};

/// Bytes of a key that an index takes as it is.
const KEY: usize = 128;

/// A message to be written.
#[derive(Clone, Debug)]
pub(super) struct MessageRow {
    pub key: i64,
    pub uaop_id: UaopId,
    pub at: i64,
    /// National; `None` without a copy, as is `empi`.
    pub number: Option<String>,
    pub empi: Option<String>,
    pub carrier: Option<String>,
    pub stage: i64,
    /// Its time, while its bank waits for a report.
    pub due: Option<i64>,
    pub journey: String,
}

impl MessageRow {
    pub(super) fn of(key: i64, uaop_id: UaopId, journey: &Journey) -> Self {
        let submission = journey.copy().map(|copy| &copy.submission);
        Self {
            key,
            uaop_id,
            at: to_sql(journey.at()),
            number: submission.map(|submission| submission.to.national().to_owned()),
            empi: submission.map(|submission| submission.empi_id.as_str().to_owned()),
            carrier: journey.carrier().map(|carrier| carrier.as_str().to_owned()),
            stage: code(journey.stage()),
            due: journey.waits().then(|| to_sql(journey.at())),
            journey: json(journey),
        }
    }
}

/// A user's message to be written.
#[derive(Clone, Debug)]
pub(super) struct UserMessageRow {
    pub mo_id: String,
    /// 0: it is whole.
    pub part: i64,
    pub at: i64,
    pub sender: String,
    pub empi: String,
    pub message: String,
}

impl UserMessageRow {
    pub(super) fn of(message: &UserMessage) -> Self {
        let (mo_id, part) = mo_key(message);
        Self {
            mo_id,
            part,
            at: to_sql(message.at),
            sender: index_key(&domain::Party::national(&message.from.0).0).into_owned(),
            empi: message.empi_id.as_str().to_owned(),
            message: json(message),
        }
    }
}

/// What a user's message is known by.
pub(super) fn mo_key(message: &UserMessage) -> (String, i64) {
    let part = message.part.map_or(0, |(part, _)| i64::from(part));
    (index_key(&message.mo_id).into_owned(), part)
}

/// A text from outside as a key: what PostgreSQL cannot hold, or not in an index, goes by its digest.
pub(super) fn index_key(text: &str) -> Cow<'_, str> {
    if text.len() <= KEY && !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    let mut key = "sha256:".to_owned();
    for byte in Sha256::digest(text) {
        // a String takes everything
        let _ = write!(key, "{byte:02x}");
    }
    Cow::Owned(key)
}

/// A message as it is read: key, at, uaop_id, journey, resend_of.
pub(super) fn view(row: &Columns) -> Result<(i64, i64, MessageView), Strange> {
    let view = || {
        let uaop_id: UaopId = row.text(2)?.parse().ok()?;
        let journey: Journey = serde_json::from_str(row.text(3)?).ok()?;
        let resend_of = row.text(4).map(str::parse).transpose().ok()?;
        Some((row.int(1)?, row.int(0)?, message_view(uaop_id, &journey, resend_of)))
    };
    view().ok_or_else(|| strange("messages", row))
}

fn message_view(uaop_id: UaopId, journey: &Journey, resend_of: Option<UaopId>) -> MessageView {
    let copy = journey.copy();
    MessageView {
        uaop_id,
        submission: copy.map(|copy| copy.submission.clone()),
        at: journey.at(),
        site: copy.map(|copy| copy.site.clone()),
        gateway: journey.gateway().cloned(),
        carrier: journey.carrier().cloned(),
        stage: journey.stage(),
        report: journey.report().cloned(),
        parts: journey.parts(),
        resend_of,
    }
}

/// The first column is its key.
pub(super) fn strange(table: &'static str, row: &Columns) -> Strange {
    Strange { table, key: row.int(0).unwrap_or(0) }
}

/// As a row has it.
pub(super) const fn code(stage: Stage) -> i64 {
    match stage {
        Stage::Routed => 0,
        Stage::Pushed => 1,
        Stage::Answered => 2,
        Stage::Final(state) => state_code(Some(state)),
    }
}

/// As a row has it; 0: none.
pub(super) const fn state_code(state: Option<FinalState>) -> i64 {
    match state {
        None => 0,
        Some(FinalState::Delivered) => 10,
        Some(FinalState::Failed) => 11,
        Some(FinalState::Refused) => 12,
        Some(FinalState::Expired) => 13,
        Some(FinalState::Uncertain) => 14,
        Some(FinalState::Unknown) => 15,
    }
}

/// `None`: there is no such state.
pub(super) fn state_of(code: i64) -> Option<FinalState> {
    FinalState::ALL.into_iter().find(|state| state_code(Some(*state)) == code)
}

/// The day of a moment, `2026-03-01`.
pub(super) fn day(at: Millis, zone: &jiff::tz::TimeZone) -> String {
    let moment = jiff::Timestamp::from_millisecond(to_sql(at)).unwrap_or(jiff::Timestamp::MAX);
    zone.to_datetime(moment).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_code_of_its_own() {
        for code in 10..=15 {
            assert_eq!(state_code(state_of(code)), code);
        }
        assert_eq!(state_of(0), None);
    }

    #[test]
    fn a_day_begins_where_the_center_is() {
        let beijing = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(day(Millis(1_772_294_399_999), &beijing), "2026-02-28");
        assert_eq!(day(Millis(1_772_294_400_000), &beijing), "2026-03-01");
        assert_eq!(day(Millis(u64::MAX), &beijing), "9999-12-31");
    }

    #[test]
    fn a_text_that_no_index_takes_goes_by_its_digest() {
        assert_eq!(index_key("A1"), "A1");
        assert_eq!(index_key("a\0").len(), 71);
        assert_ne!(index_key(&"x".repeat(3000)), index_key(&"x".repeat(3001)));
    }
}
