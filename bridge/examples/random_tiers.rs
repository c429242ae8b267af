//! Charges random usage under random tier tables on ciphertexts and compares with integer arithmetic.
//! `cargo run --release -p blindrelay-bridge --features tfhe --example random_tiers -- 100`
//!
//! A second number is the first case: `-- 1 17` runs case 17 alone. Every eighth case has usage of 64 bits.

use std::error::Error;
use std::time::{Duration, Instant};

use blindrelay_bridge::tiers::{
    PublicKey, ServerKey, Tier, TierTable, TotalCiphertext, UsageCiphertext, UsageWidth, charge, plan,
};
use blindrelay_keyholder::tiers::{ExpectedTotal, TierKey};

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: cases, not keys.
struct Cases(u64);

impl Cases {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

/// A table of one to six tiers, and a usage: half of them near a boundary.
fn case(number: u64) -> Result<(TierTable, u64), Box<dyn Error>> {
    let mut cases = Cases(number.wrapping_mul(0x0123_4567_89AB_CDEF));
    let width = if number % 8 == 7 { UsageWidth::Bits64 } else { UsageWidth::Bits32 };
    let scale = if width == UsageWidth::Bits64 { 1 << 30 } else { 1 };
    let price_limit = 1 << (1 + cases.below(20));
    let mut tiers = vec![Tier { from: 0, price: cases.below(price_limit) }];
    let mut from = 0;
    for _ in 0..cases.below(6) {
        from += 1 + cases.below(500_000_000) * scale;
        tiers.push(Tier { from, price: 1 + cases.below(price_limit) });
    }
    if tiers.len() == 1 {
        tiers = vec![Tier { from: 0, price: 1 + cases.below(price_limit) }];
    }
    let near = tiers.get(cases.below(tiers.len() as u64) as usize).map_or(0, |tier| tier.from);
    let usage = match cases.below(4) {
        0 => near.saturating_sub(cases.below(2)),
        1 => near + cases.below(3),
        _ => cases.below(from.saturating_mul(2).clamp(1 << 31, width.largest())),
    };
    Ok((TierTable::new(width, &tiers)?, usage.min(width.largest())))
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let count = numbers.first().copied().unwrap_or(100);
    let first = numbers.get(1).copied().unwrap_or(0);

    let started = Instant::now();
    let tenant = TierKey::generate()?;
    let key_bytes = ServerKey::compressed_key_to_bytes(&tenant.server_key())?;
    println!("keys made in {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let service = ServerKey::from_bytes(&key_bytes)?;
    println!(
        "server key: {} bytes compressed, read and expanded in {:.1} s",
        key_bytes.len(),
        started.elapsed().as_secs_f64()
    );
    let public_bytes = tenant.public_key()?.to_bytes()?;
    println!("public key: {} bytes", public_bytes.len());
    let relay = PublicKey::from_bytes(&public_bytes)?;

    let mut equal = 0;
    let mut spent = Duration::ZERO;
    for number in first..first + count {
        let (table, usage) = case(number)?;
        let usage_bytes = UsageCiphertext::encrypt(&relay, table.width(), usage)?.to_bytes();
        let ciphertext = UsageCiphertext::from_bytes(&usage_bytes)?;
        let started = Instant::now();
        let total = charge(&service, &ciphertext, &table)?;
        let elapsed = started.elapsed();
        spent += elapsed;
        let total_bytes = total.to_bytes()?;
        let opened = tenant.open(&TotalCiphertext::from_bytes(&total_bytes)?, ExpectedTotal::of(&table))?;
        let expected = table.charge(usage)?;
        equal += u64::from(opened == expected);
        let plan = plan(&table);
        println!(
            "case {number}: {} bits, {} tiers, {} blocks, {} counted bootstraps, {:.2} s, usage {} bytes, total {} bytes: {opened} {} {expected}",
            table.width().bits(),
            table.tiers().len(),
            plan.total_blocks,
            plan.bootstraps(),
            elapsed.as_secs_f64(),
            usage_bytes.len(),
            total_bytes.len(),
            if opened == expected { "equals" } else { "IS NOT" },
        );
    }
    println!("{equal} of {count} equal integer arithmetic, {:.2} s a charge", spent.as_secs_f64() / count as f64);
    if equal == count { Ok(()) } else { Err("a charge differs".into()) }
}
