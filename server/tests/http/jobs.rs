//! Jobs, from the request that makes one to its answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use blindrelay_server::receipts::RECEIPTED;
use blindrelay_server::store::Store;
use blindrelay_server::{Limits, run_jobs};
use blindrelay_trust::SignedReceipt;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ledgers::setup;
use crate::operators::Gate;
use crate::party::Party;
use crate::rig::{Reply, Rig, Setup};
use crate::stores::{Fault, FaultyStore};
use crate::sums::{Sums, WAIT, read};

const REPORTS: &str = "/v1/meters/jobs?operator=test-sums/1";

/// A service that works on jobs until it is told to stop.
struct Working {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Working {
    fn on(rig: &Rig) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(run_jobs(rig.state.clone(), async { drop(stopped.await) }));
        Self { stop, ended }
    }

    async fn stop(self, rig: &Rig) {
        rig.state.stop();
        drop(self.stop);
        self.ended.await.unwrap();
    }
}

/// A meter with this sum.
async fn meter(rig: &Rig, sum: u64) -> String {
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    rig.append(&meter, "batch", Sums::batch(sum)).await;
    meter
}

fn id(address: &str) -> &str {
    address.rsplit('/').next().unwrap()
}

/// The address of a job that was accepted.
fn accepted(reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{}", String::from_utf8_lossy(&reply.body));
    let address = reply.headers.get("location").unwrap().to_str().unwrap().to_owned();
    assert_eq!(reply.json()["job"], id(&address));
    address
}

/// A job once it is as wanted.
async fn until(rig: &Rig, job: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let told = rig.get(job).await.expect(200).json();
        if wanted(&told) {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn finished(rig: &Rig, job: &str) -> Value {
    let told = until(rig, job, |told| told["state"] == "finished").await;
    assert_eq!(told["retry_after"], Value::Null);
    assert!(told["created"].as_u64() <= told["begun"].as_u64() && told["begun"].as_u64() <= told["finished"].as_u64());
    told
}

/// What became of each subject: its answer, or the code of its problem.
async fn outcomes(rig: &Rig, job: &str) -> BTreeMap<String, Result<Vec<u8>, String>> {
    let (mut all, mut next) = (BTreeMap::new(), String::new());
    loop {
        let page = rig.get(&format!("{job}/answers?limit=2&after={next}")).await.expect(200).json();
        for part in page["answers"].as_array().unwrap() {
            let address = format!("{job}/answers/{}", part["answer"]);
            let outcome = if let Some(code) = part["problem"]["code"].as_str() {
                rig.get(&address).await.refused(409, "answer-refused");
                Err(code.to_owned())
            } else {
                let answer = rig.get(&address).await.expect(200).body;
                assert_eq!(part["bytes"], answer.len());
                Ok(answer)
            };
            assert!(all.insert(part["subject"].as_str().unwrap().to_owned(), outcome).is_none());
        }
        match page["next"].as_str() {
            Some(after) => next = after.to_owned(),
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_month_ends_with_a_report_of_every_meter() {
    let mut setup = setup();
    setup.accumulations.push(Arc::new(Sums::new("test-more/1", blindrelay_engine::operator::Resource::Meters)));
    let rig = setup.start().await;
    let mut expected = BTreeMap::new();
    for sum in [30, 12, 7] {
        expected.insert(id(&meter(&rig, sum).await).to_owned(), sum);
    }
    let other = rig.ledger("meters", "test-more/1", json!({})).await;
    rig.ledger("panels", "test-mean/1", json!({})).await;
    let reply = rig.post_named(REPORTS, "2026-10", Sums::batch(0)).await;
    assert_eq!(reply.headers.get("retry-after").unwrap(), "1");
    let job = accepted(&reply);
    let told = rig.get(&job).await.expect(200).json();
    assert_eq!((&told["state"], &told["parts"], &told["begun"]), (&json!("waiting"), &json!(3), &Value::Null));
    rig.get(&format!("{job}/answers/0")).await.refused(409, "answer-open");
    let working = Working::on(&rig);
    let told = finished(&rig, &job).await;
    assert_eq!((&told["answered"], &told["refused"], &told["work"]), (&json!(3), &json!(0), &json!("meter-reports")));
    let question = Sums::batch(0).len() as u64;
    let answers = outcomes(&rig, &job).await;
    let answers: BTreeMap<_, _> = answers.into_iter().map(|(meter, answer)| (meter, read(&answer.unwrap()))).collect();
    assert!(!answers.contains_key(id(&other)));
    assert!(answers.into_iter().eq(expected.into_iter().map(|(meter, sum)| (meter, (sum, question, false)))));
    rig.get(&format!("{job}/answers/3")).await.refused(404, "unknown-answer");
    rig.delete(&job).await.expect(204);
    rig.get(&job).await.refused(404, "unknown-job");
    working.stop(&rig).await;
}

#[tokio::test]
async fn a_match_gives_the_same_as_a_job() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let room = rig.room_with("match-signs/1", &keys).await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let (path, probe) = (format!("{room}/match/jobs"), party.probe("ada"));
    let _working = Working::on(&rig);
    let job = accepted(&rig.post_named(&path, "plain", probe.clone()).await);
    assert_eq!(finished(&rig, &job).await["receipts"], false);
    let direct = rig.matched(&room, probe.clone()).await;
    assert_eq!(outcomes(&rig, &job).await, BTreeMap::from([(id(&room).to_owned(), Ok(direct.clone()))]));
    let headers = [("accept", RECEIPTED), ("idempotency-key", "receipted")];
    let job = accepted(&rig.send(Method::POST, &path, &headers, probe.clone()).await);
    finished(&rig, &job).await;
    let reply = rig.get(&format!("{job}/answers/0")).await.expect(200);
    assert_eq!(reply.headers.get("content-type").unwrap(), RECEIPTED);
    let (length, rest) = reply.body.split_first_chunk::<4>().unwrap();
    let (receipt, answer) = rest.split_at(u32::from_le_bytes(*length) as usize);
    SignedReceipt::from_bytes(receipt).unwrap().receipt().matches_request(&probe).unwrap();
    assert_eq!(answer, direct);
    // What a request refuses before it computes, a job refuses before there is one.
    rig.post_named(&path, "foreign", vec![b'?'; 64]).await.refused(422, "malformed-object");
    rig.post(&path, probe).await.refused(400, "idempotency-key-required");
}

#[tokio::test]
async fn a_request_makes_one_job() {
    let rig = setup().start().await;
    meter(&rig, 1).await;
    let job = accepted(&rig.post_named(REPORTS, "month", "").await);
    meter(&rig, 2).await;
    assert_eq!(accepted(&rig.post_named(REPORTS, "month", "").await), job, "the meters are those of the first time");
    assert_eq!(rig.get(&job).await.json()["parts"], 1);
    rig.post_named(REPORTS, "month", Sums::batch(0)).await.refused(409, "idempotency-conflict");
    rig.post_named("/v1/panels/jobs?operator=test-mean/1", "month", "").await.refused(409, "idempotency-conflict");
    let headers = [("accept", RECEIPTED), ("idempotency-key", "month")];
    rig.send(Method::POST, REPORTS, &headers, "").await.refused(409, "idempotency-conflict");
    rig.post(REPORTS, "").await.refused(400, "idempotency-key-required");
    rig.post_named("/v1/meters/jobs", "a", "").await.refused(400, "malformed-query");
    rig.post_named("/v1/meters/jobs?operator=none/1", "a", "").await.refused(404, "unknown-operator");
    rig.post_named("/v1/meters/jobs?operator=test-mean/1", "a", "").await.refused(422, "wrong-resource");
    let empty = accepted(&rig.post_named("/v1/panels/jobs?operator=test-mean/1", "none", "").await);
    assert_eq!(rig.get(&empty).await.json()["state"], "finished");
    assert!(outcomes(&rig, &empty).await.is_empty());
    let listed = rig.get("/v1/jobs?limit=1").await.expect(200).json();
    let rest = rig.get(&format!("/v1/jobs?after={}", listed["next"].as_str().unwrap())).await.expect(200).json();
    let mut found: Vec<_> =
        [&listed["jobs"][0]["job"], &rest["jobs"][0]["job"]].map(|job| job.as_str().unwrap()).into();
    found.sort_unstable();
    let mut expected = [id(&job), id(&empty)];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_cannot_be_answered_does_not_keep_the_rest() {
    let rig = setup().start().await;
    let (gone, stays) = (meter(&rig, 1).await, meter(&rig, 5).await);
    let few = rig.ledger("meters", "test-sums/1", json!({"minimum": 2})).await;
    let job = accepted(&rig.post_named(REPORTS, "month", "").await);
    rig.delete(&gone).await.expect(204);
    let _working = Working::on(&rig);
    let told = finished(&rig, &job).await;
    assert_eq!((&told["answered"], &told["refused"]), (&json!(1), &json!(2)));
    let outcomes = outcomes(&rig, &job).await;
    assert_eq!(outcomes[id(&gone)], Err("unknown-meter".to_owned()));
    assert_eq!(outcomes[id(&few)], Err("too-few-contributions".to_owned()));
    assert_eq!(read(outcomes[id(&stays)].as_ref().unwrap()), (5, 0, false));
}

#[tokio::test]
async fn jobs_are_seen_by_those_who_may_make_them() {
    let rig = Setup { keys: vec![("acme", "theirs"), ("other", "others")], ..setup() }.start().await.with_key("theirs");
    let store = &rig.store;
    let auditor = "auditor-key";
    add_key(store.as_ref(), "acme", blindrelay_server::store::Role::Auditor, auditor).await;
    let relay = "relay-key";
    add_key(store.as_ref(), "acme", blindrelay_server::store::Role::Relay, relay).await;
    meter(&rig, 3).await;
    let job = accepted(&rig.with_key(auditor).post_named(REPORTS, "month", "").await);
    rig.with_key(relay).post_named(REPORTS, "another", "").await.refused(403, "role-refused");
    rig.get(&job).await.expect(200);
    for stranger in ["others", relay] {
        let rig = rig.with_key(stranger);
        rig.get(&job).await.refused(404, "unknown-job");
        rig.get(&format!("{job}/answers")).await.refused(404, "unknown-job");
        rig.get(&format!("{job}/answers/0")).await.refused(404, "unknown-job");
        rig.delete(&job).await.refused(404, "unknown-job");
        assert_eq!(rig.get("/v1/jobs").await.expect(200).json(), json!({"jobs": [], "next": null}));
    }
    rig.with_key(auditor).delete(&job).await.expect(204);
}

async fn add_key(store: &dyn Store, tenant: &str, role: blindrelay_server::store::Role, key: &str) {
    use blindrelay_server::id::{ApiKeyId, BodyDigest, TenantId};
    use blindrelay_server::store::{ApiKey, StoredTenant, TenantLimits};
    use blindrelay_server::time::UnixMillis;
    let id = TenantId::new(tenant).unwrap();
    let made =
        StoredTenant { id: id.clone(), created: UnixMillis(0), suspended: None, limits: TenantLimits::default() };
    store.create_tenant(made).await.unwrap();
    let digest = BodyDigest::of(key.as_bytes());
    let (label, created, expires, revoked) = (String::new(), UnixMillis(0), None, None);
    let key =
        ApiKey { id: ApiKeyId::random().unwrap(), digest, tenant: Some(id), role, label, created, expires, revoked };
    store.add_api_key(key).await.unwrap();
}

#[tokio::test]
async fn limits_of_a_tenant_hold_for_its_jobs() {
    let limits = Limits { jobs_per_tenant: 1, parts_per_job: 2, ..Setup::default().limits };
    let rig = Setup { limits, ..setup() }.start().await;
    meter(&rig, 1).await;
    let job = accepted(&rig.post_named(REPORTS, "first", "").await);
    rig.post_named(REPORTS, "second", "").await.refused(409, "quota-exceeded");
    let _working = Working::on(&rig);
    finished(&rig, &job).await;
    meter(&rig, 2).await;
    let job = accepted(&rig.post_named(REPORTS, "second", "").await);
    finished(&rig, &job).await;
    meter(&rig, 3).await;
    rig.post_named(REPORTS, "third", "").await.refused(409, "quota-exceeded");
}

#[tokio::test]
async fn a_suspended_tenant_is_not_worked_for() {
    let rig = setup().start().await;
    meter(&rig, 1).await;
    let job = accepted(&rig.post_named(REPORTS, "month", "").await);
    rig.send(Method::PUT, "/v1/tenants/default", &[], json!({"suspended": true}).to_string()).await.expect(201);
    let _working = Working::on(&rig);
    finished(&rig, &job).await;
    let outcomes = outcomes(&rig, &job).await;
    assert!(outcomes.values().all(|outcome| *outcome == Err("tenant-suspended".to_owned())), "{outcomes:?}");
}

#[tokio::test]
async fn a_job_outlives_the_service_that_began_it() {
    let gate = Arc::new(Gate::default());
    let sums = || Sums::new("test-sums/1", blindrelay_engine::operator::Resource::Meters).gated(&gate);
    let start =
        |store: Arc<dyn Store>| Setup { accumulations: vec![Arc::new(sums())], store, ..Setup::default() }.start();
    let store: Arc<dyn Store> = Arc::new(blindrelay_server::store::memory::MemoryStore::new());
    let first = start(Arc::clone(&store)).await;
    for sum in 1..=3 {
        meter(&first, sum).await;
    }
    let job = accepted(&first.post_named(REPORTS, "month", Sums::batch(WAIT)).await);
    let working = Working::on(&first);
    gate.arrivals(1).await;
    // The first part is being computed: it is finished, the second is not begun.
    let stopping = tokio::spawn({
        let first = first.clone();
        async move { working.stop(&first).await }
    });
    until(&first, &job, |_| first.state.is_stopping()).await;
    gate.open();
    stopping.await.unwrap();
    let told = first.get(&job).await.expect(200).json();
    assert_eq!((&told["state"], &told["answered"]), (&json!("running"), &json!(1)));

    let second = start(store).await;
    let _working = Working::on(&second);
    finished(&second, &job).await;
    let outcomes = outcomes(&second, &job).await;
    let mut found: Vec<u64> = outcomes.values().map(|answer| read(answer.as_ref().unwrap()).0).collect();
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_its_store() {
    let store = FaultyStore::new();
    let rig = Setup { store: Arc::clone(&store) as Arc<dyn Store>, ..setup() }.start().await;
    for sum in [1, 2] {
        meter(&rig, sum).await;
    }
    let job = accepted(&rig.post_named(REPORTS, "month", "").await);
    store.set(Fault::Down);
    let _working = Working::on(&rig);
    rig.get(&job).await.refused(503, "store-unavailable");
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
    store.set(Fault::None);
    let told = finished(&rig, &job).await;
    assert_eq!((&told["answered"], &told["refused"]), (&json!(2), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn finished_jobs_go_after_their_time() {
    use blindrelay_server::time::{Clock, UnixMillis};
    use blindrelay_server::{AppState, Environment, Registry};
    use std::sync::atomic::{AtomicU64, Ordering};

    let now = Arc::new(AtomicU64::new(1_000_000_000_000));
    let read = Arc::clone(&now);
    let clock = Clock::new(move || UnixMillis(read.load(Ordering::Relaxed)));
    let setup = Setup { limits: Limits { job_hours: 2, ..Setup::default().limits }, ..setup() };
    let mut registry = Registry::standard(blindrelay_engine::Backend::detect()).unwrap();
    for operator in &setup.accumulations {
        registry.register_accumulation(Arc::clone(operator)).unwrap();
    }
    let environment = Environment { clock, ..Environment::default() };
    let state = AppState::within(&setup.config(), registry, Arc::clone(&setup.store), environment).await.unwrap();
    let rig = Rig { app: blindrelay_server::app(state.clone()), state, store: setup.store, key: None };
    let _working = Working::on(&rig);
    let job = accepted(&rig.post_named(REPORTS, "none", "").await);
    for hours in [1, 2] {
        now.store(1_000_000_000_000 + hours * 3_600_000, Ordering::Relaxed);
        tokio::time::sleep(std::time::Duration::from_mins(3)).await;
        rig.get(&job).await.expect(200);
    }
    now.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(std::time::Duration::from_mins(3)).await;
    rig.get(&job).await.refused(404, "unknown-job");
}
