//! TLS 1.3 with a post-quantum key exchange, and whom it trusts.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::Error;

/// The configuration of TLS: the machine's root certificates and those of `extra`, texts in PEM.
///
/// The machine's roots are taken and not a list inside this program: its owner decides whom it trusts, and the operating system's updates reach it.
pub(crate) fn configuration(extra: &[Vec<u8>]) -> Result<TlsConfig, Error> {
    let machine = rustls_native_certs::load_native_certs();
    let mut roots: Vec<Certificate<'static>> =
        machine.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    for pem in extra {
        roots.extend(certificates(pem)?);
    }
    if roots.is_empty() {
        let fault = match machine.errors.first() {
            Some(error) => format!("this machine's cannot be read: {error}"),
            None => "this machine has none, and none were given".to_owned(),
        };
        return Err(Error::Certificates { fault });
    }
    let roots = RootCerts::Specific(Arc::new(roots));
    Ok(TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(Arc::new(provider())).build())
}

/// The certificates of a text in PEM. Other sections are passed over.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, Error> {
    let fault = |fault: String| Error::Certificates { fault };
    let mut store = RootCertStore::empty();
    let mut read = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| fault(format!("not PEM: {error}")))?;
        read.push(Certificate::from_der(&certificate).to_owned());
        store.add(certificate).map_err(|error| fault(format!("certificate {}: {error}", read.len())))?;
    }
    if read.is_empty() { Err(fault("no certificate in the PEM that was given".to_owned())) } else { Ok(read) }
}

/// TLS 1.3 alone, since the older versions know no post-quantum key exchange. `X25519MLKEM768` (draft-ietf-tls-ecdhe-mlkem) is offered first and with a key
/// share, so that it costs no further round trip; a server that does not know it gets X25519 or P-256.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.tls13().is_some());
    provider.kx_groups =
        vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    provider
}
