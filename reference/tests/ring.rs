//! The schoolbook ring against facts that do not use its product: powers of `X`, and evaluation at the roots of `X^n + 1`.

use blindrelay_reference::{Polynomial, Ring, centred, polynomial, round_scaled};
use num_bigint::BigInt;

/// The degrees and Fermat primes at which `X^n + 1` splits.
const SPLITTING: [(u32, u32); 5] = [(8, 17), (16, 257), (32, 257), (16, 65537), (32, 65537)];

/// A root of unity of order `2n`: 3 is a primitive root modulo the Fermat primes.
fn root_of_unity(n: u32, t: u32) -> BigInt {
    BigInt::from(3).modpow(&((t - 1) / (2 * n)).into(), &t.into())
}

/// Coefficients without a pattern modulo `t`: powers of `base`.
fn powers(n: u32, base: u64, t: u32) -> Polynomial {
    (1..=n).map(|i| BigInt::from(base).pow(i) % t).collect()
}

#[test]
fn x_to_the_n_is_minus_one() {
    for n in [1_usize, 2, 16, 32] {
        let ring = Ring::new(n, 97.into());
        let monomial = |i: usize, coefficient: i64| {
            let mut a = ring.zero();
            a[i] = coefficient.into();
            a
        };
        for i in 0..n {
            for j in 0..n {
                let (exponent, sign) = if i + j < n { (i + j, 1) } else { (i + j - n, -1) };
                let product = ring.mul(&monomial(i, 1), &monomial(j, 1));
                assert_eq!(product, monomial(exponent, sign), "X^{i} X^{j} at n = {n}");
            }
        }
    }
}

#[test]
fn a_product_worked_by_hand() {
    // (1 + 2X + 3X^2 + 4X^3)(5 + 6X + 7X^2 + 8X^3) = 5 + 16X + 34X^2 + 60X^3 + 61X^4 + 52X^5 + 32X^6, and X^4 = -1.
    let (a, b) = (polynomial(&[1, 2, 3, 4]), polynomial(&[5, 6, 7, 8]));
    assert_eq!(Ring::new(4, 1000.into()).mul(&a, &b), polynomial(&[-56, -36, 2, 60]));
    assert_eq!(Ring::new(4, 17.into()).mul(&a, &b), polynomial(&[-5, -2, 2, -8]));
    assert_eq!(Ring::new(4, 17.into()).integer_product(&a, &b), polynomial(&[-56, -36, 2, 60]));
}

#[test]
fn sums_products_and_automorphisms_are_slotwise() {
    for (n, t) in SPLITTING {
        let ring = Ring::new(n as usize, t.into());
        let root = root_of_unity(n, t);
        let (a, b) = (powers(n, 5, t), powers(n, 7, t));
        for i in (1..2 * n).step_by(2) {
            let point = root.pow(i);
            let (x, y) = (ring.evaluate_at(&a, &point), ring.evaluate_at(&b, &point));
            let slot = |value: BigInt| centred(&value, &ring.modulus);
            assert_eq!(slot(point.pow(n)), (-1).into(), "root {i} at n = {n}, t = {t}");
            assert_eq!(ring.evaluate_at(&ring.add(&a, &b), &point), slot(&x + &y));
            assert_eq!(ring.evaluate_at(&ring.sub(&a, &b), &point), slot(&x - &y));
            assert_eq!(ring.evaluate_at(&ring.neg(&a), &point), slot(-&x));
            assert_eq!(ring.evaluate_at(&ring.scale(&a, &12.into()), &point), slot(&x * 12));
            assert_eq!(ring.evaluate_at(&ring.mul(&a, &b), &point), slot(&x * &y));
            for k in [1, 3, 5, 2 * n - 1, 2 * n + 3] {
                let image = ring.automorphism(&a, k as usize);
                assert_eq!(ring.evaluate_at(&image, &point), ring.evaluate_at(&a, &point.pow(k)), "X -> X^{k}");
            }
        }
    }
}

#[test]
fn an_automorphism_worked_by_hand() {
    // X -> X^3 at n = 4: X^2 -> X^6 = -X^2 and X^3 -> X^9 = X.
    let ring = Ring::new(4, 97.into());
    assert_eq!(ring.automorphism(&polynomial(&[1, 2, 3, 4]), 3), polynomial(&[1, 4, -3, 2]));
}

#[test]
fn residues_are_centred() {
    let residues = |q: u32| (-7..8).map(|x| centred(&x.into(), &q.into())).collect::<Vec<_>>();
    assert_eq!(residues(5), polynomial(&[-2, -1, 0, 1, 2, -2, -1, 0, 1, 2, -2, -1, 0, 1, 2]));
    assert_eq!(residues(4), polynomial(&[1, 2, -1, 0, 1, 2, -1, 0, 1, 2, -1, 0, 1, 2, -1]));
}

#[test]
fn quotients_are_rounded_to_the_nearest() {
    let quotients = |numerator: i32, denominator: i32| {
        round_scaled(&polynomial(&[-3, -2, -1, 0, 1, 2, 3]), &numerator.into(), &denominator.into())
    };
    assert_eq!(quotients(2, 5), polynomial(&[-1, -1, 0, 0, 0, 1, 1]));
    assert_eq!(quotients(7, 3), polynomial(&[-7, -5, -2, 0, 2, 5, 7]));
    // Ties go up.
    assert_eq!(quotients(1, 2), polynomial(&[-1, -1, 0, 0, 1, 1, 2]));
}

#[test]
#[should_panic(expected = "a polynomial of 3 coefficients in a ring of degree 4")]
fn a_short_polynomial_is_refused() {
    let ring = Ring::new(4, 97.into());
    let _ = ring.mul(&ring.zero(), &polynomial(&[1, 2, 3]));
}

#[test]
#[should_panic(expected = "the exponent is even")]
fn an_even_automorphism_is_refused() {
    let ring = Ring::new(4, 97.into());
    let _ = ring.automorphism(&ring.zero(), 2);
}
