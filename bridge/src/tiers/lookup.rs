//! What is looked up for a public table: digits of price times usage digit, and of the offset of the tier.
//!
//! The total is `price * usage + offset` modulo `4^blocks`, where price and offset are those of the tier in which the usage ends.
//! A lookup has four bits: two of the usage and two that say the tier. So tiers come in groups, each with an index of 0 to 3.

use super::parameters::{BLOCK_BITS, BLOCK_VALUES};
use super::table::{TierTable, blocks_of};

/// Tiers of a table with one group, where every value of the index is a tier.
const DENSE_TIERS: usize = 4;
/// Tiers of a group where there are several: index 0 says that the usage ends in a tier of another group.
const SPARSE_TIERS: usize = 3;

/// Tiers that share a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Of every value of the index the tier that it stands for.
    pub(super) tiers: Vec<Option<usize>>,
    prices: Vec<u64>,
    offsets: Vec<u128>,
    blocks: usize,
}

impl Group {
    /// The groups of a table.
    pub(super) fn of(table: &TierTable) -> Vec<Self> {
        let count = table.tiers().len();
        let (size, dense) = if count <= DENSE_TIERS { (DENSE_TIERS, true) } else { (SPARSE_TIERS, false) };
        let blocks = table.total_blocks();
        let offsets = table.offsets(blocks);
        let group = |first: usize| {
            let members = first..(first + size).min(count);
            let inactive = (!dense).then_some(None);
            Self {
                tiers: inactive.into_iter().chain(members.clone().map(Some)).collect(),
                prices: members.clone().filter_map(|tier| table.tiers().get(tier)).map(|tier| tier.price).collect(),
                offsets: members.filter_map(|tier| offsets.get(tier)).copied().collect(),
                blocks,
            }
        };
        (0..count).step_by(size).map(group).collect()
    }

    /// Whether index 0 says that the usage ends elsewhere.
    pub(super) fn sparse(&self) -> bool {
        self.tiers.first() == Some(&None)
    }

    fn member(&self, index: u64) -> Option<usize> {
        (index as usize).checked_sub(usize::from(self.sparse()))
    }

    /// Digit `place` of the price at this index times a usage digit, in `0..4`. 0 where the index stands for no tier.
    pub(super) fn product_digit(&self, place: usize, index: u64, usage: u64) -> u64 {
        let price = self.member(index).and_then(|member| self.prices.get(member)).copied().unwrap_or(0);
        digit(u128::from(price) * u128::from(usage), place)
    }

    /// Digit `place` of the offset at this index.
    pub(super) fn offset_digit(&self, place: usize, index: u64) -> u64 {
        digit(self.member(index).and_then(|member| self.offsets.get(member)).copied().unwrap_or(0), place)
    }

    /// Places of a product that are not 0 for every index and usage digit, ascending.
    pub(super) fn product_places(&self) -> Vec<usize> {
        let largest = u128::from(self.prices.iter().copied().max().unwrap_or(0)) * u128::from(BLOCK_VALUES - 1);
        let used = |&place: &usize| {
            let mut values = (0..BLOCK_VALUES).flat_map(|index| (0..BLOCK_VALUES).map(move |usage| (index, usage)));
            values.any(|(index, usage)| self.product_digit(place, index, usage) != 0)
        };
        (0..blocks_of(largest).min(self.blocks)).filter(used).collect()
    }

    /// Places of the offset that are not 0 for every index, ascending.
    pub(super) fn offset_places(&self) -> Vec<usize> {
        let used = |&place: &usize| (0..BLOCK_VALUES).any(|index| self.offset_digit(place, index) != 0);
        (0..self.blocks).filter(used).collect()
    }
}

/// Base-4 digit of a value.
fn digit(value: u128, place: usize) -> u64 {
    ((value >> (BLOCK_BITS as usize * place)) as u64) % BLOCK_VALUES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::tiers::table::{Tier, UsageWidth};

    /// The sum of all digits at an index, as the ciphertexts are summed.
    fn total(table: &TierTable, usage: u64) -> u128 {
        let ends_in = table.tiers().iter().rposition(|tier| tier.from <= usage).unwrap();
        let modulus = 1_u128 << (2 * table.total_blocks());
        let mut sum = 0_u128;
        for group in Group::of(table) {
            let index = group.tiers.iter().position(|&tier| tier == Some(ends_in)).unwrap_or(0) as u64;
            for place in group.product_places() {
                for column in 0..table.width().blocks() {
                    let shift = 2 * (place + column);
                    if shift < 128 {
                        let usage_digit = digit(u128::from(usage), column);
                        sum += u128::from(group.product_digit(place, index, usage_digit)) << shift;
                        sum %= modulus;
                    }
                }
            }
            for place in group.offset_places() {
                sum = (sum + (u128::from(group.offset_digit(place, index)) << (2 * place))) % modulus;
            }
        }
        sum
    }

    proptest::proptest! {
        #[test]
        fn digits_add_up_to_the_charge(
            steps in proptest::collection::vec((1_u64..400_000_000, 0_u64..5_000_000), 0..11),
            first in 1_u64..5_000_000, usage: u32, wide: bool,
        ) {
            let mut tiers = vec![Tier { from: 0, price: first }];
            for (step, price) in steps {
                tiers.push(Tier { from: tiers[tiers.len() - 1].from + step, price });
            }
            tiers.retain(|tier| u32::try_from(tier.from).is_ok());
            let width = if wide { UsageWidth::Bits64 } else { UsageWidth::Bits32 };
            let table = TierTable::new(width, &tiers).unwrap();
            let usage = u64::from(usage) << (if wide { 32 } else { 0 });
            for usage in [usage, 0, tiers[tiers.len() / 2].from, tiers[tiers.len() / 2].from.saturating_sub(1), width.largest()] {
                proptest::prop_assert_eq!(total(&table, usage), table.charge(usage).unwrap());
            }
        }
    }
}
