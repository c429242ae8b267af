//! Answers that clients keep: their names are the SHA-256 of their bodies, and who has one does not get it again.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;
use crate::id::BodyDigest;

/// An answer with its strong entity tag.
#[derive(Clone)]
pub(super) struct Entity {
    kind: &'static str,
    tag: String,
    kept: &'static str,
    body: Bytes,
}

/// An answer that may be another one the next time.
const ASK: &str = "no-cache";
/// An answer that stays as it is for whoever may have it.
const STAYS: &str = "private, max-age=31536000, immutable";

impl Entity {
    /// A body of a media type.
    pub(super) fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { kind, tag: format!("\"{}\"", BodyDigest::of(&body)), kept: ASK, body }
    }

    /// A body whose digest is known, and that never changes.
    pub(super) fn of_digest(kind: &'static str, digest: BodyDigest, body: Arc<[u8]>) -> Self {
        Self { kind, tag: format!("\"{digest}\""), kept: STAYS, body: Bytes::from_owner(body) }
    }

    /// The same body, which never changes.
    pub(super) fn unchanging(self) -> Self {
        Self { kept: STAYS, ..self }
    }

    /// A value as JSON.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::new("application/json", serde_json::to_vec(value).map_err(ApiError::internal)?))
    }

    /// The answer to a request with these headers: 304 where its `If-None-Match` names this body, or any.
    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
            value.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.tag)
        });
        let kept = [(ETAG, self.tag), (CACHE_CONTROL, self.kept.to_owned())];
        if known {
            return (StatusCode::NOT_MODIFIED, kept).into_response();
        }
        (kept, [(CONTENT_TYPE, self.kind)], self.body).into_response()
    }
}
