//! Seeded ciphertexts of a chosen level: what they are, and what they may not say or contain.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, LevelledSeededCiphertext, SeededCiphertext};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::params::{DECIDE_32768, Level, STATS_8192};
use blindrelay_engine::ring::SEED_BYTES;
use blindrelay_engine::rlwe;
use blindrelay_engine::wire::{Header, HeaderFault, Kind, Wire, WireError, describe, exact_len, max_len};

use crate::crafted::{typed, with_bits, with_typed};
use crate::objects;
use crate::sets::{STATS, WIDE};

fn decode(bytes: &[u8], context: &Context) -> Result<LevelledSeededCiphertext, WireError> {
    LevelledSeededCiphertext::from_bytes(bytes, context)
}

#[test]
fn every_level_comes_back_with_its_primes_and_no_others() {
    let context = objects::context(DECIDE_32768).unwrap();
    let parameters = context.parameters();
    for level in (0..=parameters.top_level().0).map(Level) {
        let object = objects::levelled(&context, level, 3).unwrap();
        let bytes = object.to_bytes();
        let primes = parameters.at(level).unwrap().basis().moduli().into_iter();
        let residues: usize = primes.map(|prime| 32_768 / 8 * prime.bits() as usize).sum();
        assert_eq!(bytes.len(), 40 + 1 + SEED_BYTES + residues, "{level}");
        assert_eq!(bytes.len(), LevelledSeededCiphertext::encoded_len(parameters, level));
        let prefix_len = Header::parse(&bytes).unwrap().prefix_len();
        assert_eq!(exact_len(&bytes[..prefix_len], parameters), Ok(bytes.len()));
        assert!(bytes.len() <= max_len(Kind::LevelledSeededCiphertext, parameters));
        let described = describe(&bytes).unwrap();
        assert_eq!((described.level, described.components, described.seeded), (Some(level.0), Some(2), true));
        let decoded = decode(&bytes, &context).unwrap();
        assert_eq!(decoded, object);
        let expanded = decoded.expand(&context).unwrap();
        assert_eq!((expanded.level(), expanded.noise()), (level, NoiseBound::fresh_secret(32_768)));
        // The primes come one after the other: what has a seed at the top has the same residues below it.
        let top = objects::levelled(&context, parameters.top_level(), 3).unwrap().expand(&context).unwrap();
        for (ours, whole) in expanded.rlwe().components().iter().zip(top.rlwe().components()) {
            assert_eq!(ours.residues(), &whole.residues()[..ours.residues().len()]);
        }
    }
}

#[test]
fn a_body_over_other_primes_than_a_levels_is_refused() {
    let special = objects::context(DECIDE_32768).unwrap();
    let body = objects::poly(special.parameters().key_basis(), 1);
    let rlwe = rlwe::SeededCiphertext::new(body, objects::seed(2));
    let refused = LevelledSeededCiphertext::new(special.parameters(), rlwe);
    assert_eq!(refused, Err(Error::NoSuchLevel { level: Level(15), top: Level(10) }));
    let other = objects::levelled(&WIDE, Level(0), 1).unwrap();
    assert!(matches!(other.expand(&special), Err(Error::ParameterMismatch { .. })));
}

#[test]
fn levels_that_the_parameters_lack_or_that_are_not_the_payloads_are_refused() {
    let bytes = objects::levelled(&WIDE, Level(0), 1).unwrap().to_bytes();
    assert_eq!(typed(&bytes), [0]);
    let refused = |level: &[u8]| decode(&with_typed(&bytes, level), &WIDE).unwrap_err();
    for (level, found) in [(&[2][..], 2), (&[250], 250), (&[252, 255, 255, 255, 255], u32::MAX as usize)] {
        assert_eq!(refused(level), WireError::Level { found: Level(found), top: Level(1) });
        let length = exact_len(&with_typed(&bytes, level), WIDE.parameters());
        assert_eq!(length, Err(WireError::Level { found: Level(found), top: Level(1) }));
    }
    let expected = bytes.len() + 4096 * 41 / 8;
    assert_eq!(refused(&[1]), WireError::Truncated { needed: expected, found: bytes.len() });
    assert_eq!(refused(&[251, 0, 0]), WireError::NotCanonical { what: "the typed header" });
    assert_eq!(refused(&[0, 0]), WireError::NotCanonical { what: "the typed header" });
    assert_eq!(refused(&[]), WireError::TypedHeader { reason: HeaderFault::Ends });
    let reason = HeaderFault::TooLong { found: 6, limit: 5 };
    assert_eq!(refused(&[0; 6]), WireError::TypedHeader { reason });
}

#[test]
fn residues_that_are_not_below_their_prime_are_refused_with_their_place() {
    let bytes = objects::levelled(&WIDE, Level(1), 1).unwrap().to_bytes();
    for (limb, prime) in WIDE.parameters().top().basis().moduli().into_iter().enumerate() {
        for index in [0, 9, 4095] {
            let start = 8 * SEED_BYTES + 41 * (4096 * limb + index);
            let crafted = with_bits(&bytes, start, 41, prime.value());
            assert_eq!(decode(&crafted, &WIDE), Err(WireError::Residue { limb, index }));
            assert!(decode(&with_bits(&bytes, start, 41, prime.value() - 1), &WIDE).is_ok());
        }
    }
}

#[test]
fn it_is_not_taken_for_another_kind_nor_another_for_it() {
    let levelled = objects::levelled(&WIDE, Level(1), 1).unwrap().to_bytes();
    let seeded = objects::seeded_ciphertext(&WIDE, 1).to_bytes();
    let (first, ninth) = (Kind::SeededCiphertext, Kind::LevelledSeededCiphertext);
    assert_eq!(SeededCiphertext::from_bytes(&levelled, &WIDE), Err(WireError::Kind { expected: first, found: ninth }));
    assert_eq!(decode(&seeded, &WIDE), Err(WireError::Kind { expected: ninth, found: first }));
    // The objects of the top level differ in their headers alone.
    assert_eq!(levelled[41..], seeded[40..]);
    assert_eq!(max_len(ninth, STATS.parameters()), 0, "{STATS_8192} is of another scheme");
}
