//! The keys that leave the tenant: the service's and the relay's.

use std::fmt;

use tfhe::conformance::ParameterSetConformant;
use tfhe::integer;
use tfhe::named::Named;
use tfhe::safe_serialization::{DeserializationConfig, safe_serialize};
use tfhe::{CompactPublicKey, CompressedServerKey, Unversionize, Versionize};

use super::error::{Fault, WireError};
use super::parameters;
use super::wire::{self, KEY_BYTES_LIMIT, Kind, PUBLIC_KEY_BYTES_LIMIT};

/// What the service computes totals with: bootstrapping and key-switching key. It opens nothing.
pub struct ServerKey(integer::ServerKey);

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tiers::ServerKey(..)")
    }
}

impl ServerKey {
    /// Expands a compressed key (about 120 MB), after a check that it belongs to [`PARAMETERS`](super::PARAMETERS).
    pub fn expand(key: &CompressedServerKey) -> Result<Self, WireError> {
        if !key.is_conformant(&parameters::config().into()) {
            return Err(WireError::Content { kind: Kind::ServerKey, fault: Fault::OtherParameters });
        }
        Ok(Self(key.decompress().into_raw_parts().0))
    }

    /// Reads and expands a key that [`compressed_key_to_bytes`](Self::compressed_key_to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let content = wire::read(Kind::ServerKey, bytes, KEY_BYTES_LIMIT)?;
        Self::expand(&read_object(Kind::ServerKey, content)?)
    }

    /// The message of a compressed key, about 30 MB.
    pub fn compressed_key_to_bytes(key: &CompressedServerKey) -> Result<Vec<u8>, WireError> {
        write_object(Kind::ServerKey, key, KEY_BYTES_LIMIT)
    }

    pub(super) fn integers(&self) -> &integer::ServerKey {
        &self.0
    }

    pub(super) fn blocks(&self) -> &tfhe::shortint::ServerKey {
        self.0.as_ref()
    }
}

/// What usage and private tables are encrypted under. Whoever has it can encrypt and open nothing.
pub struct PublicKey(CompactPublicKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tiers::PublicKey(..)")
    }
}

impl PublicKey {
    /// Takes a key, after a check that it belongs to [`PARAMETERS`](super::PARAMETERS).
    pub fn new(key: CompactPublicKey) -> Result<Self, WireError> {
        let conformant = parameters::public_key().is_some_and(|expected| key.is_conformant(&expected));
        if conformant {
            Ok(Self(key))
        } else {
            Err(WireError::Content { kind: Kind::PublicKey, fault: Fault::OtherParameters })
        }
    }

    /// Reads a key that [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let content = wire::read(Kind::PublicKey, bytes, PUBLIC_KEY_BYTES_LIMIT)?;
        Self::new(read_object(Kind::PublicKey, content)?)
    }

    /// The message of the key, about 33 kB.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        write_object(Kind::PublicKey, &self.0, PUBLIC_KEY_BYTES_LIMIT)
    }

    pub(super) fn integers(&self) -> integer::CompactPublicKey {
        self.0.clone().into_raw_parts().0
    }
}

/// Writes an object in the `tfhe` crate's versioned encoding, framed.
fn write_object<T: serde::Serialize + Versionize + Named>(
    kind: Kind,
    object: &T,
    limit: usize,
) -> Result<Vec<u8>, WireError> {
    let mut content = Vec::new();
    safe_serialize(object, &mut content, limit as u64)
        .map_err(|error| WireError::Encoding { kind, reason: error.to_string() })?;
    Ok(wire::write(kind, &content))
}

/// Reads one object that fills the content. The crate allocates no more than the content's own length; conformance is the caller's.
fn read_object<T: serde::de::DeserializeOwned + Unversionize + Named>(
    kind: Kind,
    content: &[u8],
) -> Result<T, WireError> {
    let mut rest = content;
    let object = DeserializationConfig::new(content.len() as u64)
        .disable_conformance()
        .deserialize_from(&mut rest)
        .map_err(|reason| WireError::Content { kind, fault: Fault::Unreadable(reason) })?;
    if !rest.is_empty() {
        let (expected, found) = (content.len() - rest.len(), content.len());
        return Err(WireError::TrailingBytes { expected, found });
    }
    Ok(object)
}
