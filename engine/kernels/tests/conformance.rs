//! Every backend's transforms against the definition, against each other and against an independent implementation.
#![expect(clippy::unwrap_used, reason = "a failure of the preparation fails the test")]

use blindrelay_kernels::{Backend, Modulus, NttPlan, Prefetch, evaluation_exponent, ntt_primes_below};
use proptest::prelude::*;

/// Small primes, which vectors never refresh, up to 47 bits; those refreshed every third layer, to 49 bits; and every layer.
const PRIME_BITS: [u32; 9] = [20, 30, 36, 41, 46, 47, 48, 49, 50];
const SIZES: [usize; 12] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];

/// The largest prime of that length, which is the one to strain the bounds.
fn modulus(bits: u32, n: usize) -> Option<Modulus> {
    let prime = *ntt_primes_below(bits, 2 * n as u64, 1).ok()?.first()?;
    Some(Modulus::new(prime).unwrap())
}

/// A reproducible stream of residues (`SplitMix64`, Steele et al. 2014).
fn residues(modulus: Modulus, n: usize, mut state: u64) -> Vec<u64> {
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        modulus.reduce(z ^ (z >> 31))
    };
    core::iter::repeat_with(next).take(n).collect()
}

fn inputs(modulus: Modulus, n: usize) -> Vec<(&'static str, Vec<u64>)> {
    let top = modulus.value() - 1;
    let spike = |at: usize, value: u64| (0..n).map(|i| if i == at { value } else { 0 }).collect::<Vec<_>>();
    vec![
        ("zero", vec![0; n]),
        ("one", vec![1; n]),
        ("p - 1", vec![top; n]),
        ("alternating", (0..n).map(|i| if i % 2 == 0 { top } else { 0 }).collect()),
        ("spike at 0", spike(0, 1)),
        ("spike at 1", spike(1, 1)),
        ("spike at n - 1", spike(n - 1, top)),
        ("random", residues(modulus, n, 7)),
    ]
}

/// `a(x)` by Horner's rule.
fn evaluate(modulus: Modulus, a: &[u64], x: u64) -> u64 {
    a.iter().rev().fold(0, |value, &coefficient| modulus.add(modulus.mul(value, x), coefficient))
}

fn schoolbook(modulus: Modulus, a: &[u64], b: &[u64]) -> Vec<u64> {
    let n = a.len();
    let mut product = vec![0; n];
    for (i, &x) in a.iter().enumerate() {
        for (j, &y) in b.iter().enumerate() {
            let term = modulus.mul(x, y);
            let at = &mut product[(i + j) % n];
            *at = if i + j < n { modulus.add(*at, term) } else { modulus.sub(*at, term) };
        }
    }
    product
}

fn multiply(plan: &NttPlan, a: &[u64], b: &[u64]) -> Vec<u64> {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    plan.forward(&mut a);
    plan.forward(&mut b);
    for (x, y) in a.iter_mut().zip(&b) {
        *x = plan.modulus().mul(*x, *y);
    }
    plan.inverse(&mut a);
    a
}

fn check(modulus: Modulus, n: usize) {
    let scalar = NttPlan::new(modulus, n, Backend::Scalar).unwrap();
    // All indices of small transforms; of large ones a few from every part of the first and the last layers.
    let indices: Vec<usize> =
        if n <= 256 { (0..n).collect() } else { vec![0, 1, 2, 3, 4, 7, 8, 9, n / 2 - 1, n / 2, n - 5, n - 1] };
    for (name, input) in inputs(modulus, n) {
        let mut values = input.clone();
        scalar.forward(&mut values);
        for &i in &indices {
            let point = modulus.pow(scalar.root(), evaluation_exponent(n, i) as u64);
            assert_eq!(
                values[i],
                evaluate(modulus, &input, point),
                "{name}, n = {n}, p = {}, index {i}",
                modulus.value()
            );
        }
        let mut coefficients = input.clone();
        scalar.inverse(&mut coefficients);
        for backend in Backend::available() {
            let plan = NttPlan::new(modulus, n, backend).unwrap();
            let context = format!("{name}, n = {n}, p = {}, {}", modulus.value(), backend.name());
            assert_eq!((plan.n(), plan.modulus(), plan.root()), (n, modulus, scalar.root()), "{context}");
            let mut out = input.clone();
            plan.forward(&mut out);
            assert!(out == values, "forward differs from scalar: {context}");
            plan.inverse(&mut out);
            assert!(out == input, "inverse does not undo forward: {context}");
            plan.inverse(&mut out);
            assert!(out == coefficients, "inverse differs from scalar: {context}");
        }
    }
}

#[test]
fn transforms_are_evaluations_on_every_backend() {
    let mut moduli = 0;
    for bits in PRIME_BITS {
        for modulus_and_size in SIZES.into_iter().filter_map(|n| Some((modulus(bits, n)?, n))) {
            check(modulus_and_size.0, modulus_and_size.1);
            moduli += 1;
        }
    }
    // Every size has primes of all these lengths, but for 20 bits.
    assert!(moduli >= (PRIME_BITS.len() - 1) * SIZES.len(), "only {moduli} combinations were tried");
}

#[test]
fn largest_size_and_smallest_primes() {
    check(modulus(41, 65_536).unwrap(), 65_536);
    check(modulus(47, 65_536).unwrap(), 65_536);
    check(modulus(50, 65_536).unwrap(), 65_536);
    for (p, n) in [(97, 16), (193, 32), (257, 128), (7681, 256), (12_289, 2048), (65_537, 32_768)] {
        check(Modulus::new(p).unwrap(), n);
    }
}

#[test]
fn products_are_negacyclic() {
    for bits in PRIME_BITS {
        for n in SIZES.into_iter().take_while(|&n| n <= 512) {
            let modulus = modulus(bits, n).unwrap();
            let (a, b) = (residues(modulus, n, 1), residues(modulus, n, 2));
            let expected = schoolbook(modulus, &a, &b);
            for backend in Backend::available() {
                let plan = NttPlan::new(modulus, n, backend).unwrap();
                assert_eq!(multiply(&plan, &a, &b), expected, "n = {n}, {bits} bits, {}", backend.name());
            }
        }
    }
}

/// tfhe-ntt orders its values differently, so products are compared.
#[test]
fn products_agree_with_an_independent_implementation() {
    for bits in [30, 36, 41, 45, 49, 50] {
        for n in SIZES {
            let modulus = modulus(bits, n).unwrap();
            let peer = tfhe_ntt::prime64::Plan::try_new(n, modulus.value()).unwrap();
            let (a, b) = (residues(modulus, n, 3), residues(modulus, n, 4));
            let (mut expected, mut other) = (a.clone(), b.clone());
            peer.fwd(&mut expected);
            peer.fwd(&mut other);
            peer.mul_assign_normalize(&mut expected, &other);
            peer.inv(&mut expected);
            for backend in Backend::available() {
                let plan = NttPlan::new(modulus, n, backend).unwrap();
                assert!(multiply(&plan, &a, &b) == expected, "n = {n}, {bits} bits, {}", backend.name());
            }
        }
    }
}

/// Asks the operating system, not the code under test, which instructions there are. (An emulator of another processor shows the
/// flags of the machine below it.)
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn no_instruction_set_of_this_cpu_is_skipped() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags: Vec<&str> =
        cpu.lines().find(|line| line.starts_with("flags")).unwrap_or("").split_whitespace().collect();
    let has = ["avx512f", "avx512bw", "avx512dq", "avx512ifma", "avx512vbmi"].iter().all(|flag| flags.contains(flag));
    let runs: Vec<&str> = Backend::available().iter().map(|backend| backend.name()).collect();
    assert_eq!(runs.contains(&"avx512"), has, "the suite runs {runs:?}");
    assert_eq!(runs.first(), Some(&"scalar"));
}

proptest! {
    #[test]
    fn random_polynomials_survive_the_round_trip(log_n in 4_u32..12, bits in 30_u32..=50, seed: u64) {
        let n = 1 << log_n;
        let modulus = modulus(bits, n).unwrap();
        let input = residues(modulus, n, seed);
        let mut first = None;
        for backend in Backend::available() {
            let plan = NttPlan::new(modulus, n, backend).unwrap();
            let mut a = input.clone();
            plan.forward(&mut a);
            prop_assert_eq!(first.get_or_insert_with(|| a.clone()), &a);
            plan.inverse(&mut a);
            prop_assert_eq!(&a, &input);
        }
    }
}

#[test]
#[should_panic(expected = "a transform of size 16 was given 15 residues")]
fn wrong_length_is_refused() {
    NttPlan::new(Modulus::new(97).unwrap(), 16, Backend::detect()).unwrap().forward(&mut [0; 15]);
}

/// Digits of one prime are transformed modulo another: from anywhere, and with the lift to centred integers in the first pass.
#[test]
fn transforms_out_of_place_agree_with_those_in_place() {
    for bits in PRIME_BITS {
        for (modulus, n) in SIZES.into_iter().filter_map(|n| Some((modulus(bits, n)?, n))) {
            for backend in Backend::available() {
                let plan = NttPlan::new(modulus, n, backend).unwrap();
                for (name, input) in inputs(modulus, n) {
                    let (mut expected, mut out) = (input.clone(), vec![u64::MAX; n]);
                    plan.forward(&mut expected);
                    plan.forward_from(&mut out, &input);
                    assert!(out == expected, "{name}, n = {n}, p = {}, {}", modulus.value(), backend.name());
                }
                for source in PRIME_BITS.into_iter().filter_map(|bits| self::modulus(bits, n)) {
                    let top = source.value() - 1;
                    let ends = [0, 1, top, top / 2, top / 2 + 1];
                    let edges: Vec<u64> = ends.into_iter().cycle().take(n).collect();
                    for input in [residues(source, n, 11), edges, vec![top / 2; n], vec![top / 2 + 1; n]] {
                        let mut expected: Vec<u64> =
                            input.iter().map(|&x| modulus.from_signed(source.centre(x))).collect();
                        plan.forward(&mut expected);
                        let mut out = vec![u64::MAX; n];
                        plan.forward_centred(&mut out, &input, source, &mut Prefetch::new(vec![&input, &expected]));
                        let (p, q) = (modulus.value(), source.value());
                        assert!(out == expected, "{q} to {p}, n = {n}, {}", backend.name());
                    }
                }
            }
        }
    }
}
