//! What is written: bytes that follow from a number, so that whoever finds them can tell whether they are whole.

use std::sync::Arc;

use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_server::family::Family;
use blindrelay_server::id::{BodyDigest, IdempotencyKey, LedgerId, RoomId, TenantId};
use blindrelay_server::store::{
    Idempotency, KeySet, KeyTerms, LedgerChange, LedgerName, NewRecord, Quota, StoredLedger, StoredRoom,
};

use crate::rounds::Outcome;

pub(crate) const PLENTY: Quota =
    Quota { rooms: 9, ledgers: 9, changes: usize::MAX, keys: usize::MAX, jobs: usize::MAX, bytes: u64::MAX };
pub(crate) const ROOM: RoomId = RoomId::from_bytes([1; 16]);
pub(crate) const NAME: LedgerName = LedgerName { family: Family::Meters, id: LedgerId::from_bytes([2; 16]) };

pub(crate) fn tenant() -> Outcome<TenantId> {
    Ok(TenantId::new("acme").ok_or("a tenant's name")?)
}

pub(crate) fn random() -> Outcome<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// 8 to 60,007 bytes of `SplitMix64` that begin with their seed.
pub(crate) fn bytes(seed: u64) -> Arc<[u8]> {
    let mut state = seed;
    let mut bytes = seed.to_le_bytes().to_vec();
    while bytes.len() < 8 + (seed % 60_000) as usize {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bytes.push((mixed >> 32) as u8);
    }
    bytes.into()
}

/// The seed of whole bytes.
pub(crate) fn seed_of(found: &[u8]) -> Option<u64> {
    let seed = u64::from_le_bytes(*found.first_chunk()?);
    (*bytes(seed) == *found).then_some(seed)
}

pub(crate) fn room() -> StoredRoom {
    StoredRoom { room: ROOM, operator: "test/1".to_owned(), evaluation_keys: None }
}

pub(crate) fn ledger() -> StoredLedger {
    StoredLedger { name: NAME, operator: "test/1".to_owned(), settings: Arc::from("{}"), evaluation_keys: None }
}

pub(crate) fn handle(seed: u64) -> Handle {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Handle::from_bytes(bytes)
}

pub(crate) fn record(version: u64, seed: u64) -> NewRecord {
    let placement = Placement { group: seed as u32, place: (seed >> 32) as u32 };
    NewRecord { version, bytes: bytes(seed), handles: vec![handle(seed)], placement, idempotency: None }
}

pub(crate) fn request(version: u64) -> Outcome<Idempotency> {
    let key = IdempotencyKey::new(&format!("{version:020}")).ok_or("a request's name")?;
    Ok(Idempotency { key, body: BodyDigest::of(&version.to_le_bytes()) })
}

pub(crate) fn change(version: u64, seed: u64) -> Outcome<LedgerChange> {
    Ok(LedgerChange { version, sums: bytes(seed), batches: version + 1, request: request(version)? })
}

pub(crate) fn key_set(seed: u64) -> (BodyDigest, KeySet, Arc<[u8]>) {
    let bytes = bytes(seed);
    let told = KeySet {
        parameters: "test".to_owned(),
        bytes: bytes.len(),
        relinearization: true,
        galois_elements: Vec::new(),
        terms: KeyTerms::default(),
    };
    (BodyDigest::of(&bytes), told, bytes)
}
