//! The canonical embedding of `Z[X] / (X^n + 1)` in binary fixed point: sums over the definition, no transform.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{FromPrimitive, ToPrimitive, Zero};

use crate::ring::{Polynomial, round_scaled};

/// Bits behind the point. Roots of unity are off by less than `n 2^-126`, so that values are as good as `f64` holds them.
const FRACTION_BITS: u32 = 128;

/// A complex number as real and imaginary part, times `2^FRACTION_BITS`.
type Fixed = (BigInt, BigInt);

/// A slot: real and imaginary part.
pub type Complex = (f64, f64);

/// The factor between slots and what the message's polynomial holds; exact.
pub type Scale = Ratio<BigInt>;

fn fixed(x: f64) -> BigInt {
    let scaled = BigInt::from_f64(x * 2f64.powi(FRACTION_BITS as i32));
    scaled.unwrap_or_else(|| panic!("{x} is not a number that slots hold"))
}

/// `zeta^0, zeta^1, .., zeta^(2n - 1)` for `zeta = exp(i pi / n)`: halved angles down to `zeta`, then its powers.
fn roots_of_unity(n: usize) -> Vec<Fixed> {
    let one = BigInt::from(1) << FRACTION_BITS;
    let mut zeta = (-&one, BigInt::zero());
    for _ in 0..n.trailing_zeros() {
        let cosine = ((&one + &zeta.0) << (FRACTION_BITS - 1)).sqrt();
        // The sine from the double angle's, which loses nothing where the cosine is near 1; the first is of a right angle.
        let sine = if cosine.is_zero() { one.clone() } else { (zeta.1 << (FRACTION_BITS - 1)) / &cosine };
        zeta = (cosine, sine);
    }
    let next = |(x, y): &Fixed| {
        let (re, im) = (x * &zeta.0 - y * &zeta.1, x * &zeta.1 + y * &zeta.0);
        Some((re >> FRACTION_BITS, im >> FRACTION_BITS))
    };
    std::iter::successors(Some((one, BigInt::zero())), next).take(2 * n).collect()
}

/// The exponents `3^j` modulo `2n` of the slots `j = 0 .. n / 2`; their negatives are those of the conjugates.
fn slot_exponents(n: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(1), move |power| Some(power * 3 % (2 * n))).take(n / 2)
}

/// The roots at the exponents `0, e, 2 e, ..`, one a coefficient.
fn powers(roots: &[Fixed], exponent: usize) -> impl Iterator<Item = &Fixed> {
    (0..roots.len() / 2).filter_map(move |i| roots.get(i * exponent % roots.len()))
}

/// The integer polynomial of `n` coefficients whose slots are nearest to `scale` times `slots`: `m_i = round(2 scale / n sum_j Re(z_j zeta^(-i 3^j)))`.
pub(crate) fn encode(n: usize, slots: &[Complex], scale: &Scale) -> Polynomial {
    assert!(slots.len() == n / 2, "{} slots for a ring of degree {n}, which has {}", slots.len(), n / 2);
    let (roots, mut sums) = (roots_of_unity(n), vec![BigInt::zero(); n]);
    for (&(re, im), exponent) in slots.iter().zip(slot_exponents(n)) {
        let (re, im) = (fixed(re), fixed(im));
        sums.iter_mut().zip(powers(&roots, exponent)).for_each(|(sum, (x, y))| *sum += &re * x + &im * y);
    }
    round_scaled(&sums, &(scale.numer() * 2u32), &((scale.denom() * n) << (2 * FRACTION_BITS)))
}

/// The slots `m(zeta^(3^j)) / scale` of an integer polynomial.
pub(crate) fn decode(message: &[BigInt], scale: &Scale) -> Vec<Complex> {
    let roots = roots_of_unity(message.len());
    let value = |sum: BigInt| {
        let rounded = (sum * scale.denom()).div_floor(scale.numer());
        rounded.to_f64().unwrap_or(f64::NAN) / 2f64.powi(FRACTION_BITS as i32)
    };
    let slot = |exponent| {
        let terms = powers(&roots, exponent).zip(message);
        let add = |(re, im): Fixed, ((x, y), m): (&Fixed, &BigInt)| (re + m * x, im + m * y);
        let (re, im) = terms.fold((BigInt::zero(), BigInt::zero()), add);
        (value(re), value(im))
    };
    slot_exponents(message.len()).map(slot).collect()
}
