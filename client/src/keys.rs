//! Evaluation keys.

use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::{Payload, Request};
use crate::{Client, Error, names};

/// What the service says of uploaded evaluation keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeysReceipt {
    /// SHA-256 of the keys' bytes in 64 hexadecimal digits.
    pub digest: String,
}

impl Client {
    /// Uploads evaluation keys under their digest, the SHA-256 of `keys` in 64 lower-case hexadecimal digits; harmless when repeated. `sent` is told how many
    /// bytes are on their way, from 0 again in every attempt.
    pub fn upload_keys(&self, digest: &str, keys: &[u8], sent: impl Fn(u64)) -> Result<KeysReceipt, Error> {
        let request = Request::new(Method::PUT, format!("/v1/keys/{}", names::digest(digest)?));
        self.json(&request.payload(Payload::Watched(keys, &sent)))
    }
}
