//! From an address to a connection on which both have said who they are.

use std::error::Error;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::transport::Endpoint;
use tonic::{Status, Streaming};

use super::outgoing::{Control, outgoing};
use super::requests::Requests;
use crate::protocol::{self, Down, Hello, LARGEST_FRAME, LinkClient, PROTOCOL, VERSION, Welcome, down, up};
use crate::{Identity, LineSettings, Role, Standing};

/// Frames that wait until they can be written.
const FRAMES: usize = 16;

pub(super) struct Dialled {
    pub peer: Identity,
    pub standing: Standing,
    pub requests: Requests,
    pub control: Arc<Control>,
    pub frames: Streaming<Down>,
}

/// # Errors
/// Why not, for a person.
pub(super) async fn dial(
    settings: &LineSettings,
    me: &Identity,
    expected: Role,
    events: bool,
) -> Result<Dialled, String> {
    let dialled = timeout(settings.connect, attempt(settings, me, expected, events)).await;
    dialled.unwrap_or_else(|_| Err(format!("no answer in {} ms", settings.connect.as_millis())))
}

async fn attempt(
    settings: &LineSettings,
    me: &Identity,
    expected: Role,
    events: bool,
) -> Result<Dialled, String> {
    // names are looked up here, each time
    let endpoint = Endpoint::from_shared(format!("http://{}", settings.server)).map_err(|e| chain(&e))?;
    let channel = endpoint.tcp_nodelay(true).connect().await.map_err(|error| chain(&error))?;
    let mut client = LinkClient::new(channel).max_decoding_message_size(LARGEST_FRAME);
    let control = Arc::new(Control::new());
    let (out, requests) = mpsc::channel(FRAMES);
    let hello = Hello {
        protocol: PROTOCOL,
        version: VERSION.to_owned(),
        from: Some(me.into()),
        expected: protocol::Role::from(expected).into(),
        events,
        silence_milliseconds: u64::try_from(settings.silence.as_millis()).unwrap_or(u64::MAX),
    };
    let outgoing = outgoing(up::Frame::Hello(hello).into(), Arc::clone(&control), requests);
    let mut frames = client.open(outgoing).await.map_err(|status| text(&status))?.into_inner();
    let first = frames.message().await.map_err(|status| text(&status))?;
    let Some(Down { frame: Some(down::Frame::Welcome(welcome)) }) = first else {
        return Err("the peer's first word is not Welcome".to_owned());
    };
    let peer = judge(&welcome, me, expected)?;
    let window = settings.window.min(welcome.window as usize);
    let requests = Requests::new(window, out);
    let standing = welcome.standing.unwrap_or_default().into();
    Ok(Dialled { peer, standing, requests, control, frames })
}

fn judge(welcome: &Welcome, me: &Identity, expected: Role) -> Result<Identity, String> {
    let peer = protocol::identity(welcome.from.clone());
    if welcome.protocol != PROTOCOL {
        let peer = peer.map_or_else(|_| "the peer".to_owned(), |peer| peer.to_string());
        return Err(format!(
            "{me} speaks version {PROTOCOL} of the protocol (smsline {VERSION}), {peer} version {} (smsline {}); install \
             the same release on both",
            welcome.protocol, welcome.version
        ));
    }
    let peer = peer?;
    if peer.role == expected {
        Ok(peer)
    } else {
        Err(format!("this is {peer}, and not a {expected}; check the address"))
    }
}

/// What the peer or the connection says.
pub(super) fn text(status: &Status) -> String {
    let source = status.source().map(chain);
    match (status.message(), source) {
        ("", None) => status.code().to_string(),
        ("", Some(source)) => source,
        (message, Some(source)) if !message.contains(&source) => format!("{message}: {source}"),
        (message, _) => message.to_owned(),
    }
}

/// The most particular word about an error stands last.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        let word = error.to_string();
        if !words.contains(&word) {
            words.push(word);
        }
        next = error.source();
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(role: Role) -> Identity {
        Identity { role, node: "n1".to_owned(), site: "dc1".to_owned() }
    }

    fn welcome(protocol: u32, role: Role) -> Welcome {
        let version = "9.9.9".to_owned();
        Welcome { protocol, version, from: Some((&who(role)).into()), window: 1, standing: None }
    }

    #[test]
    fn a_server_of_another_version_or_role_is_left_with_a_reason_that_names_both() {
        let judge = |welcome: Welcome| judge(&welcome, &who(Role::Empi), Role::Uaop);
        assert_eq!(judge(welcome(1, Role::Uaop)), Ok(who(Role::Uaop)));
        assert_eq!(
            judge(welcome(2, Role::Uaop)).unwrap_err(),
            "empi n1 in dc1 speaks version 1 of the protocol (smsline 0.1.0), uaop n1 in dc1 version 2 (smsline 9.9.9); \
             install the same release on both"
        );
        assert_eq!(
            judge(welcome(1, Role::Gateway)).unwrap_err(),
            "this is gateway n1 in dc1, and not a uaop; check the address"
        );
        assert!(judge(Welcome { from: None, ..welcome(1, Role::Uaop) }).is_err());
    }
}
