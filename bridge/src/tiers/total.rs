//! The encrypted total.

use tfhe::conformance::ParameterSetConformant;
use tfhe::integer::{IntegerCiphertext, IntegerRadixCiphertext, RadixCiphertext};
use tfhe::safe_serialization::{DeserializationConfig, safe_serialize};
use tfhe::shortint::Ciphertext;

use super::error::{Fault, WireError};
use super::parameters::{self, BLOCK_BITS};
use super::table::TOTAL_BITS_LIMIT;
use super::wire::{self, Kind, TOTAL_BYTES_LIMIT};

/// Blocks of the widest total.
const BLOCKS_LIMIT: usize = (TOTAL_BITS_LIMIT / BLOCK_BITS) as usize;

/// What a usage costs in minor units, encrypted, in as many blocks of two bits as the table's largest total needs.
#[derive(Clone, Debug)]
pub struct TotalCiphertext(RadixCiphertext);

impl TotalCiphertext {
    /// Takes a result whose carries are propagated.
    pub(super) fn new(total: RadixCiphertext) -> Self {
        let expected = parameters::block();
        // A block that is 0 whatever the usage is (prices that are multiples of 4) has a smaller degree and no noise. The stated degree and
        // noise are upper bounds, and the same for every block, so that a reader has one shape to check.
        let blocks = total.into_blocks().into_iter().map(|block| {
            let (pattern, message, carry) = (block.atomic_pattern, block.message_modulus, block.carry_modulus);
            Ciphertext::new(block.ct, expected.degree, expected.noise_level, message, carry, pattern)
        });
        Self(RadixCiphertext::from(blocks.collect::<Vec<_>>()))
    }

    /// Blocks of two bits, the lowest first.
    pub fn blocks(&self) -> &[Ciphertext] {
        self.0.blocks()
    }

    /// The radix ciphertext, for arithmetic with the `tfhe` crate and for the key holder.
    pub fn radix(&self) -> &RadixCiphertext {
        &self.0
    }

    /// The message: the number of blocks (2 bytes), then every block in the `tfhe` crate's versioned encoding.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let mut content = (self.blocks().len() as u16).to_le_bytes().to_vec();
        for block in self.blocks() {
            safe_serialize(block, &mut content, TOTAL_BYTES_LIMIT as u64)
                .map_err(|error| WireError::Encoding { kind: Kind::Total, reason: error.to_string() })?;
        }
        Ok(wire::write(Kind::Total, &content))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. Every block is checked against [`PARAMETERS`](super::PARAMETERS).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let refused = |fault| WireError::Content { kind: Kind::Total, fault };
        let content = wire::read(Kind::Total, bytes, TOTAL_BYTES_LIMIT)?;
        let (count, mut rest) =
            content.split_first_chunk().ok_or(WireError::Truncated { needed: 2, found: content.len() })?;
        let found = usize::from(u16::from_le_bytes(*count));
        if found == 0 || found > BLOCKS_LIMIT {
            return Err(refused(Fault::Blocks { expected: BLOCKS_LIMIT, found }));
        }
        let expected = parameters::block();
        let mut blocks = Vec::with_capacity(found);
        for _ in 0..found {
            let block: Ciphertext = DeserializationConfig::new(rest.len() as u64)
                .disable_conformance()
                .deserialize_from(&mut rest)
                .map_err(|reason| refused(Fault::Unreadable(reason)))?;
            if !block.is_conformant(&expected) {
                return Err(refused(Fault::OtherParameters));
            }
            blocks.push(block);
        }
        if !rest.is_empty() {
            let (expected, found) = (content.len() - rest.len(), content.len());
            return Err(WireError::TrailingBytes { expected, found });
        }
        Ok(Self(RadixCiphertext::from(blocks)))
    }
}
