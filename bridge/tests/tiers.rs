//! Tiers through keys, messages and ciphertexts, against integer arithmetic. `cargo test --release -p blindrelay-bridge --features tfhe --test tiers`
#![cfg(feature = "tfhe")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "tiers/bad_messages.rs"]
mod bad_messages;
#[path = "tiers/bad_tables.rs"]
mod bad_tables;
#[path = "tiers/charges.rs"]
mod charges;

use std::sync::OnceLock;

use blindrelay_bridge::tiers::{PublicKey, ServerKey, Tier, TierTable, UsageWidth};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::tiers::TierKey;

/// One tenant for all tests: a server key takes seconds and 120 MB.
struct Tenant {
    key: TierKey,
    server_key_bytes: Vec<u8>,
    server_key: ServerKey,
    public_key: PublicKey,
}

fn tenant() -> &'static Tenant {
    static TENANT: OnceLock<Tenant> = OnceLock::new();
    TENANT.get_or_init(|| {
        let key = TierKey::from_seed(&Seed::from_bytes([7; 32]));
        let server_key_bytes = ServerKey::compressed_key_to_bytes(&key.server_key()).unwrap();
        let server_key = ServerKey::from_bytes(&server_key_bytes).unwrap();
        let public_key = PublicKey::from_bytes(&key.public_key().unwrap().to_bytes().unwrap()).unwrap();
        Tenant { key, server_key_bytes, server_key, public_key }
    })
}

fn table(width: UsageWidth, tiers: &[(u64, u64)]) -> TierTable {
    let tiers: Vec<Tier> = tiers.iter().map(|&(from, price)| Tier { from, price }).collect();
    TierTable::new(width, &tiers).unwrap()
}
