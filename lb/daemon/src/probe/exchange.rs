//! Bytes are sent, and the answer must match.

use std::io;

use lb_core::config::ProxyVersion;
use lb_core::probe::Expect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::connect::connect;
use super::{ProbeError, Target};

/// So much of an answer is looked at, in bytes (HAProxy: one buffer, which is as long).
const ANSWER_LIMIT: usize = 16 * 1024;

/// The answer is good as soon as what has come of it matches, and bad when it ends, gets too long or the time is
/// over before. What was wrong with it is more telling than a timeout.
pub(super) async fn probe(
    target: &Target,
    proxy: Option<ProxyVersion>,
    send: &[u8],
    expect: Option<&Expect>,
    deadline: Instant,
) -> Result<(), ProbeError> {
    let mut stream = connect(target, proxy).await?;
    stream.write_all(send).await?;
    let Some(expect) = expect else {
        return Ok(());
    };
    let mut answer = Vec::new();
    let result = timeout_at(deadline, read_answer(&mut stream, &mut answer, expect)).await;
    match result {
        Ok(Ok(true)) => Ok(()),
        Ok(Err(error)) if answer.is_empty() => Err(error.into()),
        Ok(Ok(false)) if answer.is_empty() => Err(ProbeError::Closed),
        Err(_) if answer.is_empty() => Err(ProbeError::Timeout),
        Ok(_) | Err(_) => Err(ProbeError::unexpected(&answer)),
    }
}

/// Whether `answer` matched before it ended.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>, expect: &Expect) -> io::Result<bool> {
    while !expect.matches(answer) {
        let room = ANSWER_LIMIT - answer.len();
        if stream.take(room as u64).read_buf(answer).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use lb_core::config::CheckKind;

    use super::*;
    use crate::probe::Prober;
    use crate::probe::testing::{Peer, check, closed_port, hasty, target};

    fn ping(expect: Option<&[u8]>) -> CheckKind {
        CheckKind::Exchange {
            send: b"PING\r\n".to_vec(),
            expect: expect.map(|bytes| Expect::Bytes(bytes.to_vec())),
        }
    }

    /// Reads the ping, answers in pieces, and ends when the client does, or at once.
    async fn answering(pieces: &'static [&'static [u8]], at_once: bool) -> Peer<[u8; 6]> {
        Peer::serving(move |mut stream: TcpStream| async move {
            stream.set_nodelay(true).unwrap();
            let mut ping = [0; 6];
            stream.read_exact(&mut ping).await.unwrap();
            for piece in pieces {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            if !at_once {
                let _ = stream.read_u8().await;
            }
            ping
        })
        .await
    }

    #[tokio::test]
    async fn the_answer_matches_across_pieces() {
        let peer = answering(&[b"+PO", b"NG\r\n"], false).await;
        assert_eq!(Prober::default().run(&check(ping(Some(b"+PONG"))), &target(peer.address)).await, Ok(()));
        assert_eq!(&peer.next().await, b"PING\r\n");
    }

    #[tokio::test]
    async fn a_server_may_speak_first_and_need_not_answer() {
        let greeting =
            Peer::serving(|mut stream| async move { stream.write_all(b"220 ready\r\n").await.is_ok() }).await;
        let expect = Expect::Regex("^220 ".parse().unwrap());
        let listen = CheckKind::Exchange { send: Vec::new(), expect: Some(expect) };
        assert_eq!(Prober::default().run(&check(listen), &target(greeting.address)).await, Ok(()));

        let silent = Peer::silent().await;
        assert_eq!(Prober::default().run(&check(ping(None)), &target(silent.address)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_wrong_answer_is_shown() {
        let wrong = Err(ProbeError::UnexpectedAnswer(r#""-ERR\r\n""#.into()));
        let ends = answering(&[b"-ERR\r\n"], true).await;
        assert_eq!(Prober::default().run(&check(ping(Some(b"+PONG"))), &target(ends.address)).await, wrong);
        let stays = answering(&[b"-ERR\r\n"], false).await;
        assert_eq!(Prober::default().run(&hasty(ping(Some(b"+PONG"))), &target(stays.address)).await, wrong);

        let no_answer = answering(&[], true).await;
        let result = Prober::default().run(&check(ping(Some(b"+PONG"))), &target(no_answer.address)).await;
        assert_eq!(result, Err(ProbeError::Closed));
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut() {
        let peer =
            Peer::serving(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} })
                .await;
        let result = Prober::default().run(&check(ping(Some(b"+PONG"))), &target(peer.address)).await;
        assert!(matches!(result, Err(ProbeError::UnexpectedAnswer(_))), "{result:?}");
        peer.next().await;
    }

    #[tokio::test]
    async fn refused_and_silent() {
        let result = Prober::default().run(&check(ping(Some(b"+PONG"))), &target(closed_port().await)).await;
        assert_eq!(result, Err(ProbeError::Refused));
        let silent = Peer::silent().await;
        let result = Prober::default().run(&hasty(ping(Some(b"+PONG"))), &target(silent.address)).await;
        assert_eq!(result, Err(ProbeError::Timeout));
    }
}
