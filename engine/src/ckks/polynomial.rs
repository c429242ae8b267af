//! Polynomials of a ciphertext (Paterson and Stockmeyer, *On the number of nonscalar multiplications necessary to evaluate polynomials*, 1973).
//!
//! Every addend is made at exactly the scale of its sum: constants are encoded at the quotient of the wanted scale and the power's own, so no scale
//! is ever rounded to another.

use std::collections::BTreeMap;

use super::arithmetic::Arithmetic;
use super::scale::Scale;
use crate::error::Error;
use crate::params::Level;

/// `sum_i coefficients[i] x^i` in every slot, at scale `scale` exactly. The result is as high as the circuit allows: about
/// `log2(degree) + 1` levels below `x`. Refused where there are not that many, or `x` or an intermediate power does not fit.
pub fn evaluate_polynomial<A: Arithmetic>(
    arithmetic: &A,
    x: &A::Value,
    coefficients: &[f64],
    scale: &Scale,
) -> Result<A::Value, Error> {
    let degree = coefficients.iter().rposition(|&c| c != 0.0).unwrap_or(0);
    let coefficients = coefficients.get(..=degree).unwrap_or_default();
    if degree == 0 {
        // A constant has no ciphertext of its own; one of zero times x would be transparent.
        return Err(Error::Transparent);
    }
    let baby = 1_usize << (usize::BITS - degree.leading_zeros()).div_ceil(2);
    let circuit = Circuit { arithmetic, baby, powers: powers(arithmetic, x, degree, baby)? };
    let level = circuit.highest(coefficients)?;
    let prime = arithmetic.context().last_prime(level)?;
    let before = circuit.evaluate(coefficients, level, &scale.times_prime(prime))?.finish(arithmetic)?;
    arithmetic.rescale(&before)
}

/// `x^i` for `i <= baby` and for `baby 2^j <= degree`.
fn powers<A: Arithmetic>(
    arithmetic: &A,
    x: &A::Value,
    degree: usize,
    baby: usize,
) -> Result<BTreeMap<usize, A::Value>, Error> {
    let giants = std::iter::successors(Some(2 * baby), |giant| Some(2 * giant));
    let wanted = (2..=baby).chain(giants).take_while(|&power| power <= degree);
    let mut powers = BTreeMap::from([(1, x.clone())]);
    for power in wanted {
        let (low, high) = (power / 2, power - power / 2);
        let Some((a, b)) = powers.get(&low).zip(powers.get(&high)) else { continue };
        let level = arithmetic.shape(a).level.min(arithmetic.shape(b).level);
        if level == Level(0) {
            return Err(Error::LevelExhausted);
        }
        let (a, b) = (arithmetic.drop_to_level(a, level)?, arithmetic.drop_to_level(b, level)?);
        powers.insert(power, arithmetic.multiply_rescale(&a, &b)?);
    }
    Ok(powers)
}

struct Circuit<'a, A: Arithmetic> {
    arithmetic: &'a A,
    baby: usize,
    powers: BTreeMap<usize, A::Value>,
}

/// A value and a constant that is still to be added to it.
struct Partial<V> {
    value: Option<V>,
    constant: f64,
}

impl<V: Clone> Partial<V> {
    fn finish<A: Arithmetic<Value = V>>(self, arithmetic: &A) -> Result<V, Error> {
        let value = self.value.ok_or(Error::Transparent)?;
        if self.constant == 0.0 { Ok(value) } else { arithmetic.add_constant(&value, self.constant) }
    }
}

impl<A: Arithmetic> Circuit<'_, A> {
    fn power(&self, exponent: usize) -> Result<&A::Value, Error> {
        self.powers.get(&exponent).ok_or(Error::LevelExhausted)
    }

    /// The largest power by which a polynomial of this many coefficients is split; `None` for one that the small powers carry.
    fn split(&self, count: usize) -> Option<usize> {
        if count <= self.baby {
            return None;
        }
        self.powers.keys().copied().rfind(|&power| power >= self.baby && power < count)
    }

    /// The highest level at which [`Circuit::evaluate`] can make its result.
    fn highest(&self, coefficients: &[f64]) -> Result<Level, Error> {
        let Some(giant) = self.split(coefficients.len()) else {
            let used = coefficients.iter().enumerate().skip(1).filter(|(_, c)| **c != 0.0);
            let levels = used.map(|(i, _)| Ok(self.arithmetic.shape(self.power(i)?).level));
            let top = self.arithmetic.shape(self.power(1)?).level;
            return levels.collect::<Result<Vec<_>, Error>>().map(|levels| levels.into_iter().min().unwrap_or(top));
        };
        let (low, high) = coefficients.split_at(giant);
        let own = self.arithmetic.shape(self.power(giant)?).level;
        // A constant factor needs no level of its own.
        let of_high = if high.len() == 1 {
            own
        } else {
            Level(self.highest(high)?.0.checked_sub(1).ok_or(Error::LevelExhausted)?)
        };
        Ok(own.min(of_high).min(self.highest(low)?))
    }

    /// The polynomial at `level` and exactly `scale`.
    fn evaluate(&self, coefficients: &[f64], level: Level, scale: &Scale) -> Result<Partial<A::Value>, Error> {
        let Some(giant) = self.split(coefficients.len()) else {
            return self.small(coefficients, level, scale);
        };
        let (low, high) = coefficients.split_at(giant);
        let power = self.arithmetic.drop_to_level(self.power(giant)?, level)?;
        let factor_scale = scale.over(&self.arithmetic.shape(&power).scale);
        let leading = if let [constant] = high {
            self.arithmetic.mul_constant(&power, *constant, &factor_scale)?
        } else {
            let above = Level(level.0 + 1);
            let prime = self.arithmetic.context().last_prime(above)?;
            let factor = self.evaluate(high, above, &factor_scale.times_prime(prime))?.finish(self.arithmetic)?;
            self.arithmetic.multiply(&self.arithmetic.rescale(&factor)?, &power)?
        };
        let rest = self.evaluate(low, level, scale)?;
        let value = match rest.value {
            Some(value) => self.arithmetic.add(&leading, &value)?,
            None => leading,
        };
        Ok(Partial { value: Some(value), constant: rest.constant })
    }

    /// A combination of small powers.
    fn small(&self, coefficients: &[f64], level: Level, scale: &Scale) -> Result<Partial<A::Value>, Error> {
        let mut sum: Option<A::Value> = None;
        for (exponent, &constant) in coefficients.iter().enumerate().skip(1).filter(|(_, c)| **c != 0.0) {
            let power = self.arithmetic.drop_to_level(self.power(exponent)?, level)?;
            let factor_scale = scale.over(&self.arithmetic.shape(&power).scale);
            let term = self.arithmetic.mul_constant(&power, constant, &factor_scale)?;
            sum = Some(match sum {
                Some(sum) => self.arithmetic.add(&sum, &term)?,
                None => term,
            });
        }
        Ok(Partial { value: sum, constant: coefficients.first().copied().unwrap_or(0.0) })
    }
}
