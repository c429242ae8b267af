//! One request and its answer.

use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use ureq::http::request::Builder;
use ureq::http::{HeaderMap, Method, Request as HttpRequest, Response};
use ureq::{Agent, AsSendBody, Body, SendBody};

use crate::Error;

/// Longest JSON document that is read from a service.
const MAX_JSON_BYTES: u64 = 4 << 20;
/// Long bodies have a second more for so many bytes: the speed that a service waits for.
const BYTES_A_SECOND: usize = 128 << 10;
/// The type of an answer with its receipt.
const RECEIPTED: &str = "application/vnd.blindrelay.receipted";
/// Longest signed receipt, with its length.
const MAX_RECEIPT_BYTES: u64 = 64 << 10;

/// Told how many bytes of the body are on their way, from 0 in every attempt.
pub(crate) type Observer<'a> = &'a dyn Fn(u64);

/// What is sent along.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    None,
    Json(&'a str),
    Bytes(&'a [u8]),
    Watched(&'a [u8], Observer<'a>),
}

impl Payload<'_> {
    const fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(text) => text.len(),
            Self::Bytes(bytes) | Self::Watched(bytes, _) => bytes.len(),
        }
    }
}

/// What is expected of an answer.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    Nothing,
    Json,
    /// At most so many bytes.
    Bytes(u64),
    /// At most so many bytes after a signed receipt.
    Receipted(u64),
}

/// A request.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) payload: Payload<'a>,
    /// The `Idempotency-Key`.
    pub(crate) name: Option<&'a str>,
    /// Whether it may be sent again although it may have been carried out.
    pub(crate) repeatable: bool,
    /// Whether what is made by it is to have receipts.
    pub(crate) receipts: bool,
    pub(crate) expected: Expected,
}

impl<'a> Request<'a> {
    /// A request for JSON without a body. Every method but `POST` may be repeated (RFC 9110, section 9.2.2).
    pub(crate) fn new(method: Method, path: String) -> Self {
        let repeatable = method != Method::POST;
        Self { method, path, payload: Payload::None, name: None, repeatable, receipts: false, expected: Expected::Json }
    }

    pub(crate) fn payload(self, payload: Payload<'a>) -> Self {
        Self { payload, ..self }
    }

    /// Under this name the service carries it out once, however often it is sent.
    pub(crate) fn named(self, name: &'a str) -> Self {
        Self { name: Some(name), repeatable: true, ..self }
    }

    /// A second time it changes nothing.
    pub(crate) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// It computes an answer and changes nothing.
    pub(crate) fn computing(self, longest: u64) -> Self {
        Self { repeatable: true, expected: Expected::Bytes(longest), ..self }
    }

    pub(crate) fn expecting(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    /// Time for one attempt where a short request may take `limit`.
    pub(crate) fn limit(&self, limit: Duration) -> Duration {
        limit.saturating_add(Duration::from_secs((self.payload.len() / BYTES_A_SECOND) as u64))
    }
}

/// A problem document (RFC 9457), as far as it is used.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    code: Option<String>,
    id: Option<String>,
}

/// One attempt at one node.
pub(crate) struct Attempt<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) node: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) limit: Duration,
}

impl Attempt<'_> {
    /// The body of the answer, once it is known to be a success of the expected kind.
    pub(crate) fn run(&self, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        let response = self.send(request).map_err(|error| Error::sending(self.node, self.limit, &error))?;
        if !response.status().is_success() {
            return Err(self.refused(response));
        }
        match request.expected {
            Expected::Nothing => Ok(Vec::new()),
            Expected::Json => {
                self.expect_content(response.headers(), "application/json")?;
                self.body(response, MAX_JSON_BYTES)
            }
            Expected::Bytes(longest) => {
                self.expect_content(response.headers(), "application/octet-stream")?;
                self.body(response, longest)
            }
            Expected::Receipted(longest) => {
                self.expect_content(response.headers(), RECEIPTED)?;
                self.body(response, longest.saturating_add(MAX_RECEIPT_BYTES))
            }
        }
    }

    fn send(&self, request: &Request<'_>) -> Result<Response<Body>, ureq::Error> {
        let uri = format!("{}{}", self.node, request.path);
        let mut head = HttpRequest::builder().method(&request.method).uri(uri);
        if let Some(authorization) = self.authorization {
            head = head.header("authorization", authorization);
        }
        if request.receipts || matches!(request.expected, Expected::Receipted(_)) {
            head = head.header("accept", RECEIPTED);
        }
        if let Some(name) = request.name {
            head = head.header("idempotency-key", name);
        }
        let bytes = |head: Builder| head.header("content-type", "application/octet-stream");
        match request.payload {
            Payload::None => self.exchange(head.body(())?),
            Payload::Json(text) => self.exchange(head.header("content-type", "application/json").body(text)?),
            Payload::Bytes(body) => self.exchange(bytes(head).body(body)?),
            Payload::Watched(body, observer) => {
                let mut reader = Watched { left: body, sent: 0, observer };
                observer(0);
                let head = bytes(head).header("content-length", body.len());
                self.exchange(head.body(SendBody::from_reader(&mut reader))?)
            }
        }
    }

    fn exchange(&self, request: HttpRequest<impl AsSendBody>) -> Result<Response<Body>, ureq::Error> {
        self.agent.run(self.agent.configure_request(request).timeout_global(Some(self.limit)).build())
    }

    /// The error of an answer that is not a success.
    fn refused(&self, response: Response<Body>) -> Error {
        let status = response.status();
        let content = header(response.headers(), "content-type").to_owned();
        let retry_after = header(response.headers(), "retry-after").trim().parse().ok().map(Duration::from_secs);
        if !is_content(&content, "application/problem+json") || status.is_redirection() {
            return Error::failure(self.node, status, retry_after, &format!("content type '{content}'"));
        }
        match self.body(response, MAX_JSON_BYTES).map(|body| serde_json::from_slice::<Problem>(&body)) {
            Ok(Ok(problem)) => {
                let detail = problem.detail.or(problem.title).unwrap_or_else(|| status.to_string());
                Error::refused(status, problem.code, &detail, problem.id, retry_after)
            }
            Ok(Err(error)) => Error::failure(self.node, status, retry_after, &format!("JSON: {error}")),
            Err(error) => error,
        }
    }

    fn expect_content(&self, headers: &HeaderMap, expected: &str) -> Result<(), Error> {
        let found = header(headers, "content-type");
        if is_content(found, expected) {
            Ok(())
        } else {
            Err(Error::unexpected(self.node, &format!("content type '{found}' instead of {expected}")))
        }
    }

    fn body(&self, response: Response<Body>, longest: u64) -> Result<Vec<u8>, Error> {
        let promised = header(response.headers(), "content-length").parse::<u64>().ok();
        let too_long = || Error::unexpected(self.node, &format!("more than {longest} bytes"));
        if promised.is_some_and(|length| length > longest) {
            return Err(too_long());
        }
        // ureq's limit is the first length that it refuses.
        let read = response.into_body().into_with_config().limit(longest.saturating_add(1)).read_to_vec();
        let body = read.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => too_long(),
            error => Error::receiving(self.node, self.limit, &error),
        })?;
        match promised {
            Some(length) if length != body.len() as u64 => {
                let reason = format!("{} of {length} bytes arrived", body.len());
                Err(Error::Broken { url: self.node.to_owned(), reason })
            }
            _ => Ok(body),
        }
    }
}

fn is_content(found: &str, expected: &str) -> bool {
    found.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}

/// A header's value, or nothing.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Bytes whose way out is told.
struct Watched<'a> {
    left: &'a [u8],
    sent: u64,
    observer: Observer<'a>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.left.read(into)?;
        self.sent += count as u64;
        (self.observer)(self.sent);
        Ok(count)
    }
}
