//! What the three protocols have in common: one short message, the answer to it, and what comes back.

use std::fmt;
use std::str::FromStr;

use domain::event::ReportState;
use thiserror::Error;

use crate::text::Text;

/// A message id of a carrier, or a 12-byte sequence of SGIP: opaque bytes, shown as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    bytes: [u8; Self::MAX],
    length: u8,
}

/// A text is not the hexadecimal form of 1 to 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not 1 to 12 bytes in hexadecimal")]
pub struct MessageIdError;

impl MessageId {
    /// The longest: SGIP's.
    pub const MAX: usize = 12;

    /// Of a protocol's own width (CMPP 8, SMGP 10, SGIP 12).
    #[must_use]
    pub fn new<const N: usize>(id: [u8; N]) -> Self {
        const { assert!(N >= 1 && N <= Self::MAX) };
        let mut bytes = [0; Self::MAX];
        bytes[..N].copy_from_slice(&id);
        #[allow(clippy::cast_possible_truncation)] // at most 12
        let length = N as u8;
        Self { bytes, length }
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The bytes in a protocol's own width; cut or filled with zeros at the end if they have another.
    #[must_use]
    pub fn to_array<const N: usize>(&self) -> [u8; N] {
        let mut array = [0; N];
        let length = N.min(usize::from(self.length));
        array[..length].copy_from_slice(&self.bytes[..length]);
        array
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let digits = text.as_bytes();
        let hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
        if digits.is_empty()
            || !digits.len().is_multiple_of(2)
            || digits.len() > 2 * Self::MAX
            || !hexadecimal
        {
            return Err(MessageIdError);
        }
        let mut bytes = [0; Self::MAX];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| MessageIdError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| MessageIdError)?;
        }
        #[allow(clippy::cast_possible_truncation)] // at most 12
        let length = (digits.len() / 2) as u8;
        Ok(Self { bytes, length })
    }
}

/// One submit: one part of a message, to one number or several.
#[derive(Clone, PartialEq, Eq)]
pub struct Submit {
    /// The number that the handset shows: access number and extension.
    pub source: Text<21>,
    /// As on the wire; SGIP wants the prefix 86.
    pub destinations: Vec<Text<21>>,
    /// The data coding number (CMPP 2.0, section on `Msg_Fmt`; the same numbers in SGIP and SMGP).
    pub coding: u8,
    /// The content begins with a user data header.
    pub header: bool,
    /// From 1.
    pub part: u8,
    pub parts: u8,
    pub content: Vec<u8>,
    pub report: ReportWish,
    /// 0 to 9; SMGP's 0 to 3 are made of it.
    pub priority: u8,
    /// Expiry in SMPP 3.3 form (`YYMMDDhhmmss032+`); empty for the carrier's default.
    pub valid_until: Text<17>,
}

/// Whether a submit asks for reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportWish {
    #[default]
    Never,
    /// SGIP only; to the others it is [`ReportWish::Always`].
    OnFailure,
    Always,
}

impl ReportWish {
    /// Whether a report of this state is asked for.
    #[must_use]
    pub fn wants(self, state: ReportState) -> bool {
        match self {
            Self::Never => false,
            Self::OnFailure => state == ReportState::Failed,
            Self::Always => true,
        }
    }

    /// As a protocol says it that has no more than yes and no.
    pub(crate) fn flag(self) -> u8 {
        u8::from(self != Self::Never)
    }
}

impl From<bool> for ReportWish {
    fn from(report: bool) -> Self {
        if report { Self::Always } else { Self::Never }
    }
}

impl fmt::Debug for Submit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "submit of part {}/{}, coding {}, {} bytes, to {} numbers",
            self.part,
            self.parts,
            self.coding,
            self.content.len(),
            self.destinations.len(),
        )
    }
}

/// What an account says alike in each of its submits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// CMPP `Msg_src` (6 digits), SGIP `CorpId` (5), SMGP `MsgSrc` (8).
    pub enterprise: Text<8>,
    /// Service code; SMGP also as `MServiceID` where `product` is set.
    pub service: Text<10>,
    /// SMGP `MServiceID`; sent only if not empty.
    pub product: Text<21>,
    /// CMPP and SMGP two digits, SGIP one; empty for the protocol's word for "free".
    pub fee_type: Text<2>,
    /// In fen; empty for zero.
    pub fee_code: Text<6>,
    /// SGIP: our node number.
    pub node: u32,
}

/// The answer to a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 0 for taken; else see [`crate::protocol::Messages::meaning`].
    pub code: u32,
    /// The carrier's message id; in SGIP our own sequence.
    pub id: Option<MessageId>,
}

/// What comes from the carrier.
#[derive(Clone, PartialEq, Eq)]
pub enum Incoming {
    Report(Report),
    Mo(Mo),
    /// SGIP `USERRPT`: the state of a user has changed.
    UserState {
        user: Text<21>,
        condition: u8,
    },
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(report) => report.fmt(f),
            Self::Mo(mo) => mo.fmt(f),
            Self::UserState { condition, .. } => write!(f, "a user is in state {condition}"),
        }
    }
}

/// A report about one destination of a submit.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// The message id out of the answer to the submit; in SGIP the submit's sequence.
    pub about: MessageId,
    /// The report's own id: that of its DELIVER; in SGIP the sequence of the REPORT.
    pub id: Option<MessageId>,
    pub state: ReportState,
    /// The carrier's word for the state as it came (`DELIVRD`, `MB:0069`); SGIP: `state:error`.
    pub word: Text<10>,
    /// SMGP `err`, SGIP `ErrorCode`.
    pub error: Text<3>,
    /// The destination of the submit; may be empty.
    pub destination: Text<32>,
    /// The source of the submit (our access number); may be empty.
    pub source: Text<21>,
    /// YYMMDDhhmm, as it came; SGIP has none.
    pub submitted: Text<10>,
    pub done: Text<10>,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "report about {}: {:?} ({})", self.about, self.state, self.word)
    }
}

/// A message of a user, or a part of one.
#[derive(Clone, PartialEq, Eq)]
pub struct Mo {
    pub id: MessageId,
    /// The user.
    pub source: Text<32>,
    /// Our access number with its extension.
    pub destination: Text<21>,
    pub coding: u8,
    /// The content begins with a user data header.
    pub header: bool,
    pub content: Vec<u8>,
    /// Of an on-demand service; may be empty.
    pub link_id: Text<20>,
}

impl fmt::Debug for Mo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} of a user, coding {}, {} bytes", self.id, self.coding, self.content.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_and_read_as_hexadecimal() {
        let id = MessageId::new(0xbba6_e940_03e9_2934_u64.to_be_bytes());
        assert_eq!(id.to_string(), "bba6e94003e92934");
        assert_eq!("bba6e94003e92934".parse(), Ok(id));
        for wrong in ["", "a", "zz", "+1", "000102030405060708090a0b0c"] {
            assert_eq!(wrong.parse::<MessageId>(), Err(MessageIdError), "{wrong}");
        }
        assert_eq!(id.to_array::<8>(), 0xbba6_e940_03e9_2934_u64.to_be_bytes());
        assert_eq!(id.to_array::<2>(), [0xbb, 0xa6]);
    }

    #[test]
    fn on_failure_wants_no_other_report() {
        let wanted = |wish: ReportWish| {
            [ReportState::Delivered, ReportState::Waiting, ReportState::Failed].map(|state| wish.wants(state))
        };
        assert_eq!(wanted(ReportWish::Never), [false; 3]);
        assert_eq!(wanted(ReportWish::OnFailure), [false, false, true]);
        assert_eq!(wanted(ReportWish::Always), [true; 3]);
    }

    #[test]
    fn the_state_of_a_user_does_not_show_whose_it_is() {
        let state = Incoming::UserState { user: "8613800138000".parse().unwrap(), condition: 2 };
        assert_eq!(format!("{state:?}"), "a user is in state 2");
    }
}
