//! TLS of the service: version 1.3 only, X25519MLKEM768 preferred and X25519 as what clients without it fall back to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and what it was issued by, in PEM, the service's own first.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
}

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {fault}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// Certificate and key do not serve.
    #[error("TLS cannot be offered: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The provider of all cryptography in TLS.
fn provider() -> CryptoProvider {
    CryptoProvider { kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519], ..aws_lc_rs::default_provider() }
}

/// What accepts TLS connections.
pub(crate) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, TlsError> {
    let content = |path: &Path, fault: String| TlsError::Content { path: path.to_owned(), fault };
    let read = |path: &Path| std::fs::read(path).map_err(|error| TlsError::File { path: path.to_owned(), error });
    let pem = read(&config.certificate)?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| content(&config.certificate, format!("not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(content(&config.certificate, "there is no certificate in it".to_owned()));
    }
    let pem = zeroize::Zeroizing::new(read(&config.key)?);
    let key = PrivateKeyDer::from_pem_slice(&pem);
    let key = key.map_err(|error| content(&config.key, format!("no private key can be read from it: {error}")))?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}
