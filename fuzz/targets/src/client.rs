//! What a client makes of the answers of a service that sends anything.
//!
//! The first byte of an input chooses the request (bits 0 to 6) and whether the rest is the whole answer (bit 7 clear) or its body alone, under a status line and headers that fit.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use blindrelay_client::{Client, Error, Family, KeyTerms, Role, TenantLimits};

/// What asks a service.
type Ask = fn(&Client) -> Result<(), Error>;

const ID: &str = "00112233445566778899aabbccddeeff";
const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// Longest answer that a request for bytes takes.
const LONGEST: u64 = 1 << 12;

/// The requests, by the number that an input begins with, with the type of the answer.
pub const REQUESTS: &[(&str, &str, Ask)] = &[
    ("room", "application/json", |client| client.room(ID).map(drop)),
    ("new-room", "application/json", |client| client.create_room("match-signs/1", None).map(drop)),
    ("enrolment", "application/json", |client| client.enroll(ID, b"record", 1, "name").map(drop)),
    ("handles", "application/json", |client| client.handles(ID).map(drop)),
    ("match", "application/octet-stream", |client| {
        let answer = client.matching(ID, b"question", LONGEST)?;
        assert!(answer.len() as u64 <= LONGEST);
        Ok(())
    }),
    ("match-with-receipt", "application/vnd.blindrelay.receipted", |client| {
        client.matching_with_receipt(ID, b"question", LONGEST).map(drop)
    }),
    ("keys", "application/json", |client| client.keys(DIGEST).map(drop)),
    ("new-keys", "application/json", |client| {
        client.upload_keys(DIGEST, b"keys", KeyTerms::default(), |_| {}).map(drop)
    }),
    ("ledger", "application/json", |client| client.ledger(Family::Meters, ID).map(drop)),
    ("ledgers", "application/json", |client| client.ledgers(Family::Panels).map(drop)),
    ("batch", "application/json", |client| client.append(Family::Panels, ID, b"batch", "name").map(drop)),
    ("report", "application/octet-stream", |client| client.report(Family::Meters, ID, "{}", LONGEST).map(drop)),
    ("tenants", "application/json", |client| client.tenants().map(drop)),
    ("tenant", "application/json", |client| client.create_tenant("acme", &TenantLimits::default()).map(drop)),
    ("api-keys", "application/json", |client| client.api_keys(Some("acme")).map(drop)),
    ("new-api-key", "application/json", |client| client.create_api_key(Role::Admin, None, "", None).map(drop)),
    ("identity", "application/json", |client| client.identity().map(drop)),
    ("removal", "application/json", |client| client.delete_room(ID)),
];

/// A service that answers whatever it is told to.
struct Service {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
}

static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let answer = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // The client may have gone away.
            drop(serve(stream, &answer));
        }
    });
    Service { address, answer }
});

fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    // Bodies are short: what the client sends arrives in one or two pieces.
    while !is_complete(&request) {
        match stream.read(&mut piece)? {
            0 => break,
            length => request.extend_from_slice(&piece[..length]),
        }
    }
    stream.write_all(answer)
}

/// Whether a request's head and its body are there.
fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// Asks, and takes the answer or refuses it by an error that says something.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, rest)) = input.split_first() else { return false };
    let Some((_, content, ask)) = REQUESTS.get(usize::from(choice & 0x7f)) else { return false };
    let answer = if choice & 0x80 == 0 { rest.to_vec() } else { framed(content, rest) };
    *SERVICE.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    let client = Client::builder(format!("http://{}", SERVICE.address));
    let client = client.attempts(1).time_limit(Duration::from_secs(5)).build().expect("a local address");
    match ask(&client) {
        Ok(()) => true,
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            false
        }
    }
}

/// A success of this type with this body.
pub fn framed(content: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
