//! What a bank is told about its messages, and what its customers write to it.

use serde::{Deserialize, Serialize};

use crate::{Carrier, EmpiId, GatewayId, MessageText, Millis, Number, Party, UaopId};

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalState {
    /// The carrier reports every part as delivered.
    Delivered,
    /// The carrier took it and reports that a part was not delivered.
    Failed,
    /// The carrier, or the line before it, refused it.
    Refused,
    /// Its time was over before it was sent.
    Expired,
    /// It is not known whether the carrier has it, and the policy of its class says not to send it again.
    Uncertain,
    /// No report came in the time that the center waits.
    Unknown,
}

impl FinalState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Delivered, Self::Failed, Self::Refused, Self::Expired, Self::Uncertain, Self::Unknown];

    /// As JSON, metrics and the log have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Uncertain => "uncertain",
            Self::Unknown => "unknown",
        }
    }
}

/// The end of one message, for the EMPI that took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub uaop_id: UaopId,
    pub empi_id: EmpiId,
    /// From 1. A report with a higher one replaces it: what was `Unknown` or `Uncertain` may become known.
    pub revision: u32,
    pub state: FinalState,
    /// The carrier's word or code, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// For people: English (Chinese).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub to: Number,
    /// Parts that the carrier was sent; 0 = none.
    pub parts: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// When its last part was answered by the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Millis>,
    /// When this was known.
    pub at: Millis,
}

/// A message of a user, for the EMPI that owns the number it was sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMessage {
    /// Unique on the platform: the carrier and its id of the (first) part.
    pub mo_id: String,
    pub empi_id: EmpiId,
    pub from: Party,
    /// The access number with its extension.
    pub to: Party,
    pub text: MessageText,
    /// Which part this is, and of how many, if the others did not come in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<(u8, u8)>,
    pub at: Millis,
}
