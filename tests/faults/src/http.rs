//! HTTP/1.1 by hand: thousands of connections in one process, and exactly the bytes that a run wants on the wire.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes of an answer that are read at once. Ten thousand connections have a buffer each.
const BUFFER: usize = 512;
/// Addresses of this machine that connections come from in turn, because each has ports for some ten thousand only.
const HOSTS: usize = 8;

/// A connection to the service.
#[derive(Debug)]
pub struct Connection {
    /// What is said.
    pub writer: OwnedWriteHalf,
    /// What is answered.
    pub reader: Answers,
}

/// The answers of a connection.
#[derive(Debug)]
pub struct Answers(BufReader<OwnedReadHalf>);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Seconds that the service asks to wait.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The service's name for a problem; empty where the answer is none.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Connection {
    /// Connects as the connection of this number, from 127.0.0.2 to 127.0.0.9.
    pub async fn open(service: SocketAddr, number: usize) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let host = Ipv4Addr::new(127, 0, 0, 2 + (number % HOSTS) as u8);
        socket.bind(SocketAddr::from((host, 0)))?;
        let stream = socket.connect(service).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { writer, reader: Answers(BufReader::with_capacity(BUFFER, reader)) })
    }

    /// One request with its answer.
    pub async fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        // In one piece, as clients that care send what is short.
        self.writer.write_all(&[head(method, path, body.len()).as_bytes(), body].concat()).await?;
        self.reader.next().await
    }
}

impl Answers {
    /// The next answer; an error of kind `UnexpectedEof` where the connection ends instead.
    pub async fn next(&mut self) -> io::Result<Answer> {
        let mut answer = Answer { status: 0, retry_after: None, body: Vec::new() };
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            let malformed = || io::Error::new(io::ErrorKind::InvalidData, format!("'{line}' is not HTTP"));
            if answer.status == 0 {
                answer.status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                match name {
                    "content-length" => length = value.parse().map_err(|_| malformed())?,
                    "retry-after" => answer.retry_after = value.parse().ok(),
                    _ => {}
                }
            }
        }
        answer.body.resize(length, 0);
        self.0.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    /// Waits until the service ends the connection, whatever it says before.
    pub async fn ended(&mut self) {
        // An end by a reset is one, too.
        let _ = tokio::io::copy_buf(&mut self.0, &mut tokio::io::sink()).await;
    }
}

/// The head of a request with a body.
pub fn head(method: &str, path: &str, length: usize) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n")
}
