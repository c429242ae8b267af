//! Over real sockets: slow and broken clients, many clients, and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blindrelay_server::{AppState, Config, Limits, Registry, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::operators::{Evaluation, Gate, Scripted};
use crate::party::Party;
use crate::rig::{Rig, Setup};

pub(crate) struct Running {
    pub(crate) rig: Rig,
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start(setup: Setup) -> Self {
        let rig = setup.start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let until = async move {
            let _ = stopped.await;
        };
        let ended = tokio::spawn(serve(listener, rig.state.clone(), until));
        Self { rig, address, stop, ended }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    pub(crate) async fn end(self) -> Duration {
        let began = Instant::now();
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
        began.elapsed()
    }
}

fn waiting(gate: &Arc<Gate>, limits: Limits) -> Setup {
    let operator = Arc::new(Scripted::new("test-wait/1", Evaluation::Wait(Arc::clone(gate))));
    Setup { limits, operators: vec![operator], ..Setup::default() }
}

fn code(body: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(body).unwrap()["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_match_twenty_times_each() {
    let running = Running::start(Setup::default()).await;
    let party = Arc::new(Party::signs());
    let room = running.rig.room("match-signs/1").await;
    let names: Vec<String> = (0..20).map(|member| format!("member {member}")).collect();
    let mut handles = Vec::new();
    for name in &names {
        handles.push(running.rig.enrol(&room, party.record(&[name]), 1).await[0]);
    }
    let probes: Arc<Vec<Vec<u8>>> = Arc::new(names.iter().map(|name| party.probe(name)).collect());
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (address, path, probes) = (running.address, format!("{room}/match"), Arc::clone(&probes));
        clients.spawn(async move {
            let mut client = Client::connect(address).await;
            let mut answers = Vec::new();
            for probe in probes.iter() {
                let (status, body) = client.post(&path, probe).await.unwrap();
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                answers.push(body);
            }
            answers
        });
    }
    let all = clients.join_all().await;
    assert_eq!(all.len(), 64);
    // The answer to a probe is always the same bytes, so opening one client's is opening all.
    assert!(all.iter().all(|answers| *answers == all[0]));
    for (answer, handle) in all[0].iter().zip(&handles) {
        let scores = party.open(answer);
        assert_eq!(scores.len(), 20);
        assert!(scores.iter().all(|(found, score)| (*score == 128) == (found == handle)));
    }
    running.end().await;
}

#[tokio::test]
async fn slow_and_broken_bodies() {
    let limits = Limits { body_timeout_seconds: 1, ..Setup::default().limits };
    let running = Running::start(Setup { limits, ..Setup::default() }).await;
    let (room, probe) = (running.rig.room("match-signs/1").await, Party::signs().probe("ada"));
    let head = |length: usize| {
        format!("POST {room}/match HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n").into_bytes()
    };
    // The body stops.
    let mut slow = running.client().await;
    slow.write([head(probe.len()).as_slice(), &probe[..100]].concat()).await;
    let (status, body) = slow.answer().await.unwrap();
    assert_eq!((status, code(&body).as_str()), (408, "body-timeout"));
    assert!(slow.is_closed().await);
    // The client goes away in the middle: whether it is told or not, nothing waits for it.
    let mut broken = running.client().await;
    broken.write([head(probe.len()).as_slice(), &probe[..100]].concat()).await;
    broken.finish().await;
    if let Some((status, body)) = broken.answer().await {
        assert_eq!((status, code(&body).as_str()), (400, "body-truncated"));
    }
    // More bytes than Content-Length: they are not part of the body, and no request either.
    let mut long = running.client().await;
    long.write([head(probe.len()).as_slice(), &probe, &[0xff; 64]].concat()).await;
    let (status, body) = long.answer().await.unwrap();
    assert_eq!((status, code(&body).as_str()), (409, "room-empty"));
    assert!(long.answer().await.is_none_or(|(status, _)| status == 400));
    // A length that nothing of this kind has.
    let mut huge = running.client().await;
    huge.write(head(1 << 40)).await;
    let (status, body) = huge.answer().await.unwrap();
    assert_eq!((status, code(&body).as_str()), (413, "body-too-long"));
    assert!(huge.is_closed().await);
    // Chunks without end.
    let mut chunked = running.client().await;
    let start = format!("POST {room}/match HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    chunked.write(start).await;
    chunked
        .write([format!("{:x}\r\n", probe.len()).as_bytes(), &probe, b"\r\n1000\r\n", &[0; 4096], b"\r\n"].concat())
        .await;
    let (status, body) = chunked.answer().await.unwrap();
    assert_eq!((status, code(&body).as_str()), (413, "body-too-long"));
    running.end().await;
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let limits = Limits { header_timeout_seconds: 1, ..Setup::default().limits };
    let running = Running::start(Setup { limits, ..Setup::default() }).await;
    let mut slow = running.client().await;
    slow.write("GET /v1/health/live HTTP/1.1\r\nhost").await;
    assert!(slow.answer().await.is_none_or(|(status, _)| status == 408));
    let mut silent = running.client().await;
    assert!(silent.answer().await.is_none_or(|(status, _)| status == 408));
    let mut idle = running.client().await;
    idle.write("GET /v1/health/live HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(idle.answer().await.unwrap().0, 200);
    assert!(idle.answer().await.is_none_or(|(status, _)| status == 408));
    running.end().await;
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_a_place() {
    let limits = Limits { connections: 1, ..Setup::default().limits };
    let running = Running::start(Setup { limits, ..Setup::default() }).await;
    let request = "GET /v1/health/live HTTP/1.1\r\nhost: test\r\n\r\n";
    let mut first = running.client().await;
    first.write(request).await;
    assert_eq!(first.answer().await.unwrap().0, 200);
    let mut second = running.client().await;
    second.write(request).await;
    let early = tokio::time::timeout(Duration::from_millis(200), second.answer()).await;
    assert!(early.is_err(), "the only place is taken");
    drop(first);
    assert_eq!(second.answer().await.unwrap().0, 200);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_being_answered_is_finished_before_the_end() {
    let gate = Arc::new(Gate::default());
    let running = Running::start(waiting(&gate, Setup::default().limits)).await;
    let room = running.rig.room("test-wait/1").await;
    let handle = running.rig.enrol(&room, Party::signs().record(&["ada"]), 1).await[0];
    let (mut client, mut idle) = (running.client().await, running.client().await);
    idle.write("GET /v1/health/live HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(idle.answer().await.unwrap().0, 200);
    let asked = tokio::spawn(async move { client.post(&format!("{room}/match"), &Party::signs().probe("ada")).await });
    gate.arrivals(1).await;
    let (address, state) = (running.address, running.rig.state.clone());
    let ending = tokio::spawn(running.end());
    while !state.is_stopping() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(idle.is_closed().await);
    assert!(!ending.is_finished());
    gate.open();
    assert_eq!(asked.await.unwrap(), Some((200, handle.as_bytes().to_vec())));
    ending.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_takes_too_long_does_not_keep_the_service() {
    let gate = Arc::new(Gate::default());
    let limits = Limits { drain_timeout_seconds: 1, ..Setup::default().limits };
    let running = Running::start(waiting(&gate, limits)).await;
    let room = running.rig.room("test-wait/1").await;
    let mut client = running.client().await;
    let asked = tokio::spawn(async move { client.post(&format!("{room}/match"), &Party::signs().probe("ada")).await });
    gate.arrivals(1).await;
    let took = running.end().await;
    assert!((Duration::from_millis(900)..Duration::from_secs(10)).contains(&took), "{took:?}");
    assert_eq!(asked.await.unwrap(), None);
    gate.open();
}

#[tokio::test]
async fn a_service_without_keys_stays_on_this_host() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let open = serve(listener, Rig::new().await.state, std::future::pending()).await.unwrap_err();
    assert_eq!(open.kind(), std::io::ErrorKind::InvalidInput);
    // With keys it stays, too, unless they are encrypted on their way or somebody answers for it.
    let keyed = || Setup { keys: vec![("acme", "key")], ..Setup::default() };
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let plain = serve(listener, keyed().start().await.state, std::future::pending()).await.unwrap_err();
    assert_eq!(plain.kind(), std::io::ErrorKind::InvalidInput);
    let setup = keyed();
    let config = Config { allow_plain_http: true, ..setup.config() };
    let state = AppState::open(&config, Registry::new(), setup.store).await.unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    serve(listener, state, std::future::ready(())).await.unwrap();
}

#[tokio::test]
async fn bodies_that_do_not_fit_beside_those_that_are_coming_are_refused_at_once() {
    let probe = Party::signs().probe("ada");
    let limits = Limits { max_body_bytes: 15_000, upload_bytes: 15_000, ..Setup::default().limits };
    let running = Running::start(Setup { limits, ..Setup::default() }).await;
    let room = running.rig.room("match-signs/1").await;
    let head = format!("POST {room}/match HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", probe.len());
    let mut first = running.client().await;
    first.write([head.as_bytes(), &probe[..5000]].concat()).await;
    // Until the first body is known by its header, others still fit.
    let refused = loop {
        let mut second = running.client().await;
        second.write([head.as_bytes(), &probe[..5000]].concat()).await;
        if let Ok(answer) = tokio::time::timeout(Duration::from_millis(500), second.answer()).await {
            assert!(second.is_closed().await);
            break answer.unwrap();
        }
    };
    assert_eq!((refused.0, code(&refused.1).as_str()), (503, "uploads-full"));
    first.write(&probe[5000..]).await;
    let (status, body) = first.answer().await.unwrap();
    assert_eq!((status, code(&body).as_str()), (409, "room-empty"));
    // The memory is free again.
    let (status, _) = running.client().await.post(&format!("{room}/match"), &probe).await.unwrap();
    assert_eq!(status, 409);
    running.end().await;
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_sends_everything_before_it_reads() {
    let running = Running::start(Setup::default()).await;
    let room = running.rig.room("match-signs/1").await;
    let length = 32 << 20;
    let head = format!("POST {room}/match HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n");
    for body in [Party::signs().probe("ada"), vec![0; 100]] {
        // More than the system keeps for a connection whose other side does not read.
        let mut client = running.client().await;
        client.write([head.as_bytes(), &body, &vec![0; length - body.len()]].concat()).await;
        let (status, body) = client.answer().await.unwrap();
        let expected = if status == 413 { "body-too-long" } else { "malformed-object" };
        assert_eq!(code(&body), expected);
        client.finish().await;
        assert!(client.is_closed().await);
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_waits_for_its_answer_keeps_its_memory() {
    let gate = Arc::new(Gate::default());
    let limits = Limits { max_body_bytes: 15_000, upload_bytes: 15_000, ..Setup::default().limits };
    let running = Running::start(waiting(&gate, limits)).await;
    let (room, probe) = (running.rig.room("test-wait/1").await, Party::signs().probe("ada"));
    running.rig.enrol(&room, Party::signs().record(&["ada"]), 1).await;
    let path = format!("{room}/match");
    let mut client = running.client().await;
    let first = {
        let (path, probe) = (path.clone(), probe.clone());
        tokio::spawn(async move { client.post(&path, &probe).await })
    };
    gate.arrivals(1).await;
    let (status, body) = running.client().await.post(&path, &probe).await.unwrap();
    assert_eq!((status, code(&body).as_str()), (503, "uploads-full"));
    gate.open();
    assert_eq!(first.await.unwrap().unwrap().0, 200);
    assert_eq!(running.client().await.post(&path, &probe).await.unwrap().0, 200);
    running.end().await;
}
