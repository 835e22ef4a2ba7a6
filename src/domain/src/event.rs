//! What a gateway tells its UAOPs. Every event is durable before it is told, and told until it is acknowledged.

use serde::{Deserialize, Serialize};

use crate::{Account, Disposition, GatewayId, MessageText, Millis, Party, UaopId};

/// One event, in the order of its gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub gateway: GatewayId,
    /// When the gateway started; `push_sequence` is unique only together with it and `gateway`.
    pub epoch: Millis,
    pub account: Account,
    pub at: Millis,
    #[serde(flatten)]
    pub happened: Happened,
}

/// Why a part is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    First,
    /// The carrier said "not now".
    Retry,
    /// It is not known whether the carrier has it; the policy of its class says to send it again. This one may make
    /// a duplicate.
    Uncertain,
}

/// How a message ended at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The carrier took every part.
    Accepted,
    /// The carrier refused a part for good, or the gateway could not send it.
    Refused { code: Option<u32>, reason: String },
    /// It is not known whether the carrier has a part of it, and that part is not sent again: the policy says so, or
    /// its time was over.
    Uncertain,
    /// Its time was over before all parts were sent.
    Expired,
}

impl Outcome {
    /// As the file, the metrics and the log have it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused { .. } => "refused",
            Self::Uncertain => "uncertain",
            Self::Expired => "expired",
        }
    }
}

/// The state in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    Delivered,
    Failed,
    /// Not final: another report may follow.
    Waiting,
}

/// What happened. Sequences are texts that sort and compare as the protocol's own: decimal for CMPP and SMGP requests,
/// hexadecimal for message ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Happened {
    /// A part is about to go out under this sequence.
    Pushed { uaop_id: UaopId, part: u8, parts: u8, push_sequence: String, attempt: Attempt },
    /// The carrier answered it.
    Answered {
        uaop_id: UaopId,
        part: u8,
        push_sequence: String,
        /// The carrier's message id.
        resp_sequence: Option<String>,
        code: u32,
        disposition: Disposition,
    },
    /// The gateway is done with it; a report may still come.
    Finished {
        uaop_id: UaopId,
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// A report came, for whichever gateway's message.
    Reported {
        resp_sequence: String,
        report_sequence: Option<String>,
        /// If this gateway still knows whose it is.
        uaop_id: Option<UaopId>,
        part: Option<u8>,
        to: Option<Party>,
        state: ReportState,
        /// The carrier's word for the state, as it came.
        word: String,
    },
    /// A message of a user, whole.
    Mo {
        /// The carrier's id of its (first) part.
        #[serde(rename = "mo_id")]
        id: String,
        from: Party,
        /// The access number with its extension.
        to: Party,
        text: MessageText,
    },
    /// A part of a user's message whose other parts did not come in time.
    MoIncomplete {
        #[serde(rename = "mo_id")]
        id: String,
        from: Party,
        to: Party,
        part: u8,
        parts: u8,
        text: MessageText,
    },
    /// A user was cancelled, stopped for debt, or is normal again (SGIP `USERRPT`: 0, 1, 2).
    UserState { user: Party, condition: u8 },
    /// A connection of the account has logged in.
    LinkUp { connection: u32 },
    /// It is gone.
    LinkDown { connection: u32, reason: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object_and_reads_back() {
        let event = Event {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(1),
            account: "cm".parse().unwrap(),
            at: Millis(2),
            happened: Happened::Finished {
                uaop_id: "m1".parse().unwrap(),
                outcome: Outcome::Refused { code: Some(13), reason: "bad number".to_owned() },
            },
        };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"gateway":"gw","epoch":1,"account":"cm","at":2,"event":"finished","uaop_id":"m1","outcome":"refused","code":13,"reason":"bad number"}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }

    #[test]
    fn an_event_leaves_the_key_id_to_whoever_numbers_it() {
        let (id, from, to) = ("00A1".to_owned(), Party("1".to_owned()), Party("2".to_owned()));
        let text = MessageText("hi".to_owned());
        for happened in [
            Happened::Mo { id: id.clone(), from: from.clone(), to: to.clone(), text: text.clone() },
            Happened::MoIncomplete { id, from, to, part: 1, parts: 2, text },
        ] {
            let json = serde_json::to_value(&happened).unwrap();
            assert_eq!((json.get("id"), &json["mo_id"]), (None, &"00A1".into()));
            assert_eq!(serde_json::from_value::<Happened>(json).unwrap(), happened);
        }
    }
}
