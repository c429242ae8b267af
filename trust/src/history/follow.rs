//! From a key that is trusted to the newest one, and from a history that was kept to one that is served now.

use super::{KeyEntry, KeyHistory};
use crate::error::{ExtensionError, TrustError};
use crate::id::KeyId;

impl KeyHistory {
    /// Follows the chain from a trusted key to the newest, which is returned.
    ///
    /// Refused where the history does not have the trusted key, and where it or a key after it, the newest aside, was revoked: a thief of that key could have
    /// named another successor. Keys before the trusted one are vouched for by it, since every entry names its former key under its own signature.
    pub fn verify_chain(&self, trusted: &KeyId) -> Result<&KeyEntry, TrustError> {
        let mut newest = None;
        let mut path = self.entries.iter().skip_while(|entry| entry.id != *trusted).peekable();
        while let Some(entry) = path.next() {
            if let (Some(revocation), Some(_)) = (&entry.revocation, path.peek()) {
                return Err(TrustError::RevokedOnPath { key: entry.id, revoked_at: revocation.revoked_at });
            }
            newest = Some(entry);
        }
        newest.ok_or_else(|| TrustError::UnknownKey { trusted: *trusted, newest: self.newest().id })
    }

    /// Whether this history continues one that was kept: the same keys with the same times, the same revocations, and perhaps more of both at the end.
    /// Refused where it is shorter, where another key stands in a place, or where the past was changed.
    pub fn extends(&self, older: &Self) -> Result<(), ExtensionError> {
        for (index, (kept, found)) in older.entries.iter().zip(&self.entries).enumerate() {
            if kept.id != found.id {
                return Err(ExtensionError::Fork { index, kept: kept.id, found: found.id });
            }
            if kept.valid_from != found.valid_from {
                let (kept, found, key) = (kept.valid_from, found.valid_from, kept.id);
                return Err(ExtensionError::Changed { key, kept, found });
            }
            // Signatures are hedged: the same revocation signed again is the same revocation.
            let said = |entry: &KeyEntry| {
                entry.revocation.as_ref().map(|said| (said.revoked_at, said.reason.clone(), said.by))
            };
            if kept.revocation.is_some() && said(kept) != said(found) {
                return Err(ExtensionError::Revocation { key: kept.id });
            }
        }
        if self.entries.len() < older.entries.len() {
            return Err(ExtensionError::Shorter { kept: older.entries.len(), found: self.entries.len() });
        }
        Ok(())
    }
}
