//! TLS: what is negotiated, who is let in, and what cannot be a certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blindrelay_server::tls::TlsConfig;
use blindrelay_server::{AppState, Config, Limits, Registry, serve};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, NamedGroup, ProtocolVersion, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rig::Setup;

/// A certificate for `localhost` in a folder of its own.
struct Certified {
    folder: tempfile::TempDir,
    certificate: CertificateDer<'static>,
}

impl Certified {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { certificate: made.cert.der().clone(), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> TlsConfig {
        TlsConfig { certificate: self.path("certificate.pem"), key: self.path("key.pem") }
    }

    fn connector(&self, provider: CryptoProvider) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
        TlsConnector::from(Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth()))
    }
}

async fn state(tls: TlsConfig, limits: Limits) -> Result<AppState, String> {
    let config = Config { tls: Some(tls), limits, ..Config::default() };
    let opened = AppState::open(&config, Registry::new(), Setup::default().store).await;
    opened.map_err(|error| error.to_string())
}

async fn start(certified: &Certified, limits: Limits) -> std::net::SocketAddr {
    let state = state(certified.config(), limits).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, state, std::future::pending()));
    address
}

async fn connect(connector: &TlsConnector, address: std::net::SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

async fn health(mut stream: TlsStream<TcpStream>) -> String {
    let request = "GET /v1/health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_key_exchange_is_post_quantum_where_the_client_can() {
    let certified = Certified::new();
    let address = start(&certified, Setup::default().limits).await;
    for (groups, expected) in [
        (vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519], NamedGroup::X25519MLKEM768),
        (vec![aws_lc_rs::kx_group::X25519], NamedGroup::X25519),
    ] {
        let provider = CryptoProvider { kx_groups: groups, ..aws_lc_rs::default_provider() };
        let stream = connect(&certified.connector(provider), address).await.unwrap();
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.negotiated_key_exchange_group().unwrap().name(), expected);
        assert!(health(stream).await.starts_with("HTTP/1.1 200"));
    }
    // No other group, and not a byte of plain HTTP.
    let provider = CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::SECP256R1], ..aws_lc_rs::default_provider() };
    connect(&certified.connector(provider), address).await.unwrap_err();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /v1/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_is_shed() {
    let certified = Certified::new();
    let limits = Limits { header_timeout_seconds: 1, ..Setup::default().limits };
    let address = start(&certified, limits).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut answer)).await;
    assert_eq!((ended.unwrap().unwrap_or(0), answer.len()), (0, 0));
}

#[tokio::test]
async fn files_that_do_not_serve_are_refused_by_name() {
    let certified = Certified::new();
    let limits = || Setup::default().limits;
    let other = Certified::new();
    std::fs::write(certified.path("empty.pem"), "").unwrap();
    let with = |certificate: &Path, key: &Path| TlsConfig { certificate: certificate.into(), key: key.into() };
    let [certificate, key, empty, none] =
        ["certificate.pem", "key.pem", "empty.pem", "none.pem"].map(|name| certified.path(name));
    for (config, words) in [
        (with(&none, &key), "none.pem"),
        (with(&certificate, &none), "none.pem"),
        (with(&empty, &key), "there is no certificate in it"),
        (with(&certificate, &empty), "no private key"),
        (with(&certificate, &certificate), "no private key"),
        (with(&certificate, &other.path("key.pem")), "TLS cannot be offered"),
    ] {
        let refused = state(config, limits()).await.err().unwrap();
        assert!(refused.contains(words), "{refused}");
    }
}
