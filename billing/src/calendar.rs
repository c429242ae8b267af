//! Days of the Gregorian calendar in UTC. The crate reads no clock: times come from the caller, in seconds since 1970.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds of a day. Leap seconds are not counted, as in Unix time.
pub const SECONDS_PER_DAY: u64 = 86_400;

/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH: u32 = 719_468;
/// Days of 400 years.
const ERA: u32 = 146_097;
/// The last day, 9999-12-31.
const LAST: u32 = 2_932_896;

/// A day from 1970-01-01 to 9999-12-31, which begins at 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u32);

/// The text is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not a day: write it as YYYY-MM-DD, between 1970-01-01 and 9999-12-31")]
pub struct DateError {
    /// What was written, cut to 20 characters.
    pub found: String,
}

impl Date {
    /// From days since 1970-01-01; `None` after 9999-12-31.
    pub fn from_days(days: u32) -> Option<Self> {
        (days <= LAST).then_some(Self(days))
    }

    /// From year, month (1 to 12) and day (1 to 31); `None` where there is no such day.
    pub fn from_civil(year: u32, month: u32, day: u32) -> Option<Self> {
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        // Years begin in March, so that leap days come last (Hinnant, *chrono-compatible low-level date algorithms*, 2013).
        let (year, month_index) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * month_index + 2) / 5 + day - 1;
        let days = era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self::from_days(days.checked_sub(EPOCH)?)?;
        (date.civil().2 == day).then_some(date)
    }

    /// The day of a moment in seconds since 1970; `None` after 9999-12-31.
    pub fn of_unix(seconds: u64) -> Option<Self> {
        Self::from_days(u32::try_from(seconds / SECONDS_PER_DAY).ok()?)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> u32 {
        self.0
    }

    /// The moment of its beginning, in seconds since 1970.
    pub const fn unix(self) -> u64 {
        self.0 as u64 * SECONDS_PER_DAY
    }

    /// Year, month and day.
    pub const fn civil(self) -> (u32, u32, u32) {
        let days = self.0 + EPOCH;
        let (era, day_of_era) = (days / ERA, days % ERA);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }

    /// The first day of its month.
    #[must_use]
    pub const fn month_start(self) -> Self {
        Self(self.0 - (self.civil().2 - 1))
    }

    /// The first day of the month after it; the last day of the calendar in December 9999.
    #[must_use]
    pub fn next_month(self) -> Self {
        let (year, month, _) = self.civil();
        let next = if month == 12 { Self::from_civil(year + 1, 1, 1) } else { Self::from_civil(year, month + 1, 1) };
        next.unwrap_or(Self(LAST))
    }

    /// The day before; 1970-01-01 has none and is returned itself.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse().ok());
        let separated = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        number(0..4)
            .zip(number(5..7))
            .zip(number(8..10))
            .filter(|_| separated)
            .and_then(|((year, month), day)| Self::from_civil(year, month, day))
            .ok_or_else(|| DateError { found: text.chars().take(20).collect() })
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_one_name() {
        let mut expected = (1970, 1, 1);
        for days in 0..=LAST {
            let date = Date(days);
            assert_eq!(date.civil(), expected);
            assert_eq!(Date::from_civil(expected.0, expected.1, expected.2), Some(date));
            let leap = expected.0 % 4 == 0 && (expected.0 % 100 != 0 || expected.0 % 400 == 0);
            let length = match expected.1 {
                2 => 28 + u32::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match expected {
                (year, 12, 31) => (year + 1, 1, 1),
                (year, month, day) if day == length => (year, month + 1, 1),
                (year, month, day) => (year, month, day + 1),
            };
        }
        assert_eq!(expected, (10_000, 1, 1));
    }

    #[test]
    fn text_leads_back_to_the_day() {
        let date: Date = "2028-02-29".parse().unwrap();
        assert_eq!(date.to_string(), "2028-02-29");
        assert_eq!(date.month_start().to_string(), "2028-02-01");
        assert_eq!(date.next_month().to_string(), "2028-03-01");
        assert_eq!(Date::of_unix(date.unix() + 86_399), Some(date));
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-01",
            "1969-12-31",
            "2026-01-01 ",
            "2026/01/01",
            "+026-01-01",
            "é026-01-1",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
