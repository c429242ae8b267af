//! The canonical JSON of a history: what a service serves and clients keep.

use serde::{Deserialize, Serialize};

use super::{KeyEntry, KeyHistory, MAX_KEYS, Revocation};
use crate::error::HistoryError;
use crate::hex::to_hex;
use crate::id::KeyId;
use crate::signature::{PublicKey, Signature};

const FORMAT: &str = "blindrelay-key-history/1";

/// Longest history in bytes: 32 KiB for each key.
pub const MAX_HISTORY_BYTES: usize = MAX_KEYS << 15;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryText {
    format: String,
    keys: Vec<EntryText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    id: String,
    former: Option<String>,
    public_key: String,
    valid_from: String,
    retired_at: Option<String>,
    own_signature: String,
    former_signature: Option<String>,
    revocation: Option<RevocationText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationText {
    revoked_at: String,
    reason: String,
    by: String,
    signature: String,
}

impl KeyHistory {
    /// The canonical JSON: one line without spaces, fields in the order of `docs/receipts.md`.
    pub fn to_json(&self) -> Result<String, HistoryError> {
        let text = HistoryText { format: FORMAT.to_owned(), keys: self.entries.iter().map(EntryText::from).collect() };
        serde_json::to_string(&text).map_err(|error| malformed(&error))
    }

    /// The history that a text holds. Refused where it is longer than [`MAX_HISTORY_BYTES`], not the canonical JSON, or no history: keys out of order, gaps,
    /// overlaps, wrong signatures.
    pub fn from_json(text: &str) -> Result<Self, HistoryError> {
        if text.len() > MAX_HISTORY_BYTES {
            return Err(HistoryError::TooLong { found: text.len() });
        }
        let parsed: HistoryText = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        if parsed.format != FORMAT {
            return Err(HistoryError::Format { reason: format!("the field `format` is not {FORMAT}") });
        }
        if parsed.keys.len() > MAX_KEYS {
            return Err(HistoryError::KeyCount { found: parsed.keys.len() });
        }
        let keys = parsed.keys.into_iter().enumerate();
        let entries = keys.map(|(index, entry)| entry.parse(index)).collect::<Result<_, _>>()?;
        // What is compared is the text, so that a wrong id of a key, which is derived, is found too.
        let unchecked = Self { entries };
        if unchecked.to_json()? != text {
            return Err(HistoryError::NotCanonical);
        }
        Self::checked(unchecked.entries)
    }
}

fn malformed(error: &serde_json::Error) -> HistoryError {
    HistoryError::Format { reason: error.to_string() }
}

impl From<&KeyEntry> for EntryText {
    fn from(entry: &KeyEntry) -> Self {
        let signature = |signature: &Signature| to_hex(signature.as_bytes());
        Self {
            id: entry.id.to_string(),
            former: entry.former.map(|former| former.to_string()),
            public_key: to_hex(entry.public_key.as_bytes()),
            valid_from: entry.valid_from.to_string(),
            retired_at: entry.retired_at.map(|retired_at| retired_at.to_string()),
            own_signature: signature(&entry.own_signature),
            former_signature: entry.former_signature.as_ref().map(signature),
            revocation: entry.revocation.as_ref().map(|revocation| RevocationText {
                revoked_at: revocation.revoked_at.to_string(),
                reason: revocation.reason.clone(),
                by: revocation.by.to_string(),
                signature: signature(&revocation.signature),
            }),
        }
    }
}

impl EntryText {
    fn parse(self, index: usize) -> Result<KeyEntry, HistoryError> {
        let refused = |field: &str| HistoryError::Format { reason: format!("entry {index}: the field `{field}`") };
        let key = |field, text: &str| text.parse::<KeyId>().map_err(|_| refused(field));
        let time = |field, text: &str| text.parse().map_err(|_| refused(field));
        let signature = |field, text: &str| Signature::from_hex(text).ok_or_else(|| refused(field));
        let public_key = PublicKey::from_hex(&self.public_key).ok_or_else(|| refused("public_key"))?;
        let revocation = |text: RevocationText| -> Result<Revocation, HistoryError> {
            Ok(Revocation {
                revoked_at: time("revoked_at", &text.revoked_at)?,
                by: key("by", &text.by)?,
                signature: signature("signature", &text.signature)?,
                reason: text.reason,
            })
        };
        Ok(KeyEntry {
            id: public_key.id(),
            former: self.former.map(|text| key("former", &text)).transpose()?,
            public_key,
            valid_from: time("valid_from", &self.valid_from)?,
            retired_at: self.retired_at.map(|text| time("retired_at", &text)).transpose()?,
            own_signature: signature("own_signature", &self.own_signature)?,
            former_signature: self.former_signature.map(|text| signature("former_signature", &text)).transpose()?,
            revocation: self.revocation.map(revocation).transpose()?,
        })
    }
}
