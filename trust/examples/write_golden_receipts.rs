//! Writes new golden files: `cargo run -p blindrelay-trust --example write_golden_receipts -- trust/tests/data`.
//!
//! Keys and signatures are random, so every run writes others. Version 1 is fixed: files that are committed stay, and newer software has to believe them.

#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::path::PathBuf;

use support::{at, chain, receipt};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give the folder to write to")?);
    let (keys, history) = chain(&[1_795_253_400_000, 1_795_253_500_000, 1_795_253_600_000]);
    let [first, second, third] = keys.as_slice() else { return Err("three keys".into()) };
    let revoked = history.revoke(&first.identity().id(), third, at(1_795_253_700_000), "an example")?;
    std::fs::write(folder.join("history.json"), revoked.to_json()?)?;
    let alone = third.sign(&receipt(third.identity().id(), at(1_795_253_600_125)))?;
    std::fs::write(folder.join("receipt.bin"), alone.to_bytes())?;
    let key = second.identity().id();
    let batch = second.sign_batch(&[0, 1, 2, 3, 4].map(|after| receipt(key, at(1_795_253_500_000 + after))))?;
    std::fs::write(folder.join("receipt-of-batch.bin"), batch.get(4).ok_or("five receipts")?.to_bytes())?;
    let early = first.sign(&receipt(first.identity().id(), at(1_795_253_400_000)))?;
    std::fs::write(folder.join("receipt-of-revoked-key.bin"), early.to_bytes())?;
    Ok(())
}
