//! What a client is told when a request fails: `application/problem+json` (RFC 9457). No answer carries a plaintext, and a fault of the
//! service carries nothing but an id that is also in the log.

mod reason;

use std::fmt::Display;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use blindrelay_engine::Error;
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::wire::WireError;
use serde::Serialize;

use crate::family::Family;
use crate::store::StoreError;
use crate::telemetry::ProblemCode;

pub use reason::{BodyError, Conflict, KeysError, Limit, MergeError, RequestError, Resource};

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The request itself cannot be understood.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// There is no such thing, or it belongs to somebody else.
    #[error("{0}")]
    Unknown(Resource),
    /// The body did not arrive as it was announced.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The bytes are no object of the wire format.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The operator refuses the object.
    #[error(transparent)]
    Operator(OperatorError),
    /// The evaluation keys do not serve.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The request collides with what is stored.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The sums cannot be added.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The operator is used through another kind of resource.
    #[error("operator {operator} is used through {belongs}, not {asked}")]
    Misplaced {
        /// The operator.
        operator: String,
        /// Where it belongs.
        belongs: &'static str,
        /// Where it was asked for.
        asked: &'static str,
    },
    /// The operator of a room, meter or panel is not offered any more.
    #[error(
        "{what} {id} uses operator {operator}, which this service does not offer any more: only deleting it is possible"
    )]
    Retired {
        /// What it is: `room`, `meter` or `panel`.
        what: &'static str,
        /// Which one.
        id: String,
        /// The operator.
        operator: String,
    },
    /// Nothing new is made with these parameters any more.
    #[error(
        "nothing new is made with the parameters {parameters} since {at}: GET /v1/parameters lists others, and GET /v1/operators the operators that use them"
    )]
    Sunset {
        /// Their name.
        parameters: String,
        /// Since when.
        at: blindrelay_trust::UnixMillis,
    },
    /// Others were faster, again and again.
    #[error("others change this {what} all the time: try again after {RETRY_AFTER_SECONDS} second")]
    Contended {
        /// What was to be changed: `room`, `meter` or `panel`.
        what: &'static str,
    },
    /// The tenant has reached a limit for now.
    #[error("this tenant's limit of {limit} is reached: try again after {seconds} seconds")]
    Throttled {
        /// Which limit.
        limit: Limit,
        /// When there is room again, as far as can be told.
        seconds: u32,
    },
    /// All compute threads are busy and the queue is full.
    #[error("{waiting} requests are waiting already: try again after {RETRY_AFTER_SECONDS} second")]
    Busy {
        /// Length of the queue.
        waiting: usize,
    },
    /// No compute thread became free in time.
    #[error("no compute thread became free within {seconds} seconds: try again after {RETRY_AFTER_SECONDS} second")]
    Overdue {
        /// How long the request waited.
        seconds: u64,
    },
    /// The store cannot be reached. It is not known whether a change was made.
    #[error(
        "the service cannot reach its storage, and whether a change was made is not known: repeat it with the same Idempotency-Key, or look, after {RETRY_AFTER_SECONDS} second"
    )]
    StoreUnavailable,
    /// A fault of the service.
    #[error("the service failed")]
    Internal {
        /// What the log calls it.
        id: String,
    },
}

/// When to come back after [`ApiError::Busy`], [`ApiError::Overdue`], [`ApiError::Contended`] and [`ApiError::StoreUnavailable`].
pub const RETRY_AFTER_SECONDS: u32 = 1;

impl ApiError {
    /// A fault of the service. The reason goes to the log, its id to the client.
    pub fn internal(reason: impl Display) -> Self {
        let mut bytes = [0; 8];
        // Without random bytes the id is all zeros: the fault is still reported.
        let _ = getrandom::fill(&mut bytes);
        let id = format!("{:016x}", u64::from_be_bytes(bytes));
        tracing::error!(fault = %id, %reason, "request failed");
        Self::Internal { id }
    }

    /// The HTTP status and the code that programs can rely on.
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Request(error) => match error {
                RequestError::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
                RequestError::Suspended => (StatusCode::FORBIDDEN, "tenant-suspended"),
                RequestError::Role { .. } => (StatusCode::FORBIDDEN, "role-refused"),
                RequestError::FirstKey => (StatusCode::CONFLICT, "first-key"),
                RequestError::RevokedKey => (StatusCode::CONFLICT, "api-key-revoked"),
                RequestError::Origin => (StatusCode::FORBIDDEN, "origin-refused"),
                RequestError::Method => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
                RequestError::Id(_) => (StatusCode::BAD_REQUEST, "malformed-id"),
                RequestError::Query(_) => (StatusCode::BAD_REQUEST, "malformed-query"),
                RequestError::Header(_) => (StatusCode::BAD_REQUEST, "malformed-header"),
                RequestError::Unnamed => (StatusCode::BAD_REQUEST, "idempotency-key-required"),
                RequestError::Json(_) => (StatusCode::BAD_REQUEST, "malformed-json"),
            },
            Self::Unknown(resource) => {
                let code = match resource {
                    Resource::Route => "unknown-route",
                    Resource::Room => "unknown-room",
                    Resource::Ledger(Family::Meters) => "unknown-meter",
                    Resource::Ledger(Family::Panels) => "unknown-panel",
                    Resource::Handle => "unknown-handle",
                    Resource::Keys => "unknown-keys",
                    Resource::Operator => "unknown-operator",
                    Resource::Tenant => "unknown-tenant",
                    Resource::ApiKey => "unknown-api-key",
                    Resource::Job => "unknown-job",
                    Resource::Answer => "unknown-answer",
                    Resource::Receipt => "unknown-receipt",
                };
                (StatusCode::NOT_FOUND, code)
            }
            Self::Body(error) => match error {
                BodyError::TooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-long"),
                BodyError::Truncated { .. } | BodyError::Broken { .. } => (StatusCode::BAD_REQUEST, "body-truncated"),
                BodyError::NoMemory { .. } => (StatusCode::SERVICE_UNAVAILABLE, "uploads-full"),
                BodyError::Slow { .. } => (StatusCode::REQUEST_TIMEOUT, "body-timeout"),
            },
            Self::Wire(error) => (StatusCode::UNPROCESSABLE_ENTITY, wire_code(error)),
            Self::Operator(error) => operator_status(error),
            Self::Keys(error) => match error {
                KeysError::Missing { .. } => (StatusCode::CONFLICT, "keys-missing"),
                KeysError::InUse { .. } => (StatusCode::CONFLICT, "keys-in-use"),
                KeysError::Expired { .. } => (StatusCode::CONFLICT, "keys-expired"),
                KeysError::Revoked { .. } => (StatusCode::CONFLICT, "keys-revoked"),
                KeysError::Digest { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "digest-mismatch"),
                KeysError::Parameters { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "wrong-parameters"),
                KeysError::UnknownParameters { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unknown-parameters"),
                KeysError::Required { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "keys-required"),
                KeysError::Incomplete { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "keys-incomplete"),
            },
            Self::Conflict(Conflict::Idempotency) => (StatusCode::CONFLICT, "idempotency-conflict"),
            Self::Conflict(Conflict::Quota { .. }) => (StatusCode::CONFLICT, "quota-exceeded"),
            Self::Conflict(Conflict::Open { .. }) => (StatusCode::CONFLICT, "answer-open"),
            Self::Conflict(Conflict::Refused { .. }) => (StatusCode::CONFLICT, "answer-refused"),
            Self::Merge(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unfit-merge"),
            Self::Misplaced { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "wrong-resource"),
            Self::Contended { .. } => (StatusCode::SERVICE_UNAVAILABLE, "contended"),
            Self::Sunset { .. } => (StatusCode::GONE, "parameters-sunset"),
            Self::Retired { .. } => (StatusCode::GONE, "operator-retired"),
            Self::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate-limited"),
            Self::StoreUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "store-unavailable"),
            Self::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "queue-full"),
            Self::Overdue { .. } => (StatusCode::SERVICE_UNAVAILABLE, "queue-slow"),
            Self::Internal { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

fn wire_code(error: &WireError) -> &'static str {
    match error {
        WireError::Parameters { .. } => "wrong-parameters",
        WireError::NoiseExhausted { .. } => "noise",
        _ => "malformed-object",
    }
}

fn unfit_code(object: &str) -> &'static str {
    match object {
        "batch" => "unfit-batch",
        "request" => "unfit-request",
        _ => "unfit-merge",
    }
}

fn operator_status(error: &OperatorError) -> (StatusCode, &'static str) {
    match error {
        OperatorError::Empty => (StatusCode::CONFLICT, "room-empty"),
        OperatorError::UnknownHandle { .. } => (StatusCode::NOT_FOUND, "unknown-handle"),
        OperatorError::ValueCount { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "value-count"),
        OperatorError::Settings { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "settings"),
        OperatorError::Unfit { object, .. } => (StatusCode::UNPROCESSABLE_ENTITY, unfit_code(object)),
        OperatorError::Range { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "range"),
        OperatorError::TooFewContributions { .. } => (StatusCode::CONFLICT, "too-few-contributions"),
        OperatorError::MissingKeys { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "keys-incomplete"),
        OperatorError::OtherMessage { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "malformed-object"),
        OperatorError::Wire(error) => (StatusCode::UNPROCESSABLE_ENTITY, wire_code(error)),
        OperatorError::Refused(Error::ParameterMismatch { .. }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "wrong-parameters")
        }
        OperatorError::Refused(Error::Noise { .. }) => (StatusCode::UNPROCESSABLE_ENTITY, "noise"),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "refused"),
    }
}

impl From<OperatorError> for ApiError {
    fn from(error: OperatorError) -> Self {
        match error {
            // Handles are the service's own random ones, and so is the system's randomness: not the client's to mend.
            OperatorError::RepeatedHandle { .. } | OperatorError::Refused(Error::Randomness { .. }) => {
                Self::internal(error)
            }
            OperatorError::UnknownHandle { .. } => Self::Unknown(Resource::Handle),
            other => Self::Operator(other),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownRoom => Self::Unknown(Resource::Room),
            StoreError::UnknownLedger { family } => Self::Unknown(Resource::Ledger(family)),
            StoreError::UnknownHandle => Self::Unknown(Resource::Handle),
            StoreError::UnknownTenant => Self::Unknown(Resource::Tenant),
            StoreError::UnknownApiKey => Self::Unknown(Resource::ApiKey),
            StoreError::UnknownJob => Self::Unknown(Resource::Job),
            StoreError::KeysMissing { digest } => KeysError::Missing { digest }.into(),
            StoreError::KeysInUse { digest } => KeysError::InUse { digest }.into(),
            StoreError::IdempotencyConflict => Conflict::Idempotency.into(),
            StoreError::Quota { what, limit } => Conflict::Quota { what, limit }.into(),
            StoreError::Unavailable(reason) => {
                tracing::error!(%reason, "the store failed");
                Self::StoreUnavailable
            }
            StoreError::RepeatedId | StoreError::Outdated { .. } => Self::internal(error),
        }
    }
}

impl From<getrandom::Error> for ApiError {
    fn from(error: getrandom::Error) -> Self {
        Self::internal(error)
    }
}

/// The body of an error.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl ApiError {
    fn document(&self) -> Problem<'_> {
        let (status, code) = self.status_and_code();
        let id = match self {
            Self::Internal { id } => Some(id.as_str()),
            _ => None,
        };
        Problem {
            r#type: format!("urn:blindrelay:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            code,
            id,
        }
    }

    /// The problem document as JSON.
    pub(crate) fn problem(&self) -> String {
        // Texts and numbers always become JSON.
        serde_json::to_string(&self.document()).unwrap_or_default()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let problem = self.document();
        let mut response = (status, Json(problem)).into_response();
        response.extensions_mut().insert(ProblemCode(code));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match &self {
            Self::Busy { .. } | Self::Overdue { .. } | Self::Contended { .. } | Self::StoreUnavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            Self::Throttled { seconds, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Request(RequestError::Unauthorized) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Body(BodyError::NoMemory { seconds, .. }) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            // What is left of the body would be read as the next request.
            Self::Body(_) => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
