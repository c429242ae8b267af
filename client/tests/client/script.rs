//! A service that follows a script, and a clock that stands still.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use blindrelay_client::{Builder, Client, Clock};

/// An id of a room or ledger.
pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef";
/// Nobody listens on port 1 (tcpmux).
pub(crate) const DEAD: &str = "http://127.0.0.1:1";

/// What happens on one connection.
pub(crate) enum Step {
    /// The request is read and answered, then the connection ends.
    Answer(Vec<u8>),
    /// The body of the request is left unread, so that the system resets the connection after these bytes.
    Reset(Vec<u8>),
    /// The request is read and never answered; the client ends the connection.
    Hang,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// Such as `GET /v1/rooms/0`.
    pub(crate) line: String,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// A service that does one step a connection and refuses connections after the last.
pub(crate) struct Service {
    pub(crate) url: String,
    thread: JoinHandle<()>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Service {
    pub(crate) fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&arrived);
        let thread = std::thread::spawn(move || {
            for step in steps {
                let (mut stream, _) = listener.accept().unwrap();
                follow(step, &mut stream, &seen);
            }
        });
        Self { url, thread, arrived }
    }

    /// All requests, once every step is done.
    pub(crate) fn finish(self) -> Vec<Arrived> {
        self.thread.join().unwrap();
        self.arrived.lock().unwrap().clone()
    }

    /// The requests up to now.
    pub(crate) fn so_far<T>(&self, look: impl FnOnce(&Vec<Arrived>) -> T) -> T {
        look(&self.arrived.lock().unwrap())
    }
}

fn follow(step: Step, stream: &mut TcpStream, seen: &Mutex<Vec<Arrived>>) {
    let mut request = head(stream);
    match step {
        Step::Reset(bytes) => {
            seen.lock().unwrap().push(request);
            stream.write_all(&bytes).unwrap();
        }
        Step::Answer(bytes) => {
            body(&mut request, stream);
            seen.lock().unwrap().push(request);
            stream.write_all(&bytes).unwrap();
        }
        Step::Hang => {
            body(&mut request, stream);
            seen.lock().unwrap().push(request);
            // Ends with the connection, in whatever way.
            let _ = stream.read(&mut [0]);
        }
    }
}

/// Reads a request up to the empty line.
pub(crate) fn head(stream: &mut impl Read) -> Arrived {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let line = text.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    Arrived { line, head: text.to_ascii_lowercase(), body: Vec::new() }
}

fn body(request: &mut Arrived, stream: &mut impl Read) {
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).unwrap();
}

/// An answer after which the connection ends.
pub(crate) fn reply(status: &str, content_type: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {content_type}\r\n{more}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A success in JSON.
pub(crate) fn json(value: &serde_json::Value) -> Step {
    Step::Answer(reply("200 OK", "application/json", "", value.to_string().as_bytes()))
}

/// A success in bytes.
pub(crate) fn bytes(body: &[u8]) -> Step {
    Step::Answer(reply("200 OK", "application/octet-stream", "", body))
}

/// A refusal; `more` is a further header with its line end.
pub(crate) fn problem(status: &str, more: &str, code: &str) -> Step {
    let body = serde_json::json!({ "title": "t", "detail": format!("about {code}"), "code": code, "id": "f00d" });
    Step::Answer(reply(status, "application/problem+json", more, body.to_string().as_bytes()))
}

/// The room of the scripts.
pub(crate) fn room() -> Step {
    json(&serde_json::json!({ "room": ID, "operator": "match-signs/1", "handles": 1, "bytes": 1 }))
}

/// A clock that moves by the pauses alone and notes them.
#[derive(Clone)]
pub(crate) struct Pauses {
    start: Instant,
    noted: Arc<Mutex<Vec<Duration>>>,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), noted: Arc::default() }
    }

    pub(crate) fn noted(&self) -> Vec<Duration> {
        self.noted.lock().unwrap().clone()
    }
}

impl Clock for Pauses {
    fn now(&self) -> Instant {
        self.start + self.noted().iter().sum::<Duration>()
    }

    fn sleep(&self, pause: Duration) {
        self.noted.lock().unwrap().push(pause);
    }
}

/// A client that waits by this clock.
pub(crate) fn builder(url: &str, pauses: &Pauses) -> Builder {
    Client::builder(url).clock(pauses.clone())
}

/// The same with nothing else set.
pub(crate) fn client(url: &str, pauses: &Pauses) -> Client {
    builder(url, pauses).build().unwrap()
}
