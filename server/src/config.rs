//! The configuration: variables of the environment over a TOML file over defaults.

mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::access::ConfiguredKey;
use crate::id::{BodyDigest, TenantId};
use crate::receipts::ReceiptSettings;
use crate::telemetry::TelemetrySettings;
use crate::time::UnixMillis;
use crate::tls::TlsConfig;

/// Everything that can be configured. A field that is not known is refused, so that a misspelt limit is not a missing one.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Keys and whom they belong to. Without any here or in the store, the service answers on a loopback address only and asks for no key.
    pub tenants: Vec<TenantConfig>,
    /// SHA-256 of a key that lets its holder make tenants and keys, 64 lower-case hexadecimal digits.
    #[serde(serialize_with = "left_out", skip_serializing_if = "Option::is_none")]
    pub admin_key_sha256: Option<String>,
    /// Certificate and key. Without them, the service speaks plain HTTP, on a loopback address.
    pub tls: Option<TlsConfig>,
    /// Plain HTTP on any address, for a service behind a proxy that terminates TLS in a network that is trusted.
    pub allow_plain_http: bool,
    /// The folder of the signing key, and of everything else that is kept unless `storage` says where.
    pub data: Option<PathBuf>,
    /// Where rows and blobs are. What is in it is for the store, which is not part of this crate.
    pub storage: Option<toml::Table>,
    /// Parameter sets that are about to go, by name, with the day from whose beginning (UTC) nothing new is made with them, such as `2027-06-01`.
    pub sunset: BTreeMap<String, String>,
    /// What operators see of the service, and where.
    pub telemetry: TelemetrySettings,
    /// How long receipts are kept.
    pub receipts: ReceiptSettings,
    /// Limits.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8437)),
            tenants: Vec::new(),
            admin_key_sha256: None,
            tls: None,
            allow_plain_http: false,
            data: None,
            storage: None,
            sunset: BTreeMap::new(),
            telemetry: TelemetrySettings::default(),
            receipts: ReceiptSettings::default(),
            limits: Limits::default(),
        }
    }
}

/// A key of a tenant. A tenant that changes its key has two entries for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// The tenant: 1 to 64 characters of `a-z`, `0-9` and `-`.
    pub name: String,
    /// SHA-256 of the key, 64 lower-case hexadecimal digits. The key itself is not in the file.
    #[serde(serialize_with = "left_out")]
    pub key_sha256: String,
}

/// Limits on what the service takes on. All of them are counts, bytes or seconds as their names say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body of any request, whatever the parameters would allow.
    pub max_body_bytes: usize,
    /// Bytes of all bodies that are being received or wait for a thread at the same time, as their headers announce them; a body that does not fit is refused with 503 before the rest of it is read.
    pub upload_bytes: usize,
    /// Requests that may wait for a compute thread; one more is answered with 503.
    pub queue_length: usize,
    /// How long a request may wait for a compute thread; after that it is answered with 503.
    pub queue_timeout_seconds: u64,
    /// Compute threads; 0 for as many as the CPU has.
    pub compute_threads: usize,
    /// Connections at the same time; more wait to be accepted.
    pub connections: usize,
    /// How long a request's headers may take, and how long a connection may be idle.
    pub header_timeout_seconds: u64,
    /// How long a request's body may take, whatever its length.
    pub body_timeout_seconds: u64,
    /// Long bodies have more time: a second for so many bytes that they announce, such as evaluation keys of tens of megabytes over a slow line.
    pub body_bytes_per_second: usize,
    /// How long a client may leave an answer unread.
    pub write_timeout_seconds: u64,
    /// How long requests that are being answered may go on after the service was told to stop.
    pub drain_timeout_seconds: u64,
    /// Rooms of a tenant.
    pub rooms_per_tenant: usize,
    /// Meters and panels of a tenant.
    pub ledgers_per_tenant: usize,
    /// Batches and merges that a meter or panel takes in its life. The name and digest of each is kept, so that it counts once.
    pub changes_per_ledger: usize,
    /// Key sets of a tenant.
    pub keys_per_tenant: usize,
    /// Jobs of a tenant that are not finished.
    pub jobs_per_tenant: usize,
    /// Meters or panels that one job reports on.
    pub parts_per_job: usize,
    /// Jobs that a service works on at the same time; 0 for none, where others do.
    pub job_workers: usize,
    /// Hours for which a finished job and its answers are kept.
    pub job_hours: u64,
    /// Bytes of records, sums, key sets, jobs and receipts of a tenant.
    pub bytes_per_tenant: u64,
    /// Milliseconds of computation that a tenant may use in a minute, in each service; left out for as many as there are.
    pub compute_millis_per_minute: Option<u64>,
    /// Requests of a tenant that wait or compute at the same time, in each service; left out for as many as there are places.
    pub concurrent_requests_per_tenant: Option<usize>,
    /// Memory for decoded keys.
    pub key_cache_bytes: usize,
    /// Memory for rooms; those that were not used for the longest time are made from the store again when somebody asks.
    pub room_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 20,
            upload_bytes: 256 << 20,
            queue_length: 256,
            queue_timeout_seconds: 20,
            compute_threads: 0,
            connections: 16_384,
            header_timeout_seconds: 8,
            body_timeout_seconds: 30,
            body_bytes_per_second: 128 << 10,
            write_timeout_seconds: 30,
            drain_timeout_seconds: 30,
            rooms_per_tenant: 10_000,
            ledgers_per_tenant: 10_000,
            changes_per_ledger: 100_000,
            keys_per_tenant: 1_000,
            jobs_per_tenant: 100,
            parts_per_job: 10_000,
            job_workers: 2,
            job_hours: 24 * 7,
            bytes_per_tenant: 4 << 30,
            compute_millis_per_minute: None,
            concurrent_requests_per_tenant: None,
            key_cache_bytes: 1 << 30,
            room_cache_bytes: 4 << 30,
        }
    }
}

impl Limits {
    /// How long headers may take.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_seconds)
    }

    /// How long a body of so many bytes may take.
    pub fn body_timeout(&self, bytes: usize) -> Duration {
        let more = bytes / self.body_bytes_per_second.max(1);
        Duration::from_secs(self.body_timeout_seconds.saturating_add(more as u64))
    }

    /// How long a request may wait for a compute thread.
    pub fn queue_timeout(&self) -> Duration {
        Duration::from_secs(self.queue_timeout_seconds)
    }

    /// How long finished jobs are kept.
    pub fn job_age(&self) -> Duration {
        Duration::from_secs(self.job_hours.saturating_mul(3600))
    }

    /// How long an answer may stay unread.
    pub fn write_timeout(&self) -> Duration {
        Duration::from_secs(self.write_timeout_seconds)
    }

    /// How long stopping may take.
    pub fn drain_timeout(&self) -> Duration {
        Duration::from_secs(self.drain_timeout_seconds)
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not TOML, or has a field that is not known.
    #[error("the configuration cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// Everybody could use the service.
    #[error(
        "without a key the service listens on a loopback address only, not on {listen}: add a [[tenants]] entry, or start it on 127.0.0.1 and make a key with `blindrelay api-key create`"
    )]
    OpenToTheNetwork {
        /// The address.
        listen: SocketAddr,
    },
    /// Keys and ciphertexts would travel in the clear.
    #[error(
        "without TLS the service listens on a loopback address only, not on {listen}: add [tls] with certificate and key, or allow_plain_http = true behind a proxy"
    )]
    PlainToTheNetwork {
        /// The address.
        listen: SocketAddr,
    },
    /// Strangers could read the load of the service.
    #[error(
        "telemetry is served to everybody who can connect, so on a loopback address only, not on {listen}: add telemetry.allow_any_address = true in a network that is trusted"
    )]
    TelemetryToTheNetwork {
        /// The address.
        listen: SocketAddr,
    },
    /// Where traces go, or how many.
    #[error("telemetry.traces: {reason}")]
    Traces {
        /// What is wrong.
        reason: String,
    },
    /// A variable of the environment.
    #[error("{reason}")]
    Variable {
        /// Which one, and what is wrong with it.
        reason: String,
    },
    /// A tenant's name.
    #[error("tenant number {number}: the name '{name}' is not 1 to 64 characters of a-z, 0-9 and '-'")]
    TenantName {
        /// Which entry, from 1.
        number: usize,
        /// The name.
        name: String,
    },
    /// A key's digest.
    #[error("tenant '{name}': key_sha256 is 64 lower-case hexadecimal digits")]
    KeyDigest {
        /// The tenant.
        name: String,
    },
    /// Two entries have the same key.
    #[error("tenant '{name}': another entry has the same key")]
    RepeatedKey {
        /// The tenant of the second entry.
        name: String,
    },
    /// A sunset that is no day.
    #[error("sunset.{name} is '{found}', not a day such as 2027-06-01")]
    SunsetDay {
        /// Name of the parameter set.
        name: String,
        /// What is written there.
        found: String,
    },
    /// A sunset of parameters that nobody knows.
    #[error("sunset.{name}: no operator uses parameters of this name; GET /v1/parameters lists those that are in use")]
    SunsetName {
        /// The name.
        name: String,
    },
    /// A limit of zero that would stop everything.
    #[error("limits.{field} must not be 0")]
    Zero {
        /// Name of the field.
        field: &'static str,
    },
    /// A body could never be received.
    #[error("limits.upload_bytes is {upload}, less than limits.max_body_bytes, {body}")]
    Uploads {
        /// Bytes of all bodies at the same time.
        upload: usize,
        /// Bytes of one.
        body: usize,
    },
    /// More compute threads than make sense.
    #[error("limits.compute_threads is {found}, at most {limit} are possible")]
    Threads {
        /// How many were asked for.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

const MAX_THREADS: usize = 4096;

/// Digests of keys are no secrets, but nobody needs them where a configuration is shown.
fn left_out<T, S: Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("left out")
}

impl Config {
    /// The configuration that a TOML text says, checked. What it leaves out has its default.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// The same where variables of the environment, names with their texts, stand over the file: `BLINDRELAY_` with the name of a field, or of a section, `__` and a field
    /// in it, in capitals. Variables of other names are passed over; one that names no field, or has a text that its field does not take, is refused by its name.
    pub fn from_toml_and_variables(
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let ours: Vec<_> = variables.into_iter().filter(|(name, _)| name.starts_with(variables::PREFIX)).collect();
        if ours.is_empty() {
            // Errors of a file alone say where in it they are.
            return Self::from_toml(text);
        }
        let config: Self = variables::read(text, ours)?;
        config.check()?;
        Ok(config)
    }

    /// Refuses what cannot be meant.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.tls.is_none() && !self.allow_plain_http && !self.listen.ip().is_loopback() {
            return Err(ConfigError::PlainToTheNetwork { listen: self.listen });
        }
        if let Some(listen) = self.telemetry.exposed() {
            return Err(ConfigError::TelemetryToTheNetwork { listen });
        }
        if let Some(reason) = self.telemetry.traces.fault() {
            return Err(ConfigError::Traces { reason });
        }
        self.keys()?;
        self.sunsets()?;
        let limits = &self.limits;
        let positive = [
            ("max_body_bytes", limits.max_body_bytes as u64),
            ("connections", limits.connections as u64),
            ("header_timeout_seconds", limits.header_timeout_seconds),
            ("body_timeout_seconds", limits.body_timeout_seconds),
            ("body_bytes_per_second", limits.body_bytes_per_second as u64),
            ("queue_timeout_seconds", limits.queue_timeout_seconds),
            ("write_timeout_seconds", limits.write_timeout_seconds),
            ("rooms_per_tenant", limits.rooms_per_tenant as u64),
            ("bytes_per_tenant", limits.bytes_per_tenant),
        ];
        if let Some((field, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero { field });
        }
        if limits.upload_bytes < limits.max_body_bytes {
            return Err(ConfigError::Uploads { upload: limits.upload_bytes, body: limits.max_body_bytes });
        }
        if limits.compute_threads > MAX_THREADS {
            return Err(ConfigError::Threads { found: limits.compute_threads, limit: MAX_THREADS });
        }
        Ok(())
    }

    /// From when on nothing new is made with which parameters.
    pub(crate) fn sunsets(&self) -> Result<Vec<(&str, UnixMillis)>, ConfigError> {
        let moment = |(name, day): (&String, &String)| {
            let moment = format!("{day}T00:00:00.000Z").parse::<blindrelay_trust::UnixMillis>();
            let refused = |_| ConfigError::SunsetDay { name: name.clone(), found: day.escape_default().to_string() };
            moment.map(|at| UnixMillis(at.get())).map_err(refused)
        };
        self.sunset.iter().map(|entry| Ok((entry.0.as_str(), moment(entry)?))).collect()
    }

    /// The digests of all keys with their tenants.
    pub(crate) fn keys(&self) -> Result<Vec<ConfiguredKey>, ConfigError> {
        let mut seen = BTreeSet::new();
        let mut known = |name: &str, digest: &str| {
            let digest: BodyDigest = digest.parse().map_err(|_| ConfigError::KeyDigest { name: name.to_owned() })?;
            if seen.insert(digest) { Ok(digest) } else { Err(ConfigError::RepeatedKey { name: name.to_owned() }) }
        };
        let mut keys = Vec::new();
        for (index, TenantConfig { name, key_sha256 }) in self.tenants.iter().enumerate() {
            let tenant =
                TenantId::new(name).ok_or_else(|| ConfigError::TenantName { number: index + 1, name: name.clone() })?;
            keys.push(ConfiguredKey { digest: known(name, key_sha256)?, tenant: Some(tenant) });
        }
        if let Some(digest) = &self.admin_key_sha256 {
            keys.push(ConfiguredKey { digest: known("the administrator", digest)?, tenant: None });
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYED: &str = "listen = \"0.0.0.0:443\"\nallow_plain_http = true\n[[tenants]]\nname = \"acme\"\nkey_sha256 = \
        \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n[limits]\nqueue_length = 7\n";

    #[test]
    fn a_file_changes_only_what_it_names() {
        assert_eq!(Config::from_toml("").unwrap(), Config::default());
        let config = Config::from_toml(KEYED).unwrap();
        assert_eq!(config.listen, SocketAddr::from(([0, 0, 0, 0], 443)));
        assert_eq!(config.limits, Limits { queue_length: 7, ..Limits::default() });
        let keys = config.keys().unwrap();
        let [key] = keys.as_slice() else { panic!("{keys:?}") };
        assert_eq!((key.digest, key.tenant.clone()), (BodyDigest::of(b""), TenantId::new("acme")));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_plain_words() {
        let digest = BodyDigest::of(b"key");
        let entry = |name: &str| format!("[[tenants]]\nname = \"{name}\"\nkey_sha256 = \"{digest}\"\n");
        let cases = [
            ("listen = \"0.0.0.0:80\"".to_owned(), "add [tls] with certificate and key"),
            ("[telemetry]\nlisten = \"0.0.0.0:9437\"".to_owned(), "telemetry.allow_any_address"),
            ("[telemetry]\nlog_format = \"xml\"".to_owned(), "unknown variant"),
            ("[telemetry.traces]\nshare = 1.5".to_owned(), "share is 1.5"),
            ("[telemetry.traces]\nendpoint = \"127.0.0.1:4318\"".to_owned(), "endpoint is an address"),
            ("lisen = \"127.0.0.1:80\"".to_owned(), "unknown field"),
            ("[limits]\nqueue_lenght = 1".to_owned(), "unknown field"),
            ("[sunset]\nmatch-2048 = \"June\"".to_owned(), "sunset.match-2048 is 'June'"),
            ("[sunset]\nmatch-2048 = \"2027-02-30\"".to_owned(), "not a day"),
            ("[limits]\nconnections = 0".to_owned(), "limits.connections must not be 0"),
            ("[limits]\nbody_timeout_seconds = 0".to_owned(), "limits.body_timeout_seconds must not be 0"),
            ("[limits]\ncompute_threads = 100000".to_owned(), "at most 4096"),
            (entry("No Body"), "'No Body' is not"),
            (format!("admin_key_sha256 = \"{digest}\"\n") + &entry("a"), "tenant 'the administrator'"),
            (entry("a") + &entry("b"), "tenant 'b': another entry has the same key"),
            ("[[tenants]]\nname = \"a\"\nkey_sha256 = \"secret\"".to_owned(), "64 lower-case"),
        ];
        for (text, expected) in cases {
            let message = Config::from_toml(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
