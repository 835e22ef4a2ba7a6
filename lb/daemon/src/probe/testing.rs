//! Peers for the drivers' tests.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use lb_core::config::{Check, CheckKind, StartState};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

use super::Target;

/// A server on a port of its own; each of its connections yields a value.
pub struct Peer<T> {
    pub address: SocketAddr,
    results: Mutex<mpsc::UnboundedReceiver<T>>,
}

impl<T: Send + 'static> Peer<T> {
    pub async fn serving<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (results, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (served, results) = (serve(stream), results.clone());
                // The test may have ended, and then nobody asks.
                tokio::spawn(async move { drop(results.send(served.await)) });
            }
        });
        Self { address, results: Mutex::new(receiver) }
    }

    /// What the next connection yielded.
    pub async fn next(&self) -> T {
        let next = async { self.results.lock().await.recv().await };
        tokio::time::timeout(Duration::from_secs(10), next).await.unwrap().unwrap()
    }
}

impl Peer<Vec<u8>> {
    /// Everything until the connection ends.
    pub async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        all
    }
}

impl Peer<()> {
    /// Accepts, and keeps the connection without a word for as long as the client does.
    pub async fn silent() -> Self {
        Self::serving(|mut stream| async move {
            // A reset is as good an end as any.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        })
        .await
    }
}

/// An address on which nobody listens.
pub async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

pub fn target(address: SocketAddr) -> Target {
    Target { address, server_name: "server-a".into(), host: None, egress: None }
}

/// A check whose timeout no healthy test reaches.
pub fn check(kind: CheckKind) -> Check {
    let second = Duration::from_secs(1);
    Check {
        kind,
        interval: second,
        fast_interval: second,
        down_interval: second,
        jitter_percent: 0,
        timeout: 10 * second,
        rise: 1,
        fall: 1,
        start: StartState::Up,
        address: None,
        port: None,
        proxy_protocol: None,
    }
}

/// One whose timeout is to be seen.
pub fn hasty(kind: CheckKind) -> Check {
    Check { timeout: Duration::from_millis(150), ..check(kind) }
}
