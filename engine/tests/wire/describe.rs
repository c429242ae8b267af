//! Objects in words.

use blindrelay_engine::Backend;
use blindrelay_engine::params::{Level, MATCH_4096, ParameterSpec, Parameters, preset};
use blindrelay_engine::wire::{ItemRun, Kind, Wire, WireError, describe, public_key_to_bytes};

use crate::crafted::{typed, with_typed};
use crate::objects;
use crate::sets::{PADDED, SMALL, WIDE};

fn words(bytes: &[u8]) -> Vec<String> {
    describe(bytes).unwrap().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn every_kind_is_described() {
    let parameters = WIDE.parameters();
    let set = format!("parameters: match-4096, digest {}", parameters.digest());
    assert_eq!(
        words(&objects::seeded_ciphertext(&WIDE, 1).to_bytes()),
        [
            "a seeded ciphertext, format version 1, 42056 bytes, as many as its headers promise",
            &set,
            "level: 1",
            "components: 2",
            "uniform halves: as seeds",
        ]
    );
    assert_eq!(
        words(&objects::ciphertext(&WIDE, 3, Level(0), 1).unwrap().to_bytes()),
        [
            "a ciphertext, format version 1, 63024 bytes, as many as its headers promise",
            &set,
            "level: 0",
            "components: 3",
            "noise: coefficients up to 2^4.427, Euclidean norm up to 2^8.089",
        ]
    );
    assert_eq!(
        words(&objects::answer(parameters, vec![127, 255], 1, 1).unwrap().to_bytes()),
        [
            "an answer, format version 1, 16437 bytes, as many as its headers promise",
            &set,
            "components: 2",
            "positions (2): 127, 255",
        ]
    );
    assert_eq!(
        words(&public_key_to_bytes(&objects::public_key(parameters, 1), parameters)),
        [
            "a public key, format version 1, 42056 bytes, as many as its headers promise",
            &set,
            "uniform halves: as seeds",
        ]
    );
    assert_eq!(
        words(&objects::evaluation_keys(parameters, true, &[3, 8191], 1).unwrap().to_bytes()),
        [
            "a set of evaluation keys, format version 1, 252046 bytes, as many as its headers promise",
            &set,
            "uniform halves: as seeds",
            "relinearization key: yes",
            "automorphism keys (2): 3, 8191",
        ]
    );
    assert_eq!(
        words(&objects::message(parameters).to_bytes().unwrap()),
        [
            "a message, format version 1, 65 bytes, as many as its headers promise",
            &set,
            "operator: \"score\", part 7",
            "items: 2 of 5 bytes",
            "items: 1 of 0 bytes",
            "items: 1 of 1 bytes",
        ]
    );
}

#[test]
fn missing_bytes_are_told() {
    let bytes = objects::seeded_ciphertext(&SMALL, 1).to_bytes();
    let description = describe(&bytes[..100]).unwrap();
    assert_eq!((description.bytes, description.expected_bytes), (100, Some(10_568)));
    assert_eq!(
        words(&bytes[..100])[0],
        "a seeded ciphertext, format version 1, 100 bytes, but its headers promise 10568"
    );
    assert_eq!(describe(&bytes[..39]), Err(WireError::Truncated { needed: 40, found: 39 }));
}

#[test]
fn sets_without_a_name_are_described_as_far_as_possible() {
    let description = describe(&objects::seeded_ciphertext(&PADDED, 1).to_bytes()).unwrap();
    assert_eq!((description.parameter_set, description.expected_bytes, description.level), (None, None, None));
    let everywhere = (0..2048).collect();
    let answer = objects::answer(PADDED.parameters(), everywhere, 2, 1).unwrap().to_bytes();
    let description = describe(&answer).unwrap();
    assert_eq!(description.components, Some(3));
    assert_eq!(description.positions.map(|positions| positions.len()), Some(2048));
    let message = describe(&objects::message(PADDED.parameters()).to_bytes().unwrap()).unwrap();
    assert_eq!(message.expected_bytes, Some(message.bytes));
    assert_eq!(message.items.unwrap()[0], ItemRun { length: 5, count: 2 });
    assert_eq!(message.kind, Kind::Message);
}

#[test]
fn named_sets_refuse_what_they_do_not_allow() {
    let bytes = objects::ciphertext(&SMALL, 2, Level(0), 1).unwrap().to_bytes();
    let mut header = typed(&bytes).to_vec();
    header[1] = 1;
    assert_eq!(describe(&with_typed(&bytes, &header)), Err(WireError::Level { found: Level(1), top: Level(0) }));
}

#[test]
fn lengths_without_tables_agree_with_those_of_validated_parameters() {
    for name in [MATCH_4096, "match-2048", "bill-8192"] {
        let spec: ParameterSpec = preset(name).unwrap();
        let parameters = Parameters::new(spec, Backend::Scalar).unwrap();
        let bytes = objects::evaluation_keys(&parameters, true, &[5], 1).unwrap().to_bytes();
        assert_eq!(describe(&bytes).unwrap().expected_bytes, Some(bytes.len()));
    }
}
