//! Receipts and a history that were written by version 1, and how receipts are shown.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_trust::{
    CollectionKind, ContentDigest, KeyEntry, KeyHistory, KeyId, Receipt, ReceiptError, SIGNATURE_BYTES, SignedReceipt,
    TrustError,
};
use support::*;

const HISTORY: &str = include_str!("data/history.json");

fn history() -> KeyHistory {
    KeyHistory::from_json(HISTORY).unwrap()
}

#[test]
fn stored_receipts_are_still_believed() {
    let history = history();
    let ids: Vec<KeyId> = history.entries().iter().map(KeyEntry::id).collect();
    assert_eq!(history.verify_chain(&ids[1]).unwrap().id(), ids[2]);
    let alone = SignedReceipt::from_bytes(include_bytes!("data/receipt.bin")).unwrap();
    assert_eq!(alone.verify(&history).unwrap().receipt(), &receipt(ids[2], at(1_795_253_600_125)));
    let of_batch = SignedReceipt::from_bytes(include_bytes!("data/receipt-of-batch.bin")).unwrap();
    assert_eq!(of_batch.verify(&history).unwrap().receipt(), &receipt(ids[1], at(1_795_253_500_004)));
    assert_eq!(of_batch.inclusion().map(|place| (place.index(), place.size())), Some((4, 5)));
}

#[test]
fn stored_revocations_still_count() {
    let history = history();
    let first = history.entries()[0].id();
    let revoked_at = at(1_795_253_700_000);
    assert_eq!(history.verify_chain(&first).unwrap_err(), TrustError::RevokedOnPath { key: first, revoked_at });
    let early = SignedReceipt::from_bytes(include_bytes!("data/receipt-of-revoked-key.bin")).unwrap();
    assert!(matches!(early.verify(&history), Err(ReceiptError::Revoked { key, .. }) if key == first));
    early.verify_received(&history, at(1_795_253_650_000)).unwrap();
}

fn shown() -> Receipt {
    receipt(KeyId::from_bytes([0x55; 32]), at(1_795_253_400_125))
}

#[test]
fn json_has_digests_in_hexadecimal_and_the_time_in_rfc_3339() {
    let receipt = shown();
    let expected = format!(
        concat!(
            r#"{{"id":"{id}","operator":"match-signs/1","software":"0.1.0","parameters":"{p}","evaluation_keys":"{e}","#,
            r#""collection":{{"kind":"room","id":"{c}","version":16909060,"content":"{d}"}},"request":"{r}","answer":"{a}","#,
            r#""noise":{{"bound_log2":31.5,"limit_log2":40.25}},"time":"2026-11-21T09:30:00.125Z","key":"{k}"}}"#
        ),
        id = receipt.id(),
        p = "11".repeat(32),
        e = "22".repeat(32),
        c = "33".repeat(16),
        d = "44".repeat(32),
        r = ContentDigest::of(REQUEST),
        a = ContentDigest::of(ANSWER),
        k = "55".repeat(32),
    );
    assert_eq!(serde_json::to_string(&receipt).unwrap(), expected);
}

#[test]
fn json_of_a_signed_receipt_has_place_and_signature_too() {
    let signed = SignedReceipt::from_bytes(include_bytes!("data/receipt-of-batch.bin")).unwrap();
    let json = serde_json::to_value(&signed).unwrap();
    assert_eq!(json["id"], signed.id().to_string());
    assert_eq!(json["batch"], serde_json::json!({ "index": 4, "size": 5 }));
    assert_eq!(json["signature"].as_str().map(str::len), Some(2 * SIGNATURE_BYTES));
    let alone = SignedReceipt::from_bytes(include_bytes!("data/receipt.bin")).unwrap();
    assert_eq!(serde_json::to_value(&alone).unwrap()["batch"], serde_json::Value::Null);
}

#[test]
fn people_read_a_line_a_field() {
    let mut receipt = shown();
    let text = receipt.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        format!("receipt         {}", receipt.id()),
        "time            2026-11-21T09:30:00.125Z".to_owned(),
        "operator        match-signs/1".to_owned(),
        "software        0.1.0".to_owned(),
        format!("parameters      {}", "11".repeat(32)),
        format!("evaluation keys {}", "22".repeat(32)),
        format!("room            {}, version 16909060", "33".repeat(16)),
        format!("content         {}", "44".repeat(32)),
        format!("request         {}", ContentDigest::of(REQUEST)),
        format!("answer          {}", ContentDigest::of(ANSWER)),
        "noise           at most 2^31.50 of 2^40.25".to_owned(),
        format!("signing key     {}", "55".repeat(32)),
    ];
    assert_eq!(lines, expected);
    receipt.collection.kind = CollectionKind::Panel;
    (receipt.evaluation_keys, receipt.collection.content) = (None, None);
    let text = receipt.to_string();
    for line in ["evaluation keys none", "panel           3333", "content         not stated"] {
        assert!(text.contains(line), "{text}");
    }
}
