//! A state that reports name.

use std::fmt;
use std::str::FromStr;

use domain::event::ReportState;
use serde::{Serialize, Serializer};
use wire::text::Text;

/// `failed` and `waiting` stand for the protocol's own word, other words go out as they are, with an error code behind
/// a stroke if need be: `EXPIRED`, `UNDELIV/006`, `MB:0069`. SGIP has no words: it sends the state with the error code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    pub state: ReportState,
    pub word: Option<Text<7>>,
    pub error: Option<Text<3>>,
}

impl State {
    pub const DELIVERED: Self = Self { state: ReportState::Delivered, word: None, error: None };
}

impl FromStr for State {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (word, error) = text.split_once('/').map_or((text, None), |(word, error)| (word, Some(error)));
        if word.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("a state is a word without spaces");
        }
        let error = error.map(|error| {
            let digits = !error.is_empty() && error.bytes().all(|b| b.is_ascii_digit());
            error.parse().ok().filter(|_| digits).ok_or("an error code has one to three digits")
        });
        let error = error.transpose()?;
        let (state, word) = match word {
            "delivered" => (ReportState::Delivered, None),
            "failed" => (ReportState::Failed, None),
            "waiting" => (ReportState::Waiting, None),
            word => {
                let state = match word {
                    "DELIVRD" => ReportState::Delivered,
                    "ACCEPTD" | "ENROUTE" => ReportState::Waiting,
                    _ => ReportState::Failed,
                };
                (state, Some(word.parse().map_err(|_| "a carrier's word has at most 7 characters")?))
            }
        };
        Ok(Self { state, word, error })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.word, self.state) {
            (Some(word), _) => word.fmt(f)?,
            (None, ReportState::Delivered) => f.write_str("delivered")?,
            (None, ReportState::Failed) => f.write_str("failed")?,
            (None, ReportState::Waiting) => f.write_str("waiting")?,
        }
        self.error.iter().try_for_each(|error| write!(f, "/{error}"))
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for (text, state) in [
            ("delivered", ReportState::Delivered),
            ("failed/21", ReportState::Failed),
            ("waiting", ReportState::Waiting),
            ("UNDELIV/006", ReportState::Failed),
            ("MB:0069", ReportState::Failed),
            ("ACCEPTD", ReportState::Waiting),
        ] {
            let read: State = text.parse().unwrap();
            assert_eq!((read.state, read.to_string().as_str()), (state, text));
        }
    }

    #[test]
    fn what_no_report_can_carry_is_refused() {
        for text in ["", "/1", "TOOLONGS", "EXPIRED/", "EXPIRED/1234", "EXPIRED/x", "TWO WORD"] {
            assert!(text.parse::<State>().is_err(), "{text}");
        }
    }
}
