//! What is shown of messages, for eyes that may see numbers and for those that may not.

use domain::{Millis, Party, UserMessage};
use jiff::Timestamp;
use serde::Serialize;
use store::center::{MessageView, PartView, Stage};
use utoipa::ToSchema;

/// What an operator may see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eyes {
    /// Whole numbers and texts.
    pub(super) numbers: bool,
}

impl Eyes {
    fn number(self, number: &domain::Number) -> String {
        if self.numbers { number.digits().to_owned() } else { number.to_string() }
    }

    pub(super) fn party(self, party: &Party) -> String {
        if self.numbers { party.0.clone() } else { format!("{party:?}") }
    }

    fn text(self, text: &domain::MessageText) -> Option<String> {
        self.numbers.then(|| text.0.clone())
    }
}

/// A moment in RFC 3339.
pub(super) fn moment(at: Millis) -> String {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX).to_string()
}

/// One message, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Message {
    pub(super) uaop_id: String,
    /// `routed`, `pushed`, `answered`; or its end: `delivered`, `failed`, `refused`, `expired`, `uncertain`, `unknown`.
    pub(super) state: &'static str,
    /// When it was routed.
    pub(super) at: String,
    /// What follows up to `text` is not there while only events of it have come.
    pub(super) empi: Option<String>,
    pub(super) class: Option<String>,
    /// Masked for operators without `numbers`.
    pub(super) to: Option<String>,
    /// Not shown to operators without `numbers`.
    pub(super) text: Option<String>,
    /// The data centre.
    pub(super) site: Option<String>,
    pub(super) gateway: Option<String>,
    pub(super) carrier: Option<String>,
    pub(super) report: Option<Report>,
    /// The message that this one sends again.
    pub(super) resend_of: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Report {
    /// From 1; a higher one replaces it.
    pub(super) revision: u32,
    /// The carrier's word or code.
    pub(super) word: Option<String>,
    pub(super) reason: Option<String>,
    /// Parts that the carrier was sent.
    pub(super) parts: u8,
    pub(super) answered_at: Option<String>,
    pub(super) at: String,
}

/// One message with all that is known of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Journey {
    #[serde(flatten)]
    pub(super) message: Message,
    pub(super) parts: Vec<Part>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Part {
    pub(super) part: u8,
    pub(super) push_sequence: Option<String>,
    pub(super) pushed_at: Option<String>,
    /// How often it was pushed.
    pub(super) pushes: u32,
    pub(super) resp_sequence: Option<String>,
    /// The carrier's answer.
    pub(super) code: Option<u32>,
    pub(super) answered_at: Option<String>,
    pub(super) report_sequence: Option<String>,
    /// The carrier's report.
    pub(super) word: Option<String>,
    pub(super) reported_at: Option<String>,
}

/// A message of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Mo {
    pub(super) mo_id: String,
    pub(super) empi: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Not shown to operators without `numbers`.
    pub(super) text: Option<String>,
    /// Which part it is, if the others did not come.
    pub(super) part: Option<u8>,
    pub(super) parts: Option<u8>,
    pub(super) at: String,
}

pub(super) const fn state(stage: Stage) -> &'static str {
    match stage {
        Stage::Routed => "routed",
        Stage::Pushed => "pushed",
        Stage::Answered => "answered",
        Stage::Final(state) => state.word(),
    }
}

pub(super) fn message(view: &MessageView, eyes: Eyes) -> Message {
    let submission = view.submission.as_ref();
    Message {
        uaop_id: view.uaop_id.to_string(),
        state: state(view.stage),
        at: moment(view.at),
        empi: submission.map(|submission| submission.empi_id.to_string()),
        class: submission.map(|submission| submission.class.to_string()),
        to: submission.map(|submission| eyes.number(&submission.to)),
        text: submission.and_then(|submission| eyes.text(&submission.text)),
        site: view.site.clone(),
        gateway: view.gateway.as_ref().map(ToString::to_string),
        carrier: view.carrier.as_ref().map(ToString::to_string),
        report: view.report.as_ref().map(report),
        resend_of: view.resend_of.as_ref().map(ToString::to_string),
    }
}

fn report(report: &domain::Report) -> Report {
    Report {
        revision: report.revision,
        word: report.word.clone(),
        reason: report.reason.clone(),
        parts: report.parts,
        answered_at: report.answered_at.map(moment),
        at: moment(report.at),
    }
}

pub(super) fn journey(view: &MessageView, eyes: Eyes) -> Journey {
    Journey { message: message(view, eyes), parts: view.parts.iter().map(part).collect() }
}

fn part(part: &PartView) -> Part {
    Part {
        part: part.part,
        push_sequence: part.push_sequence.clone(),
        pushed_at: part.pushed_at.map(moment),
        pushes: part.pushes,
        resp_sequence: part.resp_sequence.clone(),
        code: part.code,
        answered_at: part.answered_at.map(moment),
        report_sequence: part.report_sequence.clone(),
        word: part.word.clone(),
        reported_at: part.reported_at.map(moment),
    }
}

pub(super) fn mo(mo: &UserMessage, eyes: Eyes) -> Mo {
    Mo {
        mo_id: mo.mo_id.clone(),
        empi: mo.empi_id.to_string(),
        from: eyes.party(&mo.from),
        to: eyes.party(&mo.to),
        text: eyes.text(&mo.text),
        part: mo.part.map(|(part, _)| part),
        parts: mo.part.map(|(_, parts)| parts),
        at: moment(mo.at),
    }
}
