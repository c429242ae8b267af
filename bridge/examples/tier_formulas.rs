//! Times three ways to charge the same usage under the same table, after their results were checked equal.
//! `cargo run --release -p blindrelay-bridge --features tfhe --example tier_formulas -- 3`
//!
//! * clamp: the units of each tier by comparisons, times its price, summed.
//! * slopes: the units above each boundary times the change of the price, summed.
//! * lookups: what [`charge`] does: find the tier, look up price times digit.

use std::error::Error;
use std::time::Instant;

use blindrelay_bridge::tiers::{PARAMETERS, ServerKey, Tier, TierTable, UsageCiphertext, UsageWidth, charge};
use blindrelay_keyholder::tiers::{ExpectedTotal, TierKey};
use tfhe::integer::{RadixCiphertext, RadixClientKey, gen_keys_radix};

/// A ciphertext with as many blocks as the total.
fn widened(key: &tfhe::integer::ServerKey, value: &RadixCiphertext, blocks: usize) -> RadixCiphertext {
    key.extend_radix_with_trivial_zero_blocks_msb(value, blocks - UsageWidth::Bits32.blocks())
}

fn clamp(key: &tfhe::integer::ServerKey, usage: &RadixCiphertext, table: &TierTable) -> Option<RadixCiphertext> {
    let tiers = table.tiers();
    let mut parts = Vec::new();
    for (number, tier) in tiers.iter().enumerate() {
        let above = key.scalar_max_parallelized(usage, tier.from);
        let within = match tiers.get(number + 1) {
            Some(next) => key.scalar_min_parallelized(&above, next.from),
            None => above,
        };
        let units = key.scalar_sub_parallelized(&within, tier.from);
        parts.push(key.scalar_mul_parallelized(&widened(key, &units, table.total_blocks()), tier.price));
    }
    key.sum_ciphertexts_parallelized(&parts)
}

fn slopes(key: &tfhe::integer::ServerKey, usage: &RadixCiphertext, table: &TierTable) -> Option<RadixCiphertext> {
    let (mut rises, mut falls, mut before) = (Vec::new(), Vec::new(), 0);
    for tier in table.tiers() {
        let units = match tier.from {
            0 => usage.clone(),
            from => key.scalar_sub_parallelized(&key.scalar_max_parallelized(usage, from), from),
        };
        let units = widened(key, &units, table.total_blocks());
        let change = tier.price.abs_diff(before);
        let part = key.scalar_mul_parallelized(&units, change);
        if tier.price >= before {
            rises.push(part);
        } else {
            falls.push(part);
        }
        before = tier.price;
    }
    let rises = key.sum_ciphertexts_parallelized(&rises)?;
    Some(match key.sum_ciphertexts_parallelized(&falls) {
        Some(falls) => key.sub_parallelized(&rises, &falls),
        None => rises,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(1), |word| word.parse::<u32>())?;
    let tiers = [
        Tier { from: 0, price: 120 },
        Tier { from: 10_000, price: 90 },
        Tier { from: 50_000, price: 75 },
        Tier { from: 150_000, price: 60 },
    ];
    let table = TierTable::new(UsageWidth::Bits32, &tiers)?;
    let usage = 73_119;
    let expected = table.charge(usage)?;

    let tenant = TierKey::generate()?;
    let service = ServerKey::expand(&tenant.server_key())?;
    let encrypted = UsageCiphertext::encrypt(&tenant.public_key()?, table.width(), usage)?;
    let (client, server): (RadixClientKey, _) = gen_keys_radix(PARAMETERS, table.width().blocks());
    let radix = client.encrypt(usage);

    let identity = server.as_ref().generate_lookup_table(|value| value);
    let block = client.encrypt_one_block(3);
    let started = Instant::now();
    for _ in 0..20 {
        let _ = server.as_ref().apply_lookup_table(&block, &identity);
    }
    println!("one bootstrap: {:.1} ms", started.elapsed().as_secs_f64() * 50.0);

    for _ in 0..rounds {
        let started = Instant::now();
        let total = clamp(&server, &radix, &table).ok_or("no tier")?;
        println!("clamp:   {:.2} s", started.elapsed().as_secs_f64());
        if client.decrypt::<u128>(&total) != expected {
            return Err("the clamp formula differs".into());
        }
        let started = Instant::now();
        let total = slopes(&server, &radix, &table).ok_or("no tier")?;
        println!("slopes:  {:.2} s", started.elapsed().as_secs_f64());
        if client.decrypt::<u128>(&total) != expected {
            return Err("the slope formula differs".into());
        }
        let started = Instant::now();
        let total = charge(&service, &encrypted, &table)?;
        println!("lookups: {:.2} s, with the unpacking of the usage", started.elapsed().as_secs_f64());
        if tenant.open(&total, ExpectedTotal::of(&table))? != expected {
            return Err("the lookups differ".into());
        }
    }
    Ok(())
}
