//! The words of the SMS line: messages, numbers, ids, text and its parts, the life of a message, and what a gateway
//! tells about it. Pure: time is an argument, randomness a seed, what must be done is returned.

pub mod alarm;
pub mod disposition;
pub mod event;
pub mod id;
pub mod join;
pub mod lifecycle;
pub mod number;
pub mod record;
pub mod report;
pub mod submission;
pub mod text;
pub mod time;

pub use alarm::Alarm;
pub use disposition::{Disposition, Meaning};
pub use event::{Event, Happened};
pub use id::{Account, Bank, BankReference, Carrier, Class, EmpiId, GatewayId, UaopId};
pub use lifecycle::{Delivery, WhenUncertain};
pub use number::{Number, Party};
pub use record::{ForBank, MessageCopy, Told};
pub use report::{FinalState, Report, UserMessage};
pub use submission::{MessageText, Submission};
pub use text::{
    Coding, Joiner, Limits, PartHeader, Piece, Preference, Reference, Signature, SplitSettings, split,
};
pub use time::{Millis, Stamp};
