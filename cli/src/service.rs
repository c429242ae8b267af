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
        ClientError::Refused { status: 401, .. } => {
            "give the service's API key in BLINDRELAY_API_KEY or with --api-key-file"
        }
        ClientError::Refused { status: 404, .. } => "check the id; what it names may have been deleted",
        ClientError::Refused { status: 429 | 503, .. } => "the service is busy; try again in a moment",
        ClientError::Refused { status: 500..=599, .. } => "tell the service's operator, with the id if one is given",
        ClientError::Foreign { .. } => "check that the address is that of a blindrelay service",
        _ => "correct the request",
    }
}
