//! What `serve` does for whoever runs it: the log, file descriptors, metrics, and what of the configuration is in force.

use std::io::IsTerminal;

use blindrelay_server::telemetry::{self, LogFormat, TelemetrySettings, TraceError, Traces};
use blindrelay_server::{AppState, Config};
use tokio::net::TcpListener;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;

/// Variables that the other commands read, and that are no fields of the configuration.
const OF_CLIENTS: [&str; 3] = ["BLINDRELAY_SERVICE", "BLINDRELAY_API_KEY", "BLINDRELAY_CA_FILE"];

/// The variables of the environment that may stand over the configuration file.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, text)| (name.to_string_lossy().into_owned(), text.to_string_lossy().into_owned()))
        .filter(|(name, _)| !OF_CLIENTS.contains(&name.as_str()))
}

/// Writes the log to standard error and sends traces from now on.
pub(super) fn start_log(level: LevelFilter, settings: &TelemetrySettings) -> Result<Option<Traces>, TraceError> {
    let traces = Traces::start(&settings.traces)?;
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match settings.log_format {
        LogFormat::Text => {
            log.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).boxed()
        }
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
    };
    let all = tracing_subscriber::registry().with(log.with_filter(telemetry::logged(level)));
    all.with(traces.as_ref().map(Traces::layer)).init();
    Ok(traces)
}

/// Descriptors that are left to the store, the log and the operators' listener: no client takes them.
const OWN_DESCRIPTORS: u64 = 100;

/// Raises the soft limit of open file descriptors to the hard one, since nothing here counts descriptors in a fixed set, and lowers the number of connections where even that is too few for them:
/// who has no place waits to be accepted, and the store can always open its files.
#[cfg(unix)]
pub(super) fn fit_descriptors(config: &mut Config) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let told = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    let (before, now) = (told(current), told(getrlimit(Resource::Nofile).current));
    match raised {
        Ok(()) => tracing::info!(before, now, "the limit of open file descriptors is the highest one allowed"),
        Err(error) => tracing::warn!(%error, now, "the limit of open file descriptors stays as it is"),
    }
    let Some(limit) = getrlimit(Resource::Nofile).current else { return };
    let (places, configured) = (places(limit), config.limits.connections);
    if configured > places {
        tracing::warn!(
            configured,
            places,
            "there are fewer connections than configured: raise the limit of descriptors"
        );
        config.limits.connections = places;
    }
}

/// Connections that so many descriptors are enough for.
#[cfg(unix)]
fn places(limit: u64) -> usize {
    usize::try_from(limit - OWN_DESCRIPTORS.min(limit / 2)).unwrap_or(usize::MAX).max(1)
}

/// There is no such limit.
#[cfg(not(unix))]
pub(super) fn fit_descriptors(_: &mut Config) {}

/// Serves metrics and the operator's page from now on, where the configuration says so.
pub(super) async fn serve_telemetry(config: &Config, state: &AppState) -> Result<(), Failure> {
    let Some(listen) = config.telemetry.listen else { return Ok(()) };
    let bound = TcpListener::bind(listen).await;
    let listener = bound.map_err(|error| Failure::Service(format!("telemetry on {listen}: {error}")))?;
    let state = state.clone();
    tokio::spawn(async move {
        if let Err(error) = telemetry::serve(listener, state).await {
            tracing::error!(%error, "telemetry is not served any more");
        }
    });
    Ok(())
}

/// The configuration that is in force, without what opens anything.
pub(super) fn in_force(config: &Config) -> Result<toml::Table, Failure> {
    let mut all = toml::Table::try_from(config).map_err(|error| super::failed(&error))?;
    all.iter_mut().for_each(|(name, value)| conceal(name, value));
    Ok(all)
}

/// Takes out of a value what may be a password: whatever is called one, and who logs in at an address and with which options.
fn conceal(name: &str, value: &mut toml::Value) {
    let secret = ["password", "secret", "token", "credential"].iter().any(|word| name.contains(word));
    match value {
        toml::Value::Table(fields) => fields.iter_mut().for_each(|(name, value)| conceal(name, value)),
        toml::Value::Array(values) => values.iter_mut().for_each(|value| conceal(name, value)),
        _ if secret => *value = toml::Value::from("left out"),
        toml::Value::String(text) => {
            if let Some((scheme, rest)) = text.split_once("://") {
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                let host = host.split_once('?').map_or(host, |(host, _)| host);
                *text = format!("{scheme}://{host}");
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_opens_nothing() {
        let digest = "ab".repeat(32);
        let text = format!(
            "admin_key_sha256 = \"{}\"\n[[tenants]]\nname = \"acme\"\nkey_sha256 = \"{digest}\"\n[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n",
            "cd".repeat(32)
        );
        let shown = in_force(&Config::from_toml(&text).unwrap()).unwrap();
        assert_eq!(shown.get("listen").and_then(toml::Value::as_str), Some("127.0.0.1:8437"));
        let shown = shown.to_string();
        assert!(shown.contains("acme") && shown.contains("a.key") && shown.contains("queue_length = 256"), "{shown}");
        assert!(!shown.contains("abab") && !shown.contains("cdcd"), "{shown}");

        let mut storage: toml::Value = toml::from_str(
            "database = \"postgres://user:hunter2@db.example/rows?password=hunter3\"\nsecret_key = \"hunter4\"\nconnections = 8",
        )
        .unwrap();
        conceal("storage", &mut storage);
        let expected = "database = \"postgres://db.example/rows\"\nsecret_key = \"left out\"\nconnections = 8";
        assert_eq!(storage, toml::from_str(expected).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn connections_leave_descriptors_to_the_store() {
        for (limit, connections) in [(0, 1), (1, 1), (100, 50), (200, 100), (1024, 924), (u64::MAX, usize::MAX - 100)] {
            assert_eq!(places(limit), connections, "{limit}");
        }
    }
}
