//! A receipt with its signature.

use super::codec::Reader;
use super::{Inclusion, MIN_RECEIPT_BYTES, Receipt};
use crate::error::{FormatError, ReceiptError};
use crate::history::{KeyEntry, KeyHistory};
use crate::id::ReceiptId;
use crate::signature::{Purpose, SIGNATURE_BYTES, Signature};
use crate::time::UnixMillis;

const ALONE: u8 = 0;
const IN_BATCH: u8 = 1;

/// A receipt with a signature of its own, or with its place in a batch that was signed as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedReceipt {
    receipt: Receipt,
    inclusion: Option<Inclusion>,
    signature: Signature,
}

/// A receipt whose signature was checked, and the entry of the key that made it.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    receipt: &'a Receipt,
    key: &'a KeyEntry,
}

impl<'a> Verified<'a> {
    /// What the service said.
    pub const fn receipt(&self) -> &'a Receipt {
        self.receipt
    }

    /// The key that signed it.
    pub const fn key(&self) -> &'a KeyEntry {
        self.key
    }
}

impl SignedReceipt {
    /// The shortest, in bytes.
    pub const MIN_BYTES: usize = MIN_RECEIPT_BYTES + 1 + SIGNATURE_BYTES;

    /// The longest, in bytes: the longest receipt in a batch of the greatest size, with 16 hashes.
    pub const MAX_BYTES: usize = super::MAX_RECEIPT_BYTES + 1 + 8 + 16 * 32 + SIGNATURE_BYTES;

    pub(crate) const fn new(receipt: Receipt, signature: Signature) -> Self {
        Self { receipt, inclusion: None, signature }
    }

    pub(crate) const fn in_batch(receipt: Receipt, inclusion: Inclusion, signature: Signature) -> Self {
        Self { receipt, inclusion: Some(inclusion), signature }
    }

    /// What the service says. Before [`SignedReceipt::verify`] anybody may have written it.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Its place, where it was signed in a batch.
    pub const fn inclusion(&self) -> Option<&Inclusion> {
        self.inclusion.as_ref()
    }

    /// The signature.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The id of the receipt.
    pub fn id(&self) -> ReceiptId {
        self.receipt.id()
    }

    /// Its only encoding: the receipt, how it was signed, the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.receipt.to_bytes();
        match &self.inclusion {
            None => bytes.push(ALONE),
            Some(inclusion) => {
                bytes.push(IN_BATCH);
                inclusion.write(&mut bytes);
            }
        }
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes
    }

    /// The receipt that these bytes encode, all of them. The signature is not checked yet.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let receipt = Receipt::read(&mut reader)?;
        let inclusion = match reader.take()? {
            [ALONE] => None,
            [IN_BATCH] => Some(Inclusion::read(&mut reader)?),
            &[found] => return Err(FormatError::Form { found }),
        };
        let signature = Signature::from_bytes(*reader.take()?);
        reader.finish()?;
        Ok(Self { receipt, inclusion, signature })
    }

    /// Checks the signature against the key that the receipt names.
    ///
    /// Refused where the history does not have the key, where it was not made yet or was retired at the receipt's time, where it was revoked (at any
    /// time: who has a stolen key writes whatever time it likes), and where the signature is wrong. The history has to be trusted already:
    /// [`KeyHistory::verify_chain`].
    pub fn verify<'a>(&'a self, keys: &'a KeyHistory) -> Result<Verified<'a>, ReceiptError> {
        let verified = self.verify_unless_revoked(keys)?;
        match verified.key.revocation() {
            None => Ok(verified),
            Some(_) => Err(self.revoked(verified.key)),
        }
    }

    /// As [`SignedReceipt::verify`], for who noted when it received the receipt: a key that was revoked later than that is accepted.
    pub fn verify_received<'a>(
        &'a self,
        keys: &'a KeyHistory,
        received: UnixMillis,
    ) -> Result<Verified<'a>, ReceiptError> {
        let verified = self.verify_unless_revoked(keys)?;
        match verified.key.revocation() {
            Some(revocation) if self.receipt.time.max(received) >= revocation.revoked_at() => {
                Err(self.revoked(verified.key))
            }
            _ => Ok(verified),
        }
    }

    fn verify_unless_revoked<'a>(&'a self, keys: &'a KeyHistory) -> Result<Verified<'a>, ReceiptError> {
        let (key, time) = (self.receipt.key, self.receipt.time);
        let entry = keys.get(&key).ok_or(ReceiptError::UnknownKey { key })?;
        if time < entry.valid_from() {
            return Err(ReceiptError::NotYetValid { key, time, valid_from: entry.valid_from() });
        }
        if let Some(retired_at) = entry.retired_at().filter(|&retired_at| time >= retired_at) {
            return Err(ReceiptError::Retired { key, time, retired_at });
        }
        let receipt = self.receipt.to_bytes();
        let checked = match &self.inclusion {
            None => entry.public_key().verify(Purpose::Receipt, &receipt, &self.signature),
            Some(place) => entry.public_key().verify(Purpose::Batch, &place.head(&receipt), &self.signature),
        };
        checked.map_err(|_| ReceiptError::Signature { key })?;
        Ok(Verified { receipt: &self.receipt, key: entry })
    }

    fn revoked(&self, entry: &KeyEntry) -> ReceiptError {
        let (revoked_at, reason) = entry
            .revocation()
            .map_or((UnixMillis::MAX, ""), |revocation| (revocation.revoked_at(), revocation.reason()));
        ReceiptError::Revoked { key: self.receipt.key, time: self.receipt.time, revoked_at, reason: reason.to_owned() }
    }
}
