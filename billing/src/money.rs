//! Money: a currency and an exact number of its minor units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::currency::Currency;
use crate::decimal::round_half_even;

/// An amount in minor units (cents, pence, yen). Sums are exact; amounts of two currencies never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    currency: Currency,
    minor: i128,
}

/// Why amounts cannot be added or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Two currencies in one sum.
    #[error("{left} and {right} cannot be added: convert one of them first")]
    MixedCurrencies {
        /// Currency of the first amount.
        left: Currency,
        /// Currency of the second amount.
        right: Currency,
    },
    /// A sum above what 128 bits hold.
    #[error("the sum of amounts in {currency} is too large")]
    Overflow {
        /// The currency.
        currency: Currency,
    },
    /// A text that is no amount.
    #[error(
        "'{found}' is not an amount: write for example '12.50 EUR', with at most the decimals that the currency has"
    )]
    Text {
        /// What was written, cut to 40 characters.
        found: String,
    },
}

impl Money {
    /// So many minor units.
    pub const fn new(currency: Currency, minor: i128) -> Self {
        Self { currency, minor }
    }

    /// Nothing.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(currency, 0)
    }

    /// `numerator / denominator` minor units, rounded to the nearest one and to the even one of two that are equally near: the only place where an
    /// amount is rounded. `denominator` must be positive; `None` where it is not.
    pub fn rounded(currency: Currency, numerator: i128, denominator: i128) -> Option<Self> {
        Some(Self::new(currency, round_half_even(numerator, denominator)?))
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Minor units.
    pub const fn minor(&self) -> i128 {
        self.minor
    }

    /// The sum. Refused for two currencies.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency });
        }
        let overflow = MoneyError::Overflow { currency: self.currency };
        Ok(Self::new(self.currency, self.minor.checked_add(other.minor).ok_or(overflow)?))
    }

    /// The sum of amounts of one currency; zero of `currency` where there are none.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// The number in major units with the currency's decimals, without the currency: `-12.05`.
    pub fn decimal(&self) -> String {
        let digits = usize::from(self.currency.digits());
        let sign = if self.minor < 0 { "-" } else { "" };
        let padded = format!("{:0>width$}", self.minor.unsigned_abs(), width = digits + 1);
        let (major, minor) = padded.split_at(padded.len() - digits);
        if minor.is_empty() { format!("{sign}{major}") } else { format!("{sign}{major}.{minor}") }
    }

    /// [`Money::decimal`] with the thousands set apart for readers: `1,234,567.80`.
    pub fn grouped(&self) -> String {
        let text = self.decimal();
        let (sign, unsigned) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
        let (major, minor) = unsigned.split_once('.').map_or((unsigned, None), |(major, minor)| (major, Some(minor)));
        let minor = minor.map_or_else(String::new, |minor| format!(".{minor}"));
        format!("{sign}{}{minor}", group_thousands(major))
    }
}

/// A number with a comma before every third digit from the right.
pub(crate) fn group_thousands(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl fmt::Display for Money {
    /// `12.05 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads what [`Money`] displays: `-12.05 EUR`. Fewer decimals than the currency has are allowed, more are not.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || MoneyError::Text { found: text.chars().take(40).collect() };
        let (number, code) = text.split_once(' ').ok_or_else(refused)?;
        let currency: Currency = code.parse().map_err(|_| refused())?;
        let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
        let (major, minor) = number.split_once('.').unwrap_or((number, ""));
        let written = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let point_without_digits = number.contains('.') && minor.is_empty();
        let digits = usize::from(currency.digits());
        if major.is_empty() || !written(major) || !written(minor) || point_without_digits || minor.len() > digits {
            return Err(refused());
        }
        let all: i128 = format!("{major}{minor:0<digits$}").parse().map_err(|_| refused())?;
        Ok(Self::new(currency, if negative { -all } else { all }))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_are_written_and_read_with_the_decimals_of_their_currency() {
        for (code, minor, text, grouped) in [
            ("EUR", 123_456_780, "1234567.80 EUR", "1,234,567.80"),
            ("EUR", -5, "-0.05 EUR", "-0.05"),
            ("JPY", 1_000, "1000 JPY", "1,000"),
            ("KWD", 1, "0.001 KWD", "0.001"),
            ("CLF", -123_456, "-12.3456 CLF", "-12.3456"),
            ("EUR", 0, "0.00 EUR", "0.00"),
        ] {
            let money = Money::new(currency(code), minor);
            assert_eq!(money.to_string(), text);
            assert_eq!(money.grouped(), grouped);
            assert_eq!(text.parse(), Ok(money));
        }
        assert_eq!("3 EUR".parse(), Ok(Money::new(currency("EUR"), 300)));
        assert_eq!("3.5 EUR".parse(), Ok(Money::new(currency("EUR"), 350)));
        for text in
            ["", "3", "3.505 EUR", "3. EUR", ".5 EUR", "1e3 EUR", "+1 EUR", "1 XXX", "--1 EUR", "1.0 JPY", "1,000 EUR"]
        {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn sums_are_exact_and_of_one_currency() {
        let (euro, yen) = (currency("EUR"), currency("JPY"));
        assert_eq!(Money::sum(euro, (1..=100).map(|minor| Money::new(euro, minor))), Ok(Money::new(euro, 5050)));
        assert_eq!(
            Money::new(euro, 1).plus(Money::new(yen, 1)),
            Err(MoneyError::MixedCurrencies { left: euro, right: yen })
        );
        let most = Money::new(euro, i128::MAX);
        assert_eq!(most.plus(Money::new(euro, 1)), Err(MoneyError::Overflow { currency: euro }));
    }
}
