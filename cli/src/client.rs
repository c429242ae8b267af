//! The typed HTTP client of the service.

mod error;
mod ledgers;
mod panels;

use std::time::Duration;

use blindrelay_engine::operator::Handle;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, AsSendBody, Body, SendBody};
use zeroize::Zeroizing;

pub(crate) use self::error::ClientError;
pub(crate) use self::ledgers::{Family, Ledger};
pub(crate) use self::panels::LedgerEntry;
use crate::printable;

/// Longest JSON document that is read from a service.
const MAX_JSON_BYTES: u64 = 4 << 20;
/// How often a request that changes nothing when it is repeated is tried.
const ATTEMPTS: u32 = 3;
/// Connections that threads keep open between requests.
const MAX_CONNECTIONS: usize = 64;
/// Long bodies have a second more for so many bytes.
const BYTES_A_SECOND: usize = 128 << 10;
const BYTES: &str = "application/octet-stream";

/// A problem document (RFC 9457), as far as it is used.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    code: Option<String>,
    id: Option<String>,
}

/// What the service says of uploaded evaluation keys.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeysReceipt {
    pub(crate) digest: String,
}

/// What the service says of a new room.
#[derive(Debug, Deserialize)]
pub(crate) struct NewRoom {
    pub(crate) room: String,
}

/// What the service says of a room.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Room {
    #[serde(rename = "room")]
    pub(crate) id: String,
    pub(crate) operator: String,
    #[serde(default)]
    pub(crate) parameters: Option<String>,
    #[serde(default)]
    pub(crate) evaluation_keys: Option<String>,
    pub(crate) handles: usize,
    #[serde(default)]
    pub(crate) bytes: usize,
}

#[derive(Deserialize)]
struct HandlePage {
    handles: Vec<String>,
    #[serde(default)]
    next: Option<String>,
}

/// A connection to one service.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<Zeroizing<String>>,
    limit: Duration,
}

enum Payload<'a> {
    None,
    Json(String),
    /// JSON with an `Idempotency-Key`.
    NamedJson(&'a str, &'a str),
    Bytes(&'a [u8], Option<&'a str>),
    /// Bytes whose way out is shown.
    Watched(&'a [u8], &'a ProgressBar),
}

impl Client {
    /// A client of the service at `url`; every request may take `limit`.
    pub(crate) fn new(url: &str, api_key: Option<&str>, limit: Duration) -> Result<Self, ClientError> {
        let fault = |fault| ClientError::Url { url: url.to_owned(), fault };
        let base = url.trim().trim_end_matches('/');
        if base.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
            return Err(ClientError::NoTls { url: url.to_owned() });
        }
        let authority = base.strip_prefix("http://").ok_or_else(|| fault("it does not begin with http://"))?;
        if authority.is_empty() || authority.contains(['?', '#', '@']) || authority.contains(char::is_whitespace) {
            return Err(fault("it is not a host with an optional port and path"));
        }
        let uri: ureq::http::Uri = base.parse().map_err(|_| fault("it cannot be parsed"))?;
        if uri.port_u16().is_none() && uri.authority().is_none_or(|authority| authority.as_str() != authority.host()) {
            return Err(fault("its port is not a number up to 65535"));
        }
        // No proxy from the environment and no redirects: the API key goes to the named service and nowhere else.
        let config = Agent::config_builder()
            .timeout_global(Some(limit))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(MAX_CONNECTIONS)
            .max_idle_connections_per_host(MAX_CONNECTIONS)
            .user_agent(concat!("blindrelay/", env!("CARGO_PKG_VERSION")))
            .build();
        let authorization = api_key.map(|key| Zeroizing::new(format!("Bearer {key}")));
        Ok(Self { agent: Agent::new_with_config(config), base: base.to_owned(), authorization, limit })
    }

    /// Uploads evaluation keys under their digest and shows on the bar how many bytes are gone; harmless when repeated.
    pub(crate) fn upload_keys(&self, digest: &str, keys: &[u8], bar: &ProgressBar) -> Result<KeysReceipt, ClientError> {
        let receipt = self.repeated(|| {
            bar.set_position(0);
            self.json("PUT", &format!("/v1/keys/{digest}"), &Payload::Watched(keys, bar))
        });
        bar.finish_and_clear();
        receipt
    }

    /// Creates a room and tells its id.
    pub(crate) fn create_room(&self, operator: &str, keys: Option<&str>) -> Result<String, ClientError> {
        let mut request = serde_json::Map::from_iter([("operator".to_owned(), operator.into())]);
        if let Some(keys) = keys {
            request.insert("evaluation_keys".to_owned(), keys.into());
        }
        let payload = Payload::Json(serde_json::Value::Object(request).to_string());
        let created: NewRoom = self.json("POST", "/v1/rooms", &payload)?;
        if created.room.parse::<Handle>().is_err() {
            return Err(self.foreign("the new room's id is not 32 hexadecimal digits"));
        }
        Ok(created.room)
    }

    /// Looks at a room.
    pub(crate) fn room(&self, room: &str) -> Result<Room, ClientError> {
        self.repeated(|| self.json("GET", &format!("/v1/rooms/{room}"), &Payload::None))
    }

    /// Deletes a room.
    pub(crate) fn delete_room(&self, room: &str) -> Result<(), ClientError> {
        self.send("DELETE", &format!("/v1/rooms/{room}"), &Payload::None).map(drop)
    }

    /// Enrols the `count` values of a record. The same `idempotency` with the same record gives the same handles, so that a lost reply is asked for again.
    pub(crate) fn enroll(
        &self,
        room: &str,
        record: &[u8],
        count: usize,
        idempotency: &str,
    ) -> Result<Vec<Handle>, ClientError> {
        let path = format!("/v1/rooms/{room}/handles?count={count}");
        let payload = Payload::Bytes(record, Some(idempotency));
        let page: HandlePage = self.repeated(|| self.json("POST", &path, &payload))?;
        let handles = self.parse_handles(&page.handles)?;
        if handles.len() == count {
            Ok(handles)
        } else {
            Err(self.foreign(&format!("{} handles for {count} values", handles.len())))
        }
    }

    /// All handles of a room.
    pub(crate) fn handles(&self, room: &str) -> Result<Vec<Handle>, ClientError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let query = after.as_ref().map_or_else(String::new, |after| format!("&after={after}"));
            let path = format!("/v1/rooms/{room}/handles?limit=1000{query}");
            let page: HandlePage = self.repeated(|| self.json("GET", &path, &Payload::None))?;
            all.extend(self.parse_handles(&page.handles)?);
            match page.next {
                // A page that leads nowhere would be asked for forever.
                Some(next)
                    if page.handles.is_empty() || after.as_ref() == Some(&next) || next.parse::<Handle>().is_err() =>
                {
                    return Err(self.foreign("its list of handles does not end"));
                }
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Removes the value of a handle.
    pub(crate) fn remove(&self, room: &str, handle: Handle) -> Result<(), ClientError> {
        self.send("DELETE", &format!("/v1/rooms/{room}/handles/{handle}"), &Payload::None).map(drop)
    }

    /// Sends a probe; at most `longest` bytes of answer are read.
    pub(crate) fn matching(&self, room: &str, probe: &[u8], longest: u64) -> Result<Vec<u8>, ClientError> {
        self.repeated(|| {
            let response = self.send("POST", &format!("/v1/rooms/{room}/match"), &Payload::Bytes(probe, None))?;
            self.expect_content(&response, BYTES)?;
            self.body(response, longest)
        })
    }

    fn parse_handles(&self, handles: &[String]) -> Result<Vec<Handle>, ClientError> {
        let parsed: Result<Vec<Handle>, _> = handles.iter().map(|handle| handle.parse::<Handle>()).collect();
        parsed.map_err(|error| self.foreign(&error.to_string()))
    }

    /// Repeats a request that the service did not get to, or whose reply was lost.
    fn repeated<T>(&self, request: impl Fn() -> Result<T, ClientError>) -> Result<T, ClientError> {
        self.repeated_up_to(ATTEMPTS, request)
    }

    fn repeated_up_to<T>(&self, attempts: u32, request: impl Fn() -> Result<T, ClientError>) -> Result<T, ClientError> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..attempts {
            match request() {
                Err(ClientError::Unreachable { .. }) => {}
                Err(ClientError::Refused { status: 503, retry_after, .. }) => {
                    pause = pause.max(Duration::from_secs(retry_after.unwrap_or(0).min(5)));
                }
                outcome => return outcome,
            }
            std::thread::sleep(pause.min(self.limit));
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        request()
    }

    fn json<T: DeserializeOwned>(&self, method: &str, path: &str, payload: &Payload<'_>) -> Result<T, ClientError> {
        let response = self.send(method, path, payload)?;
        self.expect_content(&response, "application/json")?;
        let body = self.body(response, MAX_JSON_BYTES)?;
        serde_json::from_slice(&body).map_err(|error| self.foreign(&format!("JSON: {error}")))
    }

    fn send(&self, method: &str, path: &str, payload: &Payload<'_>) -> Result<Response<Body>, ClientError> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.as_str());
        }
        let invalid = |error: ureq::http::Error| self.transport(&ureq::Error::Http(error));
        let sent = match payload {
            Payload::None => self.agent.run(request.body(()).map_err(invalid)?),
            Payload::Json(text) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(text.as_str()).map_err(invalid)?)
            }
            Payload::NamedJson(text, name) => {
                let request = request.header("content-type", "application/json").header("idempotency-key", *name);
                self.agent.run(request.body(*text).map_err(invalid)?)
            }
            Payload::Bytes(bytes, idempotency) => {
                let mut request = request.header("content-type", BYTES);
                if let Some(key) = idempotency {
                    request = request.header("idempotency-key", *key);
                }
                self.run(request.body(*bytes).map_err(invalid)?, bytes.len())
            }
            Payload::Watched(bytes, bar) => {
                let request = request.header("content-type", BYTES).header("content-length", bytes.len());
                let mut reader = bar.wrap_read(*bytes);
                self.run(request.body(SendBody::from_reader(&mut reader)).map_err(invalid)?, bytes.len())
            }
        };
        let response = sent.map_err(|error| self.transport(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refused(response)) }
    }

    /// Sends so many bytes, with more time the more they are: at the speed that a service waits for.
    fn run(&self, request: Request<impl AsSendBody>, bytes: usize) -> Result<Response<Body>, ureq::Error> {
        let limit = self.limit + Duration::from_secs((bytes / BYTES_A_SECOND) as u64);
        self.agent.run(self.agent.configure_request(request).timeout_global(Some(limit)).build())
    }

    /// The error of a reply that is not a success.
    fn refused(&self, response: Response<Body>) -> ClientError {
        let status = response.status();
        let content = header(&response, "content-type");
        let retry_after = header(&response, "retry-after").parse().ok();
        if !content.starts_with("application/problem+json") || status == StatusCode::MOVED_PERMANENTLY {
            return self.foreign(&format!("status {status}, content type '{content}'"));
        }
        let problem: Problem = match self.body(response, MAX_JSON_BYTES).map(|body| serde_json::from_slice(&body)) {
            Ok(Ok(problem)) => problem,
            Ok(Err(error)) => return self.foreign(&format!("status {status}, JSON: {error}")),
            Err(error) => return error,
        };
        let mut detail = problem.detail.or(problem.title).unwrap_or_else(|| status.to_string());
        if let Some(id) = problem.id {
            detail = format!("{detail} (id {id})");
        }
        ClientError::Refused { status: status.as_u16(), code: problem.code, detail, retry_after }
    }

    fn expect_content(&self, response: &Response<Body>, expected: &str) -> Result<(), ClientError> {
        let found = header(response, "content-type");
        if found.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected)) {
            Ok(())
        } else {
            Err(self.foreign(&format!("content type '{found}' instead of {expected}")))
        }
    }

    fn body(&self, response: Response<Body>, longest: u64) -> Result<Vec<u8>, ClientError> {
        let promised = header(&response, "content-length").parse::<usize>().ok();
        let read = response.into_body().into_with_config().limit(longest).read_to_vec();
        let body = read.map_err(|error| self.transport(&error))?;
        match promised {
            Some(length) if length != body.len() => {
                Err(self.foreign(&format!("{} of {length} bytes arrived", body.len())))
            }
            _ => Ok(body),
        }
    }

    fn foreign(&self, reason: &str) -> ClientError {
        ClientError::Foreign { url: self.base.clone(), reason: printable::one_line(reason) }
    }

    fn transport(&self, error: &ureq::Error) -> ClientError {
        let url = self.base.clone();
        match error {
            ureq::Error::Timeout(_) => ClientError::Timeout { url, limit: self.limit },
            ureq::Error::BodyExceedsLimit(limit) => self.foreign(&format!("more than {limit} bytes")),
            ureq::Error::Http(_) | ureq::Error::Protocol(_) => self.foreign(&error.to_string()),
            _ => ClientError::Unreachable { url, reason: printable::one_line(&error.to_string()) },
        }
    }
}

/// A header's value, or nothing.
fn header(response: &Response<Body>, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_addresses_are_taken() {
        let client = |url| Client::new(url, None, Duration::from_secs(1)).map(|client| client.base);
        assert_eq!(client("http://127.0.0.1:80/").unwrap(), "http://127.0.0.1:80");
        assert_eq!(client("http://[::1]:80/relay/").unwrap(), "http://[::1]:80/relay");
        assert!(matches!(client("https://example.org"), Err(ClientError::NoTls { .. })));
        assert!(matches!(client("HTTPS://example.org"), Err(ClientError::NoTls { .. })));
        for url in
            ["", "127.0.0.1:80", "http://", "ftp://a", "http://a b", "http://u:p@a", "http://a?b", "http://a:port"]
        {
            assert!(matches!(client(url), Err(ClientError::Url { .. })), "{url}");
        }
    }
}
