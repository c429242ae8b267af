//! Polynomials over the plaintext field, interpolated and evaluated on ciphertexts (Paterson and Stockmeyer, *On the number of nonscalar multiplications necessary to
//! evaluate polynomials*, 1973), at the least depth that their degree allows.

use blindrelay_kernels::Modulus;
use rayon::prelude::*;

use super::arithmetic::{Arithmetic, Shape};
use crate::error::Error;
use crate::params::Level;

/// A polynomial over `F_t`: coefficient `i` belongs to `x^i`; the last one is not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polynomial {
    coefficients: Vec<u64>,
}

impl Polynomial {
    /// From residues modulo `t`, the one of `x^0` first.
    pub fn new(modulus: Modulus, coefficients: &[i64]) -> Self {
        Self::trimmed(coefficients.iter().map(|&c| modulus.from_signed(c)).collect())
    }

    fn trimmed(mut coefficients: Vec<u64>) -> Self {
        while coefficients.last() == Some(&0) {
            coefficients.pop();
        }
        Self { coefficients }
    }

    /// The polynomial of least degree through these points, whose first coordinates have to be distinct modulo the prime `t`; `None` otherwise.
    pub fn interpolate(modulus: Modulus, points: &[(i64, i64)]) -> Option<Self> {
        let points: Vec<(u64, u64)> =
            points.iter().map(|&(x, y)| (modulus.from_signed(x), modulus.from_signed(y))).collect();
        let master = Self::with_roots(modulus, points.iter().map(|&(x, _)| x));
        let mut sum = vec![0; points.len()];
        for &(x, y) in points.iter().filter(|(_, y)| *y != 0) {
            // master / (X - x) by synthetic division, from the top; its value at x is the product of the differences.
            let mut quotient = vec![0; points.len()];
            let mut carry = 0;
            for (place, &coefficient) in quotient.iter_mut().zip(master.iter().skip(1)).rev() {
                carry = modulus.add(modulus.mul(carry, x), coefficient);
                *place = carry;
            }
            let weight = modulus.mul(y, modulus.inverse(horner(modulus, &quotient, x))?);
            for (total, &coefficient) in sum.iter_mut().zip(&quotient) {
                *total = modulus.add(*total, modulus.mul(weight, coefficient));
            }
        }
        let distinct = points.iter().map(|&(x, _)| x).collect::<std::collections::BTreeSet<_>>().len() == points.len();
        distinct.then(|| Self::trimmed(sum))
    }

    /// `prod (X - root)`: 0 exactly at the roots.
    pub fn vanishing(modulus: Modulus, roots: &[i64]) -> Self {
        Self { coefficients: Self::with_roots(modulus, roots.iter().map(|&root| modulus.from_signed(root))) }
    }

    fn with_roots(modulus: Modulus, roots: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut product = vec![1];
        for root in roots {
            let mut below = 0;
            for coefficient in &mut product {
                let shifted = std::mem::replace(&mut below, *coefficient);
                *coefficient = modulus.sub(shifted, modulus.mul(root, *coefficient));
            }
            product.push(below);
        }
        product
    }

    /// The degree; 0 for constants, zero among them.
    pub fn degree(&self) -> usize {
        self.coefficients.len().saturating_sub(1)
    }

    /// Residues modulo `t`, the one of `x^0` first.
    pub fn coefficients(&self) -> &[u64] {
        &self.coefficients
    }

    /// Its value at `x`, a residue modulo `t`.
    pub fn value_at(&self, modulus: Modulus, x: i64) -> u64 {
        horner(modulus, &self.coefficients, modulus.from_signed(x))
    }
}

fn horner(modulus: Modulus, coefficients: &[u64], x: u64) -> u64 {
    coefficients.iter().rev().fold(0, |sum, &c| modulus.add(modulus.mul(sum, x), c))
}

/// The values of several polynomials at `x`, each held with `factor`. They share the powers of `x`. The results are `ceil(log2(degree))` levels below `x`.
/// Refused for a constant polynomial ([`Error::Transparent`]), and where levels or noise do not suffice.
pub fn evaluate_polynomials<A: Arithmetic>(
    arithmetic: &A,
    x: &A::Value,
    polynomials: &[&Polynomial],
    factor: u64,
) -> Result<Vec<A::Value>, Error> {
    let degree = polynomials.iter().map(|polynomial| polynomial.degree()).max().unwrap_or(0);
    let ladder = Ladder::new(arithmetic, x, degree, polynomials.len())?;
    polynomials.par_iter().map(|polynomial| ladder.evaluate(&polynomial.coefficients, factor)).collect()
}

/// Products for `count` polynomials of a degree, when the powers up to `baby` are at hand.
fn products(degree: usize, baby: usize, count: usize) -> usize {
    let giants = std::iter::successors(Some(2 * baby), |giant| Some(2 * giant)).take_while(|&giant| giant < degree);
    let blocks = degree.div_ceil(baby).max(1);
    baby.min(degree).saturating_sub(1) + giants.count() + count * (blocks - 1)
}

/// The powers of a value: all up to the first giant step, then its squares.
struct Ladder<'a, A: Arithmetic> {
    arithmetic: &'a A,
    /// `x^1, x^2, ..`
    small: Vec<A::Value>,
    /// `x^g` for `g = baby 2^j`, ascending, those of `small` among them.
    giants: Vec<(usize, A::Value)>,
}

impl<'a, A: Arithmetic> Ladder<'a, A> {
    fn new(arithmetic: &'a A, x: &A::Value, degree: usize, count: usize) -> Result<Self, Error> {
        let steps = (0..usize::BITS - 1).map(|log2| 1_usize << log2).take_while(|&step| step < 2 * degree.max(1));
        let baby = steps.min_by_key(|&baby| products(degree, baby, count)).unwrap_or(1);
        let mut small = vec![x.clone()];
        while small.len() < baby.min(degree) {
            // From all powers up to h come those up to 2h, at the same depth.
            let half = small.len();
            let wanted = baby.min(degree).min(2 * half) - half;
            let next: Result<Vec<_>, Error> = (0..wanted)
                .into_par_iter()
                .map(|index| {
                    let (top, other) = small.last().zip(small.get(index)).ok_or(Error::LevelExhausted)?;
                    arithmetic.multiply(top, other)
                })
                .collect();
            small.extend(next?);
        }
        let mut giants = Vec::new();
        if let Some(first) = small.get(baby - 1) {
            giants.push((baby, first.clone()));
        }
        while let Some((exponent, giant)) = giants.last().filter(|(exponent, _)| 2 * exponent < degree) {
            let next = (2 * exponent, arithmetic.multiply(giant, giant)?);
            giants.push(next);
        }
        Ok(Self { arithmetic, small, giants })
    }

    /// The giant step by which a polynomial is split, and that power; `None` where the small powers carry it.
    fn split(&self, degree: usize) -> Option<(usize, &A::Value)> {
        if degree <= self.small.len() {
            return None;
        }
        self.giants.iter().rev().find(|(exponent, _)| *exponent < degree).map(|(exponent, value)| (*exponent, value))
    }

    fn shape(&self, value: &A::Value) -> Shape {
        self.arithmetic.shape(value)
    }

    /// The level of [`Ladder::evaluate`].
    fn level(&self, coefficients: &[u64]) -> Result<Level, Error> {
        let coefficients = trim(coefficients);
        let degree = coefficients.len().saturating_sub(1);
        let Some((exponent, giant)) = self.split(degree) else {
            let used = coefficients.iter().skip(1).zip(&self.small).filter(|(c, _)| **c != 0);
            return used.map(|(_, power)| self.shape(power).level).min().ok_or(Error::Transparent);
        };
        let (low, high) = coefficients.split_at(exponent);
        let product = self.product_level(low, high, giant)?;
        Ok(Level(product.0.checked_sub(1).ok_or(Error::LevelExhausted)?))
    }

    /// Where a giant step is multiplied with the polynomial above it and the one below is added.
    fn product_level(&self, low: &[u64], high: &[u64], giant: &A::Value) -> Result<Level, Error> {
        let product = self.level(high)?.min(self.shape(giant).level);
        if trim(low).len() > 1 { Ok(product.min(self.level(low)?)) } else { Ok(product) }
    }

    /// The polynomial held with `factor` at [`Ladder::level`].
    fn evaluate(&self, coefficients: &[u64], factor: u64) -> Result<A::Value, Error> {
        let coefficients = trim(coefficients);
        let constant = coefficients.first().copied().unwrap_or(0);
        let Some((exponent, giant)) = self.split(coefficients.len().saturating_sub(1)) else {
            let terms: Vec<_> = self.small.iter().zip(coefficients.iter().skip(1).copied()).collect();
            return self.arithmetic.combine(&terms, constant, self.level(coefficients)?, factor);
        };
        let (low, high) = coefficients.split_at(exponent);
        let (context, t) = (self.arithmetic.context(), self.arithmetic.context().plaintext_modulus());
        let joint = self.product_level(low, high, giant)?;
        // Held with `held` now, a value at level `own` is held with `wanted` once it is at the level of the product.
        let before = |own: Level, wanted: u64| {
            let gained = t.inverse(context.truncated_factor(own, joint, 1)).ok_or(Error::LevelExhausted)?;
            Ok::<u64, Error>(t.mul(wanted, gained))
        };
        let shape = self.shape(giant);
        let gained = context.product_factor(joint, 1, context.truncated_factor(shape.level, joint, shape.factor));
        let at_product = t.mul(factor, t.inverse(gained).ok_or(Error::LevelExhausted)?);
        let of_high = before(self.level(high)?, at_product)?;
        let low = trim(low);
        if low.len() <= 1 {
            let product = self.arithmetic.multiply(&self.evaluate(high, of_high)?, giant)?;
            return match low {
                [constant] => {
                    let level = self.shape(&product).level;
                    self.arithmetic.combine(&[(&product, 1)], *constant, level, factor)
                }
                _ => Ok(product),
            };
        }
        let of_low = before(self.level(low)?, factor)?;
        let (high, low) = rayon::join(|| self.evaluate(high, of_high), || self.evaluate(low, of_low));
        self.arithmetic.multiply_add(&high?, giant, Some(&low?))
    }
}

/// Without leading zeros.
fn trim(coefficients: &[u64]) -> &[u64] {
    let length = coefficients.iter().rposition(|&c| c != 0).map_or(0, |last| last + 1);
    coefficients.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_meets_every_point_and_vanishing_polynomials_every_root() {
        let t = Modulus::new(65_537).unwrap();
        let points: Vec<(i64, i64)> = (-64..=64).map(|x| (2 * x, i64::from(x >= 17))).collect();
        let polynomial = Polynomial::interpolate(t, &points).unwrap();
        assert_eq!(polynomial.degree(), 128);
        for &(x, y) in &points {
            assert_eq!(polynomial.value_at(t, x), t.from_signed(y), "{x}");
        }
        let roots = [-3, 5, 11, 40_000];
        let vanishing = Polynomial::vanishing(t, &roots);
        assert_eq!(vanishing.degree(), 4);
        assert!(roots.iter().all(|&root| vanishing.value_at(t, root) == 0));
        assert!((12..5_000).all(|x| vanishing.value_at(t, x) != 0));
        assert_eq!(Polynomial::interpolate(t, &[(1, 2), (65_538, 3)]), None);
        assert_eq!(Polynomial::interpolate(t, &[(4, 9)]), Some(Polynomial::new(t, &[9])));
    }

    #[test]
    fn the_number_of_products_is_that_of_the_baby_steps_the_squares_and_the_blocks() {
        assert_eq!(products(128, 16, 1), 15 + 2 + 7);
        assert_eq!(products(128, 8, 1), 7 + 3 + 15);
        assert_eq!(products(5, 8, 1), 4);
    }
}
