//! Numbers with a bound on their error, and arithmetic that keeps the bound true.

use serde::{Deserialize, Serialize};

/// A value that is off by at most `bound`. Results of arithmetic hold for every pair of true values that the operands admit, so they may be dependent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// How far it may be off.
    pub bound: f64,
}

/// What roundings of one operation in double precision are off by, relatively; more than their `2^-53`.
const ROUNDING: f64 = 1.0 / (1_u64 << 50) as f64;

impl Estimate {
    /// A number that is known exactly.
    pub const fn exact(value: f64) -> Self {
        Self { value, bound: 0.0 }
    }

    /// A value and its bound.
    pub const fn new(value: f64, bound: f64) -> Self {
        Self { value, bound }
    }

    /// The smallest number that it may be.
    pub fn low(self) -> f64 {
        self.value - self.bound
    }

    /// The largest number that it may be.
    pub fn high(self) -> f64 {
        self.value + self.bound
    }

    /// Whether it may be this number.
    pub fn admits(self, number: f64) -> bool {
        (self.value - number).abs() <= self.bound
    }

    fn rounded(value: f64, bound: f64) -> Self {
        Self { value, bound: bound * (1.0 + ROUNDING) + value.abs() * ROUNDING }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::rounded(self.value + other.value, self.bound + other.bound)
    }

    /// The difference. What it loses by cancellation is in the operands' bounds.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(Self { value: -other.value, ..other })
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let crossed = self.value.abs() * other.bound + other.value.abs() * self.bound;
        Self::rounded(self.value * other.value, crossed + self.bound * other.bound)
    }

    /// The quotient; `None` where the divisor may be zero.
    #[must_use]
    pub fn over(self, divisor: Self) -> Option<Self> {
        let least = divisor.value.abs() - divisor.bound;
        if least.is_nan() || least <= 0.0 {
            return None;
        }
        let value = self.value / divisor.value;
        Some(Self::rounded(value, (self.bound + value.abs() * divisor.bound) / least))
    }

    /// The square root of a number that is known not to be negative.
    #[must_use]
    pub fn sqrt(self) -> Self {
        let (low, high) = (self.low().max(0.0).sqrt(), self.high().max(0.0).sqrt());
        let value = self.value.max(0.0).sqrt();
        Self::rounded(value, (high - value).max(value - low))
    }

    /// The same number where it is known to lie in a range.
    #[must_use]
    pub fn within(self, least: f64, most: f64) -> Self {
        let value = self.value.clamp(least, most);
        let (low, high) = (self.low().max(least), self.high().min(most));
        Self { value, bound: (high - value).max(value - low).max(0.0) }
    }

    /// The integer that it is, exactly, where it is known to be one and the bound leaves only one; `None` where it admits none.
    #[must_use]
    pub fn integer(self) -> Option<Self> {
        let nearest = self.value.round();
        if self.bound >= 0.5 {
            return Some(self);
        }
        // A zero has no sign.
        self.admits(nearest).then_some(Self::exact(nearest + 0.0))
    }

    /// The sum of many.
    pub fn sum(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().fold(Self::exact(0.0), Self::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An estimate and a true value that it admits.
    fn pair() -> impl Strategy<Value = (Estimate, f64)> {
        (-1e3..1e3, 0.0..2.0, -1.0..1.0).prop_map(|(value, bound, where_in): (f64, f64, f64)| {
            (Estimate::new(value, bound), value + 0.999 * bound * where_in)
        })
    }

    proptest! {
        #[test]
        fn results_admit_what_true_values_give((a, x) in pair(), (b, y) in pair()) {
            prop_assert!(a.plus(b).admits(x + y));
            prop_assert!(a.minus(b).admits(x - y));
            prop_assert!(a.times(b).admits(x * y));
            if let Some(quotient) = a.over(b) {
                prop_assert!(quotient.admits(x / y));
            } else {
                prop_assert!(b.admits(0.0));
            }
            prop_assert!(a.times(a).sqrt().admits(x.abs()) || x == 0.0);
            if x >= 0.0 {
                prop_assert!(a.sqrt().admits(x.sqrt()));
                prop_assert!(a.within(0.0, f64::MAX).admits(x));
            }
            prop_assert!(a.within(x, x + 1.0).admits(x));
            prop_assert!(a.within(x - 1.0, x).admits(x));
        }
    }

    #[test]
    fn integers_are_found_where_only_one_fits() {
        assert_eq!(Estimate::new(6.8, 0.3).integer(), Some(Estimate::exact(7.0)));
        assert_eq!(Estimate::new(6.5, 0.3).integer(), None);
        assert_eq!(Estimate::new(6.5, 0.6).integer(), Some(Estimate::new(6.5, 0.6)));
    }

    #[test]
    fn nothing_is_divided_by_what_may_be_zero() {
        assert_eq!(Estimate::exact(1.0).over(Estimate::new(0.5, 0.5)), None);
        assert_eq!(Estimate::exact(1.0).over(Estimate::new(f64::NAN, 0.5)), None);
        assert_eq!(Estimate::exact(0.0).sqrt(), Estimate::exact(0.0));
    }
}
