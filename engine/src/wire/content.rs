//! The name of a byte string by its content.

use sha2::{Digest, Sha256};

/// SHA-256: what names uploaded keys, records and requests, and binds an answer to its request.
///
/// Unlike the parameter digest and all derivations (SHA3-256 and SHAKE256), it is computed for every request, where SHA3 would take
/// longer than the matching itself; processors have instructions for SHA-256, and so have browsers an interface.
pub fn content_digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
