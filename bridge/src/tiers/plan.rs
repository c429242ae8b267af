//! What a public table costs to evaluate, told without evaluating it.

use super::lookup::Group;
use super::parameters;
use super::table::TierTable;

/// Work and sizes of one charge. Nothing of it depends on the usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Bootstraps that unpack the usage, one a block.
    pub unpacking: usize,
    /// Comparisons of the usage with a public boundary.
    pub comparisons: usize,
    /// Bootstraps that say the tier.
    pub indices: usize,
    /// Bootstraps that look up digits of price times usage.
    pub products: usize,
    /// Bootstraps that look up digits of the offset.
    pub offsets: usize,
    /// Digits that are summed.
    pub summands: usize,
    /// Blocks of the total, which carries are propagated over.
    pub total_blocks: usize,
    /// Bytes of the usage's message.
    pub usage_bytes: usize,
    /// Words of the total's ciphertext, 8 bytes each; the message adds the description of every block.
    pub total_words: usize,
}

impl Plan {
    /// The bootstraps that are counted exactly: all but those inside the `tfhe` crate's comparisons and inside its sum of digits.
    pub fn bootstraps(&self) -> usize {
        self.unpacking + self.indices + self.products + self.offsets
    }
}

/// The plan of [`charge`](super::charge) for a table.
pub fn plan(table: &TierTable) -> Plan {
    let (digits, total_blocks) = (table.width().blocks(), table.total_blocks());
    let groups = Group::of(table);
    let within = |place: usize| digits.min(total_blocks - place);
    let products: usize = groups.iter().flat_map(Group::product_places).map(within).sum();
    let offsets: usize = groups.iter().map(|group| group.offset_places().len()).sum();
    let comparisons = table.tiers().len() - 1;
    Plan {
        unpacking: digits,
        comparisons,
        indices: if comparisons <= 1 { 0 } else { groups.len() },
        products,
        offsets,
        summands: products + offsets,
        total_blocks,
        usage_bytes: 16 + 4 + 8 * (parameters::dimension() + digits.div_ceil(2)),
        total_words: total_blocks * (parameters::dimension() + 1),
    }
}
