//! The service on a free port of this machine, with a witness in front of it who notes everything that passes; and the relay's own side of it, which connects whoever presents a ticket.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header::CONTENT_LENGTH};
use axum::middleware::{self, Next};
use axum::response::Response;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::wire::content_digest;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{AppState, Config, Registry};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::tickets::Ticket;

/// More than any body of a demonstration.
const MAX_BODY_BYTES: usize = 1 << 28;

/// One request with its reply, as a relay sees it.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    /// When it came, counted from the start of the service.
    pub(super) at: Duration,
    /// How long the service took.
    pub(super) took: Duration,
    pub(super) method: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) request: Seen,
    pub(super) response: Seen,
}

/// What can be said of bytes that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: usize,
    pub(super) digest: [u8; 32],
}

impl Seen {
    /// Length and SHA-256.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len(), digest: content_digest(bytes) }
    }
}

type Log = Arc<Mutex<Vec<Passage>>>;

/// A running service with its witness.
pub(super) struct Relay {
    address: SocketAddr,
    log: Log,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    /// Whom to connect, by the SHA-256 of a ticket.
    connections: Mutex<HashMap<String, Handle>>,
}

impl Relay {
    /// Starts the service on a free loopback port, on a thread of its own.
    pub(super) fn start(registry: Registry) -> Result<Self, Failure> {
        let log = Log::default();
        let (started, outcome) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let noted = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(serve(registry, noted, &started, stopped)),
                Err(error) => drop(started.send(Err(Failure::Service(error.to_string())))),
            }
        });
        let ended = || Failure::Service("its thread ended".to_owned());
        let address = outcome.recv().map_err(|_| ended())??;
        Ok(Self { address, log, stop, thread, connections: Mutex::default() })
    }

    /// Remembers whom the ticket of this SHA-256 connects to. The ticket itself is not told.
    pub(super) fn register(&self, ticket_digest: String, handle: Handle) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket_digest, handle);
    }

    /// Whom to connect with somebody who presents this ticket.
    pub(super) fn connect(&self, presented: &Ticket) -> Option<Handle> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).get(&presented.digest()).copied()
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the service and tells everything that passed.
    pub(super) fn stop(self) -> Vec<Passage> {
        // A service that has ended already cannot be told to.
        let _ = self.stop.send(());
        let _ = self.thread.join();
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(
    registry: Registry,
    log: Log,
    started: &mpsc::Sender<Result<SocketAddr, Failure>>,
    stopped: oneshot::Receiver<()>,
) {
    match open(registry, log).await {
        Ok((listener, address, router)) => {
            // The other side waits for this message, and listens for no second one.
            let _ = started.send(Ok(address));
            let shutdown = async move { drop(stopped.await) };
            let _ = axum::serve(listener, router).with_graceful_shutdown(shutdown).await;
        }
        Err(failure) => drop(started.send(Err(failure))),
    }
}

async fn open(registry: Registry, log: Log) -> Result<(TcpListener, SocketAddr, axum::Router), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Service(error.to_string());
    let store = Arc::new(MemoryStore::default());
    let state = AppState::open(&Config::default(), registry, store).await.map_err(|error| failed(&error))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| failed(&error))?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let start = Instant::now();
    let witness = middleware::from_fn(move |request, next| note(Arc::clone(&log), start, request, next));
    Ok((listener, address, blindrelay_server::app(state).layer(witness)))
}

/// Lets a request pass and notes it with its reply.
async fn note(log: Log, start: Instant, request: Request, next: Next) -> Response {
    let at = start.elapsed();
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return broken(StatusCode::BAD_REQUEST) };
    let request = Seen::of(&body);
    let asked = Instant::now();
    let (mut head, body) = next.run(Request::from_parts(head, Body::from(body))).await.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return broken(StatusCode::BAD_GATEWAY) };
    let (took, response, status) = (asked.elapsed(), Seen::of(&body), head.status.as_u16());
    let passage = Passage { at, took, method, path, status, request, response };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(passage);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

fn broken(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(Bytes::new()));
    *response.status_mut() = status;
    response
}
