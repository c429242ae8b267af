//! Reading bodies: never more than the object that the first bytes announce, and never for longer than an object of that length may take.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use blindrelay_engine::params::ParameterDigest;
use blindrelay_engine::wire::{self, HEADER_BYTES, Header, Kind, WireError};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::config::Limits;
use crate::error::{ApiError, BodyError, KeysError};
use crate::state::AppState;
use crate::telemetry::TRACES;
use crate::uploads::Memory;

/// What a body may be.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The only kind, where there is only one.
    pub(crate) kind: Option<Kind>,
    /// The operator and its parameters, where the body is for one; otherwise any known parameters.
    pub(crate) operator: Option<(&'a str, ParameterDigest)>,
    /// Most bytes. Where `None`, those of the keys that operators need, or else [`wire::max_len`] of the kind.
    pub(crate) limit: Option<usize>,
}

/// Reads an object of the wire format.
///
/// The first 40 bytes name kind and parameters; the typed header after them gives the exact length. A body that announces or has more is refused
/// with 413 as soon as that is known, one that ends before with 400, one of another kind or other parameters with 422 before the rest is read.
#[tracing::instrument(target = TRACES, name = "receive", skip_all)]
pub(crate) async fn read_object(
    body: Body,
    headers: &HeaderMap,
    state: &AppState,
    expected: Expected<'_>,
) -> Result<(Vec<u8>, Memory), ApiError> {
    let mut reader = Reader::new(body, headers, state.limits());
    reader.allow(state.limits().max_body_bytes, "this service allows")?;
    reader.fill(HEADER_BYTES, "the format's fixed header").await?;
    let header = Header::parse(&reader.bytes)?;
    if let Some(kind) = expected.kind.filter(|&kind| kind != header.kind) {
        return Err(WireError::Kind { expected: kind, found: header.kind }.into());
    }
    let found = header.parameters;
    let parameters = state.registry().by_digest(found).ok_or(KeysError::UnknownParameters { found })?;
    if let Some((operator, needed)) = expected.operator.filter(|(_, needed)| *needed != found) {
        return Err(KeysError::Parameters { operator: operator.to_owned(), expected: needed, found }.into());
    }
    match expected.limit {
        Some(limit) => reader.allow(limit, "the operator takes")?,
        None if header.kind == Kind::Message => {}
        None if header.kind == Kind::EvaluationKeys => {
            reader.allow(
                state.registry().keys_limit(parameters),
                "the operators of these parameters need of evaluation keys",
            )?;
        }
        None => reader.allow(wire::max_len(header.kind, parameters), "an object of this kind can have")?,
    }
    // A typed header that is longer than its kind allows is refused by the decoder's own rule before it is read.
    if header.prefix_len() > reader.limit {
        wire::exact_len(&reader.bytes, parameters)?;
    }
    reader.fill(header.prefix_len(), "the object's header").await?;
    let exact = wire::exact_len(&reader.bytes, parameters)?;
    reader.allow(exact, "the object's header announces")?;
    let memory = state.uploads().admit(exact)?;
    reader.make_room(exact);
    reader.extend_to(state.limits().body_timeout(exact));
    reader.fill(exact, "the object's header").await?;
    Ok((reader.finish().await?, memory))
}

/// Reads a body of any content, of at most `limit` bytes, which is all that `reason`.
pub(crate) async fn read_small(
    body: Body,
    headers: &HeaderMap,
    state: &AppState,
    limit: usize,
    reason: &'static str,
) -> Result<Vec<u8>, ApiError> {
    let mut reader = Reader::new(body, headers, state.limits());
    reader.allow(state.limits().max_body_bytes, "this service allows")?;
    reader.allow(limit, reason)?;
    reader.finish().await
}

struct Reader {
    body: Body,
    bytes: Vec<u8>,
    announced: Option<usize>,
    limit: usize,
    reason: &'static str,
    begun: Instant,
    time: Duration,
    ended: bool,
}

impl Reader {
    fn new(body: Body, headers: &HeaderMap, limits: &Limits) -> Self {
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self {
            body,
            bytes: Vec::new(),
            announced,
            limit: usize::MAX,
            reason: "",
            begun: Instant::now(),
            time: limits.body_timeout(0),
            ended: false,
        }
    }

    /// Gives the body more time, counted from its beginning: what its own header announces has been admitted.
    fn extend_to(&mut self, time: Duration) {
        self.time = self.time.max(time);
    }

    /// Room for a body whose memory is set aside: it takes none before its bytes come.
    fn make_room(&mut self, exact: usize) {
        self.bytes.reserve_exact(exact.saturating_sub(self.bytes.len()));
    }

    /// Lowers the limit; refused at once where more was announced or is already here.
    fn allow(&mut self, limit: usize, reason: &'static str) -> Result<(), BodyError> {
        if limit < self.limit {
            (self.limit, self.reason) = (limit, reason);
        }
        let known = self.announced.unwrap_or(0).max(self.bytes.len());
        if known > self.limit { Err(self.too_long()) } else { Ok(()) }
    }

    fn too_long(&self) -> BodyError {
        BodyError::TooLong { limit: self.limit, reason: self.reason }
    }

    /// Takes the next piece; `false` at the end.
    async fn next(&mut self) -> Result<bool, BodyError> {
        if self.ended {
            return Ok(false);
        }
        let found = self.bytes.len();
        let Ok(frame) = timeout_at(self.begun + self.time, self.body.frame()).await else {
            return Err(BodyError::Slow { found, seconds: self.time.as_secs() });
        };
        let Some(frame) = frame else {
            self.ended = true;
            return match self.announced {
                Some(expected) if expected > found => {
                    Err(BodyError::Truncated { expected, found, reason: "Content-Length" })
                }
                _ => Ok(false),
            };
        };
        let frame = frame.map_err(|_| BodyError::Broken { found })?;
        let Some(data) = frame.data_ref() else { return Ok(true) };
        let length = found + data.len();
        if self.announced.is_some_and(|announced| length > announced) {
            return Err(BodyError::TooLong {
                limit: found.max(self.announced.unwrap_or(0)),
                reason: "Content-Length says",
            });
        }
        if length > self.limit {
            return Err(self.too_long());
        }
        if length > self.bytes.capacity() {
            // Twice as much as there is, but never more than the whole object, which is what was set aside for it.
            self.bytes.reserve_exact(found.min(self.limit - found).max(data.len()));
        }
        self.bytes.extend_from_slice(data);
        Ok(true)
    }

    /// Reads until at least `needed` bytes are here, which are announced by `reason`.
    async fn fill(&mut self, needed: usize, reason: &'static str) -> Result<(), BodyError> {
        if needed > self.limit {
            return Err(self.too_long());
        }
        if let Some(found) = self.announced.filter(|&announced| announced < needed) {
            return Err(BodyError::Truncated { expected: needed, found, reason });
        }
        while self.bytes.len() < needed {
            if !self.next().await? {
                return Err(BodyError::Truncated { expected: needed, found: self.bytes.len(), reason });
            }
        }
        Ok(())
    }

    /// Reads to the end.
    async fn finish(mut self) -> Result<Vec<u8>, ApiError> {
        while self.next().await? {}
        Ok(self.bytes)
    }
}
