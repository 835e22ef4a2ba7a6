//! HAProxy's agent protocol: the agent tells the state of its server in one line of text.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connect::connect;
use super::{ProbeError, Target};

/// An agent's line is a few words; more than so many bytes are no line.
const LINE_LIMIT: usize = 4096;

/// Asks for the agent's line, which ends at CR, LF or the end of the connection.
pub(super) async fn ask(target: &Target, send: &[u8]) -> Result<Vec<u8>, ProbeError> {
    let mut stream = connect(target, None).await?;
    stream.write_all(send).await?;
    let mut line = Vec::new();
    loop {
        let seen = line.len();
        if seen == LINE_LIMIT {
            return Err(ProbeError::unexpected(&line));
        }
        let came = match (&mut stream).take((LINE_LIMIT - seen) as u64).read_buf(&mut line).await {
            Ok(came) => came,
            // An agent that does not read what it is sent resets after its line.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset && seen > 0 => 0,
            Err(error) => return Err(error.into()),
        };
        if let Some(end) = line[seen..].iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            line.truncate(seen + end);
            return Ok(line);
        }
        if came == 0 {
            return if line.is_empty() { Err(ProbeError::Closed) } else { Ok(line) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lb_core::config::Agent;

    use super::*;
    use crate::probe::Prober;
    use crate::probe::testing::{Peer, closed_port, target};

    fn agent(port: u16, timeout: Duration) -> Agent {
        Agent { port, address: None, interval: Duration::from_secs(2), timeout, send: b"empi-a\n".to_vec() }
    }

    async fn ask_port(port: u16) -> Result<Vec<u8>, ProbeError> {
        // The server itself is elsewhere: only the agent's port counts.
        let server = target("127.0.0.1:1".parse().unwrap());
        Prober::default().ask_agent(&agent(port, Duration::from_secs(10)), &server).await
    }

    async fn answering(answer: &'static [u8]) -> Peer<Vec<u8>> {
        Peer::serving(move |mut stream| async move {
            let mut sent = vec![0; 7];
            stream.read_exact(&mut sent).await.unwrap();
            stream.write_all(answer).await.unwrap();
            sent
        })
        .await
    }

    #[tokio::test]
    async fn the_line_ends_at_cr_lf_or_the_end() {
        for answer in [&b"up 75%\n"[..], b"up 75%\r\n", b"up 75%", b"up 75%\nnot this\n"] {
            let peer = answering(answer).await;
            assert_eq!(ask_port(peer.address.port()).await, Ok(b"up 75%".to_vec()));
            assert_eq!(peer.next().await, b"empi-a\n");
        }
    }

    #[tokio::test]
    async fn no_line_is_no_answer() {
        assert_eq!(ask_port(closed_port().await.port()).await, Err(ProbeError::Refused));
        assert_eq!(ask_port(answering(b"").await.address.port()).await, Err(ProbeError::Closed));

        let silent = Peer::silent().await;
        let hasty = agent(silent.address.port(), Duration::from_millis(150));
        let result = Prober::default().ask_agent(&hasty, &target(silent.address)).await;
        assert_eq!(result, Err(ProbeError::Timeout));

        let endless =
            Peer::serving(|mut stream| async move { while stream.write_all(&[b'u'; 4096]).await.is_ok() {} });
        let result = ask_port(endless.await.address.port()).await;
        assert!(matches!(result, Err(ProbeError::UnexpectedAnswer(_))), "{result:?}");
    }
}
