//! CMPP.

use std::ops::RangeInclusive;

use domain::text::Limits;
use wire::cmpp::query::QueryResp;
use wire::cmpp::{Cmpp, Pdu, command};

use super::{Carrier, Totals, Wrong};
use crate::config::Family;

impl Carrier for Cmpp {
    const FAMILY: Family = Family::Cmpp;
    const SUBMIT: u32 = command::SUBMIT;
    const SERVER_TERMINATES: bool = true;
    const DESTINATIONS: RangeInclusive<usize> = 1..=99;

    fn limits() -> Limits {
        Limits::cmpp()
    }

    fn country_code() -> &'static [u8] {
        b""
    }

    fn code(wrong: Wrong) -> u32 {
        match wrong {
            Wrong::Header => 1,
            Wrong::Mode | Wrong::Node => 2,
            Wrong::Length => 6,
            Wrong::Source => 10,
            Wrong::Destination => 13,
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
        let answer = QueryResp {
            time: query.time,
            query_type: query.query_type,
            query_code: query.query_code,
            mt_tl_msg: totals.submits,
            mt_tl_usr: totals.submits,
            mt_scs: totals.accepted,
            mt_fl: totals.submits.saturating_sub(totals.accepted),
            mo_scs: totals.mo_delivered,
            mo_wt: totals.mo_waiting,
            ..QueryResp::default()
        };
        Some(answer.into())
    }
}
