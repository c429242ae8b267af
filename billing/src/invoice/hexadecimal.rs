//! Digests as hexadecimal text.

use serde::{Deserialize, Deserializer, Serializer};

use crate::message::Digest;

/// 64 digits.
pub(super) fn text(digest: &Digest) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(digest))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let written = String::deserialize(deserializer)?;
    parse(&written).ok_or_else(|| serde::de::Error::custom("a digest has 64 hexadecimal digits in lower case"))
}

fn parse(written: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    let (pairs, []) = written.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != digest.len() || !written.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
