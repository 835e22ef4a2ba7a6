//! The virtual router redundancy protocol, RFC 9568 (version 3) and RFC 3768 (version 2), without a socket or
//! a clock. `docs/vrrp.md` tells which clause is where, and which test proves it.
//!
//! | module | what it is |
//! |---|---|
//! | [`packet`] | advertisements on the wire, their checks, their authentication |
//! | [`timers`] | skew and down interval |
//! | [`Settings`], [`Eligibility`] | what the operator says, and what being fit to serve does to it |
//! | [`judge`] | what is tracked, and what it makes of that fitness |
//! | [`Machine`] | one virtual router: [`Event`]s in, [`Actions`] out |
//! | [`Group`] | virtual routers that move together |

mod action;
mod addresses;
mod event;
mod group;
mod machine;
pub mod packet;
mod settings;
pub mod timers;
mod track;
mod values;

#[cfg(test)]
mod tests;

pub use self::action::{Action, Actions, AnnounceReason, FaultReason, Reason, Record, State, Term};
pub use self::addresses::{Addresses, AddressesError, Endpoints};
pub use self::event::{Event, Heard};
pub use self::group::Group;
pub use self::machine::Machine;
pub use self::packet::{Advert, AuthV2};
pub use self::settings::{AnnounceAgain, DOWN_ADVERTS, Eligibility, Preempt, Settings, UNABLE_MAX};
pub use self::track::{Facts, Verdict, judge};
pub use self::values::{AdvertInterval, Family, Priority, ValueError, Version, Vrid};
