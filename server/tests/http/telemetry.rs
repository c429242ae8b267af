//! What operators see of a service, and what they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request};
use blindrelay_engine::operator::Resource;
use blindrelay_server::id::BodyDigest;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{Limits, telemetry};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;
use tracing_subscriber::filter::LevelFilter;

use crate::client::Client;
use crate::operators::{Evaluation, Gate, Scripted};
use crate::party::Party;
use crate::rig::{Reply, Rig, Setup};
use crate::sockets::Running;
use crate::sums::Sums;

/// A request to the telemetry listener of a service.
async fn look(rig: &Rig, path: &str) -> Reply {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let (parts, body) = telemetry::app(rig.state.clone()).oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Reply { status: parts.status, headers: parts.headers, body }
}

/// Every series of a service with its value.
async fn metrics(rig: &Rig) -> BTreeMap<String, String> {
    let reply = look(rig, "/metrics").await.expect(200);
    assert_eq!(
        reply.headers.get("content-type").unwrap(),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = String::from_utf8(reply.body).unwrap();
    let text = text.strip_suffix("# EOF\n").unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.to_owned())
    });
    let all: Vec<(String, String)> = series.collect();
    let unique: BTreeMap<String, String> = all.iter().cloned().collect();
    assert_eq!(unique.len(), all.len(), "a series appears twice");
    unique
}

/// The value of a series that counts.
#[track_caller]
fn value(metrics: &BTreeMap<String, String>, series: &str) -> u64 {
    let text = metrics.get(series).unwrap_or_else(|| panic!("{series} is not in {metrics:#?}"));
    text.parse().unwrap_or_else(|error| panic!("{series} is {text}: {error}"))
}

#[tokio::test]
async fn rooms_in_memory_are_weighed() {
    let limits = Limits { room_cache_bytes: 64 << 10, ..Setup::default().limits };
    let (rig, party) = (Setup { limits, ..Setup::default() }.start().await, Party::signs());
    for _ in 0..40 {
        let room = rig.room("match-signs/1").await;
        rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(409, "room-empty");
    }
    let after = metrics(&rig).await;
    assert_eq!(value(&after, "blindrelay_room_cache_entries"), 16, "rooms without records weigh 4 KiB");
    let room = rig.room("match-signs/1").await;
    let handle = rig.enrol(&room, party.record(&["ada"]), 1).await[0];
    let full = value(&metrics(&rig).await, "blindrelay_room_cache_bytes");
    rig.delete(&format!("{room}/handles/{handle}")).await.expect(204);
    assert!(value(&metrics(&rig).await, "blindrelay_room_cache_bytes") < full);
}

#[tokio::test]
async fn every_service_counts_for_itself() {
    let party = Party::signs();
    let (busy, idle) = (Rig::new().await, Rig::new().await);
    let keys = party.relinearization_keys();
    busy.put_keys(&keys).await.expect(201);
    let room = busy.room_with("match-signs/1", &keys).await;
    let (record, probe) = (party.record(&["ada"]), party.probe("ada"));
    let before = metrics(&busy).await;
    busy.enrol(&room, record.clone(), 1).await;
    let first = busy.matched(&room, probe.clone()).await;
    let second = busy.matched(&room, probe.clone()).await;
    busy.post(&format!("{room}/match"), vec![0; 3]).await.refused(400, "body-truncated");
    busy.get("/v1/nowhere").await.refused(404, "unknown-route");
    busy.send(Method::PATCH, &room, &[], Body::empty()).await.refused(405, "method-not-allowed");
    let after = metrics(&busy).await;

    let answers = |method: &str, route: &str, status: &str| {
        format!("blindrelay_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}")
    };
    let matching = "/v1/rooms/{room}/match";
    assert_eq!(value(&after, &answers("POST", matching, "2xx")), 2);
    assert_eq!(value(&after, &answers("POST", matching, "4xx")), 1);
    assert_eq!(value(&after, &answers("GET", "-", "4xx")), 1);
    assert_eq!(value(&after, &answers("other", "/v1/rooms/{room}", "4xx")), 1);
    let count = |name: &str, labels: &str| value(&after, &format!("blindrelay_{name}_count{{{labels}}}"));
    assert_eq!(count("request_seconds", &format!("route=\"{matching}\"")), 3);
    assert_eq!(count("operator_request_seconds", &format!("operator=\"match-signs/1\",route=\"{matching}\"")), 3);
    assert_eq!(value(&after, "blindrelay_refusals_total{code=\"body-truncated\"}"), 1);
    assert_eq!(value(&after, "blindrelay_refusals_total{code=\"method-not-allowed\"}"), 1);
    let grown = |name: &str| value(&after, name) - value(&before, name);
    assert_eq!(grown("blindrelay_received_bytes_total") as usize, record.len() + 2 * probe.len() + 3);
    let sent = grown("blindrelay_sent_bytes_total") as usize;
    assert!(sent > first.len() + second.len() && sent < first.len() + second.len() + 2048, "{sent}");
    assert!(grown("blindrelay_compute_job_seconds_count") >= 3);
    assert!(grown("blindrelay_compute_wait_seconds_count") >= 3);
    assert_eq!(value(&after, "blindrelay_compute_threads"), 2);
    for none in ["compute_running", "compute_waiting", "compute_places_taken", "requests_in_flight", "upload_bytes"] {
        assert_eq!(value(&after, &format!("blindrelay_{none}")), 0, "{none}");
    }
    assert_eq!(value(&after, "blindrelay_key_cache_entries"), 1);
    assert_eq!(value(&after, "blindrelay_room_cache_entries"), 1);
    assert!(value(&after, "blindrelay_key_cache_bytes") > 0 && value(&after, "blindrelay_room_cache_bytes") > 0);
    assert_eq!(value(&after, "blindrelay_accepting"), 1);
    let build = |name: &String| name.starts_with("blindrelay_build_info{version=\"");
    assert!(after.keys().any(build));

    let idle = metrics(&idle).await;
    assert!(!idle.keys().any(|series| series.starts_with("blindrelay_requests_total{")), "{idle:#?}");
    assert_eq!(value(&idle, "blindrelay_received_bytes_total"), 0);
    busy.state.stop();
    assert_eq!(value(&metrics(&busy).await, "blindrelay_accepting"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_and_who_gave_up_are_seen() {
    let gate = Arc::new(Gate::default());
    let operator = Arc::new(Scripted::new("test-wait/1", Evaluation::Wait(Arc::clone(&gate))));
    let limits = Limits { compute_threads: 1, ..Setup::default().limits };
    let rig = Setup { limits, operators: vec![operator], ..Setup::default() }.start().await;
    let room = rig.room("test-wait/1").await;
    rig.enrol(&room, Party::signs().record(&["ada"]), 1).await;
    let ask = || {
        let (rig, path) = (rig.clone(), format!("{room}/match"));
        tokio::spawn(async move { rig.post(&path, Party::signs().probe("ada")).await })
    };
    let first = ask();
    gate.arrivals(1).await;
    let second = ask();
    while value(&metrics(&rig).await, "blindrelay_compute_waiting") < 1 {
        tokio::task::yield_now().await;
    }
    let busy = metrics(&rig).await;
    assert_eq!(value(&busy, "blindrelay_compute_running"), 1);
    assert_eq!(value(&busy, "blindrelay_compute_places_taken"), 2);
    assert_eq!(value(&busy, "blindrelay_requests_in_flight"), 2);
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    let left = metrics(&rig).await;
    assert_eq!(value(&left, "blindrelay_requests_abandoned_total"), 1);
    assert_eq!(value(&left, "blindrelay_compute_waiting"), 0);
    gate.open();
    first.await.unwrap().expect(200);
    assert_eq!(value(&metrics(&rig).await, "blindrelay_requests_in_flight"), 0);
}

#[tokio::test]
async fn telemetry_has_a_listener_of_its_own() {
    let running = Running::start(Setup::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(telemetry::serve(listener, running.rig.state.clone()));
    let mut public = running.client().await;
    for path in ["/metrics", "/", "/status.json", "/page.js"] {
        public.write(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        assert_eq!(public.answer().await.unwrap().0, 404, "{path}");
    }
    let mut operator = Client::connect(address).await;
    operator.write("GET /v1/operators HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(operator.answer().await.unwrap().0, 404);
    operator.write("GET /metrics HTTP/1.1\r\nhost: test\r\n\r\n").await;
    let (status, text) = operator.answer().await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(status, 200);
    assert!(text.contains("\nblindrelay_connections_open 1\n"), "{text}");
    assert!(text.contains("\nblindrelay_connections_accepted_total 1\n"), "{text}");
    assert!(text.contains("route=\"-\",method=\"GET\",status=\"4xx\"} 4\n"), "{text}");
    drop(public);
    // The service ends first, and can be looked at until then and after.
    running.end().await;
    operator.write("GET /status.json HTTP/1.1\r\nhost: test\r\n\r\n").await;
    let (status, body) = operator.answer().await.unwrap();
    let shown: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &shown["accepting"], &shown["connections"]["open"]), (200, &json!(false), &json!(0)));
    served.abort();
}

#[tokio::test]
async fn the_page_is_made_of_its_own_files_only() {
    let setup =
        Setup { keys: vec![("acme", "key one"), ("acme", "key two"), ("other", "key three")], ..Setup::default() };
    let rig = setup.start().await.with_key("key one");
    rig.room("match-signs/1").await;
    rig.with_key("wrong").get("/v1/rooms/none").await.refused(401, "unauthorized");
    let files = [("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")];
    for (path, kind) in files {
        let reply = look(&rig, path).await.expect(200);
        assert_eq!(reply.headers.get("content-type").unwrap().to_str().unwrap(), format!("{kind}; charset=utf-8"));
        let policy = reply.headers.get("content-security-policy").unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.headers.get("x-content-type-options").unwrap(), "nosniff");
        assert_eq!(reply.headers.get("x-frame-options").unwrap(), "DENY");
        let text = String::from_utf8(reply.body).unwrap();
        for foreign in ["http:", "https:", "//cdn", "style=", "onclick", "onload", "innerHTML", "eval("] {
            assert!(!text.contains(foreign), "{path} has {foreign}");
        }
    }
    let page = String::from_utf8(look(&rig, "/").await.body).unwrap();
    let script = String::from_utf8(look(&rig, "/page.js").await.body).unwrap();
    // Every place that the script fills is on the page.
    for id in ["state", "service", "load", "memory", "refusals", "operators"] {
        assert!(page.contains(&format!("id=\"{id}\"")) && script.contains(&format!("\"{id}\"")), "{id}");
    }
    assert_eq!(page.matches("<script").count(), 1);

    let shown = look(&rig, "/status.json").await.expect(200).json();
    // Every field that the script reads is there.
    for path in script.split("status.").skip(1) {
        let field: String = path.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        assert!(shown.get(&field).is_some() || ["json", "ok"].contains(&field.as_str()), "{field} is not in {shown}");
    }
    assert_eq!(shown["tenants"], json!({"count": 2, "more": false}));
    assert_eq!(shown["refusals"], json!({"unauthorized": 1}));
    assert_eq!((&shown["accepting"], &shown["connections"]["limit"]), (&json!(true), &json!(16_384)));
    let operators = shown["operators"].as_array().unwrap();
    let named = |id: &str, set: &str| operators.iter().any(|one| one["id"] == id && one["parameters"] == set);
    assert!(named("match-signs/1", "match-2048") && named("charge/1", "bill-8192"), "{operators:?}");
    let text = shown.to_string();
    for name in ["acme", "other\"", "key one"] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
}

/// The series that an expression of the dashboard asks for.
fn asked_for(expression: &str) -> BTreeSet<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c: char| !legal(c));
    words.filter(|word| word.starts_with("blindrelay_")).map(str::to_owned).collect()
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if ["expr", "definition"].contains(&name.as_str()) => {
                        found.push(text.clone());
                    }
                    _ => expressions(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn dashboard_alerts_and_documentation_name_what_is_served() {
    let (party, rig) = (Party::signs(), Rig::new().await);
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    rig.get("/v1/nowhere").await.refused(404, "unknown-route");
    let served: BTreeSet<String> =
        metrics(&rig).await.into_keys().map(|series| series.split('{').next().unwrap().to_owned()).collect();
    let mut all = Vec::new();
    expressions(&serde_json::from_str(include_str!("../../../operations/grafana-dashboard.json")).unwrap(), &mut all);
    assert!(all.len() >= 10, "{all:?}");
    let alerts = include_str!("../../../operations/prometheus-alerts.yml");
    let alerts: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(alerts.len() >= 5, "{alerts:?}");
    for expression in all.iter().map(String::as_str).chain(alerts) {
        let asked = asked_for(expression);
        assert!(!asked.is_empty(), "{expression}");
        assert!(asked.is_subset(&served), "{expression}: {:?} is not served", asked.difference(&served));
    }
    // A metric is documented by the name of its family, without the endings of histograms.
    let family = |name: &String| {
        let known = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
        known.filter(|known| known.ends_with("_seconds")).unwrap_or(name).to_owned()
    };
    let documentation = include_str!("../../../docs/operations.md");
    let rows = documentation.lines().filter_map(|line| line.strip_prefix("| `blindrelay_")?.split('`').next());
    let documented: BTreeSet<String> = rows.map(|name| format!("blindrelay_{name}")).collect();
    assert_eq!(documented, served.iter().map(family).collect());
}

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Logs everything from this thread here until the guard is dropped, and the program's other threads do not log: operators have nothing to log with.
    fn start(&self, json: bool) -> (tracing::subscriber::DefaultGuard, tracing::Dispatch) {
        let log = self.clone();
        let all = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || log.clone());
        let guard = if json {
            tracing::subscriber::set_default(all.json().finish())
        } else {
            tracing::subscriber::set_default(all.with_ansi(false).finish())
        };
        // With one subscriber in the process, a place that first logs from another test's thread, which has none, would be silent for good.
        (guard, tracing::Dispatch::new(tracing_subscriber::registry()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// What must not be found of some bytes: in hexadecimal, and as Rust shows a list.
fn spellings(bytes: &[u8]) -> [String; 2] {
    [hex(bytes), bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")]
}

/// A journey with its refusals; what of it must not be logged.
async fn journey(address: std::net::SocketAddr, rig: &Rig) -> Vec<String> {
    let (tenant, key) = ("harbour-pilots", "a-key-that-opens-the-harbour");
    let (party, rig) = (Party::signs(), rig.with_key(key));
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let room = rig.room_with("match-signs/1", &keys).await;
    let (record, probe) = (party.record(&["ada"]), party.probe("ada"));
    let named = [("idempotency-key", "the-only-name-of-this-request")];
    let reply = rig.send(Method::POST, &format!("{room}/handles"), &named, record.clone()).await.expect(201);
    let handle = reply.handles()[0];
    rig.send(Method::POST, &format!("{room}/handles"), &named, probe.clone())
        .await
        .refused(409, "idempotency-conflict");
    let answer = rig.matched(&room, probe.clone()).await;
    rig.view(&room).await;
    rig.post(&format!("{room}/match?limit={handle}"), record.clone()).await;
    rig.post(&format!("{room}/match"), vec![7; 1000]).await.refused(422, "malformed-object");
    let wrong = "a-key-that-opens-nothing";
    rig.with_key(wrong).get(&room).await.refused(401, "unauthorized");
    let meter = rig.ledger("meters", "test-sums/1", json!({"limit": 1000})).await;
    rig.append(&meter, "the-name-of-a-batch", Sums::batch(7)).await;
    rig.post(&format!("{meter}/report"), "what-was-asked-for").await;
    rig.put_keys(&probe).await.refused(422, "malformed-object");
    // The same over a socket, where connections log as well.
    let mut client = Client::connect(address).await;
    let head = format!("GET {room} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\n\r\n");
    client.write(head).await;
    assert_eq!(client.answer().await.unwrap().0, 200);
    client.write(format!("BROKEN {key} {room}\r\n\r\n")).await;
    assert!(client.answer().await.is_none_or(|(status, _)| status == 400));
    rig.delete(&format!("{room}/handles/{handle}")).await.expect(204);
    rig.delete(&meter).await.expect(204);
    rig.delete(&room).await.expect(204);
    rig.delete(&format!("/v1/keys/{}", BodyDigest::of(&keys))).await.expect(204);

    let id = |address: &str| address.rsplit('/').next().unwrap().to_owned();
    let mut secrets = vec![tenant.to_owned(), key.to_owned(), wrong.to_owned(), id(&room), id(&meter)];
    secrets.extend(["the-only-name-of-this-request", "the-name-of-a-batch", "what-was-asked-for"].map(str::to_owned));
    secrets.extend(spellings(handle.as_bytes()));
    for digest in [BodyDigest::of(&keys), BodyDigest::of(key.as_bytes()), BodyDigest::of(&record)] {
        secrets.extend(spellings(&digest.as_bytes()[..8]));
    }
    for bytes in [&keys, &record, &probe, &answer] {
        let places = [bytes.len() / 3, bytes.len() / 2, bytes.len() - 16];
        secrets.extend(places.iter().flat_map(|&at| spellings(&bytes[at..at + 8])));
    }
    secrets
}

/// A service of its own for a journey, from its start to its end.
pub(crate) async fn whole_journey() -> Vec<String> {
    let setup = Setup {
        keys: vec![("harbour-pilots", "a-key-that-opens-the-harbour")],
        accumulations: vec![Arc::new(Sums::new("test-sums/1", Resource::Meters))],
        store: Arc::new(MemoryStore::new()),
        ..Setup::default()
    };
    let running = Running::start(setup).await;
    let secrets = journey(running.address, &running.rig).await;
    running.end().await;
    secrets
}

#[tokio::test]
async fn the_log_of_a_whole_journey_names_nobody() {
    for json in [false, true] {
        let log = Log::default();
        let guard = log.start(json);
        let secrets = whole_journey().await;
        drop(guard);
        let text = log.text();
        // It was a log of this journey, of all of it, and at every level.
        for expected in ["/v1/rooms/{room}/match", "/v1/meters/{id}/batches", "answered", "micros", "listening", "POST"]
        {
            assert!(text.contains(expected), "{expected} is not in the log");
        }
        assert!(text.matches("answered").count() >= 19, "{text}");
        for secret in &secrets {
            assert!(secret.len() >= 8, "{secret}");
            assert!(!text.contains(secret.as_str()), "'{secret}' is in the log:\n{text}");
        }
        if json {
            assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
        }
    }
}
