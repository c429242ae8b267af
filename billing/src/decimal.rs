//! Exact decimals as people write prices, and the rounding rule.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most digits after the point.
pub const MAX_DECIMALS: u8 = 12;
/// Largest integer of the digits of a decimal.
const MAX_UNITS: u64 = 1_000_000_000_000_000_000;

/// A decimal that is not negative: `units / 10^decimals`, displayed with exactly that many decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    units: u64,
    decimals: u8,
}

/// The text is no decimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{found}' is not a price: write digits with at most one point and at most {MAX_DECIMALS} decimals, for example 0.0040"
)]
pub struct DecimalError {
    /// What was written, cut to 40 characters.
    pub found: String,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { units: 0, decimals: 0 };

    /// Whether it is the larger number, whatever decimals both are written with.
    pub fn exceeds(self, other: Self) -> bool {
        // At most 10^18 times 10^12.
        let scaled = |of: Self, by: Self| u128::from(of.units) * 10_u128.pow(u32::from(by.decimals));
        scaled(self, other) > scaled(other, self)
    }

    /// `units / 10^decimals`; `None` above 10^18 or for more than [`MAX_DECIMALS`].
    pub fn new(units: u64, decimals: u8) -> Option<Self> {
        (units <= MAX_UNITS && decimals <= MAX_DECIMALS).then_some(Self { units, decimals })
    }

    /// The digits without the point.
    pub const fn units(self) -> u64 {
        self.units
    }

    /// Digits after the point.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// The same number with so many decimals; `None` where digits would be lost or the number becomes too long.
    pub fn with_decimals(self, decimals: u8) -> Option<Self> {
        let units = if decimals >= self.decimals {
            self.units.checked_mul(10_u64.checked_pow(u32::from(decimals - self.decimals))?)?
        } else {
            let divisor = 10_u64.checked_pow(u32::from(self.decimals - decimals))?;
            self.units.is_multiple_of(divisor).then_some(self.units / divisor)?
        };
        Self::new(units, decimals)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || DecimalError { found: text.chars().take(40).collect() };
        let (major, minor) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if major.is_empty() || !digits(major) || !digits(minor) || (minor.is_empty() && text.contains('.')) {
            return Err(refused());
        }
        let decimals = u8::try_from(minor.len()).map_err(|_| refused())?;
        let units = format!("{major}{minor}").parse().map_err(|_| refused())?;
        Self::new(units, decimals).ok_or_else(refused)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.decimals);
        let padded = format!("{:0>width$}", self.units, width = decimals + 1);
        let (major, minor) = padded.split_at(padded.len() - decimals);
        if minor.is_empty() { f.write_str(major) } else { write!(f, "{major}.{minor}") }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The greatest common divisor; `gcd(0, b) = b`.
pub(crate) const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The integer nearest to `numerator / denominator`, the even one of two that are equally near. `None` unless `denominator` is positive.
pub(crate) const fn round_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    // rest against denominator - rest instead of twice the rest, which could overflow.
    let up = rest > denominator - rest || (rest == denominator - rest && floor % 2 != 0);
    Some(if up { floor + 1 } else { floor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        for text in ["0.0040", "1", "0", "12.50", "0.000000000001", "123456789012.345678"] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
        for text in [
            "",
            ".",
            "1.",
            ".1",
            "-1",
            "+1",
            "1e2",
            "1,5",
            "NaN",
            "inf",
            "1.2.3",
            " 1",
            "0.0000000000001",
            "9999999999999999999",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        let price: Decimal = "0.0040".parse().unwrap();
        assert_eq!(price.with_decimals(3).unwrap().to_string(), "0.004");
        assert_eq!(price.with_decimals(6).unwrap().to_string(), "0.004000");
        assert_eq!(price.with_decimals(2), None);
        let larger: Decimal = "0.00401".parse().unwrap();
        assert!(larger.exceeds(price) && !price.exceeds(larger) && !price.exceeds("0.004".parse().unwrap()));
        assert!(price.exceeds(Decimal::ZERO));
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        for (numerator, denominator, rounded) in [
            (1, 2, 0),
            (3, 2, 2),
            (5, 2, 2),
            (7, 2, 4),
            (-1, 2, 0),
            (-3, 2, -2),
            (-5, 2, -2),
            (7, 4, 2),
            (5, 4, 1),
            (-7, 4, -2),
            (6, 3, 2),
            (0, 9, 0),
        ] {
            assert_eq!(round_half_even(numerator, denominator), Some(rounded), "{numerator}/{denominator}");
        }
        assert_eq!(round_half_even(i128::MAX, 1), Some(i128::MAX));
        assert_eq!(round_half_even(i128::MAX, i128::MAX), Some(1));
        assert_eq!(round_half_even(1, 0), None);
        assert_eq!(round_half_even(1, -1), None);
    }
}
