//! The listener for operators: metrics, and a page about the service.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::connection::{Impatient, Unread};
use crate::routes;
use crate::state::AppState;

/// Connections at the same time: a few scrapers and pages.
const CONNECTIONS: usize = 32;
/// Most bytes of a request's head.
const BUFFER_BYTES: usize = 16 << 10;

/// Metrics and the operator's page as a router, without sockets.
pub fn app(state: AppState) -> Router {
    routes::telemetry(state)
}

/// Serves metrics and the operator's page until it is dropped. It belongs on a listener of its own, which the public cannot reach.
///
/// A service that is stopping is served to its end: its last numbers can still be read.
pub async fn serve(listener: TcpListener, state: AppState) -> io::Result<()> {
    let patience = state.limits().header_timeout();
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let router = app(state);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(BUFFER_BYTES);
    let mut connections = JoinSet::new();
    tracing::info!(address = %listener.local_addr()?, "telemetry is served");
    loop {
        while connections.try_join_next().is_some() {}
        let permit = Arc::clone(&permits).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((stream, _)) = listener.accept().await else {
            // The client went away, or descriptors ran out: both pass.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection =
            builder.serve_connection(TokioIo::new(Impatient::new(stream, patience, Unread::default())), service);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of telemetry ended early");
            }
            drop(permit);
        });
    }
}
