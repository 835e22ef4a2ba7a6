//! What goes over the wire, for the OpenAPI document too.

use domain::{FinalState, ForBank, Report, UserMessage};
use serde::{Deserialize, Serialize};
use store::empi::{Item, MessageView, Stage};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Messages to be sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Submit {
    /// At least one; at most 1000 recipients all together.
    #[schema(min_items = 1, max_items = 1000)]
    pub messages: Vec<Message>,
}

/// One text to one recipient or several.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message {
    /// The bank's own name for the message: the same one never sends a second message to the same recipient.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._:-]+$", example = "order-1")]
    pub reference: String,
    pub to: To,
    #[schema(min_length = 1, example = "hello")]
    pub text: String,
    /// One of the classes that were agreed.
    #[schema(example = "notice")]
    pub class: String,
    /// Whether a report is wanted; `true` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<bool>,
    /// Digits behind the access number, so that an answer finds its sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 12, pattern = "^[0-9]*$")]
    pub extension: Option<String>,
    /// The highest is sent first; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 9)]
    pub priority: Option<u8>,
    /// Not to be sent after this moment: milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
}

/// 1 to 20 digits, with or without `+`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum To {
    One(String),
    Many(Vec<String>),
}

/// One result for each message, in their order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Submitted {
    pub results: Vec<MessageResult>,
}

/// What became of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageResult {
    /// `null` if it cannot be read.
    pub reference: Option<String>,
    pub status: Status,
    /// In the order of `to`; empty if the message as a whole is refused.
    pub recipients: Vec<RecipientResult>,
    /// Why the message as a whole is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// What became of one recipient's message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecipientResult {
    /// As it was written.
    pub to: String,
    pub status: Status,
    /// Its id on the platform, unless it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uaop_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// `accepted`: it is durable, and will be sent. `duplicate`: it was accepted before, and is not sent twice. `refused`:
/// it is not sent. `mixed`: the recipients differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Accepted,
    Duplicate,
    Refused,
    Mixed,
}

impl Status {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Mixed => "mixed",
        }
    }

    /// Of a message with these recipients.
    pub(crate) fn of_all(recipients: &[RecipientResult]) -> Self {
        match recipients.split_first() {
            None => Self::Refused,
            Some((first, rest)) if rest.iter().all(|other| other.status == first.status) => first.status,
            Some(_) => Self::Mixed,
        }
    }
}

/// How messages stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Messages {
    pub messages: Vec<MessageState>,
}

/// How a message stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageState {
    pub uaop_id: String,
    pub reference: String,
    pub to: String,
    pub text: String,
    pub class: String,
    pub state: State,
    /// Milliseconds since 1970, as all times.
    pub accepted_at: u64,
    /// When it went on to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportBody>,
}

/// `waiting`: here. `handed`: on its way, without a report yet. `delivered`: the user has it. `failed`: the carrier could
/// not deliver it. `refused`: the carrier, or the line before it, did not take it. `expired`: its time was over before it was
/// sent. `uncertain`: nobody knows whether the carrier has it, and it is not sent again. `unknown`: no report came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    Handed,
    Delivered,
    Failed,
    Refused,
    Expired,
    Uncertain,
    Unknown,
}

/// Reports and users' messages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reports {
    pub items: Vec<ReportItem>,
    /// The `after` of the next request; `null`: there was nothing yet.
    pub next: Option<i64>,
}

/// One of them; also the body of a call to the bank.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReportItem {
    Report(MessageReport),
    Mo(Mo),
}

/// The end of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageReport {
    /// Grows; the same on both front-ends.
    pub cursor: i64,
    /// `null`: this front-end did not accept the message.
    pub reference: Option<String>,
    #[serde(flatten)]
    pub report: ReportBody,
}

/// What became of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportBody {
    pub uaop_id: String,
    pub to: String,
    pub state: State,
    /// From 1; a higher one replaces the report.
    pub revision: u32,
    /// The carrier's word or code, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Short messages that the carrier was sent.
    pub parts: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// When the carrier took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<u64>,
    pub at: u64,
}

/// A message of a user.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mo {
    /// Grows; the same on both front-ends.
    pub cursor: i64,
    /// Unique on the platform.
    pub mo_id: String,
    pub from: String,
    /// The access number with its extension.
    pub to: String,
    pub text: String,
    /// If its other parts did not come in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<PartOf>,
    pub at: u64,
}

/// Which part it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct PartOf {
    pub number: u8,
    pub of: u8,
}

impl From<FinalState> for State {
    fn from(state: FinalState) -> Self {
        match state {
            FinalState::Delivered => Self::Delivered,
            FinalState::Failed => Self::Failed,
            FinalState::Refused => Self::Refused,
            FinalState::Expired => Self::Expired,
            FinalState::Uncertain => Self::Uncertain,
            FinalState::Unknown => Self::Unknown,
        }
    }
}

impl From<MessageView> for MessageState {
    fn from(view: MessageView) -> Self {
        let state = match view.stage() {
            Stage::Waiting => State::Waiting,
            Stage::Handed => State::Handed,
            Stage::Final(state) => state.into(),
        };
        let MessageView { bank: _, reference, submission, accepted_at, handed_at, report } = view;
        Self {
            uaop_id: submission.uaop_id.into(),
            reference: reference.into(),
            to: submission.to.into(),
            text: submission.text.0,
            class: submission.class.into(),
            state,
            accepted_at: accepted_at.0,
            handed_at: handed_at.map(|at| at.0),
            not_after: submission.not_after.map(|at| at.0),
            report: report.map(Into::into),
        }
    }
}

impl From<Report> for ReportBody {
    fn from(report: Report) -> Self {
        let Report { uaop_id, empi_id: _, revision, state, word, reason, to, parts, gateway: _, .. } = report;
        Self {
            uaop_id: uaop_id.into(),
            to: to.into(),
            state: state.into(),
            revision,
            word,
            reason,
            parts,
            carrier: report.carrier.map(Into::into),
            answered_at: report.answered_at.map(|at| at.0),
            at: report.at.0,
        }
    }
}

impl From<Item> for ReportItem {
    fn from(item: Item) -> Self {
        let Item { cursor, bank: _, reference, item } = item;
        match item {
            ForBank::Report(report) => {
                let reference = reference.map(Into::into);
                Self::Report(MessageReport { cursor, reference, report: report.into() })
            }
            ForBank::Mo(UserMessage { mo_id, empi_id: _, from, to, text, part, at }) => {
                let part = part.map(|(number, of)| PartOf { number, of });
                Self::Mo(Mo { cursor, mo_id, from: from.0, to: to.0, text: text.0, part, at: at.0 })
            }
        }
    }
}
