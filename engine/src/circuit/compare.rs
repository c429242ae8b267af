//! Decisions about values in slots: threshold, comparison, equality, membership. Every result is 1 or 0 in every slot whose input is one of the declared values; from any other input an
//! unspecified value comes out, which is the input's maker to answer for.
//!
//! All are polynomials over the plaintext field, as any function of finitely many values is (Iliashenko and Zucca, *Faster homomorphic comparison operations for BGV and BFV*, `PoPETs` 2021, for comparisons).

use blindrelay_kernels::Modulus;

use super::arithmetic::{Arithmetic, Shape};
use super::plan::Circuit;
use super::polynomial::{Polynomial, evaluate_polynomials};
use crate::bfv::Context;
use crate::error::Error;
use crate::noise::NoiseBound;

/// The values from `minimum` to `maximum` in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSet {
    minimum: i64,
    maximum: i64,
    step: u64,
}

impl ValueSet {
    /// Most values that a circuit decides about: a polynomial has one coefficient for each.
    pub const MOST: usize = 1 << 14;

    /// At least two values; `maximum - minimum` is a multiple of `step`.
    pub fn new(minimum: i64, maximum: i64, step: u64) -> Result<Self, Error> {
        let refuse = |reason| Error::ValueSet { minimum, maximum, step, reason };
        let width = maximum.checked_sub(minimum).filter(|&width| width > 0);
        let width = width.ok_or_else(|| refuse("the largest has to be above the smallest"))? as u64;
        if step == 0 || !width.is_multiple_of(step) {
            return Err(refuse("the steps have to lead from the smallest to the largest"));
        }
        if width / step >= Self::MOST as u64 {
            return Err(refuse("there are more than 16,384 of them"));
        }
        Ok(Self { minimum, maximum, step })
    }

    /// Smallest value.
    pub const fn minimum(self) -> i64 {
        self.minimum
    }

    /// Largest value.
    pub const fn maximum(self) -> i64 {
        self.maximum
    }

    /// Distance of neighbours.
    pub const fn step(self) -> u64 {
        self.step
    }

    /// How many values.
    pub const fn count(self) -> usize {
        ((self.maximum - self.minimum) as u64 / self.step) as usize + 1
    }

    /// The values, ascending.
    pub fn values(self) -> impl Iterator<Item = i64> {
        (self.minimum..=self.maximum).step_by(self.step as usize)
    }

    /// Whether a value is one of them.
    pub const fn contains(self, value: i64) -> bool {
        value >= self.minimum && value <= self.maximum && ((value - self.minimum) as u64).is_multiple_of(self.step)
    }

    /// The differences of two values.
    pub fn differences(self) -> Result<Self, Error> {
        let width = self.maximum - self.minimum;
        Self::new(-width, width, self.step)
    }

    /// The polynomial of least degree that takes these values. Refused where two of the set are the same modulo `t`.
    pub fn interpolate(self, modulus: Modulus, function: impl Fn(i64) -> i64) -> Result<Polynomial, Error> {
        let points: Vec<(i64, i64)> = self.values().map(|x| (x, function(x))).collect();
        Polynomial::interpolate(modulus, &points).ok_or(Error::ValueSet {
            minimum: self.minimum,
            maximum: self.maximum,
            step: self.step,
            reason: "two of them are the same modulo the plaintext modulus",
        })
    }
}

/// A fresh secret-key encryption at the highest level.
pub(super) fn fresh(context: &Context) -> Shape {
    let parameters = context.parameters();
    Shape { level: parameters.top_level(), noise: NoiseBound::fresh_secret(parameters.degree()), factor: 1 }
}

/// Input number `index`.
pub(super) fn input<V>(inputs: &[V], index: usize, found: usize) -> Result<&V, Error> {
    inputs.get(index).ok_or(Error::Inputs { expected: index + 1, found })
}

/// Whether a value reaches a public threshold: 1 where it is at or above it, 0 below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    values: ValueSet,
    threshold: i64,
}

impl Threshold {
    /// Refused for a threshold that every value reaches or none.
    pub fn new(values: ValueSet, threshold: i64) -> Result<Self, Error> {
        let (minimum, maximum) = (values.minimum, values.maximum);
        if threshold <= minimum || threshold > maximum {
            return Err(Error::Threshold { threshold, minimum, maximum });
        }
        Ok(Self { values, threshold })
    }

    /// The decision on a clear value.
    pub const fn decide(&self, value: i64) -> bool {
        value >= self.threshold
    }

    /// The values.
    pub const fn values(&self) -> ValueSet {
        self.values
    }

    /// The threshold.
    pub const fn threshold(&self) -> i64 {
        self.threshold
    }

    /// Its polynomial.
    pub fn polynomial(&self, modulus: Modulus) -> Result<Polynomial, Error> {
        self.values.interpolate(modulus, |x| i64::from(self.decide(x)))
    }

    /// The decisions, held with `factor`.
    pub fn apply<A: Arithmetic>(&self, arithmetic: &A, x: &A::Value, factor: u64) -> Result<A::Value, Error> {
        let polynomial = self.polynomial(arithmetic.context().plaintext_modulus())?;
        evaluate_polynomials(arithmetic, x, &[&polynomial], factor)?.into_iter().next().ok_or(Error::Transparent)
    }
}

impl Circuit for Threshold {
    fn name(&self) -> String {
        format!("a threshold among {} values", self.values.count())
    }

    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        Ok(vec![fresh(context)])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        Ok(vec![self.apply(arithmetic, input(inputs, 0, inputs.len())?, 1)?])
    }
}

/// Whether the first of two encrypted values is at least the second, both of the same set: a threshold that is encrypted itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    values: ValueSet,
    at_least_zero: Threshold,
}

impl Comparison {
    /// Of values of this set.
    pub fn new(values: ValueSet) -> Result<Self, Error> {
        Ok(Self { values, at_least_zero: Threshold::new(values.differences()?, 0)? })
    }

    /// The decisions, held with `factor`.
    pub fn apply<A: Arithmetic>(
        &self,
        arithmetic: &A,
        a: &A::Value,
        b: &A::Value,
        factor: u64,
    ) -> Result<A::Value, Error> {
        self.at_least_zero.apply(arithmetic, &difference(arithmetic, a, b)?, factor)
    }
}

impl Circuit for Comparison {
    fn name(&self) -> String {
        format!("a comparison of two of {} values", self.values.count())
    }

    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        Ok(vec![fresh(context), fresh(context)])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        let (a, b) = (input(inputs, 0, inputs.len())?, input(inputs, 1, inputs.len())?);
        Ok(vec![self.apply(arithmetic, a, b, 1)?])
    }
}

/// `a - b`, held as it is meant.
pub(super) fn difference<A: Arithmetic>(arithmetic: &A, a: &A::Value, b: &A::Value) -> Result<A::Value, Error> {
    let minus_one = arithmetic.context().plaintext_modulus().from_signed(-1);
    let level = arithmetic.shape(a).level.min(arithmetic.shape(b).level);
    arithmetic.combine(&[(a, 1), (b, minus_one)], 0, level, 1)
}

/// Whether two encrypted values are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Equality {
    /// Both of this set: a polynomial in the square of the difference, one coefficient for each value.
    Within(ValueSet),
    /// Any residues modulo `t`: `1 - (a - b)^(t - 1)` (Fermat), as deep as `t` has bits.
    Anywhere,
}

impl Equality {
    /// The decisions, held with `factor`.
    pub fn apply<A: Arithmetic>(
        &self,
        arithmetic: &A,
        a: &A::Value,
        b: &A::Value,
        factor: u64,
    ) -> Result<A::Value, Error> {
        let z = difference(arithmetic, a, b)?;
        let t = arithmetic.context().plaintext_modulus();
        match self {
            Self::Within(values) => {
                let square = arithmetic.multiply(&z, &z)?;
                let width = (values.maximum - values.minimum) as u64 / values.step;
                let points: Vec<(i64, i64)> = (0..=width)
                    .map(|k| t.reduce(k * values.step))
                    .map(|z| (t.mul(z, z) as i64, i64::from(z == 0)))
                    .collect();
                let polynomial = Polynomial::interpolate(t, &points).ok_or(Error::ValueSet {
                    minimum: values.minimum,
                    maximum: values.maximum,
                    step: values.step,
                    reason: "two differences have the same square modulo the plaintext modulus",
                })?;
                let values = evaluate_polynomials(arithmetic, &square, &[&polynomial], factor)?;
                values.into_iter().next().ok_or(Error::Transparent)
            }
            Self::Anywhere => {
                let exponent = t.value() - 1;
                let mut power = z.clone();
                // From the highest bit down: square, and multiply where a bit is set.
                for bit in (0..exponent.ilog2()).rev() {
                    power = arithmetic.multiply(&power, &power)?;
                    if exponent >> bit & 1 == 1 {
                        power = arithmetic.multiply(&power, &z)?;
                    }
                }
                let level = arithmetic.shape(&power).level;
                arithmetic.combine(&[(&power, t.from_signed(-1))], 1, level, factor)
            }
        }
    }
}

impl Circuit for Equality {
    fn name(&self) -> String {
        match self {
            Self::Within(values) => format!("an equality of two of {} values", values.count()),
            Self::Anywhere => "an equality of any two residues".to_owned(),
        }
    }

    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        Ok(vec![fresh(context), fresh(context)])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        let (a, b) = (input(inputs, 0, inputs.len())?, input(inputs, 1, inputs.len())?);
        Ok(vec![self.apply(arithmetic, a, b, 1)?])
    }
}

/// Whether an encrypted value is in a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// A public set, among declared values: 1 or 0.
    Public {
        /// What the value may be.
        values: ValueSet,
        /// The set.
        elements: Vec<i64>,
    },
    /// An encrypted set of so many elements: 0 for a member, not 0 otherwise. Multiplied by a random unit the result says no more than that.
    Encrypted {
        /// How many elements.
        elements: usize,
    },
}

impl Membership {
    /// In a public set of distinct elements, all of them among the values.
    pub fn public(values: ValueSet, elements: &[i64]) -> Result<Self, Error> {
        let capacity = values.count() - 1;
        let refuse = |reason| Error::SetElements { capacity, reason };
        if elements.is_empty() {
            return Err(refuse("it has none"));
        }
        for (second, element) in elements.iter().enumerate() {
            if !values.contains(*element) {
                return Err(refuse("one is outside"));
            }
            if let Some(first) = elements.iter().take(second).position(|other| other == element) {
                return Err(Error::RepeatedElement { first, second });
            }
        }
        if elements.len() > capacity {
            return Err(refuse("it has all of them, so that there is nothing to decide"));
        }
        Ok(Self::Public { values, elements: elements.to_vec() })
    }

    /// In an encrypted set of `elements` elements, whose values the service cannot compare: a repeated one does no harm.
    pub fn encrypted(elements: usize) -> Result<Self, Error> {
        if (1..=1024).contains(&elements) {
            return Ok(Self::Encrypted { elements });
        }
        Err(Error::SetElements { capacity: 1024, reason: "this encrypted set has another number" })
    }
}

impl Circuit for Membership {
    fn name(&self) -> String {
        match self {
            Self::Public { values, elements } => {
                format!("membership in a set of {} among {} values", elements.len(), values.count())
            }
            Self::Encrypted { elements } => format!("membership in an encrypted set of {elements}"),
        }
    }

    /// The value; for an encrypted set its elements after it.
    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        let elements = match self {
            Self::Public { .. } => 0,
            Self::Encrypted { elements } => *elements,
        };
        Ok(vec![fresh(context); 1 + elements])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        let x = input(inputs, 0, inputs.len())?;
        let t = arithmetic.context().plaintext_modulus();
        match self {
            Self::Public { values, elements } => {
                let polynomial = values.interpolate(t, |x| i64::from(elements.contains(&x)))?;
                evaluate_polynomials(arithmetic, x, &[&polynomial], 1)
            }
            Self::Encrypted { elements } => {
                input(inputs, *elements, inputs.len())?;
                let rest = inputs.iter().skip(1).take(*elements);
                let mut factors =
                    rest.map(|element| difference(arithmetic, x, element)).collect::<Result<Vec<_>, _>>()?;
                while factors.len() > 1 {
                    factors = factors
                        .chunks(2)
                        .map(|pair| match pair {
                            [a, b] => arithmetic.multiply(a, b),
                            rest => rest.first().cloned().ok_or(Error::Transparent),
                        })
                        .collect::<Result<_, _>>()?;
                }
                Ok(factors)
            }
        }
    }
}
