//! A TCP connection can be made.

use lb_core::config::ProxyVersion;

use super::connect::connect;
use super::{ProbeError, Target};

/// Connects and closes with RST, as HAProxy does. A FIN would leave this host with a TIME_WAIT for each check of
/// each server, and make the server see a session where none is meant.
pub(super) async fn probe(target: &Target, proxy: Option<ProxyVersion>) -> Result<(), ProbeError> {
    let stream = connect(target, proxy).await?;
    stream.set_zero_linger()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;

    use lb_core::config::{Check, CheckKind};
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::probe::Prober;
    use crate::probe::testing::{Peer, check, closed_port, hasty, target};

    #[tokio::test]
    async fn a_listening_server_is_good_and_sees_a_reset() {
        let peer =
            Peer::serving(|mut stream| async move { stream.read_u8().await.map_err(|e| e.kind()) }).await;
        let result = Prober::default().run(&check(CheckKind::Tcp), &target(peer.address)).await;
        assert_eq!(result, Ok(()));
        assert_eq!(peer.next().await, Err(io::ErrorKind::ConnectionReset));
    }

    #[tokio::test]
    async fn nobody_listens() {
        let result = Prober::default().run(&check(CheckKind::Tcp), &target(closed_port().await)).await;
        assert_eq!(result, Err(ProbeError::Refused));
    }

    #[tokio::test]
    async fn a_full_accept_queue_is_a_timeout() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        // The kernel takes one more than the backlog, and then drops every SYN.
        let mut waiting = Vec::new();
        for _ in 0..2 {
            waiting.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        let result = Prober::default().run(&hasty(CheckKind::Tcp), &target(address)).await;
        assert_eq!(result, Err(ProbeError::Timeout));
    }

    #[tokio::test]
    async fn the_checks_own_address_and_port_go_before() {
        let peer = Peer::silent().await;
        let elsewhere = Check {
            address: Some(IpAddr::from([127, 0, 0, 1])),
            port: Some(peer.address.port()),
            ..check(CheckKind::Tcp)
        };
        let at = target("127.0.0.2:1".parse().unwrap());
        assert_eq!(Prober::default().run(&elsewhere, &at).await, Ok(()));
        assert_eq!(Prober::default().run(&check(CheckKind::Tcp), &at).await, Err(ProbeError::Refused));
    }
}
