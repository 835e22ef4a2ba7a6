//! HAProxy's agent protocol: one line in which a server says how it is.

use thiserror::Error;

/// Longest reason that is kept, in characters.
const REASON: usize = 200;
/// Largest weight, as in the file; also the largest percentage.
const MOST_WEIGHT: u16 = 1000;

/// What one line says; `None` where it says nothing, and then nothing changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentReply {
    pub weight: Option<AgentWeight>,
    /// `maxconn:N`; 0 = no limit.
    pub max_connections: Option<u32>,
    pub mode: Option<AgentMode>,
    pub health: Option<AgentHealth>,
}

/// `75%`, `weight:75%` or `weight:15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentWeight {
    /// Of the weight that the server has otherwise; 0 to 1000.
    Percent(u16),
    /// Instead of the weight that the server has otherwise; 0 to 1000.
    Absolute(u16),
}

/// `ready`, `drain`, `maint`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgentMode {
    #[default]
    Ready,
    Drain,
    Maint,
}

/// `up`, or `down`, `fail`, `stopped` with a reason after `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AgentHealth {
    #[default]
    Up,
    Down {
        /// The word that was used and the reason that was given; control characters are left out.
        reason: String,
    },
}

/// Why a line was not understood. None of it is applied then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AgentError {
    #[error("the agent sent an empty line")]
    Empty,
    #[error("the agent sent {0:?}, which is no word of its protocol")]
    UnknownWord(String),
    #[error("the agent sent {0:?}, whose number is missing or out of range")]
    Number(String),
}

impl AgentReply {
    /// Reads up to the first CR, LF or NUL, or to the end. Words are separated by spaces, tabs or commas, in
    /// any case; a later word wins over an earlier one of its kind.
    ///
    /// # Errors
    /// When the line is empty or has a word that the protocol does not know.
    pub fn parse(bytes: &[u8]) -> Result<Self, AgentError> {
        let end = bytes.iter().position(|byte| b"\r\n\0".contains(byte)).unwrap_or(bytes.len());
        let line = String::from_utf8_lossy(&bytes[..end]);
        let (words, reason) =
            line.split_once('#').map_or((&*line, None), |(words, reason)| (words, Some(reason)));

        let mut reply = Self::default();
        for word in words.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            reply.word(&word.to_ascii_lowercase(), reason)?;
        }
        if reply == Self::default() { Err(AgentError::Empty) } else { Ok(reply) }
    }

    fn word(&mut self, word: &str, reason: Option<&str>) -> Result<(), AgentError> {
        match word {
            "ready" => self.mode = Some(AgentMode::Ready),
            "drain" => self.mode = Some(AgentMode::Drain),
            "maint" => self.mode = Some(AgentMode::Maint),
            "up" => self.health = Some(AgentHealth::Up),
            "down" | "fail" | "stopped" => {
                self.health = Some(AgentHealth::Down { reason: readable(word, reason) });
            }
            _ => return self.value(word),
        }
        Ok(())
    }

    fn value(&mut self, word: &str) -> Result<(), AgentError> {
        if let Some(limit) = word.strip_prefix("maxconn:") {
            let limit = limit.parse().map_err(|_| AgentError::Number(word.to_owned()))?;
            self.max_connections = Some(limit);
            return Ok(());
        }
        let weight = word.strip_prefix("weight:");
        if weight.is_none() && !word.ends_with('%') {
            return Err(AgentError::UnknownWord(printable(word)));
        }
        self.weight = Some(weight.unwrap_or(word).parse()?);
        Ok(())
    }
}

impl std::str::FromStr for AgentWeight {
    type Err = AgentError;

    fn from_str(text: &str) -> Result<Self, AgentError> {
        let (number, weight): (_, fn(u16) -> Self) =
            text.strip_suffix('%').map_or((text, Self::Absolute), |number| (number, Self::Percent));
        match number.parse() {
            Ok(number) if number <= MOST_WEIGHT => Ok(weight(number)),
            Ok(_) | Err(_) => Err(AgentError::Number(printable(text))),
        }
    }
}

fn readable(word: &str, reason: Option<&str>) -> String {
    let reason = printable(reason.unwrap_or_default());
    let reason = reason.trim();
    if reason.is_empty() { word.to_owned() } else { format!("{word}: {reason}") }
}

fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(line: &str) -> AgentReply {
        AgentReply::parse(line.as_bytes()).unwrap()
    }

    fn down(reason: &str) -> Option<AgentHealth> {
        Some(AgentHealth::Down { reason: reason.to_owned() })
    }

    #[test]
    fn every_word() {
        assert_eq!(parse("75%\n").weight, Some(AgentWeight::Percent(75)));
        assert_eq!(parse("weight:50%").weight, Some(AgentWeight::Percent(50)));
        assert_eq!(parse("weight:15").weight, Some(AgentWeight::Absolute(15)));
        assert_eq!(parse("maxconn:30").max_connections, Some(30));
        assert_eq!(parse("ready").mode, Some(AgentMode::Ready));
        assert_eq!(parse("DRAIN\r\n").mode, Some(AgentMode::Drain));
        assert_eq!(parse("maint").mode, Some(AgentMode::Maint));
        assert_eq!(parse("up").health, Some(AgentHealth::Up));
        assert_eq!(parse("fail").health, down("fail"));
        assert_eq!(parse("stopped").health, down("stopped"));
    }

    #[test]
    fn a_reason_runs_to_the_end_of_the_line() {
        assert_eq!(parse("down # disk full, 100%\nup").health, down("down: disk full, 100%"));
        assert_eq!(parse("down #\x1b[31m red").health, down("down: [31m red"));
        assert_eq!(parse("down #").health, down("down"));
    }

    #[test]
    fn several_words_with_any_separator() {
        let reply = parse("up ready,\t80%, maxconn:5 drain");
        assert_eq!(
            reply,
            AgentReply {
                weight: Some(AgentWeight::Percent(80)),
                max_connections: Some(5),
                mode: Some(AgentMode::Drain),
                health: Some(AgentHealth::Up),
            }
        );
    }

    #[test]
    fn what_is_no_word_is_an_error_as_a_whole() {
        let error = |line: &str| AgentReply::parse(line.as_bytes()).unwrap_err();
        assert_eq!(error(""), AgentError::Empty);
        assert_eq!(error(" ,\r\nup"), AgentError::Empty);
        assert_eq!(error("up hello"), AgentError::UnknownWord("hello".to_owned()));
        assert_eq!(error("75"), AgentError::UnknownWord("75".to_owned()));
        assert_eq!(error("1001%"), AgentError::Number("1001%".to_owned()));
        assert_eq!(error("-1%"), AgentError::Number("-1%".to_owned()));
        assert_eq!(error("weight:"), AgentError::Number(String::new()));
        assert_eq!(error("maxconn:x"), AgentError::Number("maxconn:x".to_owned()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = AgentReply::parse(&bytes);
        }
    }
}
