//! HTTP/1.1 over one socket, so that every byte of an exchange is counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_mins(10);

/// A connection that stays open.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back, and how many bytes it took both ways, heads included.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Bytes that were sent.
    pub sent: usize,
    /// Bytes that came back.
    pub received: usize,
}

impl Connection {
    /// Connects to a service.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the service listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream: BufReader::new(stream) }
    }

    /// Posts a body.
    pub fn post(&mut self, path: &str, body: &[u8]) -> Reply {
        self.send("POST", path, body)
    }

    /// One request and its reply.
    pub fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Reply {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
        let socket = self.stream.get_mut();
        socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body)).expect("the service reads");
        let (mut received, mut status, mut length) = (0, None, 0);
        loop {
            let mut line = String::new();
            let bytes = self.stream.read_line(&mut line).expect("the service answers");
            assert!(bytes > 0, "the service closed the connection");
            received += bytes;
            let line = line.trim_end();
            if status.is_none() {
                status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
                assert!(status.is_some(), "'{line}' is no status");
            } else if let Some((name, value)) = line.split_once(": ") {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse().expect("a length");
                }
            } else if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("the whole body");
        let sent = head.len() + body.len();
        Reply { status: status.unwrap_or_default(), body: answer, sent, received: received + length }
    }
}
