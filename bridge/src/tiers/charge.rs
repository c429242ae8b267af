//! The total of an encrypted usage under a public table.

use rayon::prelude::*;
use tfhe::integer::{IntegerCiphertext, RadixCiphertext};
use tfhe::shortint::Ciphertext;

use super::error::TableError;
use super::keys::ServerKey;
use super::lookup::Group;
use super::rows;
use super::table::TierTable;
use super::total::TotalCiphertext;
use super::usage::UsageCiphertext;

/// What the usage costs, encrypted: exactly [`TierTable::charge`] of what was encrypted.
///
/// The usage is compared with every boundary; the comparisons give the tier in which it ends; price times usage and the offset of that tier are
/// looked up digit by digit and summed once. The number of bootstraps depends on the table alone ([`plan`](super::plan)). The work is
/// shared among the threads of the current `rayon` pool.
pub fn charge(key: &ServerKey, usage: &UsageCiphertext, table: &TierTable) -> Result<TotalCiphertext, TableError> {
    if usage.width() != table.width() {
        return Err(TableError::UsageWidth { expected: table.width().bits(), found: usage.width().bits() });
    }
    let usage = usage.expand(key)?;
    let reached = reached(key, &usage, table);
    let blocks = table.total_blocks();
    let mut rows = Vec::new();
    for group in Group::of(table) {
        let index = index(key, &group, &reached);
        rows.extend(products(key, &group, &index, usage.blocks(), blocks));
        rows.extend(offset(key, &group, &index, blocks));
    }
    Ok(TotalCiphertext::new(rows::sum(key, blocks, rows)))
}

/// Of every tier but the first whether the usage reaches it, as a block that holds 0 or 1.
fn reached(key: &ServerKey, usage: &RadixCiphertext, table: &TierTable) -> Vec<Ciphertext> {
    let compare = |boundary: u64| key.integers().scalar_ge_parallelized(usage, boundary).into_raw_parts();
    table.tiers().par_iter().skip(1).map(|tier| compare(tier.from)).collect()
}

/// The index of the group's lookups, in `0..4`.
fn index(key: &ServerKey, group: &Group, reached: &[Ciphertext]) -> Ciphertext {
    let blocks = key.blocks();
    let members: Vec<usize> = group.tiers.iter().copied().flatten().collect();
    let next = if group.sparse() { members.last().map(|last| last + 1) } else { None };
    // Tiers are reached in order: the sum counts the members that are, and the next group's first tier only adds when all are. Tier 0 always is.
    let counted = members.iter().copied().chain(next);
    let mut sum = blocks.create_trivial(u64::from(group.sparse() && members.first() == Some(&0)));
    let mut terms = 0;
    for bit in counted.filter_map(|tier| tier.checked_sub(1)).filter_map(|bit| reached.get(bit)) {
        // At most four terms: below the five that one bootstrap may be behind.
        blocks.unchecked_add_assign(&mut sum, bit);
        terms += 1;
    }
    if terms <= 1 && !group.sparse() {
        return sum;
    }
    let largest = members.len() as u64;
    let table = blocks.generate_lookup_table(|count| if count <= largest { count } else { 0 });
    blocks.apply_lookup_table(&sum, &table)
}

/// One row for every digit that price times a usage digit has.
fn products(
    key: &ServerKey,
    group: &Group,
    index: &Ciphertext,
    usage: &[Ciphertext],
    blocks: usize,
) -> Vec<RadixCiphertext> {
    let places = group.product_places();
    let row = |place: usize| {
        let table =
            key.blocks().generate_lookup_table_bivariate(|index, digit| group.product_digit(place, index, digit));
        let look_up = |digit: &Ciphertext| key.blocks().unchecked_apply_lookup_table_bivariate(index, digit, &table);
        let digits = usage.par_iter().take(blocks - place).map(look_up).collect();
        rows::row(key, place, blocks, digits)
    };
    places.into_par_iter().map(row).collect()
}

/// The offset of the tier in which the usage ends, 0 where that is in another group.
fn offset(key: &ServerKey, group: &Group, index: &Ciphertext, blocks: usize) -> Option<RadixCiphertext> {
    let places = group.offset_places();
    if places.is_empty() {
        return None;
    }
    let digit = |place: usize| {
        if !places.contains(&place) {
            return key.blocks().create_trivial(0);
        }
        let table = key.blocks().generate_lookup_table(|index| group.offset_digit(place, index));
        key.blocks().apply_lookup_table(index, &table)
    };
    let digits: Vec<Ciphertext> = (0..blocks).into_par_iter().map(digit).collect();
    Some(rows::row(key, 0, blocks, digits))
}
