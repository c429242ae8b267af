//! Encrypted usage.

use tfhe::integer::RadixCiphertext;

use super::error::{Fault, TableError, WireError};
use super::keys::{PublicKey, ServerKey};
use super::packed::PackedBlocks;
use super::table::UsageWidth;
use super::wire::{self, Kind};

/// A content is the width (4 bytes), the uniform half of 2048 words and one word for every two blocks: 16,516 bytes at 32 bits, 16,580 at 64.
const USAGE_BYTES_LIMIT: usize = 17 << 10;

/// A usage encrypted under a tenant's public key, of a public width.
#[derive(Clone, Debug)]
pub struct UsageCiphertext {
    width: UsageWidth,
    blocks: PackedBlocks,
}

impl UsageCiphertext {
    /// Encrypts a usage in units.
    pub fn encrypt(key: &PublicKey, width: UsageWidth, usage: u64) -> Result<Self, TableError> {
        if usage > width.largest() {
            return Err(TableError::UsageOutsideWidth { bits: width.bits(), largest: width.largest() });
        }
        Ok(Self { width, blocks: PackedBlocks::encrypt(key, &[(u128::from(usage), width.blocks())])? })
    }

    /// The width.
    pub fn width(&self) -> UsageWidth {
        self.width
    }

    /// The message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut content = self.width.bits().to_le_bytes().to_vec();
        content.extend(self.blocks.to_bytes());
        wire::write(Kind::Usage, &content)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let content = wire::read(Kind::Usage, bytes, USAGE_BYTES_LIMIT)?;
        let (bits, blocks) =
            content.split_first_chunk().ok_or(WireError::Truncated { needed: 4, found: content.len() })?;
        let bits = u32::from_le_bytes(*bits);
        let width =
            UsageWidth::from_bits(bits).ok_or(WireError::Content { kind: Kind::Usage, fault: Fault::Width(bits) })?;
        Ok(Self { width, blocks: PackedBlocks::from_bytes(Kind::Usage, blocks, width.blocks())? })
    }

    /// The radix ciphertext, every block clean.
    pub(super) fn expand(&self, key: &ServerKey) -> Result<RadixCiphertext, TableError> {
        self.blocks.expand(key, self.width.blocks()).map(RadixCiphertext::from)
    }
}
