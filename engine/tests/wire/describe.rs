//! Objects in words.

use blindrelay_engine::Backend;
use blindrelay_engine::params::{Level, MATCH_4096, ParameterSpec, Parameters, preset};
use blindrelay_engine::wire::{
    BoundsDescription, ItemRun, Kind, PrimePower, ScaleDescription, Wire, WireError, describe, public_key_to_bytes,
};

use crate::crafted::{typed, with_typed};
use crate::objects;
use crate::sets::{PADDED, SMALL, STATS, WIDE};

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
fn approximate_ciphertexts_are_described() {
    let set = format!("parameters: stats-8192, digest {}", STATS.parameters().digest());
    let ciphertext = objects::approximate(&STATS, 3, Level(1), 1).unwrap().to_bytes();
    assert_eq!(
        words(&ciphertext),
        [
            "an approximate ciphertext, format version 1, 251958 bytes, as many as its headers promise",
            &set,
            "level: 1",
            "components: 3",
            "scale: 2^80 1099511922689^-1 (about 2^40.000000)",
            "slots: up to 2^0.000, with errors up to 2^-19.521",
        ]
    );
    let seeded = objects::seeded_approximate(&STATS, 1).unwrap().to_bytes();
    assert_eq!(
        words(&seeded),
        [
            "a seeded approximate ciphertext, format version 1, 126034 bytes, as many as its headers promise",
            &set,
            "level: 2",
            "components: 2",
            "uniform halves: as seeds",
            "scale: 2^40",
            "slots: up to 2^0.000, with errors up to 2^-31.991",
        ]
    );
    let description = describe(&ciphertext).unwrap();
    let log2 = STATS.scale_at(Level(1)).log2();
    let primes = vec![PrimePower { position: 2, prime: Some(1_099_511_922_689), exponent: -1 }];
    assert_eq!(description.scale, Some(ScaleDescription { log2: Some(log2), two: 80, primes }));
    let error_log2 = 20_971.0 / 1024.0;
    assert_eq!(description.bounds, Some(BoundsDescription { message_log2: 40.0, error_log2 }));
    assert_eq!(description.noise, None);
}

#[test]
fn scales_of_sets_without_a_name_are_described_by_positions() {
    let mut bytes = objects::approximate(&STATS, 2, Level(0), 1).unwrap().to_bytes();
    bytes[8] ^= 1;
    let description = describe(&bytes).unwrap();
    assert_eq!((description.parameter_set.clone(), description.expected_bytes), (None, None));
    let scale = description.scale.clone().unwrap();
    let primes = [(1, -1), (2, -2)].map(|(position, exponent)| PrimePower { position, prime: None, exponent });
    assert_eq!(scale, ScaleDescription { log2: None, two: 160, primes: primes.to_vec() });
    let words = description.to_string();
    assert!(
        words.contains("\nscale: 2^160 q1^-1 q2^-2\nscale times slots: up to 2^40.000, with errors up to 2^20.479")
    );
    // Even then a list that has a shorter form is refused.
    let crafted = with_typed(&bytes, &[2, 0, 80, 1, 2, 0, 0, 0]);
    assert_eq!(describe(&crafted), Err(WireError::NotCanonical { what: "the scale" }));
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
