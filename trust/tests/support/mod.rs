//! Moments, keys and receipts of tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failed test, and each test uses a part"
)]

use blindrelay_engine::params::ParameterDigest;
use blindrelay_trust::{
    CollectionId, CollectionKind, CollectionState, ContentDigest, KeyHistory, KeyId, NoiseClaim, OperatorId, Receipt,
    SigningKey, SoftwareVersion, UnixMillis,
};

pub fn at(millis: u64) -> UnixMillis {
    UnixMillis::new(millis).unwrap()
}

pub const REQUEST: &[u8] = b"the request's bytes";
pub const ANSWER: &[u8] = b"the answer's bytes";

/// A receipt of a room with every optional field.
pub fn receipt(key: KeyId, time: UnixMillis) -> Receipt {
    Receipt {
        operator: OperatorId::new("match-signs/1").unwrap(),
        software: SoftwareVersion::new("0.1.0").unwrap(),
        parameters: ParameterDigest::from_bytes([0x11; 32]),
        evaluation_keys: Some(ContentDigest::from_bytes([0x22; 32])),
        collection: CollectionState {
            kind: CollectionKind::Room,
            id: CollectionId::from_bytes([0x33; 16]),
            version: 0x0102_0304,
            content: Some(ContentDigest::from_bytes([0x44; 32])),
        },
        request: ContentDigest::of(REQUEST),
        answer: ContentDigest::of(ANSWER),
        noise: NoiseClaim::new(31.5, 40.25).unwrap(),
        time,
        key,
    }
}

/// A chain of keys made at these times.
pub fn chain(times: &[u64]) -> (Vec<SigningKey>, KeyHistory) {
    let mut keys = vec![SigningKey::generate(at(times[0])).unwrap()];
    let mut history = KeyHistory::begin(&keys[0]).unwrap();
    for &time in &times[1..] {
        let newest = keys.last().unwrap();
        let successor = newest.successor(at(time)).unwrap();
        history = history.succeed(newest, &successor).unwrap();
        keys.push(successor);
    }
    (keys, history)
}
