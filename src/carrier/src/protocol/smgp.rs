//! SMGP.

use std::ops::RangeInclusive;

use domain::text::Limits;
use wire::smgp::pdu::Pdu;
use wire::smgp::query::QueryResp;
use wire::smgp::{Smgp, command};

use super::{Carrier, Totals, Wrong};
use crate::config::Family;

impl Carrier for Smgp {
    const FAMILY: Family = Family::Smgp;
    const SUBMIT: u32 = command::SUBMIT;
    const SERVER_TERMINATES: bool = true;
    const DESTINATIONS: RangeInclusive<usize> = 1..=100;

    fn limits() -> Limits {
        Limits::smgp()
    }

    fn country_code() -> &'static [u8] {
        b""
    }

    fn code(wrong: Wrong) -> u32 {
        match wrong {
            Wrong::Header => 10,
            Wrong::Mode | Wrong::Node => 11,
            Wrong::Length => 36,
            Wrong::Source => 46,
            Wrong::Destination => 47,
        }
    }

    fn command(pdu: &Pdu) -> u32 {
        pdu.command()
    }

    fn node(_: u32) -> Option<u32> {
        None
    }

    fn totals(pdu: &Pdu, totals: &Totals) -> Option<Pdu> {
        let Pdu::Query(query) = pdu else { return None };
        Some(Pdu::QueryResp(QueryResp {
            query: query.clone(),
            mt_messages: totals.submits,
            mt_users: totals.submits,
            mt_succeeded: totals.accepted,
            mt_waiting: 0,
            mt_failed: totals.submits.saturating_sub(totals.accepted),
            mo_succeeded: totals.mo_delivered,
            mo_waiting: totals.mo_waiting,
            mo_failed: 0,
            reserve: [0; 8],
        }))
    }
}
