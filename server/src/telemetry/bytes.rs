//! Bodies that are counted as they pass.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;

/// A body whose bytes are added to a counter when somebody takes them.
pub(crate) struct Counted {
    body: Body,
    bytes: Counter,
}

impl Counted {
    /// The same body, counted.
    pub(crate) fn body(body: Body, bytes: Counter) -> Body {
        Body::new(Self { body, bytes })
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.bytes.inc_by(data.len() as u64);
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

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn bytes_are_counted_when_they_are_taken_and_the_length_stays_known() {
        let counter = Counter::default();
        let body = Counted::body(Body::from("seven b"), counter.clone());
        assert_eq!((body.size_hint().exact(), counter.get()), (Some(7), 0));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "seven b");
        assert_eq!(counter.get(), 7);
    }
}
