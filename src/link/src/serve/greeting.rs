//! Whether two processes fit together.

use std::time::Duration;

use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::Shared;
use crate::protocol::{self, Hello, PROTOCOL, Up, VERSION, up};
use crate::{Identity, Role};

/// For the first word.
const HELLO: Duration = Duration::from_secs(10);
/// What a peer may ask for.
const SILENCE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// A peer that fits.
pub(super) struct Peer {
    pub identity: Identity,
    /// After this time without a word it is gone.
    pub silence: Duration,
    /// Up to where it has acknowledged, if it wants events.
    pub acknowledged: Option<i64>,
}

pub(super) async fn greet(shared: &Shared, frames: &mut Streaming<Up>) -> Result<Peer, Status> {
    if *shared.stopping.borrow() {
        return Err(Status::unavailable(format!("this {} stops", shared.me.role)));
    }
    let first = timeout(HELLO, frames.message()).await;
    let first = first.map_err(|_| Status::invalid_argument("the first word did not come"))??;
    let Some(Up { frame: Some(up::Frame::Hello(hello)) }) = first else {
        return Err(Status::invalid_argument("the first word is not Hello"));
    };
    let identity = judge(&shared.me, &hello)?;
    let silence = Duration::from_millis(hello.silence_milliseconds).clamp(SILENCE.0, SILENCE.1) * 2;
    let acknowledged =
        match (&shared.teller, hello.events) {
            (Some(teller), true) => Some(teller.join(&identity.node).await.map_err(|reason| {
                Status::unavailable(format!("no events for {}: {reason}", identity.node))
            })?),
            (None, _) | (Some(_), false) => None,
        };
    Ok(Peer { identity, silence, acknowledged })
}

fn judge(me: &Identity, hello: &Hello) -> Result<Identity, Status> {
    if hello.protocol != PROTOCOL {
        let peer = protocol::identity(hello.from.clone());
        let peer = peer.map_or_else(|_| "the peer".to_owned(), |peer| peer.to_string());
        return Err(Status::failed_precondition(format!(
            "{me} speaks version {PROTOCOL} of the protocol (smsline {VERSION}), {peer} version {} (smsline {}); \
             install the same release on both",
            hello.protocol, hello.version
        )));
    }
    let peer = protocol::identity(hello.from.clone()).map_err(Status::invalid_argument)?;
    let expected = hello.expected();
    if expected != protocol::Role::from(me.role) {
        return Err(Status::failed_precondition(format!(
            "this is {me}, and {peer} looks for another role; check the address"
        )));
    }
    if !takes_from(me.role, peer.role) {
        return Err(Status::failed_precondition(format!(
            "{me} takes nothing from {peer}; check the address"
        )));
    }
    Ok(peer)
}

fn takes_from(me: Role, peer: Role) -> bool {
    match me {
        Role::Uaop => matches!(peer, Role::Empi | Role::Center),
        Role::Gateway => peer == Role::Uaop,
        Role::Empi | Role::Center => false,
    }
}
