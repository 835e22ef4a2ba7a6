//! Names and ids: 1 to 64 characters out of letters, digits and `. _ : -`, so that they fit into a log line, a label
//! and a key as they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name, in bytes.
pub const MAX_LENGTH: usize = 64;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    #[error("is empty")]
    Empty,
    #[error("is longer than {MAX_LENGTH} characters")]
    TooLong,
    #[error("holds {0:?}; use letters, digits and . _ : -")]
    Character(char),
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

names! {
    /// The platform-wide id of one message, made by the EMPI; the key of idempotence everywhere.
    UaopId;
    /// Which bank front-end; the two EMPIs of a pair share it.
    EmpiId;
    /// Which gateway.
    GatewayId;
    /// Which account at a carrier, as the gateway's file names it.
    Account;
    /// Which carrier (`mobile`, `unicom`, `telecom`), over all its accounts and gateways: its message ids are unique there.
    Carrier;
    /// A system of the bank that has a key of its own at the EMPI.
    Bank;
    /// The bank's own name for a message, unique for the system that gave it: the key of idempotence towards the bank.
    BankReference;
    /// The class of a message (`verification`, `notice`, …): its policies hang on it.
    Class;
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_LENGTH {
        return Err(NameError::TooLong);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    match text.chars().find(|&c| !allowed(c)) {
        Some(c) => Err(NameError::Character(c)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!("m-1.a:b_C".parse::<UaopId>().unwrap().as_str(), "m-1.a:b_C");
        assert_eq!("".parse::<UaopId>(), Err(NameError::Empty));
        assert_eq!("a b".parse::<Account>(), Err(NameError::Character(' ')));
        assert_eq!("x".repeat(65).parse::<Class>(), Err(NameError::TooLong));
    }

    #[test]
    fn a_name_read_from_json_is_checked_too() {
        assert_eq!(serde_json::from_str::<EmpiId>("\"bank-1\"").unwrap().to_string(), "bank-1");
        assert!(serde_json::from_str::<EmpiId>("\"bank 1\"").is_err());
    }
}
