//! HTTP/1.1 by hand: exactly the bytes that a test wants on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) struct Client(TcpStream);

/// Status and body of an answer.
pub(crate) type Answer = (u16, Vec<u8>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Ends the sending half.
    pub(crate) async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// The next answer; `None` if the connection ends instead.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        timeout(Duration::from_secs(20), self.read()).await.expect("an answer or an end within 20 seconds")
    }

    async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).await.ok()?;
        Some((status, body))
    }

    /// Whether the other side ends the connection without a word.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.answer().await.is_none()
    }

    pub(crate) async fn post(&mut self, path: &str, body: &[u8]) -> Option<Answer> {
        self.write([Self::head(path, "", body.len()).as_bytes(), body].concat()).await;
        self.answer().await
    }

    /// A request with a name.
    pub(crate) async fn post_named(&mut self, path: &str, name: &str, body: &[u8]) -> Option<Answer> {
        self.write([Self::named_head(path, name, body.len()).as_bytes(), body].concat()).await;
        self.answer().await
    }

    pub(crate) fn named_head(path: &str, name: &str, length: usize) -> String {
        Self::head(path, &format!("idempotency-key: {name}\r\n"), length)
    }

    fn head(path: &str, more: &str, length: usize) -> String {
        format!("POST {path} HTTP/1.1\r\nhost: test\r\n{more}content-length: {length}\r\n\r\n")
    }
}
