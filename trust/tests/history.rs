//! Histories of keys: rotation, trust, JSON, and everything that is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_engine::wire::content_digest;
use blindrelay_trust::{
    ExtensionError, HistoryError, HistorySignature, KeyHistory, KeyId, MAX_HISTORY_BYTES, MAX_KEYS, MAX_REASON_BYTES,
    PUBLIC_KEY_BYTES, RevocationFault, SIGNATURE_BYTES, SigningKey, TrustError, ValidityFault,
};
use support::*;

fn ids(keys: &[SigningKey]) -> Vec<KeyId> {
    keys.iter().map(|key| key.identity().id()).collect()
}

#[test]
fn whoever_trusts_a_key_follows_to_the_newest() {
    let (keys, history) = chain(&[10, 20, 30]);
    let ids = ids(&keys);
    for trusted in &ids {
        assert_eq!(history.verify_chain(trusted).unwrap().id(), ids[2]);
    }
    let validity: Vec<_> = history.entries().iter().map(|entry| (entry.valid_from(), entry.retired_at())).collect();
    assert_eq!(validity, [(at(10), Some(at(20))), (at(20), Some(at(30))), (at(30), None)]);
    let (strangers, _) = chain(&[10]);
    let trusted = strangers[0].identity().id();
    let refused = TrustError::UnknownKey { trusted, newest: ids[2] };
    assert_eq!(history.verify_chain(&trusted).unwrap_err(), refused);
}

#[test]
fn nothing_follows_a_revoked_key() {
    let (keys, history) = chain(&[10, 20, 30]);
    let ids = ids(&keys);
    let history = history.revoke(&ids[1], &keys[2], at(35), "published by mistake").unwrap();
    let refused = TrustError::RevokedOnPath { key: ids[1], revoked_at: at(35) };
    assert_eq!(history.verify_chain(&ids[0]).unwrap_err(), refused);
    assert_eq!(history.verify_chain(&ids[1]).unwrap_err(), refused);
    assert_eq!(history.verify_chain(&ids[2]).unwrap().id(), ids[2]);
}

#[test]
fn json_is_canonical_and_comes_back() {
    let (keys, history) = chain(&[10, 20, 30]);
    let revoked = history.revoke(&ids(&keys)[0], &keys[2], at(35), "\"lost\" – wirklich").unwrap();
    for history in [history, revoked] {
        let json = history.to_json().unwrap();
        let read = KeyHistory::from_json(&json).unwrap();
        assert_eq!((read.to_json().unwrap(), &read), (json.clone(), &history));
        let spaced =
            [json.replace("\":", "\": "), format!("{json}\n"), json.replacen("\"format\"", "\"\\u0066ormat\"", 1)];
        for text in spaced {
            assert_eq!(KeyHistory::from_json(&text).unwrap_err(), HistoryError::NotCanonical);
        }
        // The identity of a key follows from the key.
        let id = history.entries()[2].id().to_string();
        let other = json.replacen(&format!("\"id\":\"{id}"), &format!("\"id\":\"{}", "0".repeat(64)), 1);
        assert_eq!(KeyHistory::from_json(&other).unwrap_err(), HistoryError::NotCanonical);
    }
}

#[test]
fn what_is_no_history_is_refused_by_name() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"format":"blindrelay-key-history/1"}"#,
        r#"{"format":"blindrelay-key-history/2","keys":[]}"#,
    ] {
        assert!(matches!(KeyHistory::from_json(text).unwrap_err(), HistoryError::Format { .. }), "{text}");
    }
    let empty = r#"{"format":"blindrelay-key-history/1","keys":[]}"#;
    assert_eq!(KeyHistory::from_json(empty).unwrap_err(), HistoryError::KeyCount { found: 0 });
    let long = " ".repeat(MAX_HISTORY_BYTES + 1);
    assert_eq!(KeyHistory::from_json(&long).unwrap_err(), HistoryError::TooLong { found: MAX_HISTORY_BYTES + 1 });
    let json = chain(&[10]).1.to_json().unwrap();
    for (field, text) in [
        ("valid_from", json.replace("1970-01-01T00:00:00.010Z", "1970-01-01")),
        ("public_key", json.replace("\"public_key\":\"", "\"public_key\":\"00")),
        ("own_signature", json.replace("\"own_signature\":\"", "\"own_signature\":\"g0")),
    ] {
        let HistoryError::Format { reason } = KeyHistory::from_json(&text).unwrap_err() else { panic!("{field}") };
        assert!(reason.contains(field), "{reason}");
    }
}

/// The text of a history of keys of these times, with one replacement that has to be possible.
fn altered(times: &[u64], from: &str, to: &str) -> HistoryError {
    let json = chain(times).1.to_json().unwrap();
    let text = json.replacen(from, to, 1);
    assert_ne!(text, json);
    KeyHistory::from_json(&text).unwrap_err()
}

fn moment(field: &str, millis: u64) -> String {
    format!("\"{field}\":\"{}\"", at(millis))
}

#[test]
fn gaps_overlaps_and_a_changed_past_are_refused_by_name() {
    let validity = |index, fault| HistoryError::Validity { index, fault };
    let times = [10, 20, 30];
    assert_eq!(
        altered(&times, &moment("retired_at", 20), &moment("retired_at", 19)),
        validity(1, ValidityFault::Gap { valid_from: at(20), retired_at: at(19) })
    );
    assert_eq!(
        altered(&times, &moment("retired_at", 20), &moment("retired_at", 21)),
        validity(1, ValidityFault::Overlap { valid_from: at(20), retired_at: Some(at(21)) })
    );
    assert_eq!(
        altered(&times, &moment("retired_at", 20), "\"retired_at\":null"),
        validity(1, ValidityFault::Overlap { valid_from: at(20), retired_at: None })
    );
    assert_eq!(
        altered(&times, &moment("valid_from", 20), &moment("valid_from", 10)),
        validity(1, ValidityFault::Order { valid_from: at(10), former: at(10) })
    );
    assert_eq!(
        altered(&times, "\"retired_at\":null", &moment("retired_at", 40)),
        validity(2, ValidityFault::RetiredLast { retired_at: at(40) })
    );
    assert_eq!(
        altered(&[10], &moment("valid_from", 10), &moment("valid_from", 9)),
        HistoryError::Signature { index: 0, which: HistorySignature::Own }
    );
    let json = chain(&times).1.to_json().unwrap();
    // Both sides of a succession moved together: only the signatures tell.
    let moved = json.replace(&at(20).to_string(), &at(21).to_string());
    let refused = HistoryError::Signature { index: 1, which: HistorySignature::Own };
    assert_eq!(KeyHistory::from_json(&moved).unwrap_err(), refused);
}

#[test]
fn keys_out_of_place_are_refused_by_name() {
    let (keys, history) = chain(&[10, 20, 30]);
    let ids = ids(&keys);
    // A successor of the first key in the place of a successor of the second: a fork.
    let fork = keys[0].successor(at(40)).unwrap();
    let refused = HistoryError::Link { index: 3, expected: Some(ids[2]), found: Some(ids[0]) };
    assert_eq!(history.succeed(&keys[2], &fork).unwrap_err(), refused);
    // A key that claims to follow the newest one, signed by another.
    let successor = keys[2].successor(at(40)).unwrap();
    let refused = HistoryError::Signature { index: 3, which: HistorySignature::Former };
    assert_eq!(history.succeed(&keys[1], &successor).unwrap_err(), refused);
    let first = SigningKey::generate(at(40)).unwrap();
    let refused = HistoryError::Link { index: 3, expected: Some(ids[2]), found: None };
    assert_eq!(history.succeed(&keys[2], &first).unwrap_err(), refused);
    assert_eq!(history.succeed(&keys[2], &keys[2]).unwrap_err(), HistoryError::Repeated { key: ids[2] });
    // The first entry taken away.
    let json = history.to_json().unwrap();
    let second = json.find(",{\"id\"").unwrap();
    let headless = format!("{}{}", &json[..json.find("{\"id\"").unwrap()], &json[second + 1..]);
    let refused = HistoryError::Link { index: 0, expected: None, found: Some(ids[0]) };
    assert_eq!(KeyHistory::from_json(&headless).unwrap_err(), refused);
    // A signature by the former key where there is none, and none where there is one.
    let signature = json.split("\"former_signature\":\"").nth(1).unwrap().split('"').next().unwrap();
    let text = json.replacen("\"former_signature\":null", &format!("\"former_signature\":\"{signature}\""), 1);
    let refused = HistoryError::Signature { index: 0, which: HistorySignature::Former };
    assert_eq!(KeyHistory::from_json(&text).unwrap_err(), refused);
    let text = json.replacen(&format!("\"{signature}\""), "null", 1);
    let refused = HistoryError::Signature { index: 1, which: HistorySignature::Former };
    assert_eq!(KeyHistory::from_json(&text).unwrap_err(), refused);
}

#[test]
fn changed_digits_of_a_history_are_refused() {
    let (keys, history) = chain(&[10, 20]);
    let history = history.revoke(&ids(&keys)[0], &keys[1], at(25), "lost").unwrap();
    let json = history.to_json().unwrap();
    let mut changed = 0;
    // Every 13th byte, in all fields of all entries; a whole pass takes 13 times as long and finds the same.
    for (at, byte) in json.bytes().enumerate().step_by(13) {
        let other = match byte {
            b'0'..=b'8' | b'a'..=b'e' => byte + 1,
            b'9' | b'f' => b'0',
            _ => continue,
        };
        let mut text = json.clone().into_bytes();
        text[at] = other;
        assert!(KeyHistory::from_json(&String::from_utf8(text).unwrap()).is_err(), "byte {at}");
        changed += 1;
    }
    assert!(changed > 4 * (PUBLIC_KEY_BYTES + 2 * SIGNATURE_BYTES) / 13);
}

#[test]
fn revocations_that_cannot_be_are_refused_by_name() {
    let (keys, history) = chain(&[10, 20, 30]);
    let ids = ids(&keys);
    let fault = |key, fault| HistoryError::Revocation { key, fault };
    let refused =
        |key: &KeyId, by: &SigningKey, time, reason: &str| history.revoke(key, by, at(time), reason).unwrap_err();
    for reason in ["", "two\nlines", &"a".repeat(MAX_REASON_BYTES + 1)] {
        let expected = fault(ids[0], RevocationFault::Reason { found: reason.len() });
        assert_eq!(refused(&ids[0], &keys[2], 40, reason), expected);
    }
    assert_eq!(
        refused(&ids[1], &keys[2], 19, "lost"),
        fault(ids[1], RevocationFault::BeforeKey { revoked_at: at(19) })
    );
    for (key, by) in [(1, 0), (1, 1), (2, 2)] {
        let expected = fault(ids[key], RevocationFault::Signer { by: ids[by] });
        assert_eq!(refused(&ids[key], &keys[by], 40, "lost"), expected);
    }
    let stranger = SigningKey::generate(at(5)).unwrap();
    let unknown = stranger.identity().id();
    assert_eq!(refused(&unknown, &keys[2], 40, "lost"), HistoryError::UnknownKey { key: unknown });
    assert_eq!(refused(&ids[0], &stranger, 40, "lost"), fault(ids[0], RevocationFault::Signer { by: unknown }));
    let once = history.revoke(&ids[0], &keys[1], at(40), "lost").unwrap();
    let expected = fault(ids[0], RevocationFault::Repeated { revoked_at: at(40) });
    assert_eq!(once.revoke(&ids[0], &keys[2], at(41), "lost").unwrap_err(), expected);
    // Another reason under the same signature.
    let text = once.to_json().unwrap().replace("\"lost\"", "\"sold\"");
    let expected = HistoryError::Signature { index: 0, which: HistorySignature::Revocation };
    assert_eq!(KeyHistory::from_json(&text).unwrap_err(), expected);
}

#[test]
fn a_history_has_a_largest_number_of_keys() {
    let json = chain(&[10]).1.to_json().unwrap();
    let start = json.find("{\"id\"").unwrap();
    let (entry, end) = json[start..].split_at(json.len() - start - 2);
    let many = vec![entry; MAX_KEYS + 1].join(",");
    let text = format!("{}{many}{end}", &json[..start]);
    assert_eq!(KeyHistory::from_json(&text).unwrap_err(), HistoryError::KeyCount { found: MAX_KEYS + 1 });
}

#[test]
fn a_key_with_another_time_is_a_changed_past() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.key");
    let key = SigningKey::generate(at(10)).unwrap();
    key.write_new(&path).unwrap();
    // The owner of a key signs another time for it: bytes 8 to 15 of the key file, and the checksum after 80 bytes.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8..16].copy_from_slice(&9_u64.to_le_bytes());
    let checksum = content_digest(&bytes[..80]);
    bytes[80..].copy_from_slice(&checksum);
    std::fs::write(&path, &bytes).unwrap();
    let earlier = KeyHistory::begin(&SigningKey::read(&path).unwrap()).unwrap();
    let refused = ExtensionError::Changed { key: key.identity().id(), kept: at(10), found: at(9) };
    assert_eq!(earlier.extends(&KeyHistory::begin(&key).unwrap()).unwrap_err(), refused);
}

#[test]
fn a_history_continues_the_one_that_was_kept_or_says_why_not() {
    let (keys, kept) = chain(&[10, 20]);
    let ids = ids(&keys);
    kept.extends(&kept).unwrap();
    let third = keys[1].successor(at(30)).unwrap();
    let longer = kept.succeed(&keys[1], &third).unwrap();
    longer.extends(&kept).unwrap();
    assert_eq!(kept.extends(&longer).unwrap_err(), ExtensionError::Shorter { kept: 3, found: 2 });
    // Another successor of the same key.
    let other = keys[1].successor(at(31)).unwrap();
    let forked = kept.succeed(&keys[1], &other).unwrap();
    let (third, other) = (third.identity().id(), other.identity().id());
    let refused = ExtensionError::Fork { index: 2, kept: third, found: other };
    assert_eq!(forked.extends(&longer).unwrap_err(), refused);
    let (_, stranger) = chain(&[10, 20]);
    let found = stranger.entries()[0].id();
    assert_eq!(stranger.extends(&kept).unwrap_err(), ExtensionError::Fork { index: 0, kept: ids[0], found });
    // Revocations are added, and stay.
    let revoked = kept.revoke(&ids[0], &keys[1], at(25), "lost").unwrap();
    revoked.extends(&kept).unwrap();
    revoked.extends(&kept.revoke(&ids[0], &keys[1], at(25), "lost").unwrap()).unwrap();
    let refused = ExtensionError::Revocation { key: ids[0] };
    assert_eq!(kept.extends(&revoked).unwrap_err(), refused);
    let later = kept.revoke(&ids[0], &keys[1], at(26), "lost").unwrap();
    assert_eq!(later.extends(&revoked).unwrap_err(), refused);
}
