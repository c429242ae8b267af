//! Blocks encrypted under a public key, two to an LWE ciphertext, all with one uniform half.

use std::fmt;
use std::num::NonZeroUsize;

use tfhe::core_crypto::prelude::{LweCiphertextCount, LweCompactCiphertextListOwned, LweDimension};
use tfhe::integer::RadixCiphertext;
use tfhe::integer::ciphertext::{
    CompactCiphertextList, DataKind, IntegerCompactCiphertextListExpansionMode as ExpansionMode,
};
use tfhe::shortint::ciphertext::{CompactCiphertextList as Blocks, Degree};
use tfhe::shortint::{AtomicPatternParameters, Ciphertext};

use super::error::{Fault, TableError, WireError};
use super::keys::{PublicKey, ServerKey};
use super::parameters::{self, BLOCK_VALUES, PARAMETERS};
use super::wire::Kind;

/// An encrypted sequence of blocks.
#[derive(Clone)]
pub(super) struct PackedBlocks {
    list: CompactCiphertextList,
}

impl fmt::Debug for PackedBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackedBlocks(..)")
    }
}

impl PackedBlocks {
    /// Encrypts integers, each as so many blocks, one after the other. The lowest block comes first.
    pub(super) fn encrypt(key: &PublicKey, values: &[(u128, usize)]) -> Result<Self, TableError> {
        let mut builder = CompactCiphertextList::builder(&key.integers());
        for &(value, blocks) in values {
            builder.push_with_num_blocks(value, blocks);
        }
        let list = builder.build_packed().map_err(|error| TableError::Expansion { reason: error.to_string() })?;
        Ok(Self { list })
    }

    /// Words of a sequence of so many blocks: the uniform half, and one for every two blocks.
    fn words(blocks: usize) -> usize {
        parameters::dimension() + blocks.div_ceil(2)
    }

    /// Little-endian 64-bit words, the uniform half first.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let (blocks, _) = self.list.clone().into_raw_parts();
        blocks.ct_list.into_container().iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Reads a sequence of so many blocks, which fills the bytes. Every sequence of words of the right length is one: there is nothing else to check.
    pub(super) fn from_bytes(kind: Kind, bytes: &[u8], blocks: usize) -> Result<Self, WireError> {
        let (words, rest) = bytes.as_chunks::<8>();
        if words.len() != Self::words(blocks) || !rest.is_empty() {
            let found = 2 * words.len().saturating_sub(parameters::dimension());
            return Err(WireError::Content { kind, fault: Fault::Blocks { expected: blocks, found } });
        }
        let Some(count) = NonZeroUsize::new(blocks) else {
            return Err(WireError::Content { kind, fault: Fault::Blocks { expected: 1, found: 0 } });
        };
        let list = LweCompactCiphertextListOwned::from_container(
            words.iter().map(|&word| u64::from_le_bytes(word)).collect(),
            LweDimension(parameters::dimension()).to_lwe_size(),
            LweCiphertextCount(blocks.div_ceil(2)),
            PARAMETERS.ciphertext_modulus,
        );
        let pattern = AtomicPatternParameters::from(PARAMETERS).atomic_pattern();
        let packed = Blocks::from_raw_parts(
            list,
            Degree::new(BLOCK_VALUES * BLOCK_VALUES - 1),
            PARAMETERS.message_modulus,
            PARAMETERS.carry_modulus,
            pattern.into(),
        );
        Ok(Self { list: CompactCiphertextList::from_raw_parts(packed, vec![DataKind::Unsigned(count)]) })
    }

    /// One ciphertext a block, each from a bootstrap that keeps two bits of whatever was encrypted: later arithmetic can rely on the range.
    pub(super) fn expand(&self, key: &ServerKey, blocks: usize) -> Result<Vec<Ciphertext>, TableError> {
        let refused = |reason: String| TableError::Expansion { reason };
        let expander = self
            .list
            .expand(ExpansionMode::UnpackAndSanitizeIfNecessary(key.integers()))
            .map_err(|error| refused(error.to_string()))?;
        let mut all = Vec::with_capacity(blocks);
        for index in 0..expander.len() {
            let part: Option<RadixCiphertext> = expander.get(index).map_err(|error| refused(error.to_string()))?;
            all.extend(part.map(tfhe::integer::IntegerRadixCiphertext::into_blocks).unwrap_or_default());
        }
        if all.len() == blocks {
            Ok(all)
        } else {
            Err(refused(format!("{} blocks, expected were {blocks}", all.len())))
        }
    }
}
