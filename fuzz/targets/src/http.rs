//! Requests to the whole service, without sockets: methods, addresses, headers and bodies of any kind.
//!
//! The first byte of an input says whether the service asks for keys (bit 0): `tenant` and `admin` are two. Then come requests: a line with method and address, lines of headers, an empty
//! line, the body, and between two requests a line `=====`. Names in braces stand for what the service has: `{room}`, `{handle}`, `{meter}`, `{panel}`, `{keys}`, `{job}` for ids, `{record}`,
//! `{probe}`, `{evaluation-keys}`, `{batch}`, `{contribution}`, `{request}` for objects.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use blindrelay_server::id::BodyDigest;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{AppState, Config, Environment, Limits, Registry, TenantConfig, app};
use blindrelay_trust::{Identity, UnixMillis};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::billing::CARD;
use crate::conformance::conforms;
use crate::valid::{CHARGE, MATCH, PANEL, STATISTICS};

/// What stands between two requests.
const BETWEEN: &[u8] = b"\n=====\n";
/// Most requests of one input.
const MOST_REQUESTS: usize = 8;

/// Who signs receipts: to make a key takes longer than everything else.
static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| {
    let moment = UnixMillis::new(1_795_253_400_000).expect("a moment of this century");
    Arc::new(Identity::of_process(moment).expect("random bytes"))
});

/// What the service says of itself; it is the same for all.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    runtime().block_on(async {
        let answer = Service::start(false).await.exchange(Method::GET, "/v1/openapi.json", &[], Vec::new()).await;
        serde_json::from_slice(&answer.body).expect("the description is JSON")
    })
});

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Status and body of what a tenant asks for.
type View = Vec<(StatusCode, Vec<u8>)>;

/// An answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A service in memory with a room, a meter and a panel.
struct Service {
    app: Router,
    /// Names in braces, and what stands for them.
    names: Vec<(&'static str, Vec<u8>)>,
    /// Sent with the requests that prepare and watch the service.
    key: Option<&'static str>,
}

impl Service {
    async fn start(keyed: bool) -> Self {
        let digest = |key: &str| BodyDigest::of(key.as_bytes()).to_string();
        let tenants = vec![TenantConfig { name: "acme".to_owned(), key_sha256: digest("tenant") }];
        let config = Config {
            limits: Limits { compute_threads: 1, ..Limits::default() },
            tenants: if keyed { tenants } else { Vec::new() },
            admin_key_sha256: keyed.then(|| digest("admin")),
            ..Config::default()
        };
        let mut registry = Registry::new();
        registry.register(MATCH.operator.clone()).expect("a new operator");
        registry.register_accumulation(CHARGE.operator.clone()).expect("a new operator");
        registry.register_accumulation(STATISTICS.operator.clone()).expect("a new operator");
        let environment = Environment { identity: Some(Arc::clone(&IDENTITY)), ..Environment::default() };
        let state = AppState::within(&config, registry, Arc::new(MemoryStore::new()), environment).await;
        let app = app(state.expect("a valid configuration"));
        Self { app, names: Vec::new(), key: keyed.then_some("tenant") }
    }

    async fn exchange(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.pass(request.body(Body::from(body)).expect("a request of the target's own")).await
    }

    async fn pass(&self, request: Request<Body>) -> Answer {
        let Ok(response) = self.app.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body without errors").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A request that prepares the service.
    async fn made(&self, method: Method, path: &str, body: Vec<u8>) -> Value {
        let bearer = self.key.map(|key| format!("Bearer {key}"));
        let mut headers: Vec<_> = bearer.iter().map(|key| ("authorization", key.as_str())).collect();
        headers.push(("idempotency-key", "furniture"));
        let answer = self.exchange(method, path, &headers, body).await;
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).expect("an answer in JSON")
    }

    async fn furnish(&mut self) {
        let id = |made: &Value, field: &str| made[field].as_str().expect("an id").as_bytes().to_vec();
        let room = json!({"operator": "match-signs/1"}).to_string().into_bytes();
        let room = id(&self.made(Method::POST, "/v1/rooms", room).await, "room");
        let handles = format!("/v1/rooms/{}/handles", String::from_utf8_lossy(&room));
        let handle = self.made(Method::POST, &handles, MATCH.record.clone()).await;
        let job = format!("/v1/rooms/{}/match/jobs", String::from_utf8_lossy(&room));
        let job = id(&self.made(Method::POST, &job, MATCH.probe.clone()).await, "job");
        let mut ledgers = Vec::new();
        for (family, operator, settings) in [("meters", "charge/1", CARD), ("panels", "statistics/1", PANEL)] {
            let ledger = format!(r#"{{"operator":"{operator}","settings":{settings}}}"#).into_bytes();
            ledgers.push(id(&self.made(Method::POST, &format!("/v1/{family}"), ledger).await, "id"));
        }
        let panel = ledgers.pop().unwrap_or_default();
        self.names = vec![
            ("{room}", room),
            ("{handle}", handle["handles"][0].as_str().expect("a handle").as_bytes().to_vec()),
            ("{meter}", ledgers.pop().unwrap_or_default()),
            ("{panel}", panel),
            ("{job}", job),
            ("{keys}", BodyDigest::of(&MATCH.keys).to_string().into_bytes()),
            ("{record}", MATCH.record.clone()),
            ("{probe}", MATCH.probe.clone()),
            ("{evaluation-keys}", MATCH.keys.clone()),
            ("{batch}", CHARGE.batches[0].clone()),
            ("{contribution}", STATISTICS.contribution.clone()),
            ("{request}", STATISTICS.request.clone()),
        ];
    }

    /// The text with what stands for names in braces.
    fn filled(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((first, tail)) = rest.split_first() {
            if let Some((name, value)) = self.names.iter().find(|(name, _)| rest.starts_with(name.as_bytes())) {
                filled.extend_from_slice(value);
                rest = &rest[name.len()..];
            } else {
                filled.push(*first);
                rest = tail;
            }
        }
        filled
    }

    /// Everything that a tenant can see of what it has.
    async fn view(&self) -> View {
        let bearer = self.key.map(|key| format!("Bearer {key}"));
        let headers: Vec<_> = bearer.iter().map(|key| ("authorization", key.as_str())).collect();
        let mut seen = Vec::new();
        for path in [
            "/v1/rooms/{room}",
            "/v1/rooms/{room}/handles",
            "/v1/meters/{meter}",
            "/v1/panels/{panel}",
            "/v1/keys/{keys}",
        ] {
            let path = String::from_utf8(self.filled(path.as_bytes())).expect("an address of the target's own");
            let answer = self.exchange(Method::GET, &path, &headers, Vec::new()).await;
            seen.push((answer.status, answer.body));
        }
        seen
    }
}

/// A request as an input writes it; `None` where it is none that a connection would hand on.
fn request(text: &[u8]) -> Option<(Method, String, Request<Body>)> {
    let (head, body) = match text.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => (text, &[][..]),
    };
    let mut lines = head.split(|&byte| byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, address) = first.split_once(' ')?;
    let (method, uri) = (Method::from_bytes(method.as_bytes()).ok()?, address.parse::<Uri>().ok()?);
    let path = uri.path().to_owned();
    let mut request = Request::builder().method(method.clone()).uri(uri);
    for line in lines {
        let (name, value) = line.split_at(line.iter().position(|&byte| byte == b':')?);
        let name = HeaderName::from_bytes(name).ok()?;
        request = request.header(name, HeaderValue::from_bytes(value[1..].trim_ascii()).ok()?);
    }
    Some((method, path, request.body(Body::from(body.to_vec())).ok()?))
}

/// A service with everything, and what a tenant sees of it.
struct Furnished {
    runtime: Runtime,
    service: Service,
    seen: View,
}

impl Furnished {
    fn new(keyed: bool) -> Self {
        let runtime = runtime();
        let (service, seen) = runtime.block_on(async {
            let mut service = Service::start(keyed).await;
            service.furnish().await;
            let seen = service.view().await;
            (service, seen)
        });
        Self { runtime, service, seen }
    }
}

/// Services that nothing has changed, one without keys and one with: to make one takes longer than most inputs.
static UNCHANGED: Mutex<[Option<Furnished>; 2]> = Mutex::new([None, None]);

/// Sends the requests one after the other. No answer is a fault of the service, each is one that the description has, and what is refused has changed nothing. Accepted is an input
/// all of whose requests succeed.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, mut rest)) = input.split_first() else { return false };
    let (description, kind) = (&*DESCRIPTION, usize::from(choice & 1));
    let idle = UNCHANGED.lock().unwrap_or_else(PoisonError::into_inner)[kind].take();
    let mut furnished = idle.unwrap_or_else(|| Furnished::new(kind == 1));
    let (mut accepted, mut changed) = (true, false);
    for _ in 0..MOST_REQUESTS {
        let end = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN);
        let text = furnished.service.filled(&rest[..end.unwrap_or(rest.len())]);
        match furnished.runtime.block_on(send(&furnished.service, &furnished.seen, description, &text)) {
            Outcome::Refused => accepted = false,
            Outcome::Told => {}
            Outcome::Changed(seen) => (furnished.seen, changed) = (seen, true),
        }
        let Some(end) = end else { break };
        rest = &rest[end + BETWEEN.len()..];
    }
    if !changed {
        UNCHANGED.lock().unwrap_or_else(PoisonError::into_inner)[kind] = Some(furnished);
    }
    accepted
}

/// What a request did.
enum Outcome {
    /// It was refused, or is none.
    Refused,
    /// It was answered, and is one that changes nothing.
    Told,
    /// It was answered and may have changed something; what a tenant sees now.
    Changed(View),
}

async fn send(service: &Service, seen: &View, description: &Value, text: &[u8]) -> Outcome {
    let Some((method, path, request)) = request(text) else { return Outcome::Refused };
    let Answer { status, headers, body } = service.pass(request).await;
    assert!(!status.is_server_error(), "{method} {path}: {}", String::from_utf8_lossy(&body));
    assert_eq!(headers.get("x-request-id").map(HeaderValue::len), Some(16));
    conforms(description, (&method, &path), (status, &headers, &body));
    if !status.is_client_error() && !method.is_safe() {
        return Outcome::Changed(service.view().await);
    }
    assert!(service.view().await == *seen, "{method} {path} {status} has changed something");
    if status.is_client_error() { Outcome::Refused } else { Outcome::Told }
}
