//! The lines of the uplink.

use std::fmt;

use domain::{Event, Submission, UaopId};
use serde::{Deserialize, Serialize};

use crate::engine::Verdict;

/// Most submissions in one request.
pub const MOST_LINES: usize = 1000;

/// What became of one submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uaop_id: Option<UaopId>,
    /// From 1; of a line that is no submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(flatten)]
    pub taken: Taken,
}

/// Whether it is in the gateway's hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "taken")]
pub enum Taken {
    /// It is durable.
    New,
    /// It was taken before, with the same content; `outcome` is there once it has one.
    Duplicate { outcome: Option<String> },
    /// It is not taken; `again`: it may be later.
    Refused { reason: String, again: bool },
}

/// An event with its number, as it is read; written by [`number`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    pub id: i64,
    #[serde(flatten)]
    pub event: Event,
}

/// The request has more lines than one may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyLines;

impl fmt::Display for TooManyLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {MOST_LINES} lines; send them in several requests")
    }
}

impl From<Verdict> for Taken {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::New => Self::New,
            Verdict::Duplicate { outcome } => {
                Self::Duplicate { outcome: outcome.map(|outcome| outcome.word().to_owned()) }
            }
            Verdict::Refused { reason, again } => Self::Refused { reason, again },
        }
    }
}

/// Adds the line of an event: its number, then what is in its JSON.
pub fn number(id: i64, event: &[u8], lines: &mut Vec<u8>) {
    lines.extend_from_slice(br#"{"id":"#);
    lines.extend_from_slice(id.to_string().as_bytes());
    lines.push(b',');
    lines.extend_from_slice(event.get(1..).unwrap_or_default());
    lines.push(b'\n');
}

/// Reads submissions; what is wrong with a line does not name its content.
///
/// # Errors
/// There are too many.
pub fn read(body: &str) -> Result<Vec<Result<Submission, Answer>>, TooManyLines> {
    let lines = body.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read: Vec<_> = lines
        .take(MOST_LINES + 1)
        .map(|(index, line)| {
            serde_json::from_str::<Submission>(line).map_err(|error| Answer {
                uaop_id: None,
                line: Some(index + 1),
                taken: Taken::Refused { reason: explain(&error), again: false },
            })
        })
        .collect();
    if read.len() > MOST_LINES { Err(TooManyLines) } else { Ok(read) }
}

/// serde's messages hold values where a type is wrong; those of our own types do not.
fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once("invalid type: ") {
        Some((before, _)) => format!("{before}a value of the wrong type at column {}", error.column()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"uaop_id":"m1","empi_id":"b","class":"c","to":"13800138000","text":"hi"}"#;

    #[test]
    fn the_line_of_an_event_is_what_reads_as_one_with_its_number_first() {
        let event = Event {
            gateway: "gw".parse().unwrap(),
            epoch: domain::Millis(1),
            account: "cm".parse().unwrap(),
            at: domain::Millis(2),
            happened: domain::Happened::LinkDown { connection: 0, reason: "\"{\n}".to_owned() },
        };
        let mut lines = Vec::new();
        number(7, &serde_json::to_vec(&event).unwrap(), &mut lines);
        let read = Numbered { id: 7, event };
        assert_eq!(serde_json::from_slice::<Numbered>(&lines).unwrap(), read);
        assert_eq!(String::from_utf8(lines).unwrap(), serde_json::to_string(&read).unwrap() + "\n");
    }

    #[test]
    fn a_bad_line_is_refused_by_its_number_and_the_others_are_read() {
        let read = read(&format!("{GOOD}\n\nnonsense\n{GOOD}")).unwrap();
        assert_eq!(read.iter().filter(|line| line.is_ok()).count(), 2);
        let refused = read[1].as_ref().unwrap_err();
        assert_eq!(refused.line, Some(3));
    }

    #[test]
    fn what_is_wrong_names_no_number_and_no_text() {
        let changes = [
            ("\"13800138000\"", "13800138000"),
            ("\"13800138000\"", "\"1380013800O\""),
            ("\"hi\"", "[\"secret\"]"),
        ];
        for (from, to) in changes {
            let line = GOOD.replace(from, to);
            let refused = read(&line).unwrap().remove(0).unwrap_err();
            let text = serde_json::to_string(&refused).unwrap();
            assert!(!text.contains("1380013800") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn the_number_of_lines_is_bounded() {
        assert_eq!(read(&"x\n".repeat(MOST_LINES + 1)), Err(TooManyLines));
        assert_eq!(read(&"x\n".repeat(MOST_LINES)).unwrap().len(), MOST_LINES);
    }
}
