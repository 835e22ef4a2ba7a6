//! The virtual router redundancy protocol, RFC 9568 (version 3) and RFC 3768 (version 2), without a socket or
//! a clock. `docs/vrrp.md` tells which clause is where, and which test proves it.
//!
//! | module | what it is |
//! |---|---|
//! | [`packet`] | advertisements on the wire, their checks, their authentication |
//! | [`timers`] | skew and down interval |

mod addresses;
pub mod packet;
pub mod timers;
mod values;

pub use self::addresses::{Addresses, AddressesError, Endpoints};
pub use self::packet::{Advert, AuthV2};
pub use self::values::{AdvertInterval, Family, Priority, ValueError, Version, Vrid};
