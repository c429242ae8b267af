//! Keys and decisions as bytes.

use blindrelay_bridge::coefficient::{BridgeError, BridgeKey, Decision, ShortintSet};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::SecretKey;
use blindrelay_keyholder::coefficient::DecisionKey;

use crate::room::{HALVED_SIGNS, context, scoring, somebody};

const SET: ShortintSet = ShortintSet::Message2Carry2;

#[test]
fn keys_keep_their_bytes_and_malformed_ones_are_named() {
    let room = &*HALVED_SIGNS;
    let parameters = room.context.parameters();
    let bytes = room.bridge_key.to_bytes();
    assert_eq!(bytes.len(), BridgeKey::byte_len(SET, parameters));
    let read = |bytes: &[u8]| BridgeKey::from_bytes(bytes, SET, parameters);
    assert_eq!(read(&bytes).unwrap(), room.bridge_key);

    let length = |found| BridgeError::Length { object: "a bridge key", expected: bytes.len(), found };
    for found in [0, 3, 7, 39, 87, 88, bytes.len() - 1] {
        assert_eq!(read(&bytes[..found]).unwrap_err(), length(found));
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(read(&longer).unwrap_err(), length(longer.len()));

    let changed = |position: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[position] = value;
        read(&bytes).unwrap_err()
    };
    assert_eq!(changed(0, b'X'), BridgeError::Magic { object: "a bridge key" });
    assert_eq!(changed(4, 2), BridgeError::Version { object: "a bridge key", expected: 1, found: 2 });
    assert!(matches!(changed(6, 1), BridgeError::Version { .. }));
    assert_eq!(changed(5, 9), BridgeError::UnknownSet { object: "a bridge key", found: 9 });
    let found = ShortintSet::Message1Carry1;
    assert_eq!(changed(5, 1), BridgeError::Set { object: "a bridge key", expected: SET, found });
    assert!(matches!(changed(8, !bytes[8]), BridgeError::Parameters { object: "a bridge key", .. }));
}

#[test]
fn a_key_that_went_over_the_wire_decides() {
    let room = &*HALVED_SIGNS;
    let key = BridgeKey::from_bytes(&room.bridge_key.to_bytes(), SET, room.context.parameters()).unwrap();
    let bridge = blindrelay_bridge::coefficient::CoefficientBridge::new(room.bridge.source(), &key).unwrap();
    // Another holder of the same seed opens the decision from its bytes.
    let other = SecretKey::from_seed(&room.context, Seed::from_bytes([9; 32]));
    let other = DecisionKey::of(&other, SET);
    let probe = somebody();
    for case in room.ask(&probe, &[scoring(&probe, 44), scoring(&probe, 46)], true) {
        let decision = bridge.at_least(&case.answer, case.position, 46).unwrap();
        let bytes = decision.to_bytes();
        assert_eq!(bytes.len(), Decision::byte_len(SET));
        let decision = Decision::from_bytes(&bytes, SET).unwrap();
        assert_eq!(decision.to_bytes(), bytes);
        assert_eq!(other.open(&decision).unwrap(), case.score >= 46);
    }
}

#[test]
fn malformed_decisions_are_named_and_other_values_than_bits_are_not_opened() {
    let room = &*HALVED_SIGNS;
    let length = Decision::byte_len(SET);
    let mut bytes = vec![0; length];
    bytes[..8].copy_from_slice(b"BRBD\x01\x02\x00\x00");
    let read = |bytes: &[u8]| Decision::from_bytes(bytes, SET);
    for found in [0, 3, 7, 8, length - 1] {
        let refused = read(&bytes[..found]).unwrap_err();
        assert_eq!(refused, BridgeError::Length { object: "a decision", expected: length, found });
    }
    let changed = |position: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[position] = value;
        read(&bytes).unwrap_err()
    };
    assert_eq!(changed(3, b'K'), BridgeError::Magic { object: "a decision" });
    assert_eq!(changed(4, 0), BridgeError::Version { object: "a decision", expected: 1, found: 0 });
    assert_eq!(changed(5, 0), BridgeError::UnknownSet { object: "a decision", found: 0 });
    let found = ShortintSet::Message1Carry1;
    assert_eq!(changed(5, 1), BridgeError::Set { object: "a decision", expected: SET, found });

    // Without a mask the body is the phase, whatever the key.
    let opened = |value: u64| {
        let mut bytes = bytes.clone();
        bytes[length - 8..].copy_from_slice(&value.wrapping_mul(SET.unit()).to_le_bytes());
        room.decisions.open(&read(&bytes).unwrap())
    };
    assert_eq!((opened(0), opened(1)), (Ok(false), Ok(true)));
    for value in 2..32 {
        assert!(opened(value).is_err(), "{value}");
    }
    let smaller = DecisionKey::of(&room.key, ShortintSet::Message1Carry1);
    assert!(smaller.open(&read(&bytes).unwrap()).is_err());
    let elsewhere = context(blindrelay_engine::params::MATCH_4096);
    assert!(BridgeKey::from_bytes(&room.bridge_key.to_bytes(), SET, elsewhere.parameters()).is_err());
}
