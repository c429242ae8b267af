//! Scales and bounds of approximate ciphertexts.

use blindrelay_engine::ckks::{Arithmetic, Bounds, Ciphertext, Context, Planner, Scale, SeededCiphertext, Shape};
use blindrelay_engine::params::Level;
use blindrelay_engine::wire::{HeaderFault, Wire, WireError, describe, exact_len};
use blindrelay_engine::{Error, ScaleFault};
use proptest::prelude::*;

use crate::approximate::{BOUNDS, FRESH, KINDS, crafted, decode, primes, scale_bytes};
use crate::objects;
use crate::sets::{DEEP, STATS};

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
        assert_eq!(describe(&bytes).as_ref(), Err(expected));
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
fn claimed_lengths_of_scales_reserve_nothing() {
    let ends = WireError::TypedHeader { reason: HeaderFault::Ends };
    for claim in [
        &[252, 255, 255, 255, 255][..],
        &[253, 0, 0, 0, 0, 1, 0, 0, 0],
        &[253, 0, 0, 0, 0, 0, 0, 0, 128],
        &[253, 255, 255, 255, 255, 255, 255, 255, 255],
    ] {
        refused_scale(&[&[80], claim].concat(), &ends);
    }
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
