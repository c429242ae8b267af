//! API keys of the store: roles, rotation, suspension, limits of a tenant.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::Method;
use blindrelay_server::id::BodyDigest;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::time::{Clock, UnixMillis};
use blindrelay_server::{AppState, Environment, Registry, app};
use serde_json::{Value, json};

use crate::operators::{Evaluation, Gate, Scripted};
use crate::party::Party;
use crate::rig::{Reply, Rig, Setup};

/// A service whose clock a test moves.
pub(crate) struct Timed {
    pub(crate) rig: Rig,
    now: Arc<AtomicU64>,
}

impl Timed {
    pub(crate) async fn start() -> Self {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let read = Arc::clone(&now);
        let clock = Clock::new(move || UnixMillis(read.load(Ordering::SeqCst)));
        let setup = Setup::default();
        let registry = Registry::standard(blindrelay_engine::Backend::detect()).unwrap();
        let store = Arc::clone(&setup.store);
        let state = AppState::within(&setup.config(), registry, store, Environment { clock, ..Environment::default() })
            .await
            .unwrap();
        Self { rig: Rig { app: app(state.clone()), state, store: setup.store, key: None }, now }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.now.fetch_add(1000 * seconds, Ordering::SeqCst);
    }
}

async fn send(rig: &Rig, key: &str, method: Method, path: &str, body: impl Into<Body>) -> Reply {
    rig.send(method, path, &[("authorization", &format!("Bearer {key}"))], body).await
}

async fn ask(rig: &Rig, key: &str, method: Method, path: &str, body: &Value) -> Reply {
    send(rig, key, method, path, body.to_string()).await
}

fn key_of(reply: &Reply) -> String {
    reply.json()["key"].as_str().unwrap().to_owned()
}

/// The administrator's key, and one of each role of the tenant acme.
async fn keys(rig: &Rig) -> [String; 4] {
    let first = rig.post_json("/v1/api-keys", &json!({"role": "admin", "label": "first"})).await.expect(201);
    let admin = key_of(&first);
    ask(rig, &admin, Method::PUT, "/v1/tenants/acme", &json!({})).await.expect(201);
    let mut made = vec![admin.clone()];
    for role in ["tenant", "relay", "auditor"] {
        let wanted = json!({"role": role, "tenant": "acme"});
        made.push(key_of(&ask(rig, &admin, Method::POST, "/v1/api-keys", &wanted).await.expect(201)));
    }
    made.try_into().unwrap()
}

#[tokio::test]
async fn the_first_key_is_an_administrators_and_shuts_the_door() {
    let rig = Rig::new().await;
    rig.room("match-signs/1").await;
    rig.post_json("/v1/api-keys", &json!({"role": "tenant", "tenant": "default"})).await.refused(409, "first-key");
    let reply = rig.post_json("/v1/api-keys", &json!({"role": "admin"})).await.expect(201);
    let (key, told) = (key_of(&reply), reply.json());
    assert_eq!((key.len(), key.starts_with("br1-")), (68, true));
    rig.post_json("/v1/rooms", &json!({"operator": "match-signs/1"})).await.refused(401, "unauthorized");
    rig.get("/v1/api-keys").await.refused(401, "unauthorized");
    let listed = send(&rig, &key, Method::GET, "/v1/api-keys", "").await.expect(200).json();
    assert_eq!(listed["api_keys"][0]["id"], told["id"]);
    // What is kept and shown of a key says nothing that helps to find it.
    assert!(!listed.to_string().contains(&key[4..]) && listed["api_keys"][0].get("key").is_none());
    let digest = BodyDigest::of(key.as_bytes()).to_string();
    assert!(!listed.to_string().contains(&digest));
    // Another service on the same store asks for keys, too, also one that was there before.
    let setup = Setup { store: Arc::clone(&rig.store), ..Setup::default() };
    setup.start().await.get("/v1/api-keys").await.refused(401, "unauthorized");
}

/// Method, address, body, whose keys are allowed to, and what these are answered with.
type Case<'a> = (Method, String, Vec<u8>, Vec<&'a String>, u16);

#[tokio::test]
async fn a_role_allows_what_it_says_and_nothing_else() {
    let rig = Rig::new().await;
    let all @ [admin, tenant, relay, auditor] = &keys(&rig).await;
    let party = Party::signs();
    let wanted = json!({"operator": "match-signs/1"});
    let made = ask(&rig, tenant, Method::POST, "/v1/rooms", &wanted).await.expect(201).json();
    let room = format!("/v1/rooms/{}", made["room"].as_str().unwrap());
    let spare = ask(&rig, tenant, Method::POST, "/v1/rooms", &wanted).await.expect(201).json();
    let spare = format!("/v1/rooms/{}", spare["room"].as_str().unwrap());
    let meter = "/v1/meters/00000000000000000000000000000000";
    let digest = "0".repeat(64);
    let (record, probe) = (party.record(&["ada"]), party.probe("ada"));
    // Where a role is not refused, the answer is what the request deserves otherwise.
    let cases: Vec<Case<'_>> = vec![
        (Method::POST, format!("{room}/handles"), record, vec![tenant, relay], 201),
        (Method::GET, format!("{room}/handles"), Vec::new(), vec![tenant, relay, auditor], 200),
        (Method::POST, format!("{room}/match"), probe, vec![tenant, relay], 200),
        (Method::GET, room.clone(), Vec::new(), vec![tenant, relay, auditor], 200),
        (Method::DELETE, format!("{room}/handles/{}", "0".repeat(32)), Vec::new(), vec![tenant, relay], 404),
        (Method::POST, "/v1/rooms".into(), b"{}".to_vec(), vec![tenant], 400),
        (Method::GET, format!("/v1/keys/{digest}"), Vec::new(), vec![tenant, relay, auditor], 404),
        (Method::DELETE, format!("/v1/keys/{digest}"), Vec::new(), vec![tenant], 404),
        (Method::POST, format!("/v1/keys/{digest}/revoke"), Vec::new(), vec![tenant], 404),
        (Method::GET, "/v1/meters".into(), Vec::new(), vec![tenant, relay, auditor], 200),
        (Method::POST, format!("{meter}/batches"), Vec::new(), vec![tenant, relay], 400),
        (Method::POST, format!("{meter}/merge"), Vec::new(), vec![tenant], 400),
        (Method::POST, format!("{meter}/report"), Vec::new(), vec![tenant, auditor], 404),
        (Method::DELETE, meter.into(), Vec::new(), vec![tenant], 404),
        (Method::GET, "/v1/tenants".into(), Vec::new(), vec![admin], 200),
        (Method::GET, "/v1/tenants/acme".into(), Vec::new(), vec![admin], 200),
        (Method::PUT, "/v1/tenants/acme".into(), Vec::new(), vec![admin], 200),
        (Method::GET, "/v1/api-keys".into(), Vec::new(), vec![admin], 200),
        (Method::POST, "/v1/api-keys".into(), Vec::new(), vec![admin], 400),
        (Method::DELETE, format!("/v1/api-keys/{}", "0".repeat(32)), Vec::new(), vec![admin], 404),
        (Method::POST, format!("/v1/api-keys/{}/rotate", "0".repeat(32)), Vec::new(), vec![admin], 404),
        (Method::DELETE, spare, Vec::new(), vec![tenant], 204),
        (Method::GET, "/v1/operators".into(), Vec::new(), Vec::new(), 200),
    ];
    for (method, path, body, allowed, status) in cases {
        for key in all {
            let reply = send(&rig, key, method.clone(), &path, body.clone()).await;
            if allowed.is_empty() || allowed.contains(&key) {
                assert_eq!(reply.status.as_u16(), status, "{method} {path}: {}", String::from_utf8_lossy(&reply.body));
            } else {
                reply.refused(403, "role-refused");
            }
        }
    }
}

#[tokio::test]
async fn keys_expire_rotate_and_are_revoked() {
    let timed = Timed::start().await;
    let rig = &timed.rig;
    let [admin, tenant, ..] = keys(rig).await;
    let look = async |key: &str| send(rig, key, Method::GET, "/v1/meters", "").await;
    let now = timed.now.load(Ordering::SeqCst);
    let wanted = json!({"role": "relay", "tenant": "acme", "label": "box 7", "expires": now + 5000});
    let short = key_of(&ask(rig, &admin, Method::POST, "/v1/api-keys", &wanted).await.expect(201));
    look(&short).await.expect(200);
    timed.advance(4);
    look(&short).await.expect(200);
    timed.advance(1);
    look(&short).await.refused(401, "unauthorized");

    let listed = send(rig, &admin, Method::GET, "/v1/api-keys?tenant=acme", "").await.expect(200).json();
    let of_tenant = listed["api_keys"].as_array().unwrap();
    let id = of_tenant.iter().find(|key| key["role"] == "tenant").unwrap()["id"].as_str().unwrap().to_owned();
    let rotate = format!("/v1/api-keys/{id}/rotate?grace_seconds=60");
    let next = key_of(&send(rig, &admin, Method::POST, &rotate, "").await.expect(201));
    look(&tenant).await.expect(200);
    look(&next).await.expect(200);
    timed.advance(60);
    look(&tenant).await.refused(401, "unauthorized");
    look(&next).await.expect(200);
    send(rig, &admin, Method::POST, &rotate, "").await.refused(409, "api-key-revoked");

    let listed = send(rig, &admin, Method::GET, "/v1/api-keys?tenant=acme&limit=1000", "").await.json();
    let newest = listed["api_keys"].as_array().unwrap().iter();
    let newest = newest.filter(|key| key["role"] == "tenant" && key["revoked"].is_null()).collect::<Vec<_>>();
    assert_eq!(newest.len(), 1);
    let path = format!("/v1/api-keys/{}", newest[0]["id"].as_str().unwrap());
    send(rig, &admin, Method::DELETE, &path, "").await.expect(204);
    look(&next).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_suspended_tenant_is_shut_out_until_it_is_let_in_again() {
    let rig = Rig::new().await;
    let [admin, tenant, relay, _] = keys(&rig).await;
    let suspend = async |suspended: bool| {
        let body = json!({"suspended": suspended});
        ask(&rig, &admin, Method::PUT, "/v1/tenants/acme", &body).await.expect(200).json()
    };
    assert!(suspend(true).await["suspended"].as_u64().is_some());
    for key in [&tenant, &relay] {
        send(&rig, key, Method::GET, "/v1/meters", "").await.refused(403, "tenant-suspended");
    }
    assert!(suspend(false).await["suspended"].is_null());
    send(&rig, &tenant, Method::GET, "/v1/meters", "").await.expect(200);
}

#[tokio::test]
async fn limits_of_a_tenant_are_its_own() {
    let gate = Arc::new(Gate::default());
    let waiting = Arc::new(Scripted::new("test-wait/1", Evaluation::Wait(Arc::clone(&gate))));
    let store = Arc::new(MemoryStore::new());
    let rig = Setup { operators: vec![waiting], store, ..Setup::default() }.start().await;
    let [admin, tenant, relay, _] = keys(&rig).await;
    let limits = json!({"limits": {"rooms": 1, "concurrent_requests": 1}});
    let told = ask(&rig, &admin, Method::PUT, "/v1/tenants/acme", &limits).await.expect(200).json();
    assert_eq!(told["limits"], limits["limits"]);
    let wanted = json!({"operator": "test-wait/1"});
    let made = ask(&rig, &tenant, Method::POST, "/v1/rooms", &wanted).await.expect(201).json();
    ask(&rig, &tenant, Method::POST, "/v1/rooms", &wanted).await.refused(409, "quota-exceeded");
    let room = format!("/v1/rooms/{}", made["room"].as_str().unwrap());
    let party = Party::signs();
    send(&rig, &relay, Method::POST, &format!("{room}/handles"), party.record(&["ada"])).await.expect(201);
    let first = {
        let (rig, relay, path, probe) = (rig.clone(), relay.clone(), format!("{room}/match"), party.probe("ada"));
        tokio::spawn(async move { send(&rig, &relay, Method::POST, &path, probe).await })
    };
    gate.arrivals(1).await;
    let second = send(&rig, &tenant, Method::POST, &format!("{room}/match"), party.probe("ada")).await;
    assert_eq!(second.headers.get("retry-after").unwrap(), "1");
    second.refused(429, "rate-limited");
    gate.open();
    first.await.unwrap().expect(200);
    send(&rig, &tenant, Method::POST, &format!("{room}/match"), party.probe("ada")).await.expect(200);
    // A limit that is left out of the next change is the service's again.
    ask(&rig, &admin, Method::PUT, "/v1/tenants/acme", &json!({"limits": {}})).await.expect(200);
    ask(&rig, &tenant, Method::POST, "/v1/rooms", &wanted).await.expect(201);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let rig = Rig::new().await;
    let [admin, ..] = keys(&rig).await;
    let make = async |wanted: Value| ask(&rig, &admin, Method::POST, "/v1/api-keys", &wanted).await;
    make(json!({"role": "king", "tenant": "acme"})).await.refused(400, "malformed-json");
    make(json!({"role": "tenant"})).await.refused(400, "malformed-json");
    make(json!({"role": "admin", "tenant": "acme"})).await.refused(400, "malformed-json");
    make(json!({"role": "relay", "tenant": "No Body"})).await.refused(400, "malformed-id");
    make(json!({"role": "relay", "tenant": "nobody"})).await.refused(404, "unknown-tenant");
    make(json!({"role": "relay", "tenant": "acme", "label": "x".repeat(65)})).await.refused(400, "malformed-json");
    make(json!({"role": "relay", "tenant": "acme", "label": "a\nb"})).await.refused(400, "malformed-json");
    let put =
        async |name: &str, body: Value| ask(&rig, &admin, Method::PUT, &format!("/v1/tenants/{name}"), &body).await;
    put("UPPER", json!({})).await.refused(400, "malformed-id");
    put("acme", json!({"limits": {"romms": 1}})).await.refused(400, "malformed-json");
    send(&rig, &admin, Method::GET, "/v1/tenants/nobody", "").await.refused(404, "unknown-tenant");
    send(&rig, &admin, Method::GET, "/v1/tenants?limit=0", "").await.refused(400, "malformed-query");
    send(&rig, &admin, Method::POST, &format!("/v1/api-keys/{}/rotate", "0".repeat(32)), "")
        .await
        .refused(404, "unknown-api-key");
}

#[tokio::test]
async fn evaluation_keys_are_not_used_after_their_time() {
    let timed = Timed::start().await;
    let (rig, party) = (&timed.rig, Party::signs());
    let keys = party.relinearization_keys();
    let now = timed.now.load(Ordering::SeqCst);
    let path = |terms: &str| format!("/v1/keys/{}{terms}", BodyDigest::of(&keys));
    let put = async |terms: &str| rig.send(Method::PUT, &path(terms), &[], keys.clone()).await;
    put(&format!("?expires={now}")).await.refused(409, "keys-expired");
    put("?expires=tomorrow").await.refused(400, "malformed-query");
    let told = put(&format!("?epoch=4&expires={}", now + 9000)).await.expect(201).json();
    assert_eq!((&told["epoch"], &told["expires"]), (&json!(4), &json!(now + 9000)));
    let room = rig.room_with("match-signs/1", &keys).await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    timed.advance(8);
    rig.matched(&room, party.probe("ada")).await;
    timed.advance(1);
    rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(409, "keys-expired");
    // A clock that jumps back brings nothing back.
    timed.now.store(now, Ordering::SeqCst);
    rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(409, "keys-expired");
    put("").await.refused(409, "keys-expired");
}
