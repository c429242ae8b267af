//! A month's gigabytes under cumulative tiers, charged without being seen. `cargo run --release --features tfhe --example encrypted_tiers`
//!
//! Needs a few seconds a core. What lies behind: docs/tiers.md.

use std::error::Error;
use std::time::Instant;

use blindrelay_bridge::tiers::{
    PublicKey, ServerKey, Tier, TierTable, TotalCiphertext, UsageCiphertext, UsageWidth, charge,
};
use blindrelay_keyholder::tiers::{ExpectedTotal, TierKey};

fn main() -> Result<(), Box<dyn Error>> {
    // The first 100 GB are free, up to 1 TB a gigabyte costs 9 cents, above that 5.
    let gigabytes = 1_732;
    let tiers = [Tier { from: 0, price: 0 }, Tier { from: 100, price: 9 }, Tier { from: 1_000, price: 5 }];
    let table = TierTable::new(UsageWidth::Bits32, &tiers)?;

    // The tenant makes the keys. The service gets one to compute with, the relay one to encrypt with; neither opens anything.
    let tenant = TierKey::generate()?;
    let for_the_service = ServerKey::compressed_key_to_bytes(&tenant.server_key())?;
    let for_the_relay = tenant.public_key()?.to_bytes()?;
    println!("server key {} bytes, public key {} bytes", for_the_service.len(), for_the_relay.len());

    // The relay counts and encrypts.
    let usage = UsageCiphertext::encrypt(&PublicKey::from_bytes(&for_the_relay)?, table.width(), gigabytes)?.to_bytes();

    // The service charges what it cannot see.
    let key = ServerKey::from_bytes(&for_the_service)?;
    let started = Instant::now();
    let total = charge(&key, &UsageCiphertext::from_bytes(&usage)?, &table)?.to_bytes()?;
    println!(
        "usage {} bytes, charged in {:.1} s, total {} bytes",
        usage.len(),
        started.elapsed().as_secs_f64(),
        total.len()
    );

    // The tenant opens the total, which no usage under this table can exceed.
    let opened = tenant.open(&TotalCiphertext::from_bytes(&total)?, ExpectedTotal::of(&table))?;
    let expected = table.charge(gigabytes)?;
    println!("{gigabytes} GB cost {}.{:02}", opened / 100, opened % 100);
    if opened == expected { Ok(()) } else { Err(format!("the total should be {expected} cents").into()) }
}
