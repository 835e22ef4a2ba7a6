//! Messages of users to a customer.

use std::time::Instant;

use domain::text::{Preference, ReferenceWidth, SplitError, SplitSettings, split};
use domain::{MessageText, Number};
use thiserror::Error;
use wire::cmpp::Cmpp;
use wire::exchange::{self, Incoming};
use wire::protocol::Moment;
use wire::sgip::Sgip;
use wire::smgp::Smgp;
use wire::text::Text;

use super::Shared;
use crate::account::{Account, Delivery};
use crate::config::Family;
use crate::protocol::Carrier;

/// A message of a user.
#[derive(Debug)]
pub struct Mo<'a> {
    pub from: &'a Number,
    pub to: &'a Number,
    pub text: &'a MessageText,
    /// For what is more than ASCII.
    pub coding: Preference,
}

/// Why a message of a user cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoRefused {
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error("a number is too long for its field")]
    Number,
}

/// The most parts that its header can count.
const MOST_PARTS: u8 = 255;

impl Shared {
    /// Sends a message of a user to `account`, in parts if it is long, each until it is acknowledged; returns how
    /// many.
    ///
    /// # Errors
    /// It is longer than any message can be, or a number is.
    pub fn send_mo(&self, account: &Account, mo: &Mo<'_>) -> Result<usize, MoRefused> {
        match account.config.protocol.family() {
            Family::Cmpp => self.send::<Cmpp>(account, mo, mo.from.digits()),
            Family::Sgip => self.send::<Sgip>(account, mo, &mo.from.international()),
            Family::Smgp => self.send::<Smgp>(account, mo, mo.from.digits()),
        }
    }

    fn send<P: Carrier>(&self, account: &Account, mo: &Mo<'_>, from: &str) -> Result<usize, MoRefused> {
        let settings = SplitSettings {
            preference: mo.coding,
            reference_width: ReferenceWidth::Eight,
            limits: P::limits(),
            most_parts: MOST_PARTS,
        };
        #[allow(clippy::cast_possible_truncation)] // a reference wraps
        let pieces = split(&mo.text.0, &settings, self.delivery_number() as u16)?;
        let source: Text<32> = from.parse().map_err(|_| MoRefused::Number)?;
        let destination: Text<21> = mo.to.digits().parse().map_err(|_| MoRefused::Number)?;
        let now: Moment = self.clock.moment();
        let parts = pieces.len();
        for piece in pieces {
            let incoming = Incoming::Mo(exchange::Mo {
                id: self.delivery_id::<P>(now),
                source,
                destination,
                coding: piece.coding.number(),
                header: piece.header,
                content: piece.content,
                link_id: Text::EMPTY,
            });
            account.counters.mo.made.inc();
            let delivery = Delivery { incoming, origin: None, elsewhere: false, unlocks: None, again: false };
            account.schedule(Instant::now(), delivery);
        }
        Ok(parts)
    }
}
