//! `serve`: the service, until it is told to stop.

mod data;
mod operations;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use blindrelay_engine::Backend;
use blindrelay_engine::ring::Seed;
use blindrelay_server::telemetry::Traces;
use blindrelay_server::{AppState, Config, Registry};
use clap::Args;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use self::data::Place;
use crate::arguments::read_text;
use crate::failure::Failure;
use crate::output::Output;

/// What the store calls the secret from which operators derive masks.
const MASKS: &str = "masks";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Configuration in TOML; without it, a service on 127.0.0.1:8437 for this machine alone
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on, instead of the configuration's; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Folder for everything that the service keeps: rooms, keys, sums, its signing key; made if it is not there. Without it, the configuration's, or blindrelay in the system's folder for
    /// such data (~/.local/state)
    #[arg(long, value_name = "FOLDER", env = "BLINDRELAY_DATA")]
    data: Option<PathBuf>,
    /// Keep everything in memory: it is gone when the service ends
    #[arg(long)]
    in_memory: bool,
    /// Check the configuration and stop
    #[arg(long)]
    check_config: bool,
    /// How much is logged to standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
}

/// Where a service keeps what it has, for commands that work on it without the service.
#[derive(Debug, Args)]
pub(crate) struct Whereabouts {
    /// The service's configuration in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The service's folder, instead of the configuration's; without either, blindrelay in the system's folder for such data (~/.local/state)
    #[arg(long, value_name = "FOLDER", env = "BLINDRELAY_DATA")]
    data: Option<PathBuf>,
}

impl Whereabouts {
    pub(super) fn place(&self) -> Result<Place, Failure> {
        Place::find(false, self.data.as_deref(), &configuration(self.config.as_deref(), None)?)
    }
}

/// Serves until the process is interrupted or terminated, then lets running requests finish.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let mut config = configuration(arguments.config.as_deref(), arguments.listen)?;
    let place = Place::find(arguments.in_memory, arguments.data.as_deref(), &config)?;
    if arguments.check_config {
        let (listen, tenants) = (config.listen.to_string(), config.tenants.len());
        let in_force = operations::in_force(&config)?;
        let checked = serde_json::json!({ "listen": listen, "tenants": tenants, "in_force": in_force });
        return output.result(&checked, || {
            format!("the configuration is good: it listens on {listen}, for {tenants} keys\n\n{in_force}")
        });
    }
    let traces = operations::start_log(arguments.log, &config.telemetry).map_err(|error| failed(&error))?;
    operations::fit_descriptors(&mut config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| failed(&error))?;
    let served = runtime.block_on(serve(config, place, backend, output));
    if let Some(Err(error)) = traces.map(Traces::end) {
        tracing::warn!(%error, "the last traces are lost");
    }
    served
}

fn configuration(file: Option<&Path>, listen: Option<SocketAddr>) -> Result<Config, Failure> {
    let text = file.map(read_text).transpose()?.unwrap_or_default();
    let path = file.map_or_else(|| PathBuf::from("the default configuration"), Path::to_owned);
    let refused = |error: &dyn std::fmt::Display| Failure::Content {
        path: path.clone(),
        fault: first_and_last_line(&error.to_string()),
        advice: "correct it and check it with --check-config",
    };
    let mut config: Config =
        Config::from_toml_and_variables(&text, operations::variables()).map_err(|error| refused(&error))?;
    if let Some(listen) = listen {
        config.listen = listen;
        config.check().map_err(|error| refused(&error))?;
    }
    Ok(config)
}

/// Errors of TOML quote the file between the place and the reason.
fn first_and_last_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next_back()) {
        (Some(first), Some(last)) => format!("{first}: {last}"),
        _ => text.to_owned(),
    }
}

async fn serve(config: Config, place: Place, backend: Backend, output: Output) -> Result<(), Failure> {
    let (store, environment) = place.open().await?;
    let fresh = Seed::random().map_err(|error| failed(&error))?;
    let secret = store.shared_secret(MASKS, *fresh.as_bytes()).await.map_err(|error| failed(&error))?;
    let registry = Registry::with_secret(backend, Seed::from_bytes(secret)).map_err(|error| failed(&error))?;
    tracing::info!(data = place.describe(), "the service keeps everything");
    let state = AppState::within(&config, registry, store, environment).await.map_err(|error| failed(&error))?;
    operations::serve_telemetry(&config, &state).await?;
    // Before anything is accepted, so that no signal is missed in between.
    let stop = stop_signal().map_err(|error| failed(&error))?;
    let bound = TcpListener::bind(config.listen).await;
    let listener = bound.map_err(|error| Failure::Service(format!("{}: {error}", config.listen)))?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr().map_err(|error| failed(&error))?);
    let told = serde_json::json!({ "listening": url, "data": place.describe() });
    output.result(&told, || format!("listening on {url}"))?;
    blindrelay_server::serve(listener, state, stop).await.map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::Service(error.to_string())
}

/// Ends when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
