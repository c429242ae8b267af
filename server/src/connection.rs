//! A connection whose client has to read: an answer that nobody takes is given up after a while, and one that comes before the whole request was read still arrives.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client that is still sending may go on after its answer. A connection that is closed before everything is read is reset, and a client that is told so while it writes never
/// reads what it was answered (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(2);

/// Bytes that are read at once to be thrown away.
const DISCARDED: usize = 4 << 10;

/// Whether part of a request's body is still to come on a connection.
#[derive(Clone, Default)]
pub(crate) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// The same body, noted for as long as it is not at its end.
    pub(crate) fn watch<B>(&self, body: B) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let watched = Watched { body, unread: self.clone() };
        watched.note();
        Body::new(watched)
    }
}

struct Watched<B> {
    body: B,
    unread: Unread,
}

impl<B: HttpBody> Watched<B> {
    fn note(&self) {
        self.unread.0.store(!self.body.is_end_stream(), Ordering::Relaxed);
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            // A client that went away sends nothing more.
            None | Some(Err(_)) => self.unread.0.store(false, Ordering::Relaxed),
            Some(Ok(_)) => self.note(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that fails with [`io::ErrorKind::TimedOut`] once a write has made no progress for `patience`, and whose end lets the client finish what it is sending, for a while.
pub(crate) struct Impatient<S> {
    stream: S,
    patience: Duration,
    stuck: Option<Pin<Box<Sleep>>>,
    unread: Unread,
    linger: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(crate) fn new(stream: S, patience: Duration, unread: Unread) -> Self {
        Self { stream, patience, stuck: None, unread, linger: None }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.stuck = None;
            return progress;
        }
        let patience = self.patience;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(stuck.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> Impatient<S> {
    /// Throws away what still comes, until the client ends its half or [`LINGER`] has passed.
    fn discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + LINGER)));
        let mut bytes = [0; DISCARDED];
        loop {
            if linger.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.judge(cx, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, progress)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            let progress = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.judge(cx, progress))?;
            if !self.unread.0.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        self.discard(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stops_is_given_up_and_a_slow_one_is_not() {
        let (near, mut far) = duplex(16);
        let mut stream = Impatient::new(near, Duration::from_secs(5), Unread::default());
        let slow = tokio::spawn(async move {
            let mut taken = [0; 8];
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                far.read_exact(&mut taken).await.unwrap();
            }
            far
        });
        stream.write_all(&[7; 64]).await.unwrap();
        let _silent = slow.await.unwrap();
        let refused = stream.write_all(&[7; 64]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_still_sending_is_listened_to_for_a_while_and_no_other() {
        let (near, mut far) = duplex(1 << 20);
        let unread = Unread::default();
        let mut stream = Impatient::new(near, Duration::from_secs(5), unread.clone());
        let begun = Instant::now();
        stream.shutdown().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);

        let body = unread.watch(Body::from("the rest"));
        let sending = tokio::spawn(async move {
            for _ in 0..3 {
                far.write_all(&[7; 8192]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            drop(far);
        });
        stream.shutdown().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_millis(1500));
        sending.await.unwrap();

        // Once the body was read there is nothing to wait for, and otherwise no longer than is said.
        let (near, _silent) = duplex(16);
        let mut stream = Impatient::new(near, Duration::from_secs(5), unread.clone());
        let begun = Instant::now();
        stream.shutdown().await.unwrap();
        assert_eq!(begun.elapsed(), LINGER);
        let (near, _silent) = duplex(16);
        let mut stream = Impatient::new(near, Duration::from_secs(5), unread);
        axum::body::to_bytes(body, 100).await.unwrap();
        let begun = Instant::now();
        stream.shutdown().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
