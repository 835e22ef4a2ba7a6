//! What a carrier needs of a protocol beside what all ends need.

mod cmpp;
mod sgip;
mod smgp;

use domain::text::Limits;
use wire::protocol::Messages;

use crate::config::Family;

/// A protocol, seen from the carrier's end.
pub trait Carrier: Messages<Pdu: Send> {
    const FAMILY: Family;
    /// The command id of a submit.
    const SUBMIT: u32;
    /// Whether the end that was connected to may ask for the end, or only close.
    const SERVER_TERMINATES: bool;
    /// The least and the most numbers in one submit.
    const DESTINATIONS: std::ops::RangeInclusive<usize>;

    /// How much content a message may have.
    fn limits() -> Limits;
    /// What an account's numbers begin with, without exception; may be empty.
    fn country_code() -> &'static [u8];
    /// The code for what is wrong with a submit.
    fn code(wrong: Wrong) -> u32;
    /// The command id of a PDU.
    fn command(pdu: &Self::Pdu) -> u32;
    /// The customer's node number, in a protocol that has such.
    fn node(sequence: Self::Sequence) -> Option<u32>;
    /// The answer to a question for the day's numbers; `None` if `pdu` is none.
    fn totals(pdu: &Self::Pdu, totals: &Totals) -> Option<Self::Pdu>;
}

/// What is wrong with a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The connection logged in for something else.
    Mode,
    /// Not the customer's node number.
    Node,
    /// Not the account's access number.
    Source,
    /// Too many or too few, or one that is no number.
    Destination,
    /// Too long, or half a character.
    Length,
    /// The user data header is not whole.
    Header,
}

/// An account's numbers since the carrier started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub submits: u32,
    pub accepted: u32,
    pub mo_delivered: u32,
    pub mo_waiting: u32,
}
