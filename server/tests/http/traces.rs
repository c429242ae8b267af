//! What a collector of traces is sent, and what it is not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::http::Method;
use blindrelay_server::telemetry::{TraceSettings, Traces, logged};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

use crate::rig::Setup;
use crate::telemetry::{Log, whole_journey};

/// Takes what is sent by OTLP over HTTP.
struct Collector {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = Self { address: listener.local_addr().unwrap(), bodies: Arc::default() };
        let bodies = Arc::clone(&collector.bodies);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                    assert_eq!(line.trim_end(), "POST /v1/traces HTTP/1.1");
                    let mut length = 0;
                    loop {
                        line.clear();
                        reader.read_line(&mut line).unwrap();
                        match line.trim_end().split_once(": ") {
                            Some(("content-length", text)) => length = text.parse().unwrap(),
                            Some(("content-type", text)) => assert_eq!(text, "application/x-protobuf"),
                            Some(_) => {}
                            None => break,
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    bodies.lock().unwrap().push(body);
                    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                    line.clear();
                }
            }
        });
        collector
    }

    fn settings(&self, share: f64) -> TraceSettings {
        TraceSettings { endpoint: Some(format!("http://{}/v1/traces", self.address)), share }
    }

    /// Everything that was sent, in the bytes of Protocol Buffers, where texts stand as they are.
    fn sent(&self) -> Vec<u8> {
        self.bodies.lock().unwrap().concat()
    }
}

/// Traces what this thread does and logs it at every level; the program's other threads do neither.
fn start(settings: &TraceSettings, log: &Log) -> (Traces, tracing::subscriber::DefaultGuard, tracing::Dispatch) {
    let traces = Traces::start(settings).unwrap().unwrap();
    let log = log.clone();
    let log = fmt::layer().with_ansi(false).with_writer(move || log.clone());
    let all = registry().with(log.with_filter(logged(LevelFilter::TRACE))).with(traces.layer());
    let guard = tracing::subscriber::set_default(all);
    // As for the log: with one subscriber in the process, a place that another test's thread reaches first would be silent for good.
    (traces, guard, tracing::Dispatch::new(registry()))
}

async fn end(traces: Traces) {
    tokio::task::spawn_blocking(move || traces.end()).await.unwrap().unwrap();
}

fn has(sent: &[u8], text: &[u8]) -> bool {
    sent.windows(text.len()).any(|window| window == text)
}

#[tokio::test]
async fn the_traces_of_a_whole_journey_name_nobody() {
    let (collector, log) = (Collector::start(), Log::default());
    let (traces, guard, _other) = start(&collector.settings(1.0), &log);
    let secrets = whole_journey().await;
    drop(guard);
    end(traces).await;
    let sent = collector.sent();
    for expected in
        ["POST /v1/rooms/{room}/match", "match-signs/1", "wait", "receive", "http.response.status_code", "blindrelay"]
    {
        assert!(has(&sent, expected.as_bytes()), "{expected} was not sent");
    }
    for secret in &secrets {
        assert!(!has(&sent, secret.as_bytes()), "'{secret}' was sent");
    }
    let text = log.text();
    assert!(text.contains("answered") && !text.contains("otel.name") && !text.contains("receive"), "{text}");
}

#[tokio::test]
async fn a_request_is_part_of_its_callers_trace() {
    let (collector, log) = (Collector::start(), Log::default());
    let (traces, guard, _other) = start(&collector.settings(1.0), &log);
    let rig = Setup::default().start().await;
    let trace: [u8; 16] = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\x02\x46\x8a\xce\x13\x57\x9b\xdf";
    let caller = "00-0123456789abcdef02468ace13579bdf-00f067aa0ba902b7-00";
    rig.send(Method::GET, "/v1/parameters", &[("traceparent", caller)], Vec::<u8>::new()).await.expect(200);
    // Who names no trace that can be one is served as well.
    let long = "00-".repeat(1000);
    for odd in ["", "00", "00-0-0-01", "ff-0123456789abcdef02468ace13579bdf-00f067aa0ba902b7-00", &long] {
        rig.send(Method::GET, "/v1/operators", &[("traceparent", odd)], Vec::<u8>::new()).await.expect(200);
    }
    drop(guard);
    end(traces).await;
    let sent = collector.sent();
    assert!(has(&sent, &trace) && has(&sent, b"\x00\xf0\x67\xaa\x0b\xa9\x02\xb7"));
    assert!(has(&sent, b"GET /v1/operators") && !has(&sent, long.as_bytes()));
}

#[tokio::test]
async fn only_the_share_is_traced_and_a_collector_that_is_gone_is_missed_by_nobody() {
    let (collector, log) = (Collector::start(), Log::default());
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let gone = TraceSettings { endpoint: Some(format!("http://{gone}/v1/traces")), share: 1.0 };
    for settings in [collector.settings(0.0), gone] {
        let (traces, guard, _other) = start(&settings, &log);
        let rig = Setup::default().start().await;
        for _ in 0..20 {
            rig.get("/v1/parameters").await.expect(200);
        }
        drop(guard);
        let ended = tokio::task::spawn_blocking(move || traces.end()).await.unwrap();
        assert!(ended.is_ok() || settings.share > 0.0, "{ended:?}");
    }
    assert!(collector.sent().is_empty());
    assert!(Traces::start(&TraceSettings::default()).unwrap().is_none());
}
