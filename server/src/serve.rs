//! Connections: how many, how slow, and how they end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection::{Impatient, Unread};
use crate::jobs::run_jobs;
use crate::state::AppState;
use crate::{middleware, routes};

/// Most bytes of a request's head, and of a body that wait to be read.
const BUFFER_BYTES: usize = 64 << 10;

/// The whole service as a router, without sockets.
pub fn app(state: AppState) -> Router {
    middleware::around(routes::routes().with_state(state.clone()), state)
}

/// Serves until `shutdown` resolves, then stops accepting, lets requests that are being answered finish within the drain limit, and returns.
///
/// Refused with [`io::ErrorKind::InvalidInput`] where the service asks for no key, or speaks plain HTTP without being allowed to, and the listener is not on a loopback address.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() && state.asks_no_key().await.map_err(io::Error::other)? {
        let reason = format!("a service without keys listens on a loopback address only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    if !address.ip().is_loopback() && state.tls().is_none() && !state.allows_plain_http() {
        let reason = format!("a service without TLS listens on a loopback address only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let limits = state.limits().clone();
    let permits = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let (stop_jobs, jobs_stopped) = oneshot::channel::<()>();
    let jobs = tokio::spawn(run_jobs(state.clone(), async move { drop(jobs_stopped.await) }));
    let mut connections = JoinSet::new();
    let router = app(state.clone());
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout()).max_buf_size(BUFFER_BYTES);
    tracing::info!(%address, "listening");
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accept = async {
            // A connection is accepted once there is a place for it: until then it waits in the system's own queue.
            let permit = Arc::clone(&permits).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await, permit))
        };
        let (accepted, permit) = tokio::select! {
            () = shutdown.as_mut() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted?,
        };
        let stream: TcpStream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // The client went away, or descriptors ran out: both pass.
                tracing::warn!(%error, "a connection was not accepted");
                state.telemetry().connections().refused("accept");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Answers are written in one piece; waiting for more only adds delay.
        let _ = stream.set_nodelay(true);
        let unread = Unread::default();
        let stream = Impatient::new(stream, limits.write_timeout(), unread.clone());
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |request: Request<Incoming>| routes.call(request.map(|body| unread.watch(body))));
        let (builder, watcher, tls, patience) =
            (builder.clone(), graceful.watcher(), state.tls().cloned(), limits.header_timeout());
        let (open, state) = (state.telemetry().connections().accepted(), state.clone());
        connections.spawn(async move {
            let ended = match tls {
                None => watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await,
                Some(tls) => match timeout(patience, tls.accept(stream)).await {
                    Ok(Ok(stream)) => watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "a TLS handshake failed");
                        state.telemetry().connections().refused("handshake");
                        Ok(())
                    }
                    Err(_) => {
                        state.telemetry().connections().refused("handshake");
                        Ok(())
                    }
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((open, permit));
        });
    }
    state.stop();
    drop((listener, stop_jobs));
    tracing::info!(connections = connections.len(), "stopping");
    let stop_working = jobs.abort_handle();
    let drained = timeout(limits.drain_timeout(), async { tokio::join!(graceful.shutdown(), jobs) }).await;
    if drained.is_err() {
        tracing::warn!("some requests or parts of jobs took longer than the drain limit and were cut off");
        stop_working.abort();
    }
    connections.shutdown().await;
    Ok(())
}
