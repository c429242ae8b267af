//! Currencies by ISO 4217, with the digits of their minor units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Every code of ISO 4217 list one (edition of 1 January 2026) that has a minor unit, by the number of decimal digits of that unit.
/// Codes without one (metals, drawing rights, testing) are no money that an invoice can be written in.
const CURRENCIES: [(u8, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP \
         CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD \
         KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR \
         PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU \
         UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// A currency: three letters, and how many decimal digits its minor unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    digits: u8,
}

/// The text is no code of ISO 4217 with a minor unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not a currency of ISO 4217: write three capital letters, for example EUR")]
pub struct UnknownCurrency {
    /// What was written, cut to 16 characters.
    pub found: String,
}

impl Currency {
    /// Every currency, by code.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = CURRENCIES
            .iter()
            .flat_map(|&(digits, codes)| codes.split_whitespace().filter_map(move |code| Self::of(code, digits)))
            .collect();
        all.sort();
        all
    }

    fn of(code: &str, digits: u8) -> Option<Self> {
        Some(Self { code: code.as_bytes().try_into().ok()?, digits })
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Decimal digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub const fn digits(&self) -> u8 {
        self.digits
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        CURRENCIES
            .iter()
            .find(|(_, codes)| codes.split_whitespace().any(|code| code == text))
            .and_then(|&(digits, _)| Self::of(text, digits))
            .ok_or_else(|| UnknownCurrency { found: text.chars().take(16).collect() })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code_once() {
        let all = Currency::all();
        assert!(all.is_sorted_by(|a, b| a.code < b.code), "codes repeat");
        assert_eq!(all.len(), 165);
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XCG", 2), ("USD", 2)] {
            assert_eq!(code.parse::<Currency>().unwrap().digits(), digits, "{code}");
        }
        for gone in ["BGN", "HRK", "ANG", "ZWL", "XAU", "eur", "", "EURO"] {
            assert!(gone.parse::<Currency>().is_err(), "{gone}");
        }
    }
}
