//! A client for the HTTP of our own programs, over a Unix socket or TCP; a connection for each request.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

pub use hyper::body::Bytes;
pub use hyper::{Method, StatusCode};

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

/// Asks one peer.
#[derive(Clone, Debug)]
pub struct HttpClient {
    peer: Peer,
    patience: Duration,
}

/// An answer of whatever status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum HttpError {
    #[error("nobody answers on {0}")]
    Unreachable(Peer, #[source] io::Error),
    #[error("no answer within {} s", .0.as_secs_f64())]
    Silent(Duration),
    #[error("the exchange broke off: {0}")]
    Broken(String),
}

impl HttpClient {
    /// One whose answers take `patience` at most, from the first try to connect to the last byte.
    #[must_use]
    pub fn new(peer: Peer, patience: Duration) -> Self {
        Self { peer, patience }
    }

    /// The same with another patience, for a question whose answer may be long in coming.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { peer: self.peer.clone(), patience }
    }

    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// # Errors
    /// Why there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer, HttpError> {
        self.ask(Method::GET, path, "", Bytes::new()).await
    }

    /// # Errors
    /// Why there is no answer.
    pub async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, HttpError> {
        self.ask(Method::POST, path, content_type, body.into()).await
    }

    /// `path` with its query; no `content_type` if it is empty.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Answer, HttpError> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let request = request.body(Full::new(body)).map_err(broken)?;
        tokio::time::timeout(self.patience, self.connect_and_exchange(request))
            .await
            .unwrap_or(Err(HttpError::Silent(self.patience)))
    }

    async fn connect_and_exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        let unreachable = |error| HttpError::Unreachable(self.peer.clone(), error);
        match &self.peer {
            Peer::Unix(path) => {
                exchange(UnixStream::connect(path).await.map_err(unreachable)?, request).await
            }
            Peer::Tcp(address) => {
                exchange(TcpStream::connect(address).await.map_err(unreachable)?, request).await
            }
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<Answer, HttpError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
        Ok(Answer { status, body })
    };
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // a peer may close after its answer, which is then still to be read
        ended = connection => answer.await.map_err(|error| ended.err().map_or(error, broken)),
    }
}

fn broken(error: impl fmt::Display) -> HttpError {
    HttpError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::Router;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UnixListener};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_peer_on_a_unix_socket_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let client = HttpClient::new(Peer::Unix(path.clone()), PATIENCE);
        let unreachable = anyhow::Error::new(client.get("/").await.unwrap_err());
        let told = format!("{unreachable:#}");
        assert_eq!(told.matches("No such file").count(), 1, "{told}");

        let router = Router::new()
            .route("/echo", post(async |body: String| body))
            .route("/query", get(async |uri: axum::http::Uri| uri.to_string()));
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });

        let answer = client.post("/echo", "text/plain", "hello").await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"hello"[..]));
        assert_eq!(&client.get("/query?after=7").await.unwrap().body[..], b"/query?after=7");
        assert_eq!(client.get("/nowhere").await.unwrap().status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn an_answer_counts_though_the_peer_closes_after_it() {
        let answers = ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", ""];
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let client = HttpClient::new(Peer::Tcp(listener.local_addr().unwrap()), PATIENCE);
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        assert_eq!(&client.get("/").await.unwrap().body[..], b"ok");
        assert!(matches!(client.get("/").await, Err(HttpError::Broken(_))));
    }

    #[tokio::test]
    async fn patience_ends() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let peer = Peer::Tcp(listener.local_addr().unwrap());
        let client = HttpClient::new(peer, PATIENCE).with_patience(Duration::from_millis(10));
        assert_eq!(client.get("/").await.unwrap_err().to_string(), "no answer within 0.01 s");
    }
}
