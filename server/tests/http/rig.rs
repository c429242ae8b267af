//! A service in memory and the requests that tests make of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use blindrelay_engine::Backend;
use blindrelay_engine::operator::{Accumulation, Handle, Operator};
use blindrelay_server::id::BodyDigest;
use blindrelay_server::receipts::ReceiptSettings;
use blindrelay_server::store::Store;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{AppState, Config, Limits, Registry, TenantConfig, app};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::openapi::conforms;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of a problem, whose every field must be there.
    pub(crate) fn problem(&self) -> (u16, String) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.headers.get("content-type").unwrap(), "application/problem+json", "{text}");
        let problem = self.json();
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:blindrelay:problem:{code}"));
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
        assert_eq!(problem.get("id").is_some(), self.status == StatusCode::INTERNAL_SERVER_ERROR);
        (self.status.as_u16(), code)
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(self.problem(), (status, code.to_owned()), "{}", self.json()["detail"]);
        self
    }

    pub(crate) fn handles(&self) -> Vec<Handle> {
        let handles = self.json()["handles"].clone();
        handles.as_array().unwrap().iter().map(|handle| handle.as_str().unwrap().parse().unwrap()).collect()
    }
}

/// What a service is made of.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) keys: Vec<(&'static str, &'static str)>,
    pub(crate) operators: Vec<Arc<dyn Operator>>,
    pub(crate) accumulations: Vec<Arc<dyn Accumulation>>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) receipts: ReceiptSettings,
}

impl Default for Setup {
    fn default() -> Self {
        let limits =
            Limits { compute_threads: 2, body_timeout_seconds: 2, header_timeout_seconds: 2, ..Limits::default() };
        let (keys, operators, accumulations) = (Vec::new(), Vec::new(), Vec::new());
        let (store, receipts) = (Arc::new(MemoryStore::new()), ReceiptSettings::default());
        Self { limits, keys, operators, accumulations, store, receipts }
    }
}

impl Setup {
    pub(crate) fn config(&self) -> Config {
        let tenant = |(name, key): &(&str, &str)| TenantConfig {
            name: (*name).to_owned(),
            key_sha256: BodyDigest::of(key.as_bytes()).to_string(),
        };
        let (limits, tenants) = (self.limits.clone(), self.keys.iter().map(tenant).collect());
        Config { limits, tenants, receipts: self.receipts, ..Config::default() }
    }

    pub(crate) async fn start(self) -> Rig {
        let mut registry = Registry::standard(Backend::detect()).unwrap();
        for operator in &self.operators {
            registry.register(Arc::clone(operator)).unwrap();
        }
        for operator in &self.accumulations {
            registry.register_accumulation(Arc::clone(operator)).unwrap();
        }
        let state = AppState::open(&self.config(), registry, Arc::clone(&self.store)).await.unwrap();
        Rig { app: app(state.clone()), state, store: self.store, key: None }
    }
}

/// A running service without sockets.
#[derive(Clone)]
pub(crate) struct Rig {
    pub(crate) app: Router,
    pub(crate) state: AppState,
    pub(crate) store: Arc<dyn Store>,
    /// Sent with every request.
    pub(crate) key: Option<&'static str>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Setup::default().start().await
    }

    pub(crate) fn with_key(&self, key: &'static str) -> Self {
        Self { key: Some(key), ..self.clone() }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = Request::builder().method(method.clone()).uri(path);
        if let Some(key) = self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        assert_eq!(parts.headers.get("x-request-id").unwrap().len(), 16);
        let reply = Reply { status: parts.status, headers: parts.headers, body };
        conforms(&self.app, &method, path, &reply).await;
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Reply {
        self.send(Method::POST, path, &[], body).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn put_keys(&self, bytes: &[u8]) -> Reply {
        let path = format!("/v1/keys/{}", BodyDigest::of(bytes));
        self.send(Method::PUT, &path, &[], bytes.to_vec()).await
    }

    /// A new room's address.
    pub(crate) async fn room(&self, operator: &str) -> String {
        let made = self.post_json("/v1/rooms", &json!({"operator": operator})).await.expect(201);
        format!("/v1/rooms/{}", made.json()["room"].as_str().unwrap())
    }

    /// A new room's address, with keys.
    pub(crate) async fn room_with(&self, operator: &str, keys: &[u8]) -> String {
        let request = json!({"operator": operator, "evaluation_keys": BodyDigest::of(keys).to_string()});
        let made = self.post_json("/v1/rooms", &request).await.expect(201);
        format!("/v1/rooms/{}", made.json()["room"].as_str().unwrap())
    }

    /// The address of a new meter or panel.
    pub(crate) async fn ledger(&self, family: &str, operator: &str, settings: Value) -> String {
        let request = json!({"operator": operator, "settings": settings});
        let made = self.post_json(&format!("/v1/{family}"), &request).await.expect(201);
        format!("/v1/{family}/{}", made.json()["id"].as_str().unwrap())
    }

    /// A request with a name.
    pub(crate) async fn post_named(&self, path: &str, name: &str, body: impl Into<Body>) -> Reply {
        self.send(Method::POST, path, &[("idempotency-key", name)], body).await
    }

    /// Adds a batch; how many there are now.
    pub(crate) async fn append(&self, ledger: &str, name: &str, batch: Vec<u8>) -> u64 {
        let reply = self.post_named(&format!("{ledger}/batches"), name, batch).await.expect(201);
        reply.json()["batches"].as_u64().unwrap()
    }

    /// Adds the sums of another ledger.
    pub(crate) async fn merge(&self, ledger: &str, name: &str, from: &str) -> Reply {
        let from = json!({"from": from.rsplit('/').next().unwrap()});
        self.post_named(&format!("{ledger}/merge"), name, from.to_string()).await
    }

    pub(crate) async fn enrol(&self, room: &str, record: Vec<u8>, count: usize) -> Vec<Handle> {
        let reply = self.post(&format!("{room}/handles?count={count}"), record).await.expect(201);
        let handles = reply.handles();
        assert_eq!(handles.len(), count);
        handles
    }

    pub(crate) async fn matched(&self, room: &str, probe: Vec<u8>) -> Vec<u8> {
        let reply = self.post(&format!("{room}/match"), probe).await.expect(200);
        assert_eq!(reply.headers.get("content-type").unwrap(), "application/octet-stream");
        reply.body
    }

    /// Everything that a client can see of a room.
    pub(crate) async fn view(&self, room: &str) -> (Value, Value) {
        let shown = self.get(room).await.expect(200).json();
        (shown, self.get(&format!("{room}/handles?limit=1000")).await.expect(200).json())
    }
}
