//! Receipts, signed receipts, key histories, ids and moments.
//!
//! The first byte of an input chooses the decoder.

use std::str::FromStr;
use std::sync::LazyLock;

use blindrelay_trust::{
    CollectionId, ContentDigest, KeyHistory, KeyId, OperatorId, Receipt, ReceiptId, SignedReceipt, SoftwareVersion,
    UnixMillis,
};

/// A history of three keys, one of them revoked.
static HISTORY: LazyLock<KeyHistory> = LazyLock::new(|| {
    KeyHistory::from_json(include_str!("../../../trust/tests/data/history.json")).expect("a golden history")
});

/// What takes bytes, and says whether they were accepted.
type Check = fn(&[u8]) -> bool;

/// The decoders, by the number that an input begins with.
pub const DECODERS: &[(&str, Check)] = &[
    ("receipt", |bytes| same(bytes, Receipt::from_bytes(bytes).ok().map(|receipt| receipt.to_bytes()))),
    ("signed receipt", signed),
    ("key history", |bytes| history(&String::from_utf8_lossy(bytes))),
    ("moment", again::<UnixMillis>),
    ("id of a key", again::<KeyId>),
    ("id of a receipt", again::<ReceiptId>),
    ("id of a collection", again::<CollectionId>),
    ("digest", again::<ContentDigest>),
    ("name of an operator", |bytes| {
        let name = OperatorId::new(&String::from_utf8_lossy(bytes));
        same(bytes, name.ok().map(|name| name.as_str().as_bytes().to_vec()))
    }),
    ("version of the software", |bytes| {
        let version = SoftwareVersion::new(&String::from_utf8_lossy(bytes));
        same(bytes, version.ok().map(|version| version.as_str().as_bytes().to_vec()))
    }),
];

/// Reads bytes; what is accepted has one spelling.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, bytes)) = input.split_first() else { return false };
    DECODERS.get(usize::from(choice)).is_some_and(|(_, check)| check(bytes))
}

/// What was accepted is written as it was read.
fn same(read: &[u8], written: Option<Vec<u8>>) -> bool {
    written.is_some_and(|written| {
        assert_eq!(written, read);
        true
    })
}

fn again<T: FromStr + std::fmt::Display>(bytes: &[u8]) -> bool {
    let value = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<T>().ok());
    same(bytes, value.map(|value| value.to_string().into_bytes()))
}

/// A signed receipt has one encoding, and a history says of it whether it holds.
fn signed(bytes: &[u8]) -> bool {
    let Ok(receipt) = SignedReceipt::from_bytes(bytes) else { return false };
    if let Err(refused) = receipt.verify(&HISTORY) {
        assert!(!refused.to_string().is_empty());
    }
    same(bytes, Some(receipt.to_bytes()))
}

/// A history has one JSON, extends itself, and can be followed from its first key, or says which key was revoked.
fn history(text: &str) -> bool {
    let Ok(history) = KeyHistory::from_json(text) else { return false };
    assert_eq!(history.extends(&history), Ok(()));
    let first = history.entries().first().expect("a history has a key").id();
    if let Err(refused) = history.verify_chain(&first) {
        assert!(!refused.to_string().is_empty());
    }
    same(text.as_bytes(), history.to_json().ok().map(String::into_bytes))
}
