//! Drives the crate by choices that are read from bytes, and checks what must hold whatever they are. Fuzz targets and
//! property tests call the same three: [`bytes()`], [`sessions()`] and [`text()`]. Any input is a valid one.

mod bytes;
mod choices;
mod end;
mod pair;
mod text;

pub use bytes::bytes;
pub use choices::Choices;
pub use pair::sessions;
pub use text::text;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use domain::Stamp;
use wire::protocol::{Credentials, Moment, Protocol, Secret, Version};
use wire::session::Limits;

/// A time that one can go back from.
pub fn start() -> Moment {
    static START: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods, reason = "a point to count from")]
    let instant = *START.get_or_init(Instant::now) + Duration::from_secs(1_000_000);
    Moment { instant, stamp: Stamp { year: 2026, month: 2, day: 28, hour: 23, minute: 59, second: 58 } }
}

pub fn secret() -> Secret {
    Secret("shared-secret".to_owned())
}

/// Of a client of a protocol whose logins name a mode, one that both ends serve.
fn credentials(version: Version, node: u32) -> Credentials {
    let id = "901234".parse().unwrap_or_default();
    Credentials { id, secret: secret(), version, mode: 2, node }
}

fn limits(choices: &mut Choices<'_>) -> Limits {
    let seconds = |of: u8| Duration::from_secs(u64::from(of));
    let window = u16::from(choices.below(4)) + 1;
    Limits {
        window,
        inbound: window,
        answer: seconds(choices.below(60) + 1),
        tries: choices.below(4),
        idle: choices.flag().then(|| seconds(90)),
        idle_end: choices.flag().then(|| seconds(200)),
        login: seconds(10),
    }
}

/// One frame.
fn encoded<P: Protocol>(version: Version, sequence: P::Sequence, pdu: &P::Pdu) -> Vec<u8> {
    let mut frame = Vec::new();
    P::encode(version, sequence, pdu, &mut frame);
    frame
}
