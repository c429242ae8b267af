//! What is charged on ciphertexts equals what is charged in the clear.

use blindrelay_bridge::tiers::{
    EncryptedTierTable, PriceWidth, TableError, TierTable, TotalCiphertext, UsageCiphertext, UsageWidth, charge, plan,
};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::tiers::{ExpectedTotal, TierKey, TotalError};

use crate::{table, tenant};

/// What a reader who never saw the implementation would write: unit prices, tier by tier.
fn arithmetic(tiers: &[(u64, u64)], usage: u64) -> u128 {
    let mut total = 0;
    for (number, &(from, price)) in tiers.iter().enumerate() {
        let to = tiers.get(number + 1).map_or(u64::MAX, |next| next.0);
        total += u128::from(usage.min(to).saturating_sub(from)) * u128::from(price);
    }
    total
}

/// The usage goes to the service as bytes, and the total comes back as bytes.
fn charged(table: &TierTable, usage: u64) -> u128 {
    let tenant = tenant();
    let message = UsageCiphertext::encrypt(&tenant.public_key, table.width(), usage).unwrap().to_bytes();
    let plan = plan(table);
    assert_eq!(message.len(), plan.usage_bytes);
    let total = charge(&tenant.server_key, &UsageCiphertext::from_bytes(&message).unwrap(), table).unwrap();
    assert_eq!(total.blocks().len(), plan.total_blocks);
    let message = total.to_bytes().unwrap();
    assert!(message.len() > 8 * plan.total_words && message.len() < 8 * plan.total_words + 256 * plan.total_blocks);
    tenant.key.open(&TotalCiphertext::from_bytes(&message).unwrap(), ExpectedTotal::of(table)).unwrap()
}

fn check(width: UsageWidth, tiers: &[(u64, u64)], usages: &[u64]) {
    let table = table(width, tiers);
    for &usage in usages {
        let expected = arithmetic(tiers, usage);
        assert_eq!(table.charge(usage).unwrap(), expected, "clear reference, usage {usage}");
        assert_eq!(charged(&table, usage), expected, "usage {usage}");
    }
}

#[test]
fn falling_prices_on_and_beside_a_boundary() {
    check(UsageWidth::Bits32, &[(0, 31), (1_000, 17), (50_000, 5)], &[999, 1_000, 73_119]);
}

#[test]
fn one_price_and_the_smallest_and_largest_usage() {
    // Multiples of 4: the lowest block of the total is 0 whatever the usage is.
    check(UsageWidth::Bits32, &[(0, 16)], &[0, u64::from(u32::MAX)]);
}

#[test]
fn free_units_and_prices_that_rise() {
    check(UsageWidth::Bits32, &[(0, 0), (10, 3), (4_000_000_000, 1)], &[10, 4_000_000_001]);
}

#[test]
fn more_tiers_than_one_lookup_tells_apart() {
    check(UsageWidth::Bits32, &[(0, 9), (100, 8), (200, 7), (300, 6), (400, 5)], &[299, 777]);
}

#[test]
fn usage_of_64_bits() {
    check(UsageWidth::Bits64, &[(0, 2), (1 << 40, 1)], &[(1 << 50) + 12_345]);
}

#[test]
fn a_table_that_the_service_cannot_read() {
    let tenant = tenant();
    let tiers = [(0, 13), (1_000, 9)];
    let (table, price) = (table(UsageWidth::Bits32, &tiers), PriceWidth::new(4).unwrap());
    let message = EncryptedTierTable::encrypt(&tenant.public_key, price, &table).unwrap().to_bytes();
    let private = EncryptedTierTable::from_bytes(&message).unwrap();
    assert_eq!((private.tiers(), private.width()), (2, UsageWidth::Bits32));
    let private = private.expand(&tenant.server_key).unwrap();
    let usage = 4_321;
    let encrypted = UsageCiphertext::encrypt(&tenant.public_key, table.width(), usage).unwrap();
    let total = private.charge(&tenant.server_key, &encrypted).unwrap();
    let opened = tenant.key.open(&total, ExpectedTotal::of_encrypted(&table, price)).unwrap();
    assert_eq!(opened, arithmetic(&tiers, usage));
    // Its total has the width of usage and price, not that of the table's largest total.
    let public = ExpectedTotal::of(&crate::table(UsageWidth::Bits32, &[(0, 1)]));
    assert_eq!(tenant.key.open(&total, public), Err(TotalError::Blocks { expected: 16, found: 18 }));
    let wide = UsageCiphertext::encrypt(&tenant.public_key, UsageWidth::Bits64, usage).unwrap();
    let refused = private.charge(&tenant.server_key, &wide).map(|_| ());
    assert_eq!(refused, Err(TableError::UsageWidth { expected: 32, found: 64 }));
}

#[test]
fn a_total_is_opened_against_its_table_and_key() {
    let tenant = tenant();
    let honest = table(UsageWidth::Bits32, &[(0, 3), (10, 2)]);
    let usage = UsageCiphertext::encrypt(&tenant.public_key, honest.width(), 20).unwrap();
    let total = charge(&tenant.server_key, &usage, &honest).unwrap();
    assert_eq!(tenant.key.open(&total, ExpectedTotal::of(&honest)), Ok(50));
    let narrow = ExpectedTotal::of(&table(UsageWidth::Bits32, &[(0, 1)]));
    assert_eq!(tenant.key.open(&total, narrow), Err(TotalError::Blocks { expected: 16, found: 17 }));
    // A table whose totals have as many blocks, but none above 2^33: the largest usage at the first table costs 8 more.
    let cheap = table(UsageWidth::Bits32, &[(0, 0), (u64::from(u32::MAX) - 1, 1 << 33)]);
    assert_eq!(cheap.total_blocks(), 17);
    let largest = cheap.largest_total();
    assert_eq!((largest, honest.largest_total()), (1 << 33, (1 << 33) + 8));
    let most = UsageCiphertext::encrypt(&tenant.public_key, honest.width(), u64::from(u32::MAX)).unwrap();
    let costly = charge(&tenant.server_key, &most, &honest).unwrap();
    assert_eq!(tenant.key.open(&costly, ExpectedTotal::of(&cheap)), Err(TotalError::Range { largest }));
    // Another key of the same parameters reads something else, of 2^34 possible values.
    let other = TierKey::from_seed(&Seed::from_bytes([8; 32]));
    assert_ne!(other.open(&total, ExpectedTotal::of(&honest)), Ok(50));
    // The same seed is the same key.
    let again = TierKey::from_seed(&Seed::from_bytes([7; 32]));
    assert_eq!(again.open(&total, ExpectedTotal::of(&honest)), Ok(50));
}

#[test]
fn usage_of_another_width_is_refused() {
    let tenant = tenant();
    let wide = UsageCiphertext::encrypt(&tenant.public_key, UsageWidth::Bits64, 1).unwrap();
    let refused = charge(&tenant.server_key, &wide, &table(UsageWidth::Bits32, &[(0, 1)])).map(|_| ());
    assert_eq!(refused, Err(TableError::UsageWidth { expected: 32, found: 64 }));
    let largest = u64::from(u32::MAX);
    let refused = UsageCiphertext::encrypt(&tenant.public_key, UsageWidth::Bits32, largest + 1).map(|_| ());
    assert_eq!(refused, Err(TableError::UsageOutsideWidth { bits: 32, largest }));
}
