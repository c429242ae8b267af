//! TLS with certificates made for the test.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use blindrelay_client::{Client, Error};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::{SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::PrivateKeyDer;
use rustls::{NamedGroup, ProtocolVersion, ServerConfig, ServerConnection, Stream};

use crate::script::{ID, head, reply};

/// What was agreed on, or why there was no agreement.
type Agreed = Result<(Option<NamedGroup>, Option<ProtocolVersion>), std::io::Error>;

/// An authority, and a service under a certificate of it that answers one request.
struct Secured {
    url: String,
    root: String,
    thread: JoinHandle<Agreed>,
}

impl Secured {
    /// The certificate is for `name`; the two authorities of a test have names of their own.
    fn start(authority: &str, name: &str, groups: Vec<&'static dyn SupportedKxGroup>) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, authority);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = groups;
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || answer(&listener, Arc::new(config)));
        Self { url, root: authority.pem(), thread }
    }

    fn finish(self) -> Agreed {
        self.thread.join().unwrap()
    }
}

fn answer(listener: &TcpListener, config: Arc<ServerConfig>) -> Agreed {
    let (mut socket, _) = listener.accept()?;
    let mut connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let mut stream = Stream::new(&mut connection, &mut socket);
    let request = head(&mut stream);
    assert_eq!(request.line, format!("GET /v1/rooms/{ID}"));
    assert_eq!(request.header("authorization"), Some("bearer key"));
    let room = serde_json::json!({ "room": ID, "operator": "match-signs/1", "handles": 1 });
    stream.write_all(&reply("200 OK", "application/json", "", room.to_string().as_bytes()))?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok((connection.negotiated_key_exchange_group().map(SupportedKxGroup::name), connection.protocol_version()))
}

fn client(url: &str, root: &str) -> Client {
    Client::builder(url).api_key("key").root_certificates(root).attempts(1).build().unwrap()
}

fn both() -> Vec<&'static dyn SupportedKxGroup> {
    vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519]
}

#[test]
fn the_key_exchange_is_post_quantum() {
    let service = Secured::start("ours", "127.0.0.1", both());
    assert_eq!(client(&service.url, &service.root).room(ID).unwrap().id, ID);
    let agreed = service.finish().unwrap();
    assert_eq!(agreed, (Some(NamedGroup::X25519MLKEM768), Some(ProtocolVersion::TLSv1_3)));
}

#[test]
fn a_service_without_it_is_spoken_to_over_a_classical_one() {
    let service = Secured::start("ours", "127.0.0.1", vec![aws_lc_rs::kx_group::X25519]);
    assert_eq!(client(&service.url, &service.root).room(ID).unwrap().id, ID);
    assert_eq!(service.finish().unwrap(), (Some(NamedGroup::X25519), Some(ProtocolVersion::TLSv1_3)));
}

/// The sentence with which a client refuses, after which the service has heard nothing of the request.
fn refused(service: Secured, root: &str) -> String {
    let error = client(&service.url, root).room(ID).unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    assert!(!error.is_retryable() && !error.leaves_doubt());
    let text = error.to_string().replace(&service.url, "URL");
    service.finish().unwrap_err();
    text
}

#[test]
fn a_certificate_of_a_stranger_is_refused_in_words() {
    let (service, stranger) =
        (Secured::start("ours", "127.0.0.1", both()), Secured::start("stranger", "127.0.0.1", both()));
    let sentence = "URL cannot be spoken to over TLS (its certificate was issued by nobody who is trusted here)";
    assert_eq!(refused(service, &stranger.root), sentence);
    assert_eq!(client(&stranger.url, &stranger.root).room(ID).unwrap().id, ID);
    stranger.finish().unwrap();
}

#[test]
fn a_certificate_for_another_name_is_refused_in_words() {
    let service = Secured::start("ours", "relay.example", both());
    let root = service.root.clone();
    assert_eq!(refused(service, &root), "URL cannot be spoken to over TLS (its certificate is for another name)");
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, words) in [("", "no certificate"), ("rubbish", "no certificate"), (damaged, "certificate 1")] {
        let error = Client::builder("https://127.0.0.1:1").root_certificates(pem).build().unwrap_err();
        assert!(matches!(error, Error::Certificates { .. }) && error.to_string().contains(words), "{error}");
    }
}
