//! Tier tables in the clear, and what they charge.

use super::error::TableError;
use super::parameters::BLOCK_BITS;

/// Tiers of one table. Tariffs of the field have two to six; every three beyond the first four repeat the lookups of the usage.
pub const TIERS_LIMIT: usize = 12;

/// Bits of a total at most: any 64-bit usage at prices of up to 32 bits.
pub const TOTAL_BITS_LIMIT: u32 = 96;

/// Bits of an encrypted usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageWidth {
    /// Up to 4,294,967,295 units: a month in megabytes.
    Bits32,
    /// Up to 18,446,744,073,709,551,615 units: a month in bytes. About twice the bootstraps.
    Bits64,
}

impl UsageWidth {
    /// The width of so many bits, if it is offered.
    pub fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            32 => Some(Self::Bits32),
            64 => Some(Self::Bits64),
            _ => None,
        }
    }

    /// Bits.
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// The largest usage in units.
    pub fn largest(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    /// Blocks of the ciphertext.
    pub fn blocks(self) -> usize {
        (self.bits() / BLOCK_BITS) as usize
    }
}

/// One tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The first unit that this price is for, counted from 0: usage above so many units pays it.
    pub from: u64,
    /// Price of one unit in minor units.
    pub price: u64,
}

/// A checked cumulative table: units from one boundary to the next are charged at the price of their tier.
///
/// ```
/// # use blindrelay_bridge::tiers::{Tier, TierTable, UsageWidth};
/// let tiers = [Tier { from: 0, price: 0 }, Tier { from: 10_000, price: 12 }, Tier { from: 50_000, price: 8 }];
/// let table = TierTable::new(UsageWidth::Bits32, &tiers)?;
/// assert_eq!(table.charge(60_000)?, 40_000 * 12 + 10_000 * 8);
/// # Ok::<(), blindrelay_bridge::tiers::TableError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierTable {
    width: UsageWidth,
    tiers: Vec<Tier>,
    /// What the units below each tier cost together.
    below: Vec<u128>,
    largest_total: u128,
}

impl TierTable {
    /// Checks a table: at least one tier, the first from unit 0, boundaries strictly ascending and within the width, a price above 0
    /// somewhere, and no total of more than [`TOTAL_BITS_LIMIT`] bits.
    pub fn new(width: UsageWidth, tiers: &[Tier]) -> Result<Self, TableError> {
        let first = tiers.first().ok_or(TableError::Empty)?;
        if tiers.len() > TIERS_LIMIT {
            return Err(TableError::TooManyTiers { found: tiers.len(), limit: TIERS_LIMIT });
        }
        if first.from != 0 {
            return Err(TableError::FirstBoundary { found: first.from });
        }
        let mut below = vec![0];
        for (previous, (lower, upper)) in tiers.iter().zip(tiers.iter().skip(1)).enumerate() {
            let tier = previous + 1;
            if upper.from == lower.from {
                return Err(TableError::Repeated { previous, tier, boundary: upper.from });
            }
            if upper.from < lower.from {
                return Err(TableError::NotAscending { tier, found: upper.from, previous, boundary: lower.from });
            }
            if upper.from > width.largest() {
                let (found, bits, largest) = (upper.from, width.bits(), width.largest());
                return Err(TableError::BoundaryOutsideWidth { tier, found, bits, largest });
            }
            // At most (2^64 - 1)^2 altogether: the ranges do not overlap.
            let complete = u128::from(upper.from - lower.from) * u128::from(lower.price);
            below.push(below.last().copied().unwrap_or_default() + complete);
        }
        if tiers.iter().all(|tier| tier.price == 0) {
            return Err(TableError::Free);
        }
        let mut table = Self { width, tiers: tiers.to_vec(), below, largest_total: 0 };
        table.largest_total = table.charge(width.largest())?;
        if u128::BITS - table.largest_total.leading_zeros() > TOTAL_BITS_LIMIT {
            let (usage_bits, largest) = (width.bits(), table.largest_total);
            return Err(TableError::TotalOverflow { usage_bits, largest, total_bits: TOTAL_BITS_LIMIT });
        }
        Ok(table)
    }

    /// What a usage in units costs in minor units, in the clear.
    pub fn charge(&self, usage: u64) -> Result<u128, TableError> {
        if usage > self.width.largest() {
            return Err(TableError::UsageOutsideWidth { bits: self.width.bits(), largest: self.width.largest() });
        }
        let reached = self.tiers.iter().zip(&self.below).rev().find(|(tier, _)| tier.from <= usage);
        Ok(reached.map_or(0, |(tier, below)| below + u128::from(usage - tier.from) * u128::from(tier.price)))
    }

    /// Width of the usage.
    pub fn width(&self) -> UsageWidth {
        self.width
    }

    /// The tiers, ascending.
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// What the largest usage costs in minor units, which is the largest total.
    pub fn largest_total(&self) -> u128 {
        self.largest_total
    }

    /// Blocks of the total: as many as the largest total needs.
    pub fn total_blocks(&self) -> usize {
        blocks_of(self.largest_total)
    }

    /// Of every tier `total - price * usage` modulo `4^blocks`: what is added to the product when the usage ends in that tier.
    pub(super) fn offsets(&self, blocks: usize) -> Vec<u128> {
        let modulus = 1_u128 << (BLOCK_BITS as usize * blocks);
        let offset = |(tier, below): (&Tier, &u128)| {
            let product = u128::from(tier.from) * u128::from(tier.price);
            below.wrapping_sub(product) % modulus
        };
        self.tiers.iter().zip(&self.below).map(offset).collect()
    }
}

/// Blocks that hold every value up to this one, at least one.
pub(super) fn blocks_of(largest: u128) -> usize {
    (u128::BITS - largest.leading_zeros()).div_ceil(BLOCK_BITS).max(1) as usize
}
