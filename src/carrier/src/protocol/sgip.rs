//! SGIP.

use std::ops::RangeInclusive;

use domain::text::Limits;
use wire::sgip::{Pdu, Sequence, Sgip, command};

use super::{Carrier, Totals, Wrong};
use crate::config::Family;

impl Carrier for Sgip {
    const FAMILY: Family = Family::Sgip;
    const SUBMIT: u32 = command::SUBMIT;
    const SERVER_TERMINATES: bool = false;
    const DESTINATIONS: RangeInclusive<usize> = 1..=100;

    fn limits() -> Limits {
        Limits::sgip()
    }

    fn country_code() -> &'static [u8] {
        b"86"
    }

    fn code(wrong: Wrong) -> u32 {
        match wrong {
            Wrong::Source | Wrong::Header => 5,
            Wrong::Destination => 6,
            Wrong::Mode => 7,
            Wrong::Length => 8,
            // not the standard's, but what gateways say
            Wrong::Node => 93,
        }
    }

    fn command(pdu: &Pdu) -> u32 {
        pdu.command()
    }

    fn node(sequence: Sequence) -> Option<u32> {
        Some(sequence.node)
    }

    fn totals(_: &Pdu, _: &Totals) -> Option<Pdu> {
        None
    }
}
