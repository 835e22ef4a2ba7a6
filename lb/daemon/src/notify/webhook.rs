//! HTTP POST of JSON, over TCP or TLS.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Uri};
use lb_core::config::TlsCheck;
use tokio::net::TcpStream;

use crate::probe::{ProbeError, Target, TlsClients, send_request};

/// Calls webhooks; keeps the roots of trust that it has read.
#[derive(Debug)]
pub struct Webhooks {
    clients: TlsClients,
    tls: TlsCheck,
}

impl Default for Webhooks {
    /// Trusts the host's roots.
    fn default() -> Self {
        Self::trusting(TlsCheck { server_name: None, verify: true, ca_file: None })
    }
}

impl Webhooks {
    pub fn trusting(tls: TlsCheck) -> Self {
        Self { clients: TlsClients::default(), tls }
    }

    /// Posts `body`.
    ///
    /// # Errors
    /// Nobody has taken it: any answer but 2xx is none.
    pub async fn post(&self, url: &str, body: Vec<u8>) -> Result<(), ProbeError> {
        // the URL itself is not told: it may have a secret in it
        let local = |error: &dyn std::fmt::Display| ProbeError::Local(format!("its URL: {error}"));
        let uri: Uri = url.parse().map_err(|error| local(&error))?;
        let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
            return Err(local(&"no host"));
        };
        let host = host.trim_matches(['[', ']']);
        let tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(HOST, authority.as_str())
            .header(USER_AGENT, "lb")
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .body(Full::<Bytes>::from(body))
            .map_err(|error| local(&error))?;
        let stream = TcpStream::connect((host, port)).await?;
        let status = if tls {
            let address = stream.peer_addr()?;
            let server_name = String::new();
            let target = Target { address, server_name, host: Some(host.to_owned()), egress: None };
            send_request(self.clients.handshake(stream, &self.tls, &target).await?, request).await?
        } else {
            send_request(stream, request).await?
        };
        if status.is_success() {
            return Ok(());
        }
        Err(ProbeError::UnexpectedAnswer(format!("HTTP status {}", status.as_u16())))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use rcgen::generate_simple_self_signed;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;
    use crate::probe::testing::Peer;

    #[tokio::test]
    async fn https_is_told_only_to_whom_the_roots_vouch_for() {
        let own = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let ca_file = tempfile::NamedTempFile::new().unwrap();
        fs::write(ca_file.path(), own.cert.pem()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![own.cert.der().clone()],
                PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let peer = Peer::serving(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let mut request = Vec::new();
                while !request.ends_with(b"{}") {
                    stream.read_buf(&mut request).await.ok()?;
                }
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
                String::from_utf8(request).ok()
            }
        })
        .await;
        let url = format!("https://localhost:{}/hook", peer.address.port());

        let verified = TlsCheck { server_name: None, verify: true, ca_file: Some(ca_file.path().to_owned()) };
        assert_eq!(Webhooks::trusting(verified.clone()).post(&url, b"{}".to_vec()).await, Ok(()));
        assert!(peer.next().await.unwrap().starts_with("POST /hook HTTP/1.1\r\n"));

        let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(ca_file.path(), other.cert.pem()).unwrap();
        let error = Webhooks::trusting(verified).post(&url, b"{}".to_vec()).await.unwrap_err();
        assert_eq!(error.reason(), "tls", "{error}");
        assert_eq!(peer.next().await, None);
    }
}
