//! Approximate ciphertexts: scales, bounds, and what they share with exact ones.

use blindrelay_engine::ckks::{Arithmetic, Bounds, Ciphertext, Context, Planner, Scale, SeededCiphertext, Shape};
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::ring::Poly;
use blindrelay_engine::wire::{Header, HeaderFault, Kind, Wire, WireError, exact_len, max_len};
use blindrelay_engine::{Error, Modulus, ScaleFault, rlwe};
use proptest::prelude::*;

use crate::crafted::{typed, varint, with_bits, with_typed, zigzag};
use crate::objects;
use crate::sets::{DEEP, STATS, Scheme};

const FRESH: Bounds = Bounds { message: 40.0, error: 8.0 };

/// A scale as a typed header has it.
fn scale_bytes(two: i32, primes: &[(u32, i32)]) -> Vec<u8> {
    let powers = primes.iter().flat_map(|&(position, exponent)| [varint(position), zigzag(exponent)].concat());
    [zigzag(two), varint(primes.len() as u32), powers.collect()].concat()
}

/// An object of `stats-8192` of kind 7 (two components at level 1) or 8 with another scale and other bounds.
fn crafted(kind: Kind, scale: &[u8], [message, error]: [i32; 2]) -> Vec<u8> {
    let tail = [scale.to_vec(), zigzag(message), zigzag(error)].concat();
    if kind == Kind::SeededApproximateCiphertext {
        return with_typed(&objects::seeded_approximate(&STATS, 1).unwrap().to_bytes(), &tail);
    }
    let bytes = objects::approximate(&STATS, 2, Level(1), 1).unwrap().to_bytes();
    with_typed(&bytes, &[&[2, 1][..], &tail].concat())
}

const KINDS: [Kind; 2] = [Kind::ApproximateCiphertext, Kind::SeededApproximateCiphertext];
const BOUNDS: [i32; 2] = [40 * 1024, 8 * 1024];

/// What the decoder of the kind says.
fn decode(bytes: &[u8]) -> Result<(Scale, Bounds), WireError> {
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

fn primes(parameters: &Parameters) -> Vec<u64> {
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
fn scales_within_the_limits_are_exact() {
    let [_, low, high] = primes(STATS.parameters())[..] else { panic!("three primes") };
    for (two, powers) in [
        (0, vec![]),
        (40, vec![]),
        (2000, vec![]),
        (80, vec![(low, -1)]),
        (0, vec![(low, 50)]),
        (100_000, vec![(low, -2499)]),
        (-100_000, vec![(high, 2501)]),
        (17, vec![(low, 100_000), (high, -100_000)]),
    ] {
        let scale = Scale::from_exponents(two, powers.clone());
        let position = |prime| if prime == low { 1 } else { 2 };
        let listed: Vec<_> = powers.iter().map(|&(prime, exponent)| (position(prime), exponent)).collect();
        for kind in KINDS {
            let bytes = crafted(kind, &scale_bytes(two, &listed), BOUNDS);
            assert_eq!(decode(&bytes), Ok((scale.clone(), FRESH)));
        }
    }
}

#[track_caller]
fn refused_scale(scale: &[u8], expected: &WireError) {
    for kind in KINDS {
        let bytes = crafted(kind, scale, BOUNDS);
        assert_eq!(decode(&bytes).as_ref(), Err(expected));
        assert_eq!(exact_len(&bytes, STATS.parameters()).as_ref(), Err(expected));
        assert_eq!(blindrelay_engine::wire::describe(&bytes).as_ref(), Err(expected));
    }
}

#[test]
fn scales_have_one_form() {
    let canonical = WireError::NotCanonical { what: "the scale" };
    for primes in [
        &[(1, 0)][..],
        &[(0, 1), (1, 0)],
        &[(1, 1), (1, 1)],
        &[(2, 1), (1, -1)],
        // Where positions do not ascend either, that comes first.
        &[(9, 1), (9, 1)],
    ] {
        refused_scale(&scale_bytes(40, primes), &canonical);
    }
    let header = WireError::NotCanonical { what: "the typed header" };
    for scale in [&[251, 80, 0, 0][..], &[252, 80, 0, 0, 0, 0], &[80, 251, 0, 0], &[80, 1, 251, 1, 0, 2]] {
        refused_scale(scale, &header);
    }
    let malformed = WireError::TypedHeader { reason: HeaderFault::Malformed };
    refused_scale(&[253, 80, 0, 0, 0, 0, 0, 0, 0, 0], &malformed);
    refused_scale(&[80, 1, 253, 1, 0, 0, 0, 0, 0, 0, 0, 2], &malformed);
    // A list that claims more than is there.
    let ends = WireError::TypedHeader { reason: HeaderFault::Ends };
    refused_scale(&[80, 252, 255, 255, 255, 255], &ends);
}

#[test]
fn scales_of_other_primes_are_refused() {
    let position = |position| WireError::TypedHeader { reason: HeaderFault::ScalePosition { position, primes: 3 } };
    // The special prime follows the ciphertext primes, but no scale has it.
    refused_scale(&scale_bytes(40, &[(3, 1)]), &position(3));
    refused_scale(&scale_bytes(40, &[(0, 1), (u32::MAX, 1)]), &position(u32::MAX));
}

#[test]
fn scales_beyond_the_limits_are_refused_with_the_numbers() {
    let [first, low, high] = primes(STATS.parameters())[..] else { panic!("three primes") };
    let exponent = |two: i32, powers: &[(u64, i32)], base, exponent| WireError::Scale {
        scale: Scale::from_exponents(two, powers.iter().copied()).to_string(),
        reason: ScaleFault::Exponent { base, exponent, limit: 100_000 },
    };
    refused_scale(&scale_bytes(i32::MAX, &[]), &exponent(i32::MAX, &[], 2, i32::MAX));
    refused_scale(&scale_bytes(i32::MIN, &[]), &exponent(i32::MIN, &[], 2, i32::MIN));
    refused_scale(&scale_bytes(100_001, &[]), &exponent(100_001, &[], 2, 100_001));
    refused_scale(&scale_bytes(40, &[(2, -100_001)]), &exponent(40, &[(high, -100_001)], high, -100_001));
    refused_scale(&scale_bytes(40, &[(0, i32::MIN)]), &exponent(40, &[(first, i32::MIN)], first, i32::MIN));
    for (two, powers) in [(-1, vec![]), (2001, vec![]), (0, vec![(1, 51)]), (39, vec![(1, -1)]), (40, vec![(2, -1)])] {
        let prime = |position: u32| if position == 1 { low } else { high };
        let scale = Scale::from_exponents(two, powers.iter().map(|&(at, exponent)| (prime(at), exponent)));
        let reason = ScaleFault::Range { log2: scale.log2(), least: 0.0, most: 2000.0 };
        refused_scale(&scale_bytes(two, &powers), &WireError::Scale { scale: scale.to_string(), reason });
    }
}

#[test]
fn scales_and_bounds_without_an_encoding_do_not_become_ciphertexts() {
    let rlwe = objects::approximate(&STATS, 2, Level(1), 1).unwrap().rlwe().clone();
    let seeded = objects::seeded_approximate(&STATS, 1).unwrap().rlwe().clone();
    let foreign = STATS.parameters().spec().special_primes[0];
    let both = |scale: &Scale, bounds: Bounds| {
        let shape = Shape { level: Level(1), scale: scale.clone(), components: 2, bounds };
        let expanded = Ciphertext::new(&STATS, rlwe.clone(), shape).unwrap_err();
        [expanded, SeededCiphertext::new(&STATS, seeded.clone(), scale.clone(), bounds).unwrap_err()]
    };
    for (scale, reason) in [
        (Scale::from_exponents(80, [(foreign, -1)]), ScaleFault::Prime { prime: foreign }),
        (Scale::from_exponents(80, [(2, -1)]), ScaleFault::Prime { prime: 2 }),
        (Scale::power_of_two(100_001), ScaleFault::Exponent { base: 2, exponent: 100_001, limit: 100_000 }),
        (Scale::power_of_two(-3), ScaleFault::Range { log2: -3.0, least: 0.0, most: 2000.0 }),
    ] {
        let refused = Error::Scale { operation: "this ciphertext", scale: scale.to_string(), reason };
        assert_eq!(both(&scale, FRESH), [refused.clone(), refused]);
    }
    // A rescaling that leaves less than 1 is refused before it is computed, in the dry run too.
    let planner = Planner::new(&STATS);
    let fresh = planner.fresh(&STATS.encoding()).unwrap();
    let refused = planner.rescale(&fresh).unwrap_err();
    assert!(matches!(refused, Error::Scale { operation: "rescaling", reason: ScaleFault::Range { .. }, .. }));
    for (message, error) in [
        (f64::NAN, 8.0),
        (40.0, f64::NAN),
        (f64::NAN, f64::NAN),
        (f64::NAN, f64::NEG_INFINITY),
        (f64::NEG_INFINITY, f64::NAN),
        (f64::INFINITY, 8.0),
        (40.0, f64::INFINITY),
    ] {
        for refused in both(&Scale::power_of_two(40), Bounds { message, error }) {
            assert!(matches!(refused, Error::Magnitude { .. }), "{message} {error}: {refused}");
        }
    }
}

#[test]
fn bounds_are_rounded_up_once() {
    let rlwe = objects::approximate(&STATS, 2, Level(1), 1).unwrap().rlwe().clone();
    let least = f64::from(i32::MIN) / 1024.0;
    for (sent, kept) in [
        (Bounds { message: 40.000_1, error: -0.000_1 }, Bounds { message: 40.0 + 1.0 / 1024.0, error: 0.0 }),
        (Bounds { message: f64::NEG_INFINITY, error: f64::NEG_INFINITY }, Bounds { message: least, error: least }),
        (FRESH, FRESH),
    ] {
        let shape = Shape { level: Level(1), scale: Scale::power_of_two(40), components: 2, bounds: sent };
        let bytes = Ciphertext::new(&STATS, rlwe.clone(), shape).unwrap().to_bytes();
        let back = Ciphertext::from_bytes(&bytes, &STATS).unwrap();
        assert_eq!(back.shape().bounds, kept);
        assert_eq!(back.to_bytes(), bytes);
        // What an operator makes of a claim that is too good.
        let floor = STATS.fresh_public_bounds(FRESH);
        let raised = back.with_bounds_of_at_least(floor).shape().bounds;
        assert_eq!(raised, Bounds { message: floor.message.max(kept.message), error: floor.error });
    }
}

#[test]
fn bounds_that_do_not_fit_the_level_are_refused_with_both_numbers() {
    let scale = scale_bytes(40, &[]);
    let top = STATS.parameters().top_level();
    for (kind, level) in KINDS.into_iter().zip([Level(1), top]) {
        let limit_log2 = STATS.limit_log2(level);
        let step = (limit_log2 * 1024.0).floor() as i32;
        assert!(decode(&crafted(kind, &scale, [step, 0])).is_ok());
        assert!(decode(&crafted(kind, &scale, [0, step])).is_ok());
        for [message, error] in
            [[step + 1, 0], [0, step + 1], [step, step], [1 << 20, 0], [i32::MAX, i32::MAX], [i32::MAX, i32::MIN]]
        {
            let bytes = crafted(kind, &scale, [message, error]);
            match decode(&bytes) {
                Err(WireError::Magnitude { bound_log2, limit_log2: limit }) => {
                    assert_eq!(limit.to_bits(), limit_log2.to_bits());
                    assert!(bound_log2 > limit && bound_log2 >= f64::from(message.max(error)) / 1024.0);
                }
                other => panic!("{kind} of {message} and {error}: {other:?}"),
            }
            // Lengths do not depend on bounds.
            assert_eq!(exact_len(&bytes, STATS.parameters()), Ok(bytes.len()));
        }
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_scale_comes_back_or_is_refused(
        two in -3000..3000_i32,
        exponents in proptest::collection::vec(-60..60_i32, 3),
        message in -1_000_000..45_000_i32,
        error in -1_000_000..45_000_i32,
    ) {
        let listed: Vec<(u32, i32)> = (0..).zip(exponents).filter(|&(_, exponent)| exponent != 0).collect();
        let all = primes(STATS.parameters());
        let scale = Scale::from_exponents(two, listed.iter().map(|&(at, exponent)| (all[at as usize], exponent)));
        for kind in KINDS {
            let bytes = crafted(kind, &scale_bytes(two, &listed), [message, error]);
            let bounds = Bounds { message: f64::from(message) / 1024.0, error: f64::from(error) / 1024.0 };
            match scale.check(&all) {
                Ok(()) => prop_assert_eq!(decode(&bytes), Ok((scale.clone(), bounds))),
                Err(reason) => {
                    prop_assert_eq!(decode(&bytes), Err(WireError::Scale { scale: scale.to_string(), reason }));
                }
            }
        }
    }

    #[test]
    fn scales_that_circuits_reach_come_back(verbs in proptest::collection::vec(0..3_u8, 0..12), deep: bool) {
        let context: &Context = if deep { &DEEP } else { &STATS };
        let all = primes(context.parameters());
        let mut scale = context.default_scale();
        for (index, verb) in verbs.into_iter().enumerate() {
            let next = match verb {
                0 => scale.times(&context.default_scale()),
                1 => scale.times(&scale),
                _ => scale.over_prime(all[index % all.len()]),
            };
            scale = if next.check(&all).is_ok() { next } else { scale };
        }
        let rlwe = objects::seeded_approximate(context, 1).unwrap().rlwe().clone();
        let object = SeededCiphertext::new(context, rlwe, scale, FRESH).unwrap();
        prop_assert_eq!(SeededCiphertext::from_bytes(&object.to_bytes(), context), Ok(object));
    }
}
