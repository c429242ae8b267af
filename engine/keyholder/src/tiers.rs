//! The tenant's key for cumulative tiers: made from a seed, opens totals. The service's side is `blindrelay_bridge::tiers`.

use std::fmt;

use blindrelay_bridge::tiers::{
    BLOCK_BITS, Kind, PARAMETERS, PriceWidth, PublicKey, TierTable, TotalCiphertext, WireError,
};
use blindrelay_engine::Error;
use blindrelay_engine::ring::Seed;
use tfhe::core_crypto::prelude::{GlweSecretKeyOwned, LweSecretKeyOwned};
use tfhe::shortint::client_key::atomic_pattern::{AtomicPatternClientKey, StandardAtomicPatternClientKey};
use tfhe::{CompactPublicKey, CompressedServerKey, Tag, integer, shortint};
use zeroize::{Zeroize, Zeroizing};

/// Bits of a derived seed.
const SEED_BITS: usize = 256;

/// Why a total is not opened. No message carries what was encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TotalError {
    /// The ciphertext is not a total of this table.
    #[error("the total has {found} blocks of two bits, but totals of this table have {expected}")]
    Blocks {
        /// Blocks of the table's totals.
        expected: usize,
        /// Blocks of the ciphertext.
        found: usize,
    },
    /// No usage costs so much: the total was computed with another table, another key, or not honestly.
    #[error(
        "the total is above {largest} minor units, which is what the largest usage costs: it was not computed with this table and key"
    )]
    Range {
        /// The largest total of the table.
        largest: u128,
    },
}

/// What a total is opened against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedTotal {
    blocks: usize,
    largest: u128,
}

impl ExpectedTotal {
    /// A total that was computed with the public table.
    pub fn of(table: &TierTable) -> Self {
        Self { blocks: table.total_blocks(), largest: table.largest_total() }
    }

    /// A total that was computed with the encrypted table: its width tells usage and price width, not the prices.
    pub fn of_encrypted(table: &TierTable, price: PriceWidth) -> Self {
        let blocks = (table.width().bits() + price.bits()).div_ceil(BLOCK_BITS) as usize;
        Self { blocks, largest: table.largest_total() }
    }
}

/// The two uniform binary secrets of the `tfhe` crate's key: 918 bits that bootstraps start from, 2048 that ciphertexts are under.
///
/// The same seed gives the same secrets. The keys for others that are made from them draw fresh randomness each time, through the `tfhe`
/// crate's generator, which is seeded by the processor or the operating system. Secrets are wiped on drop and after every use (copies
/// inside the `tfhe` crate while it makes keys are not); they are never printed and cannot be cloned.
pub struct TierKey {
    large: Zeroizing<Vec<u64>>,
    small: Zeroizing<Vec<u64>>,
}

impl fmt::Debug for TierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TierKey(..)")
    }
}

impl TierKey {
    /// A new key from a seed of the operating system.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::from_seed(&Seed::random()?))
    }

    /// The key of a tenant's seed.
    pub fn from_seed(seed: &Seed) -> Self {
        let dimension = PARAMETERS.glwe_dimension.to_equivalent_lwe_dimension(PARAMETERS.polynomial_size);
        Self {
            large: binary(seed, "tiers/large-secret", dimension.0),
            small: binary(seed, "tiers/small-secret", PARAMETERS.lwe_dimension.0),
        }
    }

    /// The key that the service computes with, compressed: about 30 MB. Takes seconds.
    pub fn server_key(&self) -> CompressedServerKey {
        let key = self.with(integer::CompressedServerKey::new_radix_compressed_server_key);
        CompressedServerKey::from_raw_parts(key, None, None, None, None, None, None, None, None, Tag::default())
    }

    /// The key that relays encrypt usage under, and that the tenant encrypts private tables under.
    pub fn public_key(&self) -> Result<PublicKey, WireError> {
        let refused = |error: tfhe::Error| WireError::Encoding { kind: Kind::PublicKey, reason: error.to_string() };
        let key = self.with(|key| integer::CompactPublicKey::try_new(key)).map_err(refused)?;
        PublicKey::new(CompactPublicKey::from_raw_parts(key, Tag::default()))
    }

    /// Opens a total in minor units. A value above what the largest usage costs is refused.
    pub fn open(&self, total: &TotalCiphertext, expected: ExpectedTotal) -> Result<u128, TotalError> {
        let found = total.blocks().len();
        if found != expected.blocks {
            return Err(TotalError::Blocks { expected: expected.blocks, found });
        }
        let value = self.with(|key| key.decrypt_radix::<u128>(total.radix()));
        if value > expected.largest {
            return Err(TotalError::Range { largest: expected.largest });
        }
        Ok(value)
    }

    /// Puts the secrets together for one operation.
    fn with<T>(&self, operation: impl FnOnce(&integer::ClientKey) -> T) -> T {
        let key = StandardAtomicPatternClientKey::from_raw_parts(
            GlweSecretKeyOwned::from_container(self.large.to_vec(), PARAMETERS.polynomial_size),
            LweSecretKeyOwned::from_container(self.small.to_vec()),
            PARAMETERS.into(),
            None,
        );
        let key = shortint::ClientKey { atomic_pattern: AtomicPatternClientKey::Standard(key) };
        let key = integer::ClientKey::from_raw_parts(key);
        let result = operation(&key);
        if let AtomicPatternClientKey::Standard(key) = key.into_raw_parts().atomic_pattern {
            let (mut large, mut small, ..) = key.into_raw_parts();
            large.as_mut().zeroize();
            small.as_mut().zeroize();
        }
        result
    }
}

/// So many uniform bits, one a word, from 256 bits of each derived seed.
fn binary(seed: &Seed, domain: &str, length: usize) -> Zeroizing<Vec<u64>> {
    let mut bits = Zeroizing::new(Vec::with_capacity(length));
    for block in 0..length.div_ceil(SEED_BITS) as u64 {
        let derived = seed.derive(domain, &block.to_le_bytes());
        let all = derived.as_bytes().iter().flat_map(|byte| (0..8).map(move |bit| u64::from(byte >> bit & 1)));
        let missing = length - bits.len();
        bits.extend(all.take(missing));
    }
    bits
}
