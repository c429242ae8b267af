//! What a ciphertext may not say or contain.

use blindrelay_engine::Modulus;
use blindrelay_engine::bfv::{Ciphertext, SeededCiphertext};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::params::Level;
use blindrelay_engine::ring::Poly;
use blindrelay_engine::rlwe;
use blindrelay_engine::wire::{Wire, WireError, exact_len, public_key_from_bytes, public_key_to_bytes};

use crate::crafted::{typed, with_bits, with_typed};
use crate::objects;
use crate::sets::{SMALL, WIDE};

const SEED_BITS: usize = 256;
const BITS: usize = 41;

#[test]
fn residues_that_are_not_below_their_prime_are_refused_with_their_place() {
    let seeded = objects::seeded_ciphertext(&WIDE, 1).to_bytes();
    let key = public_key_to_bytes(&objects::public_key(WIDE.parameters(), 1), WIDE.parameters());
    let pair = objects::ciphertext(&WIDE, 2, Level(1), 1).unwrap().to_bytes();
    for (limb, prime) in WIDE.parameters().top().basis().moduli().into_iter().map(Modulus::value).enumerate() {
        for index in [0, 1, 7, 8, 1000, 4095] {
            let expected = WireError::Residue { limb, index };
            let start = BITS * (4096 * limb + index);
            for value in [prime, prime + 1, (1 << BITS) - 1] {
                let crafted = with_bits(&seeded, SEED_BITS + start, BITS, value);
                assert_eq!(SeededCiphertext::from_bytes(&crafted, &WIDE), Err(expected.clone()));
                let crafted = with_bits(&key, SEED_BITS + start, BITS, value);
                assert_eq!(public_key_from_bytes(&crafted, WIDE.parameters()), Err(expected.clone()));
                // In the second component.
                let crafted = with_bits(&pair, 2 * 4096 * BITS + start, BITS, value);
                assert_eq!(Ciphertext::from_bytes(&crafted, &WIDE), Err(expected.clone()));
            }
            let crafted = with_bits(&seeded, SEED_BITS + start, BITS, prime - 1);
            let decoded = SeededCiphertext::from_bytes(&crafted, &WIDE).unwrap();
            assert_eq!(decoded.rlwe().body().residues()[4096 * limb + index], prime - 1);
        }
    }
}

#[test]
fn the_first_residue_that_is_too_large_is_named() {
    let bytes = objects::seeded_ciphertext(&SMALL, 1).to_bytes();
    let ones = bytes[..72].iter().copied().chain(std::iter::repeat_n(255, bytes.len() - 72)).collect::<Vec<_>>();
    assert_eq!(SeededCiphertext::from_bytes(&ones, &SMALL), Err(WireError::Residue { limb: 0, index: 0 }));
}

#[test]
fn ciphertexts_have_two_or_three_components() {
    let bytes = objects::ciphertext(&SMALL, 2, Level(0), 1).unwrap().to_bytes();
    for found in [0, 1, 4, 255] {
        let mut header = typed(&bytes).to_vec();
        header[0] = found;
        let crafted = with_typed(&bytes, &header);
        let expected = WireError::Components { found: usize::from(found), least: 2, most: 3 };
        assert_eq!(exact_len(&crafted, SMALL.parameters()), Err(expected.clone()));
        assert_eq!(Ciphertext::from_bytes(&crafted, &SMALL), Err(expected));
    }
}

#[test]
fn levels_that_the_parameters_lack_are_refused() {
    let bytes = objects::ciphertext(&WIDE, 2, Level(1), 1).unwrap().to_bytes();
    let header = typed(&bytes).to_vec();
    let decode = |level: &[u8]| {
        let crafted = with_typed(&bytes, &[&header[..1], level, &header[2..]].concat());
        Ciphertext::from_bytes(&crafted, &WIDE).unwrap_err()
    };
    assert_eq!(decode(&[2]), WireError::Level { found: Level(2), top: Level(1) });
    let largest = Level(u32::MAX as usize);
    assert_eq!(decode(&[252, 255, 255, 255, 255]), WireError::Level { found: largest, top: Level(1) });
    // A level that exists, but not the one of the payload.
    let expected = bytes.len() - 2 * 4096 * 41 / 8;
    assert_eq!(decode(&[0]), WireError::TrailingBytes { expected, found: bytes.len() });
}

#[test]
fn transparent_ciphertexts_are_refused() {
    let basis = WIDE.parameters().top().basis();
    let with = |components: Vec<_>| {
        let rlwe = rlwe::Ciphertext::new(components, Level(1));
        Ciphertext::new(&WIDE, rlwe, NoiseBound::fresh_secret(4096)).unwrap().to_bytes()
    };
    let (zero, some) = (Poly::zero(basis), objects::poly(basis, 1));
    for bytes in [with(vec![some.clone(), zero.clone()]), with(vec![some.clone(), zero.clone(), zero.clone()])] {
        assert_eq!(Ciphertext::from_bytes(&bytes, &WIDE), Err(WireError::Transparent));
    }
    for bytes in [with(vec![zero.clone(), some.clone()]), with(vec![zero.clone(), zero, some])] {
        assert_eq!(Ciphertext::from_bytes(&bytes, &WIDE).unwrap().to_bytes(), bytes);
    }
}

/// A zigzag varint of five bytes.
fn zigzag(value: i32) -> [u8; 5] {
    let [a, b, c, d] = ((value << 1) ^ (value >> 31)).to_le_bytes();
    [252, a, b, c, d]
}

#[test]
fn exhausted_noise_is_refused() {
    let bytes = objects::ciphertext(&SMALL, 2, Level(0), 1).unwrap().to_bytes();
    let limit_log2 = SMALL.noise_limit_log2(Level(0));
    for bound in [1 << 20, i32::MAX] {
        let crafted = with_typed(&bytes, &[&[2, 0][..], &zigzag(bound), &[0]].concat());
        let bound_log2 = f64::from(bound) / 1024.0;
        assert_eq!(Ciphertext::from_bytes(&crafted, &SMALL), Err(WireError::NoiseExhausted { bound_log2, limit_log2 }));
    }
    let step = (limit_log2 * 1024.0).floor() as i32;
    for (bound, accepted) in [(step, true), (step + 1, false)] {
        let [a, b, ..] = (2 * bound).to_le_bytes();
        let crafted = with_typed(&bytes, &[2, 0, 251, a, b, 0]);
        assert_eq!(Ciphertext::from_bytes(&crafted, &SMALL).is_ok(), accepted);
    }
}
