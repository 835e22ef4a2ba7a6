use std::fs;

use lb_core::config::{Check, CheckKind, HttpCheck};
use lb_core::probe::Expect;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::probe::Prober;
use crate::probe::testing::{Peer, check, closed_port, hasty, target};

/// An authority, in a file, and a server that shows a certificate of it for `empi.example` and 127.0.0.1.
struct Site {
    ca_file: tempfile::NamedTempFile,
    /// Yields the SNI of each handshake that succeeded, and the request, if any.
    peer: Peer<Option<(Option<String>, String)>>,
}

async fn site() -> Site {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_file = tempfile::NamedTempFile::new().unwrap();
    fs::write(ca_file.path(), ca.self_signed(&ca_key).unwrap().pem()).unwrap();

    let key = KeyPair::generate().unwrap();
    let names = vec!["empi.example".to_owned(), "127.0.0.1".to_owned()];
    let issuer = Issuer::new(ca, ca_key);
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    Site { ca_file, peer: serving(certificate.der().clone(), &key).await }
}

async fn serving(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> Peer<Option<(Option<String>, String)>> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Peer::serving(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.ok()?;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => request.push(byte),
                    Err(_) => break,
                }
            }
            if !request.is_empty() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready").await.ok()?;
                stream.shutdown().await.ok()?;
            }
            let name = stream.get_ref().1.server_name().map(str::to_owned);
            Some((name, String::from_utf8(request).unwrap()))
        }
    })
    .await
}

impl Site {
    fn check(&self, server_name: Option<&str>) -> TlsCheck {
        TlsCheck {
            server_name: server_name.map(str::to_owned),
            verify: true,
            ca_file: Some(self.ca_file.path().to_owned()),
        }
    }

    async fn run(&self, tls: TlsCheck) -> Result<(), ProbeError> {
        Prober::default().run(&check(CheckKind::Tls(tls)), &target(self.peer.address)).await
    }
}

fn is_tls(result: Result<(), ProbeError>) -> String {
    match result {
        Err(ProbeError::Tls(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_valid_certificate_is_accepted_for_its_names() {
    let site = site().await;
    assert_eq!(site.run(site.check(Some("empi.example"))).await, Ok(()));
    assert_eq!(site.peer.next().await, Some((Some("empi.example".into()), String::new())));
    // Without a name the address is verified, and addresses are not sent as SNI.
    assert_eq!(site.run(site.check(None)).await, Ok(()));
    assert_eq!(site.peer.next().await, Some((None, String::new())));

    let named = Target { host: Some("empi.example".into()), ..target(site.peer.address) };
    let result = Prober::default().run(&check(CheckKind::Tls(site.check(None))), &named).await;
    assert_eq!(result, Ok(()));
    assert_eq!(site.peer.next().await, Some((Some("empi.example".into()), String::new())));
}

#[tokio::test]
async fn a_wrong_name_or_an_unknown_authority_is_not() {
    let site = site().await;
    let text = is_tls(site.run(site.check(Some("uaop.example"))).await);
    assert!(text.contains("not valid for name"), "{text}");

    // The host's roots do not know it either, if there are any.
    let result = site.run(TlsCheck { ca_file: None, ..site.check(Some("empi.example")) }).await;
    assert!(matches!(result, Err(ProbeError::Tls(_) | ProbeError::Local(_))), "{result:?}");

    let other = self::site().await;
    let text = is_tls(site.run(other.check(Some("empi.example"))).await);
    assert!(text.contains("invalid peer certificate"), "{text}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_good_only_unverified() {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["other.example".into()]).unwrap().self_signed(&key).unwrap();
    let own = serving(certificate.der().clone(), &key).await;
    let site = Site { peer: own, ..site().await };

    is_tls(site.run(site.check(None)).await);
    assert_eq!(site.peer.next().await, None);
    assert_eq!(site.run(TlsCheck { verify: false, ..site.check(None) }).await, Ok(()));
    assert!(site.peer.next().await.is_some());
}

#[tokio::test]
async fn https_is_http_over_it() {
    let site = site().await;
    let https = |body: &str| {
        check(CheckKind::Http(HttpCheck {
            method: "GET".into(),
            path: "/ready".into(),
            host: None,
            status: vec![(200, 200)],
            body: Some(Expect::Bytes(body.into())),
            tls: Some(site.check(Some("empi.example"))),
        }))
    };
    assert_eq!(Prober::default().run(&https("ready"), &target(site.peer.address)).await, Ok(()));
    let (name, request) = site.peer.next().await.unwrap();
    assert_eq!(name.as_deref(), Some("empi.example"));
    assert!(request.starts_with("GET /ready HTTP/1.1\r\n"), "{request}");

    let result = Prober::default().run(&https("steady"), &target(site.peer.address)).await;
    assert_eq!(result, Err(ProbeError::UnexpectedAnswer("body does not match".into())));
}

#[tokio::test]
async fn what_is_no_tls_server() {
    let site = site().await;
    let tls = || CheckKind::Tls(site.check(None));
    let at = |address| (Prober::default(), target(address));

    let (prober, closed) = at(closed_port().await);
    assert_eq!(prober.run(&check(tls()), &closed).await, Err(ProbeError::Refused));

    let silent = Peer::silent().await;
    let (prober, silent) = at(silent.address);
    assert_eq!(prober.run(&hasty(tls()), &silent).await, Err(ProbeError::Timeout));

    let plain = Peer::serving(|mut stream: TcpStream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    let (prober, plain) = at(plain.await.address);
    is_tls(prober.run(&check(tls()), &plain).await);
}

#[tokio::test]
async fn a_ca_file_counts_as_soon_as_it_is_there() {
    let site = site().await;
    let pem = fs::read(site.ca_file.path()).unwrap();
    let tls = check(CheckKind::Tls(site.check(None)));
    let (prober, at) = (Prober::default(), target(site.peer.address));
    let reason = async |check: &Check| prober.run(check, &at).await.map_err(|error| error.reason());

    fs::write(site.ca_file.path(), "no certificate").unwrap();
    assert_eq!(reason(&tls).await, Err("local"));
    fs::write(site.ca_file.path(), pem).unwrap();
    assert_eq!(reason(&tls).await, Ok(()));
    // Then it is kept.
    fs::write(site.ca_file.path(), "no certificate").unwrap();
    assert_eq!(reason(&tls).await, Ok(()));
}
