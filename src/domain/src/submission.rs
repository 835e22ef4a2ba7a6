//! What a gateway is asked to send.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Account, Class, EmpiId, Millis, Number, UaopId};

/// The text of a message. It is personal data: `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageText(pub String);

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} characters", self.0.chars().count())
    }
}

/// One message to one number, as a UAOP hands it to a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    pub uaop_id: UaopId,
    pub empi_id: EmpiId,
    pub class: Class,
    /// Which account sends it; may be left out where the gateway has one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    pub to: Number,
    /// Digits after the account's access number, so that an answer of the user finds its bank; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extension: String,
    pub text: MessageText,
    /// Whether the bank wants a report.
    #[serde(default = "yes")]
    pub report: bool,
    /// 0 to 9; the highest is sent first.
    #[serde(default)]
    pub priority: u8,
    /// Not to be sent after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
}

fn yes() -> bool {
    true
}
