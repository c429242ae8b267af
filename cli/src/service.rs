//! The service that a command speaks to: where it is, how it is reached, and what to do when it refuses.

use std::path::PathBuf;
use std::time::Duration;

use blindrelay_client::{Client, Error as ClientError};
use clap::Args;
use zeroize::Zeroizing;

use crate::arguments::read_text;
use crate::failure::Failure;

/// How often a request is tried: somebody waits for the outcome.
const ATTEMPTS: u32 = 3;
/// How often batches and reports on them are tried while the service is busy or away: nobody waits, and much is still to be sent.
pub(crate) const BATCH_ATTEMPTS: u32 = 8;
/// Shortest time after which a request is given up with all its repetitions.
const DEADLINE: Duration = Duration::from_mins(10);
const PROGRAM: &str = concat!("blindrelay/", env!("CARGO_PKG_VERSION"));

/// Where the service is and how it is spoken to.
#[derive(Debug, Args)]
pub(crate) struct ServiceOptions {
    /// Address of the service; addresses of several nodes of it are separated by commas
    #[arg(long, value_name = "URL", env = "BLINDRELAY_SERVICE", default_value = "http://127.0.0.1:8437")]
    service: String,
    /// File that holds the service's API key; without it, the variable `BLINDRELAY_API_KEY` is used where it is set
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// File of root certificates in PEM that are trusted beside those of this machine
    #[arg(long, value_name = "FILE", env = "BLINDRELAY_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Speak to other machines without TLS too: whoever is on the way reads the API key
    #[arg(long)]
    plain_http: bool,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    timeout: f64,
}

impl ServiceOptions {
    /// The client that these options describe.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let key = match &self.api_key_file {
            Some(path) => Some(Zeroizing::new(read_text(path)?)),
            None => std::env::var("BLINDRELAY_API_KEY").ok().map(Zeroizing::new),
        };
        let key = key.as_deref().map(|key| key.trim()).filter(|key| !key.is_empty());
        let limit = Duration::from_secs_f64(self.timeout);
        let mut urls = self.service.split(',');
        let mut builder = Client::builder(urls.next().unwrap_or_default())
            .time_limit(limit)
            .deadline(DEADLINE.max(2 * limit))
            .attempts(ATTEMPTS)
            .user_agent(PROGRAM)
            .allow_plain_http(self.plain_http);
        builder = urls.fold(builder, blindrelay_client::Builder::node);
        if let Some(key) = key {
            builder = builder.api_key(key);
        }
        if let Some(path) = &self.ca_file {
            builder = builder.root_certificates(read_text(path)?);
        }
        Ok(builder.build()?)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.001 to 86400".to_owned()),
    }
}

/// Whether the arguments were at fault, and nothing was sent.
pub(crate) const fn is_usage(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Url { .. }
            | ClientError::PlainHttp { .. }
            | ClientError::ApiKey
            | ClientError::UserAgent { .. }
            | ClientError::Certificates { .. }
            | ClientError::Argument { .. }
    )
}

/// What to do about a request that failed.
pub(crate) fn advice(error: &ClientError) -> &'static str {
    match error {
        ClientError::Url { .. } => "give an address such as http://127.0.0.1:8437",
        ClientError::PlainHttp { .. } => {
            "give an https:// address, or allow it with --plain-http where the network is protected in another way"
        }
        ClientError::ApiKey => "give the key alone, on one line",
        ClientError::Certificates { .. } => "give a file of certificates in PEM with --ca-file",
        ClientError::Unreachable { .. } | ClientError::Broken { .. } => {
            "check that the service runs there (`blindrelay serve`) and run the command again"
        }
        ClientError::Tls { .. } => {
            "check the address; if the service's certificate is of an authority of your own, name it with --ca-file"
        }
        ClientError::Timeout { .. } => "try again later, or allow more time with --timeout",
        ClientError::Refused { status, code, .. } => refusal(*status, code.as_deref().unwrap_or_default()),
        ClientError::Foreign { .. } => "check that the address is that of a blindrelay service",
        _ => "correct the request",
    }
}

/// What to do about a refusal; `code` is the service's name for it.
fn refusal(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (401, _) => {
            "give an API key that the service knows in BLINDRELAY_API_KEY or with --api-key-file; one that has expired or was revoked lets nobody in"
        }
        (_, "role-refused") => {
            "use a key of a role that may do this; an administrator makes one with `blindrelay api-key create --role ROLE`"
        }
        (_, "tenant-suspended") => "ask whoever runs the service, who ends it with `blindrelay tenant resume NAME`",
        (_, "first-key") => "make the administrator's key first: `blindrelay api-key create --role admin`",
        (_, "api-key-revoked") => "make a new key with `blindrelay api-key create`",
        (_, "keys-expired" | "keys-revoked") => {
            "make a new key file with `blindrelay keygen`, a new room or panel with it and the next --epoch, and enrol again"
        }
        (_, "quota-exceeded") => {
            "delete what is not needed any more, or ask whoever runs the service for a higher limit"
        }
        (_, "unknown-tenant") => "`blindrelay tenant list` lists tenants, `blindrelay tenant create` makes one",
        (_, "unknown-api-key") => "`blindrelay api-key list` lists keys with their ids",
        (404, _) => "check the id; what it names may have been deleted",
        (429, _) => {
            "the tenant has used what it may for now; wait that long, or ask whoever runs the service for a higher limit"
        }
        (503, _) => "the service is busy; try again in a moment",
        (500..=599, _) => "tell the service's operator, with the id if one is given",
        _ => "correct the request",
    }
}
