//! RNS conversion against integers of full length, on every backend.
#![expect(clippy::unwrap_used, reason = "a failure of the preparation fails the test")]

use blindrelay_kernels::{Backend, Modulus, RnsScaler, ntt_primes_below};
use num_bigint::BigInt;
use num_integer::Integer;
use proptest::prelude::*;

/// A full vector block, one vector and a tail.
const LENGTH: usize = 32 + 8 + 7;

/// Distinct primes of the given sizes, the `skip` largest of each size left out.
fn basis(sizes: &[u32], skip: usize) -> Vec<Modulus> {
    let nth = |i: usize, bits: u32| skip + sizes[..i].iter().filter(|&&other| other == bits).count();
    let prime = |(i, &bits): (usize, &u32)| ntt_primes_below(bits, 32, nth(i, bits) + 1).unwrap()[nth(i, bits)];
    sizes.iter().enumerate().map(prime).map(|prime| Modulus::new(prime).unwrap()).collect()
}

fn product(basis: &[Modulus]) -> BigInt {
    basis.iter().map(|q| BigInt::from(q.value())).product()
}

/// Limb-major canonical residues.
fn residues(basis: &[Modulus], values: &[BigInt]) -> Vec<u64> {
    let residue = |q: &Modulus, x: &BigInt| u64::try_from(x.mod_floor(&BigInt::from(q.value()))).unwrap();
    basis.iter().flat_map(|q| values.iter().map(move |x| residue(q, x))).collect()
}

/// The integer nearest to `a / b` for odd `b > 0`.
fn nearest(a: &BigInt, b: &BigInt) -> BigInt {
    let numerator: BigInt = a * 2 + b;
    numerator.div_floor(&(b * 2))
}

/// Runs every entry point of every backend and compares with the expected residues.
fn check(
    build: &dyn Fn(Backend) -> RnsScaler,
    from: &[Modulus],
    to: &[Modulus],
    values: &[BigInt],
    expected: &[BigInt],
) {
    let (x, carry, expected) = (residues(from, values), residues(to, values), residues(to, expected));
    for backend in Backend::available() {
        let scaler = build(backend);
        assert_eq!((scaler.source_limbs(), scaler.target_limbs()), (from.len(), to.len()));
        let name = backend.name();
        let mut out = vec![u64::MAX; expected.len()];
        scaler.apply(&x, Some(&carry), &mut out);
        assert_eq!(out, expected, "{name}, separate carry");
        if !scaler.needs_carry() {
            out.fill(u64::MAX);
            scaler.apply(&x, None, &mut out);
            assert_eq!(out, expected, "{name}, no carry");
        }
        out.copy_from_slice(&carry);
        scaler.apply_assign(&x, &mut out);
        assert_eq!(out, expected, "{name}, in place");
        // The coefficients in two ranges.
        out.fill(u64::MAX);
        let n = values.len();
        let (first, second): (Vec<_>, Vec<_>) = out.chunks_exact_mut(n).map(|limb| limb.split_at_mut(n / 3)).unzip();
        for (mut part, range) in [(first, 0..n / 3), (second, n / 3..n)] {
            let x: Vec<_> = x.chunks_exact(n).map(|limb| &limb[range.clone()]).collect();
            let carry: Vec<_> = carry.chunks_exact(n).map(|limb| &limb[range.clone()]).collect();
            scaler.apply_limbs(&x, Some(&carry), &mut part);
        }
        assert_eq!(out, expected, "{name}, limbs");
    }
}

fn check_extension(from: &[Modulus], to: &[Modulus], values: &[BigInt]) {
    check(&|backend| RnsScaler::extend(from, to, backend).unwrap(), from, to, values, values);
}

fn check_division(from: &[Modulus], to: &[Modulus], numerator: &[u64], values: &[BigInt]) {
    let q = product(from);
    let factor: BigInt = numerator.iter().map(|&factor| BigInt::from(factor)).product();
    let expected: Vec<_> = values.iter().map(|x| nearest(&(x * &factor), &q)).collect();
    check(&|backend| RnsScaler::divide(from, to, numerator, backend).unwrap(), from, to, values, &expected);
}

/// Every value in every lane, then all of them in one call.
fn arrange(values: &[BigInt]) -> Vec<Vec<BigInt>> {
    let mut calls: Vec<_> = values.iter().map(|x| vec![x.clone(); LENGTH]).collect();
    calls.push(values.iter().cycle().take(values.len().max(LENGTH)).cloned().collect());
    calls
}

/// 0, the smallest and the largest centred values, and their neighbours.
fn extremes(q: &BigInt) -> Vec<BigInt> {
    let half: BigInt = (q - 1) / 2;
    let mut values = vec![BigInt::ZERO];
    for magnitude in [BigInt::from(1), BigInt::from(2), half.clone() - 2, half.clone() - 1, half] {
        values.extend([-magnitude.clone(), magnitude]);
    }
    values
}

/// Values whose products with the factor lie next to a rounding boundary, and multiples of `q` away from there.
fn boundaries(q: &BigInt, factor: &BigInt) -> Vec<BigInt> {
    let Some(inverse) = factor.modinv(q) else { return Vec::new() };
    let mut values = Vec::new();
    for offset in -3..=3 {
        let half: BigInt = (q - 1) / 2;
        let x: BigInt = (half + offset) * &inverse % q;
        values.extend([x.clone(), &x - q, &x + q * 12_345, x - q * 54_321]);
    }
    values
}

/// Source and target prime sizes, and why they are here.
const BASES: [(&[u32], &[u32], &str); 14] = [
    (&[41], &[41], "one prime each"),
    (&[50], &[17], "wide to narrow"),
    (&[17], &[50, 41, 30], "narrow to wide"),
    (&[48], &[47, 48], "the largest sums that are reduced with one product"),
    (&[48, 47], &[48], "and a little more"),
    (&[41, 41], &[41, 41, 41], "two limbs"),
    (&[41; 3], &[45; 4], "three limbs"),
    (&[41; 4], &[41; 5], "the multiplication at N = 8192"),
    (&[41; 5], &[41; 4], "and its way back"),
    (&[50; 6], &[50; 7], "six of the widest"),
    (&[17, 30, 36, 41, 45, 50, 17], &[50, 45, 41, 36, 30, 17], "all sizes on both sides"),
    (&[50, 17, 50, 17, 50, 17, 50, 17], &[30; 8], "eight limbs"),
    (&[41; 33], &[41; 3], "the longest chain at N = 32768"),
    (&[50; 33], &[50; 2], "more products than fit one lazy sum"),
];

#[test]
fn extension_of_extreme_values() {
    for (from, to, reason) in BASES {
        println!("{reason}");
        let (from, to) = (basis(from, 0), basis(to, 40));
        for values in arrange(&extremes(&product(&from))) {
            check_extension(&from, &to, &values);
        }
    }
}

#[test]
fn division_of_extreme_and_boundary_values() {
    for (from, to, reason) in BASES {
        let (from, to) = (basis(from, 0), basis(to, 40));
        let q = product(&from);
        for numerator in [&[] as &[u64], &[257], &[to[0].value()], &[65_537, (1 << 50) - 27, 3]] {
            println!("{reason}, numerator {numerator:?}");
            let factor = numerator.iter().map(|&factor| BigInt::from(factor)).product();
            let mut values = extremes(&q);
            values.extend(boundaries(&q, &factor));
            if from.len() > 8 {
                check_division(&from, &to, numerator, &values);
            } else {
                for values in arrange(&values) {
                    check_division(&from, &to, numerator, &values);
                }
            }
        }
    }
}

#[test]
fn forty_limbs_and_the_most_limbs_on_both_sides() {
    for limbs in [40, blindrelay_kernels::MAX_RNS_LIMBS] {
        let (from, to) = (basis(&vec![50; limbs], 0), basis(&vec![50; limbs], limbs));
        let q = product(&from);
        let mut values = extremes(&q);
        check_extension(&from, &to, &values);
        values.extend(boundaries(&q, &BigInt::from(65_537)));
        check_division(&from, &to, &[65_537], &values);
    }
}

#[test]
fn every_value_of_a_tiny_basis() {
    let [from, to] = [[3, 5, 257], [7, 11, 17]].map(|primes| primes.map(|p| Modulus::new(p).unwrap()));
    let half = (3 * 5 * 257 - 1) / 2;
    let values: Vec<_> = (-half..=half).map(BigInt::from).collect();
    check_extension(&from, &to, &values);
    for numerator in [&[] as &[u64], &[2], &[7, 11], &[3]] {
        check_division(&from, &to, numerator, &values);
    }
}

#[test]
fn decryption_needs_no_carry() {
    let from = basis(&[41, 41], 0);
    for t in [257, 65_537, ntt_primes_below(50, 8192, 1).unwrap()[0]] {
        let to = [Modulus::new(t).unwrap()];
        let scaler = RnsScaler::divide(&from, &to, &[t], Backend::detect()).unwrap();
        assert!(!scaler.needs_carry());
        let q = product(&from);
        let mut values = extremes(&q);
        values.extend(boundaries(&q, &BigInt::from(t)));
        check_division(&from, &to, &[t], &values);
    }
}

#[test]
#[should_panic(expected = "needs the residues modulo the target primes")]
fn a_missing_carry_is_refused() {
    let (from, to) = (basis(&[41], 0), basis(&[41], 1));
    let scaler = RnsScaler::divide(&from, &to, &[], Backend::Scalar).unwrap();
    scaler.apply(&[1; 8], None, &mut [0; 8]);
}

#[test]
#[should_panic(expected = "output of an RNS conversion")]
fn an_output_of_another_length_is_refused() {
    let (from, to) = (basis(&[41], 0), basis(&[41], 1));
    RnsScaler::extend(&from, &to, Backend::Scalar).unwrap().apply(&[1; 8], None, &mut [0; 9]);
}

#[test]
fn bases_must_be_distinct_and_not_empty() {
    let b = basis(&[41, 41, 41], 0);
    let refused = [(&b[..0], &b[..1]), (&b[..1], &b[..0]), (&b[..2], &b[1..]), (&[b[0], b[1], b[0]], &b[2..])];
    for (from, to) in refused {
        assert!(RnsScaler::extend(from, to, Backend::Scalar).is_err());
        assert!(RnsScaler::divide(from, to, &[], Backend::Scalar).is_err());
    }
}

#[test]
fn no_coefficients_are_no_work() {
    let (from, to) = (basis(&[41, 41], 0), basis(&[41], 2));
    for backend in Backend::available() {
        RnsScaler::extend(&from, &to, backend).unwrap().apply(&[], None, &mut []);
    }
}

fn sizes() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(proptest::sample::select(vec![17, 30, 36, 41, 45, 50]), 1..=8)
}

/// Integers of about `bits` bits from random bytes.
fn integers(bits: usize) -> impl Strategy<Value = Vec<BigInt>> {
    let bytes = proptest::collection::vec(any::<u8>(), bits / 8 + 1);
    let signed = bytes.prop_map(|bytes| BigInt::from_signed_bytes_le(&bytes));
    proptest::collection::vec(signed, LENGTH)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_extension((from, to, values) in (sizes(), sizes(), integers(400))) {
        let (from, to) = (basis(&from, 0), basis(&to, 8));
        let q = product(&from);
        let half: BigInt = (&q - 1) / 2;
        let values: Vec<_> = values.iter().map(|x| (x + &half).mod_floor(&q) - &half).collect();
        check_extension(&from, &to, &values);
    }

    #[test]
    fn random_division(
        (from, to, values) in (sizes(), sizes(), integers(600)),
        numerator in proptest::collection::vec(any::<u64>(), 0..3),
    ) {
        check_division(&basis(&from, 0), &basis(&to, 8), &numerator, &values);
    }
}
