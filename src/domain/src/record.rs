//! What is on the topics of the bus. Each record is one JSON object.

use serde::{Deserialize, Serialize};

use crate::{Carrier, Event, Millis, Report, Submission, UserMessage};

/// The copy of a message that a UAOP has routed; at least one for each message, perhaps several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCopy {
    /// The UAOP that tells it, and its data centre.
    pub uaop: String,
    pub site: String,
    pub at: Millis,
    pub submission: Submission,
}

/// An event of a gateway, as a UAOP passes it on; every UAOP that is connected tells every event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub uaop: String,
    pub site: String,
    /// Whose gateway it is.
    pub carrier: Carrier,
    /// In this place, so that a UAOP can pass on the gateway's bytes as they are.
    pub event: Event,
}

/// A record on the topic of an EMPI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ForBank {
    Report(Report),
    Mo(UserMessage),
}
