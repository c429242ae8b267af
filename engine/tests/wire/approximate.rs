//! Approximate ciphertexts: what they are made of.

use blindrelay_engine::ckks::{Bounds, Ciphertext, Scale, SeededCiphertext, Shape};
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::ring::Poly;
use blindrelay_engine::wire::{Header, HeaderFault, Kind, Wire, WireError, exact_len, max_len};
use blindrelay_engine::{Modulus, rlwe};

use crate::crafted::{typed, varint, with_bits, with_typed, zigzag};
use crate::objects;
use crate::sets::{DEEP, STATS, Scheme};

pub(crate) const FRESH: Bounds = Bounds { message: 40.0, error: 8.0 };

/// A scale as a typed header has it.
pub(crate) fn scale_bytes(two: i32, primes: &[(u32, i32)]) -> Vec<u8> {
    let powers = primes.iter().flat_map(|&(position, exponent)| [varint(position), zigzag(exponent)].concat());
    [zigzag(two), varint(primes.len() as u32), powers.collect()].concat()
}

/// An object of `stats-8192` of kind 7 (two components at level 1) or 8 with another scale and other bounds.
pub(crate) fn crafted(kind: Kind, scale: &[u8], [message, error]: [i32; 2]) -> Vec<u8> {
    let tail = [scale.to_vec(), zigzag(message), zigzag(error)].concat();
    if kind == Kind::SeededApproximateCiphertext {
        return with_typed(&objects::seeded_approximate(&STATS, 1).unwrap().to_bytes(), &tail);
    }
    let bytes = objects::approximate(&STATS, 2, Level(1), 1).unwrap().to_bytes();
    with_typed(&bytes, &[&[2, 1][..], &tail].concat())
}

pub(crate) const KINDS: [Kind; 2] = [Kind::ApproximateCiphertext, Kind::SeededApproximateCiphertext];
pub(crate) const BOUNDS: [i32; 2] = [40 * 1024, 8 * 1024];

/// What the decoder of the kind says.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Scale, Bounds), WireError> {
    match Header::parse(bytes)?.kind {
        Kind::ApproximateCiphertext => {
            let Shape { scale, bounds, .. } = Ciphertext::from_bytes(bytes, &STATS)?.shape().clone();
            Ok((scale, bounds))
        }
        kind => {
            assert_eq!(kind, Kind::SeededApproximateCiphertext);
            let object = SeededCiphertext::from_bytes(bytes, &STATS)?;
            Ok((object.scale().clone(), object.bounds()))
        }
    }
}

pub(crate) fn primes(parameters: &Parameters) -> Vec<u64> {
    parameters.spec().ciphertext_primes.clone()
}

#[test]
fn ciphertexts_come_back_at_every_level() {
    for context in [&STATS, &DEEP] {
        let parameters = context.parameters();
        let seeded = objects::seeded_approximate(context, 1).unwrap();
        let back = SeededCiphertext::from_bytes(&seeded.to_bytes(), context).unwrap();
        assert_eq!(back, seeded);
        assert_eq!(back.expand(context), seeded.expand(context));
        for level in (0..=parameters.top_level().0).map(Level) {
            for components in 2..=3 {
                let ciphertext = objects::approximate(context, components, level, 2).unwrap();
                let bytes = ciphertext.to_bytes();
                assert_eq!(Ciphertext::from_bytes(&bytes, context), Ok(ciphertext));
                let prefix_len = Header::parse(&bytes).unwrap().prefix_len();
                assert_eq!(exact_len(&bytes[..prefix_len], parameters), Ok(bytes.len()));
            }
        }
    }
}

#[test]
fn the_longest_objects_fit_their_budget() {
    for context in [&STATS, &DEEP] {
        let parameters = context.parameters();
        let primes = primes(parameters);
        // All exponents have five bytes, and yet the scale is about 2^1000.
        let (up, down) = primes.split_at(primes.len().div_ceil(2));
        let powers = |primes: &[u64], exponent| Scale::from_exponents(0, primes.iter().map(|&prime| (prime, exponent)));
        let large = powers(up, 40_000);
        let small = powers(down, -((large.log2() + 40_000.0) / powers(down, 1).log2()).round() as i32);
        let product = large.times(&small);
        let scale = product.times(&Scale::power_of_two(1000 - product.log2().round() as i32));
        let top = parameters.top_level();
        let bounds = Bounds { message: -80_000.0, error: -80_000.0 };
        let bodies = (0..3).map(|index| objects::poly(parameters.top().basis(), index)).collect();
        let shape = Shape { level: top, scale: scale.clone(), components: 3, bounds };
        let ciphertext = Ciphertext::new(context, rlwe::Ciphertext::new(bodies, top), shape).unwrap();
        let rlwe = objects::seeded_approximate(context, 1).unwrap().rlwe().clone();
        let seeded = SeededCiphertext::new(context, rlwe, scale, bounds).unwrap();
        // Positions and level are given five bytes each, of which one is used, and so is the length of the list.
        for (kind, bytes, unused) in [
            (Kind::ApproximateCiphertext, ciphertext.to_bytes(), 8 + 4 * primes.len()),
            (Kind::SeededApproximateCiphertext, seeded.to_bytes(), 4 + 4 * primes.len()),
        ] {
            assert_eq!(max_len(kind, parameters) - bytes.len(), unused, "{kind}");
            assert_eq!(exact_len(&bytes, parameters), Ok(bytes.len()));
        }
        assert_eq!(Ciphertext::from_bytes(&ciphertext.to_bytes(), context), Ok(ciphertext));
        assert_eq!(SeededCiphertext::from_bytes(&seeded.to_bytes(), context), Ok(seeded));
    }
}

#[test]
fn typed_headers_are_as_documented() {
    let ciphertext = objects::approximate(&STATS, 3, Level(1), 1).unwrap().to_bytes();
    let scale = scale_bytes(80, &[(2, -1)]);
    assert_eq!(typed(&ciphertext), [&[3, 1][..], &scale, &zigzag(40 * 1024), &zigzag(20_971)].concat());
    let seeded = objects::seeded_approximate(&STATS, 1).unwrap().to_bytes();
    assert_eq!(typed(&seeded), [&[80, 0][..], &zigzag(40 * 1024), &zigzag(8201)].concat());
}

#[test]
fn components_and_levels_are_checked() {
    let bytes = objects::approximate(&STATS, 2, Level(1), 1).unwrap().to_bytes();
    let rest = typed(&bytes)[2..].to_vec();
    let refusal = |start: &[u8]| {
        let crafted = with_typed(&bytes, &[start, &rest].concat());
        (Ciphertext::from_bytes(&crafted, &STATS).unwrap_err(), crafted.len())
    };
    for found in [0, 1, 4, 255] {
        let expected = WireError::Components { found: usize::from(found), least: 2, most: 3 };
        assert_eq!(refusal(&[found, 1]).0, expected);
    }
    assert_eq!(refusal(&[2, 3]).0, WireError::Level { found: Level(3), top: Level(2) });
    let largest = Level(u32::MAX as usize);
    assert_eq!(refusal(&[2, 252, 255, 255, 255, 255]).0, WireError::Level { found: largest, top: Level(2) });
    // A shape that exists, but not the one of the payload.
    let limb = |bits: usize| bits * 8192 / 8;
    let (error, found) = refusal(&[3, 1]);
    assert_eq!(error, WireError::Truncated { needed: found + limb(42) + limb(40), found });
    let (error, found) = refusal(&[2, 2]);
    assert_eq!(error, WireError::Truncated { needed: found + 2 * limb(41), found });
    let (error, found) = refusal(&[2, 0]);
    assert_eq!(error, WireError::TrailingBytes { expected: found - 2 * limb(40), found });
}

#[test]
fn residues_that_are_not_below_their_prime_are_refused_with_their_place() {
    let seeded = objects::seeded_approximate(&STATS, 1).unwrap().to_bytes();
    let pair = objects::approximate(&STATS, 2, STATS.parameters().top_level(), 1).unwrap().to_bytes();
    let moduli = STATS.parameters().top().basis().moduli();
    let poly_bits: usize = moduli.iter().map(|modulus| 8192 * modulus.bits() as usize).sum();
    let mut limb_start = 0;
    for (limb, modulus) in moduli.into_iter().enumerate() {
        let (prime, bits) = (Modulus::value(modulus), modulus.bits() as usize);
        for index in [0, 1, 7, 8, 1000, 8191] {
            let expected = WireError::Residue { limb, index };
            let start = limb_start + bits * index;
            for value in [prime, prime + 1, u64::MAX] {
                let crafted = with_bits(&seeded, 256 + start, bits, value);
                assert_eq!(SeededCiphertext::from_bytes(&crafted, &STATS), Err(expected.clone()));
                for component in [0, 1] {
                    let crafted = with_bits(&pair, component * poly_bits + start, bits, value);
                    assert_eq!(Ciphertext::from_bytes(&crafted, &STATS), Err(expected.clone()));
                }
            }
            let crafted = with_bits(&pair, start, bits, prime - 1);
            assert_eq!(Ciphertext::from_bytes(&crafted, &STATS).unwrap().to_bytes(), crafted);
        }
        limb_start += bits * 8192;
    }
}

#[test]
fn transparent_ciphertexts_are_refused() {
    let basis = STATS.parameters().at(Level(1)).unwrap().basis();
    let with = |components: Vec<_>| {
        let shape =
            Shape { level: Level(1), scale: STATS.default_scale(), components: components.len(), bounds: FRESH };
        Ciphertext::new(&STATS, rlwe::Ciphertext::new(components, Level(1)), shape).unwrap().to_bytes()
    };
    let (zero, some) = (Poly::zero(basis), objects::poly(basis, 1));
    for bytes in [with(vec![some.clone(), zero.clone()]), with(vec![some.clone(), zero.clone(), zero.clone()])] {
        assert_eq!(Ciphertext::from_bytes(&bytes, &STATS), Err(WireError::Transparent));
    }
    for bytes in [with(vec![zero.clone(), some.clone()]), with(vec![zero.clone(), zero, some])] {
        assert_eq!(Ciphertext::from_bytes(&bytes, &STATS).unwrap().to_bytes(), bytes);
    }
}

#[test]
fn typed_headers_of_other_lengths_are_refused() {
    for bytes in STATS.ciphertexts() {
        let header = typed(&bytes).to_vec();
        let decode = |typed: &[u8]| decode(&with_typed(&bytes, typed)).unwrap_err();
        let ends = WireError::TypedHeader { reason: HeaderFault::Ends };
        for found in 0..header.len() {
            assert_eq!(decode(&header[..found]), ends);
        }
        assert_eq!(decode(&[&header[..], &[0]].concat()), WireError::NotCanonical { what: "the typed header" });
        assert!(matches!(
            decode(&[0; 100]),
            WireError::TypedHeader { reason: HeaderFault::TooLong { found: 100, limit: 50..=56 } }
        ));
    }
}
