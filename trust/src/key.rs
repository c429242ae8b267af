//! The signing key of a service.

mod file;

use std::path::Path;

use aws_lc_rs::signature::{KeyPair, ML_DSA_65_SIGNING, PqdsaKeyPair};
use blindrelay_engine::ring::{SEED_BYTES, Seed};

use crate::error::{KeyFileError, SignError};
use crate::id::KeyId;
use crate::receipt::{MAX_BATCH, Receipt, SignedReceipt, Tree};
use crate::signature::{PublicKey, Purpose, SIGNATURE_BYTES, Signature};
use crate::time::UnixMillis;

/// What everybody may know of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIdentity {
    id: KeyId,
    public_key: PublicKey,
    made_at: UnixMillis,
}

impl PublicIdentity {
    /// SHA-256 of the public key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The public key.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// When the key was made.
    pub const fn made_at(&self) -> UnixMillis {
        self.made_at
    }
}

/// A secret key of ML-DSA-65. Its 32-byte seed is wiped on drop, and the library wipes what it expands from it. It is neither copied nor printed:
///
/// ```compile_fail
/// fn copy(key: &blindrelay_trust::SigningKey) -> blindrelay_trust::SigningKey { key.clone() }
/// ```
///
/// ```compile_fail
/// fn print(key: &blindrelay_trust::SigningKey) { println!("{key:?}"); }
/// ```
pub struct SigningKey {
    seed: Seed,
    pair: PqdsaKeyPair,
    identity: PublicIdentity,
    former: Option<KeyId>,
}

impl SigningKey {
    /// The first key of a service, from the operating system's randomness. Refused where the system has none to give.
    pub fn generate(made_at: UnixMillis) -> Result<Self, SignError> {
        Self::from_seed(Seed::random().map_err(|_| SignError::Randomness)?, made_at, None)
    }

    /// The key that follows this one, from fresh randomness.
    pub fn successor(&self, made_at: UnixMillis) -> Result<Self, SignError> {
        Self::from_seed(Seed::random().map_err(|_| SignError::Randomness)?, made_at, Some(self.identity.id))
    }

    /// The key of a 32-byte seed (`xi` of FIPS 204, algorithm 6).
    fn from_seed(seed: Seed, made_at: UnixMillis, former: Option<KeyId>) -> Result<Self, SignError> {
        let pair = PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, seed.as_bytes()).map_err(|_| SignError::Library)?;
        let public_key = PublicKey::from_bytes(pair.public_key().as_ref().try_into().map_err(|_| SignError::Library)?);
        let identity = PublicIdentity { id: public_key.id(), public_key, made_at };
        Ok(Self { seed, pair, identity, former })
    }

    /// Writes a new key file of mode 0600, on disk before it returns. A file that exists is refused and stays as it is.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyFileError> {
        file::write_new(path, self)
    }

    /// Reads a key file. Refused where others may read it, where it is damaged, or where it is no key file of this version.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        file::read(path)
    }

    /// The key that it follows; `None` for a first one.
    pub const fn former(&self) -> Option<KeyId> {
        self.former
    }

    /// Its public side.
    pub const fn identity(&self) -> &PublicIdentity {
        &self.identity
    }

    /// Signs a receipt. Refused where the receipt names another key, or a time before this key was made.
    pub fn sign(&self, receipt: &Receipt) -> Result<SignedReceipt, SignError> {
        self.admit(receipt)?;
        let signature = self.sign_bytes(Purpose::Receipt, &receipt.to_bytes())?;
        Ok(SignedReceipt::new(receipt.clone(), signature))
    }

    /// Signs many receipts with one signature, in their order; each can be checked without the others. One receipt alone is signed as by
    /// [`SigningKey::sign`]. Refused where one of them would be refused alone, or where there are more than [`MAX_BATCH`].
    pub fn sign_batch(&self, receipts: &[Receipt]) -> Result<Vec<SignedReceipt>, SignError> {
        match receipts {
            [] => return Ok(Vec::new()),
            [receipt] => return Ok(vec![self.sign(receipt)?]),
            _ if receipts.len() > MAX_BATCH => return Err(SignError::TooMany { found: receipts.len() }),
            _ => receipts.iter().try_for_each(|receipt| self.admit(receipt))?,
        }
        let bytes: Vec<Vec<u8>> = receipts.iter().map(Receipt::to_bytes).collect();
        let tree = Tree::new(bytes.iter().map(Vec::as_slice));
        let signature = self.sign_bytes(Purpose::Batch, &tree.head())?;
        let signed = receipts
            .iter()
            .enumerate()
            .map(|(index, receipt)| SignedReceipt::in_batch(receipt.clone(), tree.inclusion(index), signature.clone()));
        Ok(signed.collect())
    }

    fn admit(&self, receipt: &Receipt) -> Result<(), SignError> {
        if receipt.key != self.identity.id {
            return Err(SignError::OtherKey { receipt: receipt.key, signer: self.identity.id });
        }
        if receipt.time < self.identity.made_at {
            return Err(SignError::BeforeKey { time: receipt.time, made_at: self.identity.made_at });
        }
        Ok(())
    }

    /// Hedged: two signatures of the same bytes differ, and both verify.
    pub(crate) fn sign_bytes(&self, purpose: Purpose, bytes: &[u8]) -> Result<Signature, SignError> {
        let mut signature = [0; SIGNATURE_BYTES];
        let written = self.pair.sign(&purpose.message(bytes), &mut signature).map_err(|_| SignError::Library)?;
        if written == SIGNATURE_BYTES { Ok(Signature::from_bytes(signature)) } else { Err(SignError::Library) }
    }

    const fn seed(&self) -> &[u8; SEED_BYTES] {
        self.seed.as_bytes()
    }
}
