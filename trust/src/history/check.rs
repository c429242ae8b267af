//! What makes a list of keys a history.

use std::collections::BTreeSet;

use super::{KeyEntry, KeyHistory, MAX_KEYS, Revocation};
use crate::error::{HistoryError, HistorySignature, RevocationFault, ValidityFault};
use crate::signature::Purpose;

impl KeyHistory {
    /// The entries as a history. Refused where one does not follow the one before it, where times leave a gap or overlap, or where a signature is wrong.
    pub(super) fn checked(entries: Vec<KeyEntry>) -> Result<Self, HistoryError> {
        if !(1..=MAX_KEYS).contains(&entries.len()) {
            return Err(HistoryError::KeyCount { found: entries.len() });
        }
        let mut keys = BTreeSet::new();
        if let Some(twice) = entries.iter().find(|entry| !keys.insert(entry.id)) {
            return Err(HistoryError::Repeated { key: twice.id });
        }
        let formers = std::iter::once(None).chain(entries.iter().map(Some));
        for (index, (entry, former)) in entries.iter().zip(formers).enumerate() {
            check_link(index, entry, former)?;
        }
        if let Some(retired_at) = entries.last().and_then(|newest| newest.retired_at) {
            let fault = ValidityFault::RetiredLast { retired_at };
            return Err(HistoryError::Validity { index: entries.len() - 1, fault });
        }
        for (index, entry) in entries.iter().enumerate() {
            if let Some(revocation) = &entry.revocation {
                check_revocation(index, entry, revocation, entries.get(index + 1..).unwrap_or_default())?;
            }
        }
        Ok(Self { entries })
    }
}

fn check_link(index: usize, entry: &KeyEntry, former: Option<&KeyEntry>) -> Result<(), HistoryError> {
    let expected = former.map(|former| former.id);
    if entry.former != expected {
        return Err(HistoryError::Link { index, expected, found: entry.former });
    }
    if let Some(former) = former {
        check_times(former, entry).map_err(|fault| HistoryError::Validity { index, fault })?;
    }
    let bytes = KeyEntry::signed_bytes(entry.former, &entry.public_key, entry.valid_from);
    let wrong = |which| HistoryError::Signature { index, which };
    entry.public_key.verify(Purpose::Key, &bytes, &entry.own_signature).map_err(|_| wrong(HistorySignature::Own))?;
    let signed = match (former, &entry.former_signature) {
        (None, None) => true,
        (Some(former), Some(signature)) => former.public_key.verify(Purpose::Succession, &bytes, signature).is_ok(),
        _ => false,
    };
    if signed { Ok(()) } else { Err(wrong(HistorySignature::Former)) }
}

fn check_times(former: &KeyEntry, entry: &KeyEntry) -> Result<(), ValidityFault> {
    let valid_from = entry.valid_from;
    if valid_from <= former.valid_from {
        return Err(ValidityFault::Order { valid_from, former: former.valid_from });
    }
    match former.retired_at {
        Some(retired_at) if retired_at == valid_from => Ok(()),
        Some(retired_at) if retired_at < valid_from => Err(ValidityFault::Gap { valid_from, retired_at }),
        retired_at => Err(ValidityFault::Overlap { valid_from, retired_at }),
    }
}

fn check_revocation(
    index: usize,
    entry: &KeyEntry,
    revocation: &Revocation,
    later: &[KeyEntry],
) -> Result<(), HistoryError> {
    let refused = |fault| Err(HistoryError::Revocation { key: entry.id, fault });
    if let Some(fault) = Revocation::reason_fault(&revocation.reason) {
        return refused(fault);
    }
    if revocation.revoked_at < entry.valid_from {
        return refused(RevocationFault::BeforeKey { revoked_at: revocation.revoked_at });
    }
    let Some(signer) = later.iter().find(|later| later.id == revocation.by) else {
        return refused(RevocationFault::Signer { by: revocation.by });
    };
    let bytes = Revocation::signed_bytes(&entry.id, &revocation.by, revocation.revoked_at, &revocation.reason);
    signer
        .public_key
        .verify(Purpose::Revocation, &bytes, &revocation.signature)
        .map_err(|_| HistoryError::Signature { index, which: HistorySignature::Revocation })
}
