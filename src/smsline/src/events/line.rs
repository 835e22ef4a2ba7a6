//! An event as a line for people, without numbers and texts of users.

use domain::event::{Attempt, Outcome, ReportState};
use domain::{Disposition, Happened, MessageText, Party};
use gateway::uplink::lines::Numbered;
use jiff::tz::TimeZone;

use crate::time::moment;

/// Number, time, account, what happened, and the ids of what it happened to.
pub(super) fn line(Numbered { id, event }: &Numbered, zone: &TimeZone) -> String {
    let time = moment(event.at, zone);
    let (what, details) = describe(&event.happened);
    let line = format!("{id:>8}  {time}  {:<12}  {what:<13}  {details}", event.account);
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn describe(happened: &Happened) -> (&'static str, String) {
    match happened {
        Happened::Pushed { uaop_id, part, parts, push_sequence, attempt } => {
            let attempt = match attempt {
                Attempt::First => "",
                Attempt::Retry => ", again",
                Attempt::Uncertain => ", again though the carrier may have it",
            };
            ("pushed", format!("{uaop_id} part {part}/{parts} push {push_sequence}{attempt}"))
        }
        Happened::Answered { uaop_id, part, push_sequence, resp_sequence, code, disposition } => {
            let word = match disposition {
                Disposition::Accepted => "accepted",
                Disposition::SlowDown => "too fast",
                Disposition::Later => "not now",
                Disposition::Final => "refused",
            };
            let resp = optional(" resp ", resp_sequence.as_ref());
            ("answered", format!("{uaop_id} part {part} push {push_sequence}{resp} code {code}: {word}"))
        }
        Happened::Finished { uaop_id, outcome } => ("finished", format!("{uaop_id} {}", ended(outcome))),
        Happened::Reported { resp_sequence, report_sequence, uaop_id, part, to, state, word } => {
            let state = match state {
                ReportState::Delivered => "delivered",
                ReportState::Failed => "failed",
                ReportState::Waiting => "waiting",
            };
            let id = uaop_id.as_ref().map_or("-", |id| id.as_str());
            let part = optional(" part ", part.as_ref());
            let report = optional(" report ", report_sequence.as_ref());
            let to = to.as_ref().map_or_else(String::new, |to| format!(" to {to:?}"));
            ("reported", format!("{id}{part} resp {resp_sequence}{report}{to}: {state} ({word})"))
        }
        Happened::Mo { id, from, to, text } => ("mo", format!("{id} {}", mo(from, to, text))),
        Happened::MoIncomplete { id, from, to, part, parts, text } => {
            ("mo incomplete", format!("{id} part {part}/{parts} {}", mo(from, to, text)))
        }
        Happened::UserState { user, condition } => {
            let condition = match condition {
                0 => "cancelled".to_owned(),
                1 => "stopped for debt".to_owned(),
                2 => "normal again".to_owned(),
                other => format!("condition {other}"),
            };
            ("user state", format!("{user:?}: {condition}"))
        }
        Happened::LinkUp { connection } => ("link up", format!("connection {connection}")),
        Happened::LinkDown { connection, reason } => {
            ("link down", format!("connection {connection}: {reason}"))
        }
    }
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused { code, reason } => {
            format!("{}{}: {reason}", outcome.word(), optional(", code ", code.as_ref()))
        }
        Outcome::Accepted | Outcome::Uncertain | Outcome::Expired => outcome.word().to_owned(),
    }
}

/// Parties and texts mask themselves in `Debug`.
fn mo(from: &Party, to: &Party, text: &MessageText) -> String {
    format!("from {from:?} to {to:?}: {text:?}")
}

fn optional(before: &str, value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(String::new, |value| format!("{before}{value}"))
}

#[cfg(test)]
mod tests {
    use domain::{Event, Millis};

    use super::*;

    fn numbered(id: i64, happened: Happened) -> Numbered {
        let event = Event {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(1),
            account: "cm-1".parse().unwrap(),
            at: Millis(1_790_000_000_500),
            happened,
        };
        Numbered { id, event }
    }

    fn some() -> Vec<Happened> {
        let id = || "m-1".parse().unwrap();
        let user = || Party("13800138000".to_owned());
        let line = || Party("106900001".to_owned());
        let text = || MessageText("secret words".to_owned());
        let push = || "4711".to_owned();
        let resp = || "00A1".to_owned();
        let pushed =
            |attempt| Happened::Pushed { uaop_id: id(), part: 1, parts: 2, push_sequence: push(), attempt };
        let answered = |resp_sequence, code, disposition| Happened::Answered {
            uaop_id: id(),
            part: 1,
            push_sequence: push(),
            resp_sequence,
            code,
            disposition,
        };
        let finished = |outcome| Happened::Finished { uaop_id: id(), outcome };
        let refused = |code| Outcome::Refused { code, reason: "bad\nnumber".to_owned() };
        vec![
            pushed(Attempt::First),
            pushed(Attempt::Retry),
            pushed(Attempt::Uncertain),
            answered(Some(resp()), 0, Disposition::Accepted),
            answered(None, 8, Disposition::SlowDown),
            answered(None, 9, Disposition::Later),
            answered(None, 13, Disposition::Final),
            finished(Outcome::Accepted),
            finished(refused(Some(13))),
            finished(refused(None)),
            finished(Outcome::Uncertain),
            finished(Outcome::Expired),
            Happened::Reported {
                resp_sequence: resp(),
                report_sequence: Some("77".to_owned()),
                uaop_id: Some(id()),
                part: Some(2),
                to: Some(user()),
                state: ReportState::Delivered,
                word: "DELIVRD".to_owned(),
            },
            Happened::Reported {
                resp_sequence: resp(),
                report_sequence: None,
                uaop_id: None,
                part: None,
                to: None,
                state: ReportState::Failed,
                word: "MK:0001".to_owned(),
            },
            Happened::Mo { id: resp(), from: user(), to: line(), text: text() },
            Happened::MoIncomplete { id: resp(), from: user(), to: line(), part: 2, parts: 3, text: text() },
            Happened::UserState { user: user(), condition: 1 },
            Happened::UserState { user: user(), condition: 9 },
            Happened::LinkUp { connection: 0 },
            Happened::LinkDown { connection: 0, reason: "the carrier closed it".to_owned() },
        ]
    }

    #[test]
    fn an_event_is_a_line_without_full_numbers_and_texts() {
        let lines = some()
            .into_iter()
            .zip(4700..)
            .map(|(happened, id)| line(&numbered(id, happened), &TimeZone::UTC));
        let text = lines.collect::<Vec<_>>().join("\n");
        assert!(!text.contains("13800138000") && !text.contains("secret"), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn times_are_local() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let line = line(&numbered(1, Happened::LinkUp { connection: 0 }), &zone);
        assert!(line.starts_with("       1  2026-09-21 22:13:20.500  cm-1  "), "{line}");
    }
}
