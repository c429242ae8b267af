//! Evaluation keys.

use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::{Expected, Payload, Request};
use crate::moment::UnixMillis;
use crate::{Client, Error, names};

/// How long evaluation keys may be used. The first upload says so for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyTerms {
    /// Which of their owner's keys they are, counted from 0; 0 if nothing is said.
    pub epoch: Option<u64>,
    /// From when on they must not be used; never if nothing is said.
    pub expires: Option<UnixMillis>,
}

/// What the service says of a set of evaluation keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeySet {
    /// SHA-256 of the keys' bytes in 64 hexadecimal digits.
    pub digest: String,
    /// The name of the parameter set.
    pub parameters: String,
    /// Length of the keys.
    pub bytes: u64,
    /// Whether there is a relinearization key.
    #[serde(default)]
    pub relinearization: bool,
    /// The automorphisms for which there are keys.
    #[serde(default)]
    pub galois_elements: Vec<u32>,
    /// Which of their owner's keys they are, counted from 0.
    #[serde(default)]
    pub epoch: u64,
    /// From when on they must not be used.
    #[serde(default)]
    pub expires: Option<UnixMillis>,
    /// Since when they are out of use.
    #[serde(default)]
    pub revoked: Option<UnixMillis>,
}

impl Client {
    /// Uploads evaluation keys under their digest, the SHA-256 of `keys` in 64 lower-case hexadecimal digits; harmless when repeated. Keys that are there
    /// already keep the terms that they have, which the answer tells. `sent` is told how many bytes are on their way, from 0 again in every attempt.
    pub fn upload_keys(&self, digest: &str, keys: &[u8], terms: KeyTerms, sent: impl Fn(u64)) -> Result<KeySet, Error> {
        let epoch = terms.epoch.map(|epoch| format!("epoch={epoch}"));
        let expires = terms.expires.map(|UnixMillis(expires)| format!("expires={expires}"));
        let query: Vec<String> = epoch.into_iter().chain(expires).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let request = Request::new(Method::PUT, format!("/v1/keys/{}{query}", names::digest(digest)?));
        self.json(&request.payload(Payload::Watched(keys, &sent)))
    }

    /// Looks at evaluation keys.
    pub fn keys(&self, digest: &str) -> Result<KeySet, Error> {
        self.json(&Request::new(Method::GET, format!("/v1/keys/{}", names::digest(digest)?)))
    }

    /// Takes evaluation keys out of use for good: no service computes with them from now on.
    pub fn revoke_keys(&self, digest: &str) -> Result<KeySet, Error> {
        self.json(&Request::new(Method::POST, format!("/v1/keys/{}/revoke", names::digest(digest)?)).repeatable())
    }

    /// Deletes evaluation keys that no room, meter or panel uses.
    pub fn delete_keys(&self, digest: &str) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, format!("/v1/keys/{}", names::digest(digest)?));
        self.perform(&request.expecting(Expected::Nothing)).map(drop)
    }
}
