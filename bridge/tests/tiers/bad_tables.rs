//! Every bad table has its own error, with the numbers.

use blindrelay_bridge::tiers::{
    EncryptedTierTable, PRICE_BITS_LIMIT, PriceWidth, TIERS_LIMIT, TOTAL_BITS_LIMIT, TableError, Tier, TierTable,
    UsageWidth,
};

use crate::{table, tenant};

fn refused(width: UsageWidth, tiers: &[(u64, u64)]) -> TableError {
    let tiers: Vec<Tier> = tiers.iter().map(|&(from, price)| Tier { from, price }).collect();
    TierTable::new(width, &tiers).unwrap_err()
}

#[test]
fn a_table_needs_tiers_and_not_too_many() {
    assert_eq!(refused(UsageWidth::Bits32, &[]), TableError::Empty);
    let tiers: Vec<_> = (0..=TIERS_LIMIT as u64).map(|from| (from, 1)).collect();
    assert_eq!(
        refused(UsageWidth::Bits32, &tiers),
        TableError::TooManyTiers { found: TIERS_LIMIT + 1, limit: TIERS_LIMIT }
    );
    assert_eq!(table(UsageWidth::Bits32, &tiers[..TIERS_LIMIT]).tiers().len(), TIERS_LIMIT);
}

#[test]
fn boundaries_begin_at_zero_and_ascend_within_the_width() {
    assert_eq!(refused(UsageWidth::Bits32, &[(1, 1)]), TableError::FirstBoundary { found: 1 });
    let repeated = TableError::Repeated { previous: 1, tier: 2, boundary: 5 };
    assert_eq!(refused(UsageWidth::Bits32, &[(0, 1), (5, 2), (5, 3)]), repeated);
    let descending = TableError::NotAscending { tier: 2, found: 4, previous: 1, boundary: 5 };
    assert_eq!(refused(UsageWidth::Bits32, &[(0, 1), (5, 2), (4, 3)]), descending);
    let largest = u64::from(u32::MAX);
    let outside = TableError::BoundaryOutsideWidth { tier: 1, found: largest + 1, bits: 32, largest };
    assert_eq!(refused(UsageWidth::Bits32, &[(0, 1), (largest + 1, 2)]), outside);
    assert_eq!(table(UsageWidth::Bits64, &[(0, 1), (largest + 1, 2)]).charge(largest + 2), Ok(u128::from(largest) + 3));
}

#[test]
fn a_table_charges_something_that_fits() {
    assert_eq!(refused(UsageWidth::Bits32, &[(0, 0), (7, 0)]), TableError::Free);
    let price = 1 << 33;
    let largest = u128::from(u64::MAX) * u128::from(price);
    let overflow = TableError::TotalOverflow { usage_bits: 64, largest, total_bits: TOTAL_BITS_LIMIT };
    assert_eq!(refused(UsageWidth::Bits64, &[(0, price)]), overflow);
    let most = table(UsageWidth::Bits64, &[(0, 1 << 32)]);
    assert_eq!(most.total_blocks(), 48);
    assert_eq!(most.largest_total(), u128::from(u64::MAX) << 32);
    let all = refused(UsageWidth::Bits64, &[(0, u64::MAX)]);
    assert!(matches!(all, TableError::TotalOverflow { .. }), "{all}");
}

#[test]
fn clear_usage_is_held_to_the_width_too() {
    let largest = u64::from(u32::MAX);
    let table = table(UsageWidth::Bits32, &[(0, 1)]);
    assert_eq!(table.charge(largest), Ok(u128::from(largest)));
    assert_eq!(table.charge(largest + 1), Err(TableError::UsageOutsideWidth { bits: 32, largest }));
}

#[test]
fn encrypted_prices_have_a_width() {
    for found in [0, 3, PRICE_BITS_LIMIT + 2] {
        assert_eq!(PriceWidth::new(found), Err(TableError::PriceWidth { found, limit: PRICE_BITS_LIMIT }));
    }
    let width = PriceWidth::new(4).unwrap();
    let refused = EncryptedTierTable::encrypt(&tenant().public_key, width, &table(UsageWidth::Bits32, &[(0, 16)]));
    let error = refused.map(|_| ()).unwrap_err();
    assert_eq!(error, TableError::PriceOutsideWidth { bits: 4 });
    assert!(!error.to_string().contains("16"), "a price is not told: {error}");
}
