//! Phone numbers and access numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest number that the carriers' 21-byte fields hold with a country code, in digits.
pub const MAX_DIGITS: usize = 20;

/// A phone number or access number: 1 to 20 digits, without `+`. It is personal data: `Debug` and `Display` mask it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

/// Why a text is no number. Its text never holds the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    #[error("is empty")]
    Empty,
    #[error("has more than {MAX_DIGITS} digits")]
    TooLong,
    #[error("holds something else than digits")]
    NotDigits,
}

impl Number {
    /// All of it, as it was given: for the wire and the store, never for a log.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// A Chinese mobile number without its country code 86; another number as it is.
    #[must_use]
    pub fn national(&self) -> &str {
        match self.0.strip_prefix("86") {
            Some(rest) if is_mobile(rest) => rest,
            _ => &self.0,
        }
    }

    /// A Chinese mobile number with its country code 86; another number as it is.
    #[must_use]
    pub fn international(&self) -> String {
        if is_mobile(&self.0) { format!("86{}", self.0) } else { self.0.clone() }
    }
}

/// 11 digits that begin with 1.
fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1')
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.is_empty() {
            return Err(NumberError::Empty);
        }
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::NotDigits);
        }
        if digits.len() > MAX_DIGITS {
            return Err(NumberError::TooLong);
        }
        Ok(Self(digits.to_owned()))
    }
}

impl TryFrom<String> for Number {
    type Error = NumberError;

    fn try_from(text: String) -> Result<Self, NumberError> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0
    }
}

/// Whoever a carrier names: mostly a number, now and then a pseudonym; as it came. Masked as a [`Number`] is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Party(pub String);

impl Party {
    /// As [`Number::national`].
    #[must_use]
    pub fn national(text: &str) -> Self {
        match text.parse::<Number>() {
            Ok(number) => Self(number.national().to_owned()),
            Err(_) => Self(text.to_owned()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mask(&self.0, f)
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mask(&self.0, f)
    }
}

fn mask(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let characters = text.chars().count();
    let (head, tail) = match characters {
        0..=4 => (0, 0),
        5..=7 => (2, 1),
        _ => (3, 4),
    };
    let shown: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(characters - tail).collect();
    write!(f, "{shown}****{end}")
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn the_country_code_comes_and_goes() {
        assert_eq!(number("+8613800138000").national(), "13800138000");
        assert_eq!(number("13800138000").international(), "8613800138000");
        assert_eq!(number("8613800138000").international(), "8613800138000");
        assert_eq!(number("1069000001").international(), "1069000001");
        assert_eq!(number("8675512345").national(), "8675512345");
    }

    #[test]
    fn a_number_shows_itself_masked() {
        assert_eq!(number("13800138000").to_string(), "138****8000");
        assert_eq!(format!("{:?}", number("12345")), "12****5");
        assert_eq!(number("123").to_string(), "****");
    }

    #[test]
    fn a_party_is_a_number_or_whatever_the_carrier_calls_it() {
        assert_eq!(Party::national("8613800138000"), Party("13800138000".to_owned()));
        assert_eq!(Party::national("user-夏-pseudonym"), Party("user-夏-pseudonym".to_owned()));
        assert_eq!(format!("{:?}", Party::national("user-夏-pseudonym")), "use****onym");
    }

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!("".parse::<Number>(), Err(NumberError::Empty));
        assert_eq!("+".parse::<Number>(), Err(NumberError::Empty));
        assert_eq!("1380013800x".parse::<Number>(), Err(NumberError::NotDigits));
        assert_eq!("1".repeat(21).parse::<Number>(), Err(NumberError::TooLong));
    }
}
