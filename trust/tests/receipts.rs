//! Receipts: bytes, signatures, batches, and everything that is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_engine::params::ParameterDigest;
use blindrelay_trust::{
    CollectionId, CollectionKind, CollectionState, ContentDigest, FormatError, KeyId, MAX_BATCH, MAX_RECEIPT_BYTES,
    MIN_RECEIPT_BYTES, NoiseClaim, OperatorId, Receipt, ReceiptError, SIGNATURE_BYTES, SignError, SignedReceipt,
    SigningKey, SoftwareVersion, UnixMillis,
};
use proptest::prelude::*;
use support::*;

const MADE: u64 = 1_795_253_400_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn encoding_is_the_documented_one() {
    // Written out field by field after `docs/receipts.md`; digests by sha256sum of GNU coreutils.
    let expected = [
        "42524c5952435054", // BRLYRCPT
        "01",               // version
        "00",               // a room
        "03",               // evaluation keys and content are stated
        "0d",               // 13 bytes of the operator's name
        "05",               // 5 bytes of the software's version
        &"33".repeat(16),
        "0403020100000000",
        &"11".repeat(32),
        "eb1a48cfa0e2983cc0f8cd605019d8f576e877fbe2d69712389121cb4be56e0a",
        "e7427eeaa9f0db2e52051a383c661a8cfbd7321ae77c8acb5fabe80026a504a1",
        "0000000000803f40", // 31.5
        "0000000000204440", // 40.25
        "3df270fda1010000", // 1,795,253,400,125 ms
        &"55".repeat(32),
        "6d617463682d7369676e732f31", // match-signs/1
        "302e312e30",                 // 0.1.0
        &"22".repeat(32),
        &"44".repeat(32),
    ]
    .concat();
    let receipt = receipt(KeyId::from_bytes([0x55; 32]), at(MADE + 125));
    let bytes = receipt.to_bytes();
    assert_eq!(hex(&bytes), expected);
    assert_eq!(Receipt::from_bytes(&bytes), Ok(receipt.clone()));
    assert_eq!(receipt.id().to_string(), "43f80a822052f6468207ca37620dba1b4c36ac913308fe807123b77ef8e74c6c");
}

#[test]
fn lengths_are_the_documented_ones() {
    let mut shortest = receipt(KeyId::from_bytes([0; 32]), at(0));
    shortest.operator = OperatorId::new("a").unwrap();
    shortest.software = SoftwareVersion::new("1").unwrap();
    (shortest.evaluation_keys, shortest.collection.content) = (None, None);
    assert_eq!((shortest.to_bytes().len(), MIN_RECEIPT_BYTES), (191, 191));
    let mut longest = receipt(KeyId::from_bytes([0; 32]), at(0));
    longest.operator = OperatorId::new(&"a".repeat(64)).unwrap();
    longest.software = SoftwareVersion::new(&"1".repeat(64)).unwrap();
    assert_eq!((longest.to_bytes().len(), MAX_RECEIPT_BYTES), (381, 381));
    const { assert!(MAX_RECEIPT_BYTES <= 512) };
    let key = SigningKey::generate(at(0)).unwrap();
    (shortest.key, longest.key) = (key.identity().id(), key.identity().id());
    assert_eq!(key.sign(&shortest).unwrap().to_bytes().len(), SignedReceipt::MIN_BYTES);
    let batch = key.sign_batch(&vec![longest; MAX_BATCH]).unwrap();
    assert_eq!(batch[MAX_BATCH - 1].to_bytes().len(), SignedReceipt::MAX_BYTES);
    assert_eq!((SignedReceipt::MIN_BYTES, SignedReceipt::MAX_BYTES), (3501, 4211));
}

fn name() -> impl Strategy<Value = String> {
    "[!-~]{1,64}"
}

fn any_receipt() -> impl Strategy<Value = Receipt> {
    let finite = || any::<f64>().prop_filter("finite", |value| value.is_finite());
    let names = (name(), name());
    let digests = any::<([u8; 32], Option<[u8; 32]>, Option<[u8; 32]>, [u8; 32], [u8; 32], [u8; 32])>();
    let rest = (0..3_usize, any::<[u8; 16]>(), any::<u64>(), finite(), finite(), 0..=UnixMillis::MAX.get());
    (names, digests, rest).prop_map(|((operator, software), digests, (kind, id, version, bound, limit, time))| {
        let (parameters, keys, content, request, answer, key) = digests;
        Receipt {
            operator: OperatorId::new(&operator).unwrap(),
            software: SoftwareVersion::new(&software).unwrap(),
            parameters: ParameterDigest::from_bytes(parameters),
            evaluation_keys: keys.map(ContentDigest::from_bytes),
            collection: CollectionState {
                kind: CollectionKind::ALL[kind],
                id: CollectionId::from_bytes(id),
                version,
                content: content.map(ContentDigest::from_bytes),
            },
            request: ContentDigest::from_bytes(request),
            answer: ContentDigest::from_bytes(answer),
            noise: NoiseClaim::new(bound, limit).unwrap(),
            time: at(time),
            key: KeyId::from_bytes(key),
        }
    })
}

proptest! {
    #[test]
    fn receipts_come_back_from_their_bytes(receipt in any_receipt()) {
        let bytes = receipt.to_bytes();
        prop_assert!((MIN_RECEIPT_BYTES..=MAX_RECEIPT_BYTES).contains(&bytes.len()));
        prop_assert_eq!(Receipt::from_bytes(&bytes), Ok(receipt));
    }

    #[test]
    fn what_is_read_is_written_the_same_way(receipt in any_receipt(), at in any::<prop::sample::Index>(), value: u8) {
        let mut bytes = receipt.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(read) = Receipt::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut signed = b"BRLYRCPT\x01".to_vec();
        signed.extend(bytes);
        prop_assert!(SignedReceipt::from_bytes(&signed).is_err());
    }
}

#[test]
fn damaged_bytes_are_refused_by_name() {
    let bytes = receipt(KeyId::from_bytes([5; 32]), at(MADE)).to_bytes();
    let with = |at: usize, new: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + new.len()].copy_from_slice(new);
        Receipt::from_bytes(&changed).unwrap_err()
    };
    assert_eq!(with(0, b"b"), FormatError::Magic);
    assert_eq!(with(8, &[2]), FormatError::Version { found: 2 });
    assert_eq!(with(9, &[3]), FormatError::Kind { found: 3 });
    assert_eq!(with(10, &[7]), FormatError::Flags { found: 7 });
    assert_eq!(with(11, &[65]), FormatError::TextLength { field: "operator", found: 65 });
    assert_eq!(with(11, &[0]), FormatError::TextLength { field: "operator", found: 0 });
    assert_eq!(with(12, &[65]), FormatError::TextLength { field: "software", found: 65 });
    assert_eq!(with(189, b" "), FormatError::Character { field: "operator", at: 0 });
    assert_eq!(with(203, &[0xff]), FormatError::Character { field: "software", at: 1 });
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(with(133, &value.to_le_bytes()), FormatError::NotFinite { field: "noise bound" });
        assert_eq!(with(141, &value.to_le_bytes()), FormatError::NotFinite { field: "noise limit" });
    }
    let late = UnixMillis::MAX.get() + 1;
    assert_eq!(with(149, &late.to_le_bytes()), FormatError::Time { found: late });
    // Without a flag its digest is left over.
    assert_eq!(with(10, &[1]), FormatError::Trailing { extra: 32 });
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Receipt::from_bytes(&longer), Err(FormatError::Trailing { extra: 1 }));
    for length in 0..bytes.len() {
        let refused = Receipt::from_bytes(&bytes[..length]).unwrap_err();
        assert!(matches!(refused, FormatError::Truncated { needed, found } if found == length && needed > length));
    }
}

#[test]
fn fields_are_checked_where_they_are_made() {
    for text in ["", " a", "a b", "ä", "a\n", &"a".repeat(65)] {
        assert!(OperatorId::new(text).is_err() && SoftwareVersion::new(text).is_err(), "{text}");
    }
    assert_eq!(NoiseClaim::new(f64::NAN, 1.0), Err(FormatError::NotFinite { field: "noise bound" }));
    assert_eq!(NoiseClaim::new(1.0, f64::INFINITY), Err(FormatError::NotFinite { field: "noise limit" }));
}

#[test]
fn signed_receipts_verify_and_name_request_and_answer() {
    let (keys, history) = chain(&[MADE, MADE + 1000]);
    let early = keys[0].sign(&receipt(keys[0].identity().id(), at(MADE + 999))).unwrap();
    let late = keys[1].sign(&receipt(keys[1].identity().id(), at(MADE + 1000))).unwrap();
    for signed in [early, late] {
        let read = SignedReceipt::from_bytes(&signed.to_bytes()).unwrap();
        assert_eq!((read.id(), &read), (signed.receipt().id(), &signed));
        let verified = read.verify(&history).unwrap();
        assert_eq!(verified.key().id(), verified.receipt().key);
        verified.receipt().matches_request(REQUEST).unwrap();
        verified.receipt().matches_answer(ANSWER).unwrap();
        let (request, answer) = (ContentDigest::of(REQUEST), ContentDigest::of(ANSWER));
        let wrong = verified.receipt().matches_request(ANSWER).unwrap_err();
        assert_eq!(wrong, ReceiptError::Request { receipt: request, found: answer });
        let wrong = verified.receipt().matches_answer(REQUEST).unwrap_err();
        assert_eq!(wrong, ReceiptError::Answer { receipt: answer, found: request });
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    let (keys, history) = chain(&[MADE]);
    let key = keys[0].identity().id();
    let batch: Vec<Receipt> = (1..6).map(|after| receipt(key, at(MADE + after))).collect();
    let alone = keys[0].sign(&batch[0]).unwrap();
    for signed in [alone, keys[0].sign_batch(&batch).unwrap().swap_remove(2)] {
        let bytes = signed.to_bytes();
        SignedReceipt::from_bytes(&bytes).unwrap().verify(&history).unwrap();
        for at in 0..bytes.len() {
            for flip in [1, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let believed = SignedReceipt::from_bytes(&changed).is_ok_and(|read| read.verify(&history).is_ok());
                assert!(!believed, "byte {at} of {}", bytes.len());
            }
        }
    }
}

#[test]
fn times_and_keys_outside_the_history_are_refused_by_name() {
    let (keys, history) = chain(&[MADE, MADE + 1000]);
    let (first, second) = (keys[0].identity().id(), keys[1].identity().id());
    let retired = keys[0].sign(&receipt(first, at(MADE + 1000))).unwrap();
    assert_eq!(
        retired.verify(&history).unwrap_err(),
        ReceiptError::Retired { key: first, time: at(MADE + 1000), retired_at: at(MADE + 1000) }
    );
    let (strangers, other) = chain(&[MADE]);
    let stranger = strangers[0].identity().id();
    let foreign = strangers[0].sign(&receipt(stranger, at(MADE))).unwrap();
    assert_eq!(foreign.verify(&history).unwrap_err(), ReceiptError::UnknownKey { key: stranger });
    foreign.verify(&other).unwrap();
    // A signer does not sign what nobody would believe.
    assert_eq!(
        keys[1].sign(&receipt(second, at(MADE + 999))).unwrap_err(),
        SignError::BeforeKey { time: at(MADE + 999), made_at: at(MADE + 1000) }
    );
    assert_eq!(
        keys[1].sign_batch(&[receipt(second, at(MADE + 1000)), receipt(first, at(MADE + 1000))]).unwrap_err(),
        SignError::OtherKey { receipt: first, signer: second }
    );
    // The time of a signed receipt, at byte 149, set to before its key.
    let mut bytes = keys[1].sign(&receipt(second, at(MADE + 1000))).unwrap().to_bytes();
    bytes[149..157].copy_from_slice(&(MADE + 999).to_le_bytes());
    let early = SignedReceipt::from_bytes(&bytes).unwrap();
    assert_eq!(
        early.verify(&history).unwrap_err(),
        ReceiptError::NotYetValid { key: second, time: at(MADE + 999), valid_from: at(MADE + 1000) }
    );
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let (keys, history) = chain(&[MADE, MADE + 1000]);
    let second = keys[1].identity().id();
    let of_second = keys[1].sign(&receipt(second, at(MADE + 2000))).unwrap().to_bytes();
    let of_first = keys[0].sign(&receipt(keys[0].identity().id(), at(MADE + 2000))).unwrap().to_bytes();
    let cut = of_second.len() - SIGNATURE_BYTES;
    let mixed = [&of_second[..cut], &of_first[cut..]].concat();
    let refused = SignedReceipt::from_bytes(&mixed).unwrap();
    assert_eq!(refused.verify(&history).unwrap_err(), ReceiptError::Signature { key: second });
}

#[test]
fn receipts_of_a_revoked_key_are_refused_unless_they_came_before() {
    let (keys, history) = chain(&[MADE, MADE + 1000]);
    let first = keys[0].identity().id();
    let signed = keys[0].sign(&receipt(first, at(MADE + 10))).unwrap();
    let history = history.revoke(&first, &keys[1], at(MADE + 2000), "the disk was stolen").unwrap();
    let refused = ReceiptError::Revoked {
        key: first,
        time: at(MADE + 10),
        revoked_at: at(MADE + 2000),
        reason: "the disk was stolen".to_owned(),
    };
    assert_eq!(signed.verify(&history).unwrap_err(), refused);
    assert_eq!(signed.verify_received(&history, at(MADE + 2000)).unwrap_err(), refused);
    signed.verify_received(&history, at(MADE + 1999)).unwrap();
}

#[test]
fn batches_verify_one_by_one() {
    let (keys, history) = chain(&[MADE]);
    let key = keys[0].identity().id();
    assert!(keys[0].sign_batch(&[]).unwrap().is_empty());
    for size in [1, 2, 3, 7, 8, 9] {
        let receipts: Vec<Receipt> = (0..size).map(|after| receipt(key, at(MADE + after))).collect();
        let signed = keys[0].sign_batch(&receipts).unwrap();
        assert_eq!(signed.len(), receipts.len());
        for (index, (signed, receipt)) in signed.iter().zip(&receipts).enumerate() {
            let read = SignedReceipt::from_bytes(&signed.to_bytes()).unwrap();
            assert_eq!(read.verify(&history).unwrap().receipt(), receipt);
            let place = read.inclusion().map(|place| (place.index(), place.size()));
            assert_eq!(place, (size > 1).then_some((index, size as usize)));
        }
    }
    let many = vec![receipt(key, at(MADE)); MAX_BATCH + 1];
    assert_eq!(keys[0].sign_batch(&many).unwrap_err(), SignError::TooMany { found: MAX_BATCH + 1 });
}

#[test]
fn places_that_no_batch_has_are_refused() {
    let key = SigningKey::generate(at(MADE)).unwrap();
    let receipts = vec![receipt(key.identity().id(), at(MADE)); 4];
    let bytes = key.sign_batch(&receipts).unwrap()[1].to_bytes();
    let form = receipts[0].to_bytes().len();
    let with = |size: u32, index: u32| {
        let mut changed = bytes.clone();
        changed[form + 1..form + 5].copy_from_slice(&size.to_le_bytes());
        changed[form + 5..form + 9].copy_from_slice(&index.to_le_bytes());
        SignedReceipt::from_bytes(&changed).map(|_| ())
    };
    with(4, 1).unwrap();
    for (size, index) in [(0, 0), (1, 0), (4, 4), (MAX_BATCH as u32 + 1, 0), (u32::MAX, 7)] {
        assert_eq!(with(size, index), Err(FormatError::Place { index, size }));
    }
    let mut changed = bytes.clone();
    changed[form] = 2;
    assert_eq!(SignedReceipt::from_bytes(&changed), Err(FormatError::Form { found: 2 }));
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(SignedReceipt::from_bytes(&longer), Err(FormatError::Trailing { extra: 1 }));
}
