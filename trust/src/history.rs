//! The history of a service's signing keys: who trusts one of them can follow to the newest.
//!
//! Every entry is signed by the key that it introduces and, from the second on, by the key before it. Both signatures cover the identity of the former
//! key, the public key and the time from which it is valid. A key is retired at the moment when its successor becomes valid.

mod check;
mod follow;
mod json;

pub use json::MAX_HISTORY_BYTES;

use crate::error::{HistoryError, RevocationFault, SignError};
use crate::id::KeyId;
use crate::key::SigningKey;
use crate::signature::{PublicKey, Purpose, Signature};
use crate::time::UnixMillis;

/// Most keys of a history.
pub const MAX_KEYS: usize = 256;

/// Longest reason of a revocation, in bytes.
pub const MAX_REASON_BYTES: usize = 200;

/// A key of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    id: KeyId,
    former: Option<KeyId>,
    public_key: PublicKey,
    valid_from: UnixMillis,
    retired_at: Option<UnixMillis>,
    own_signature: Signature,
    former_signature: Option<Signature>,
    revocation: Option<Revocation>,
}

/// The end of trust in a key, signed by a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    revoked_at: UnixMillis,
    reason: String,
    by: KeyId,
    signature: Signature,
}

impl Revocation {
    /// When it was made.
    pub const fn revoked_at(&self) -> UnixMillis {
        self.revoked_at
    }

    /// Why, in the words of the service's operator: 1 to [`MAX_REASON_BYTES`] bytes.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The key that signed it.
    pub const fn by(&self) -> KeyId {
        self.by
    }

    /// Revoked key, signing key, time, reason.
    fn signed_bytes(revoked: &KeyId, by: &KeyId, revoked_at: UnixMillis, reason: &str) -> Vec<u8> {
        [revoked.as_bytes().as_slice(), by.as_bytes(), &revoked_at.get().to_le_bytes(), reason.as_bytes()].concat()
    }

    fn reason_fault(reason: &str) -> Option<RevocationFault> {
        let fits = (1..=MAX_REASON_BYTES).contains(&reason.len()) && !reason.chars().any(char::is_control);
        (!fits).then_some(RevocationFault::Reason { found: reason.len() })
    }
}

impl KeyEntry {
    /// SHA-256 of the public key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The public key.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The first moment at which it signs.
    pub const fn valid_from(&self) -> UnixMillis {
        self.valid_from
    }

    /// The first moment at which it does not sign any more; `None` for the newest key.
    pub const fn retired_at(&self) -> Option<UnixMillis> {
        self.retired_at
    }

    /// The end of trust in it, if there is one.
    pub const fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }

    /// Former key (zeros for none), public key, time.
    fn signed_bytes(former: Option<KeyId>, public_key: &PublicKey, valid_from: UnixMillis) -> Vec<u8> {
        let former = former.map_or([0; 32], |former| *former.as_bytes());
        [former.as_slice(), public_key.as_bytes(), &valid_from.get().to_le_bytes()].concat()
    }

    fn introduce(key: &SigningKey, former: Option<&SigningKey>) -> Result<Self, SignError> {
        let identity = key.identity();
        let (public_key, valid_from) = (identity.public_key().clone(), identity.made_at());
        let bytes = Self::signed_bytes(key.former(), &public_key, valid_from);
        Ok(Self {
            id: identity.id(),
            former: key.former(),
            own_signature: key.sign_bytes(Purpose::Key, &bytes)?,
            former_signature: former.map(|former| former.sign_bytes(Purpose::Succession, &bytes)).transpose()?,
            public_key,
            valid_from,
            retired_at: None,
            revocation: None,
        })
    }
}

/// One to [`MAX_KEYS`] keys, oldest first. Order, times and all signatures were checked when it was made. That shows that it is whole, not whose it is:
/// [`KeyHistory::verify_chain`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHistory {
    entries: Vec<KeyEntry>,
}

impl KeyHistory {
    /// The history of a first key.
    pub fn begin(first: &SigningKey) -> Result<Self, SignError> {
        Ok(Self { entries: vec![KeyEntry::introduce(first, None)?] })
    }

    /// The keys, oldest first.
    pub fn entries(&self) -> &[KeyEntry] {
        &self.entries
    }

    /// The key that signs now.
    pub fn newest(&self) -> &KeyEntry {
        match self.entries.last() {
            Some(newest) => newest,
            None => unreachable!("a history has at least one key"),
        }
    }

    /// The entry of a key.
    pub fn get(&self, id: &KeyId) -> Option<&KeyEntry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }

    /// With another key at its end, which was made by [`SigningKey::successor`] of the newest one. The newest key is retired when that one was made.
    pub fn succeed(&self, newest: &SigningKey, successor: &SigningKey) -> Result<Self, HistoryError> {
        let entry = KeyEntry::introduce(successor, Some(newest))?;
        let mut entries = self.entries.clone();
        if let Some(last) = entries.last_mut() {
            last.retired_at = Some(entry.valid_from);
        }
        entries.push(entry);
        Self::checked(entries)
    }

    /// With the end of trust in `revoked`, signed by a later key.
    pub fn revoke(
        &self,
        revoked: &KeyId,
        by: &SigningKey,
        revoked_at: UnixMillis,
        reason: &str,
    ) -> Result<Self, HistoryError> {
        let signer = by.identity().id();
        let bytes = Revocation::signed_bytes(revoked, &signer, revoked_at, reason);
        let signature = by.sign_bytes(Purpose::Revocation, &bytes)?;
        let fault = |fault| Err(HistoryError::Revocation { key: *revoked, fault });
        let mut entries = self.entries.clone();
        match entries.iter_mut().find(|entry| entry.id == *revoked) {
            None => return Err(HistoryError::UnknownKey { key: *revoked }),
            Some(KeyEntry { revocation: Some(earlier), .. }) => {
                return fault(RevocationFault::Repeated { revoked_at: earlier.revoked_at });
            }
            Some(entry) => {
                entry.revocation = Some(Revocation { revoked_at, reason: reason.to_owned(), by: signer, signature });
            }
        }
        Self::checked(entries)
    }
}
