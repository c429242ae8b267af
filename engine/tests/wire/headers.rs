//! Lengths and fixed headers.

use blindrelay_engine::bfv::{Ciphertext, SeededCiphertext};
use blindrelay_engine::params::{Level, ParameterDigest};
use blindrelay_engine::wire::{
    HEADER_BYTES, Header, HeaderFault, Kind, Wire, WireError, describe, exact_len, max_len, public_key_from_bytes,
};

use crate::crafted::with_typed;
use crate::objects;
use crate::sets::{SMALL, STATS, Scheme, WIDE, every_kind, recode};

#[test]
fn truncation_at_every_byte_is_named() {
    truncated(&SMALL, every_kind(&SMALL));
    truncated(&STATS, STATS.ciphertexts());
}

fn truncated(context: &impl Scheme, objects: Vec<Vec<u8>>) {
    for bytes in objects {
        let prefix_len = Header::parse(&bytes).unwrap().prefix_len();
        for found in 0..bytes.len() {
            let error = recode(&bytes[..found], context).unwrap_err();
            let needed = match found {
                0..HEADER_BYTES => HEADER_BYTES,
                _ if found < prefix_len => prefix_len,
                _ => bytes.len(),
            };
            assert_eq!(error, WireError::Truncated { needed, found });
            if found < prefix_len {
                assert_eq!(exact_len(&bytes[..found], context.parameters()), Err(error));
            }
        }
    }
}

#[test]
fn a_byte_too_many_is_refused() {
    longer_by_one(&WIDE);
    longer_by_one(&STATS);
}

fn longer_by_one(context: &impl Scheme) {
    for mut bytes in every_kind(context) {
        let expected = bytes.len();
        bytes.push(0);
        assert_eq!(recode(&bytes, context), Err(WireError::TrailingBytes { expected, found: expected + 1 }));
    }
}

#[test]
fn each_fixed_field_is_checked() {
    let bytes = objects::seeded_ciphertext(&SMALL, 1).to_bytes();
    let decode = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        SeededCiphertext::from_bytes(&bytes, &SMALL).unwrap_err()
    };
    for (at, &letter) in b"BRLY".iter().enumerate() {
        assert_eq!(decode(at, letter ^ 0x20), WireError::Magic);
    }
    for found in [0, 2, 255] {
        assert_eq!(decode(4, found), WireError::Version { found, supported: 1 });
        assert_eq!(decode(5, found.max(10)), WireError::UnknownKind { found: found.max(10) });
    }
    assert_eq!(decode(5, 0), WireError::UnknownKind { found: 0 });
    for found in Kind::ALL.into_iter().skip(1) {
        assert_eq!(decode(5, found as u8), WireError::Kind { expected: Kind::SeededCiphertext, found });
    }
    assert_eq!(decode(6, 1), too_long(1, 0));
    assert_eq!(decode(7, 255), too_long(0xff00, 0));
    for at in 8..HEADER_BYTES {
        let mut digest = *SMALL.parameters().digest().as_bytes();
        digest[at - 8] ^= 1;
        let found = ParameterDigest::from_bytes(digest);
        assert_eq!(decode(at, bytes[at] ^ 1), WireError::Parameters { expected: SMALL.parameters().digest(), found });
    }
}

fn too_long(found: usize, limit: usize) -> WireError {
    WireError::TypedHeader { reason: HeaderFault::TooLong { found, limit } }
}

#[test]
fn kinds_have_numbers_and_words() {
    for (number, kind) in (1..).zip(Kind::ALL) {
        assert_eq!(kind as u8, number);
        assert_eq!(Kind::try_from(number), Ok(kind));
    }
    let words: Vec<String> = Kind::ALL.iter().map(ToString::to_string).collect();
    let expected = [
        "a seeded ciphertext",
        "a ciphertext",
        "an answer",
        "a public key",
        "a set of evaluation keys",
        "a message",
        "an approximate ciphertext",
        "a seeded approximate ciphertext",
        "a seeded ciphertext of a chosen level",
    ];
    assert_eq!(words, expected);
}

#[test]
fn typed_headers_have_one_form() {
    // Components, level 0, two zigzag varints of three bytes each.
    let bytes = objects::ciphertext(&SMALL, 2, Level(0), 1).unwrap().to_bytes();
    let typed = crate::crafted::typed(&bytes).to_vec();
    assert_eq!((typed.len(), &typed[..2]), (8, &[2, 0][..]));
    let decode = |typed: &[u8]| Ciphertext::from_bytes(&with_typed(&bytes, typed), &SMALL).unwrap_err();
    let canonical = WireError::NotCanonical { what: "the typed header" };
    let ends = WireError::TypedHeader { reason: HeaderFault::Ends };
    let malformed = WireError::TypedHeader { reason: HeaderFault::Malformed };
    // Level 0 in three, five bytes instead of one.
    assert_eq!(decode(&[&[2, 251, 0, 0], &typed[2..]].concat()), canonical);
    assert_eq!(decode(&[&[2, 252, 0, 0, 0, 0], &typed[2..]].concat()), canonical);
    // Level as a number of 64 bits.
    assert_eq!(decode(&[&[2, 253, 0, 0, 0, 0, 0, 0, 0, 0], &typed[2..]].concat()), malformed);
    // A byte behind the last field, and one too few.
    assert_eq!(decode(&[&typed[..], &[0]].concat()), canonical);
    assert_eq!(decode(&typed[..7]), ends);
    assert_eq!(decode(&[]), ends);
    assert_eq!(decode(&[0; 17]), too_long(17, 16));
}

#[test]
fn objects_of_other_parameters_are_refused() {
    foreign(every_kind(&WIDE), WIDE.parameters().digest());
    foreign(every_kind(&STATS), STATS.parameters().digest());
}

fn foreign(objects: Vec<Vec<u8>>, found: ParameterDigest) {
    let expected = SMALL.parameters().digest();
    for bytes in objects {
        let refused = WireError::Parameters { expected, found };
        assert_eq!(recode(&bytes, &SMALL), Err(refused.clone()));
        assert_eq!(exact_len(&bytes, SMALL.parameters()), Err(refused));
    }
}

#[test]
fn ciphertexts_of_another_scheme_are_refused_by_name() {
    let forged = |mut bytes: Vec<u8>, digest: ParameterDigest| {
        bytes[8..40].copy_from_slice(digest.as_bytes());
        bytes
    };
    let (exact, approximate) = (SMALL.parameters(), STATS.parameters());
    let cases = SMALL.ciphertexts().into_iter().map(|bytes| (bytes, approximate, "BFV"));
    for (bytes, parameters, wanted) in cases.chain(STATS.ciphertexts().into_iter().map(|bytes| (bytes, exact, "CKKS")))
    {
        let kind = Header::parse(&bytes).unwrap().kind;
        let refused = WireError::Scheme { kind, wanted };
        let bytes = forged(bytes, parameters.digest());
        assert_eq!(exact_len(&bytes, parameters), Err(refused.clone()));
        assert_eq!(describe(&bytes), Err(refused));
        assert_eq!(max_len(kind, parameters), 0);
    }
}

#[test]
fn foreign_bytes_are_no_object() {
    for bytes in [&b""[..], b"BRLY", &[0; 40], &[255; 1000], b"<html><body>504 Gateway Timeout</body></html>"] {
        let expected = match bytes.len() {
            found @ 0..HEADER_BYTES => WireError::Truncated { needed: HEADER_BYTES, found },
            _ => WireError::Magic,
        };
        assert_eq!(Header::parse(bytes), Err(expected.clone()));
        assert_eq!(describe(bytes), Err(expected.clone()));
        assert_eq!(public_key_from_bytes(bytes, SMALL.parameters()), Err(expected));
    }
}
