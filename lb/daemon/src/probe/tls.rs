//! A TLS handshake succeeds; and the TLS under HTTPS checks.

mod unverified;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lb_core::config::{ProxyVersion, TlsCheck};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::connect::connect;
use super::{ProbeError, Target};

/// Shakes hands and says goodbye.
pub(super) async fn probe(
    target: &Target,
    proxy: Option<ProxyVersion>,
    check: &TlsCheck,
    clients: &Clients,
) -> Result<(), ProbeError> {
    let stream = connect(target, proxy).await?;
    let mut stream = clients.handshake(stream, check, target).await?;
    // The handshake is the check; what becomes of the close_notify is not.
    let _ = stream.shutdown().await;
    Ok(())
}

/// Client configurations, one for each way to trust. Each is built when it is first needed, off the runtime's
/// thread, and once; where that fails, for a file that is not there yet, the next check tries again.
#[derive(Debug, Default)]
pub struct Clients {
    built: Mutex<HashMap<Trust, Arc<OnceCell<Arc<ClientConfig>>>>>,
}

impl Clients {
    /// TLS over `stream`, with whom `check` says.
    ///
    /// # Errors
    /// It is somebody else, or the roots of trust cannot be read.
    pub async fn handshake(
        &self,
        stream: TcpStream,
        check: &TlsCheck,
        target: &Target,
    ) -> Result<TlsStream<TcpStream>, ProbeError> {
        let name = check.server_name.clone().unwrap_or_else(|| target.host());
        let name = ServerName::try_from(name)
            .map_err(|error| ProbeError::Local(format!("TLS server name: {error}")))?;
        let connector = TlsConnector::from(self.client(Trust::of(check)).await?);
        Ok(connector.connect(name, stream).await?)
    }

    async fn client(&self, trust: Trust) -> Result<Arc<ClientConfig>, ProbeError> {
        let cell = {
            let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(built.entry(trust.clone()).or_default())
        };
        let build = async {
            let built = tokio::task::spawn_blocking(move || trust.client()).await;
            built.unwrap_or_else(|error| Err(error.to_string())).map(Arc::new).map_err(ProbeError::Local)
        };
        cell.get_or_try_init(|| build).await.cloned()
    }
}

/// Whose certificates are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Trust {
    /// Everyone's.
    Anyone,
    /// Those under the host's roots.
    Host,
    /// Those under the roots in a PEM file.
    File(PathBuf),
}

impl Trust {
    fn of(check: &TlsCheck) -> Self {
        match &check.ca_file {
            _ if !check.verify => Self::Anyone,
            Some(path) => Self::File(path.clone()),
            None => Self::Host,
        }
    }

    /// Reads files.
    fn client(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut client = match self {
            Self::Anyone => {
                builder.dangerous().with_custom_certificate_verifier(unverified::verifier(provider))
            }
            Self::Host => builder.with_root_certificates(host_roots()?),
            Self::File(path) => builder.with_root_certificates(
                roots_of(path).map_err(|error| format!("ca_file {}: {error}", path.display()))?,
            ),
        }
        .with_no_client_auth();
        // A resumed session shows no certificate, and this is about the certificate.
        client.resumption = Resumption::disabled();
        Ok(client)
    }
}

/// Whether checks could trust the certificates of this PEM file.
///
/// # Errors
/// Why not.
pub fn check_ca_file(path: &Path) -> Result<(), String> {
    roots_of(path).map(drop)
}

fn host_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A host's bundle may hold certificates that are of no use here.
    roots.add_parsable_certificates(found.certs);
    match found.errors.first() {
        _ if !roots.is_empty() => Ok(roots),
        Some(error) => Err(format!("no root certificates on this host: {error}")),
        None => Err("no root certificates on this host".into()),
    }
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("no certificate in it".into()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests;
