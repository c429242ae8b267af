//! Moments in UTC. The crate reads no clock: every moment comes from the caller.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

const MILLIS_PER_DAY: u64 = 86_400_000;
/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH: u64 = 719_468;
/// Days of 400 years.
const ERA: u64 = 146_097;

/// A moment in milliseconds since 1970-01-01 UTC, leap seconds not counted, at most the last one of the year 9999. Written as
/// `2026-11-21T09:30:00.125Z`, always with three decimals (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(u64);

/// The text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a moment is written as 2026-11-21T09:30:00.125Z, in UTC, from 1970 to 9999")]
pub struct TimeParseError;

impl UnixMillis {
    /// The last moment, 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A moment; `None` after [`UnixMillis::MAX`].
    pub const fn new(millis: u64) -> Option<Self> {
        if millis <= Self::MAX.0 { Some(Self(millis)) } else { None }
    }

    /// Milliseconds since 1970.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years begin in March, so that leap days come last (Hinnant, *chrono-compatible low-level date algorithms*, 2013).
        let days = self.0 / MILLIS_PER_DAY + EPOCH;
        let (era, day_of_era) = (days / ERA, days % ERA);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let of_day = self.0 % MILLIS_PER_DAY;
        let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", of_day % 1000)
    }
}

impl FromStr for UnixMillis {
    type Err = TimeParseError;

    fn from_str(text: &str) -> Result<Self, TimeParseError> {
        let number = |range: std::ops::Range<usize>| {
            let digits = text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u64>().ok()).ok_or(TimeParseError)
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second, millis) = (number(11..13)?, number(14..16)?, number(17..19)?, number(20..23)?);
        if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(TimeParseError);
        }
        let (year, month_index) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * month_index + 2) / 5 + day - 1;
        let days = (era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year)
            .checked_sub(EPOCH)
            .ok_or(TimeParseError)?;
        let moment = Self(days * MILLIS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + millis);
        // One spelling: separators, days of the month and times of the day are right where the moment is written the same way.
        if moment <= Self::MAX && moment.to_string() == text { Ok(moment) } else { Err(TimeParseError) }
    }
}

impl Serialize for UnixMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_spelling() {
        // `date -u -d @SECONDS +%FT%TZ` of GNU coreutils.
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_795_253_400_125, "2026-11-21T09:30:00.125Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            let moment = UnixMillis::new(millis).unwrap();
            assert_eq!(moment.to_string(), text);
            assert_eq!(text.parse(), Ok(moment));
        }
        assert_eq!(UnixMillis::new(253_402_300_800_000), None);
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "2026-11-21T09:30:00Z",
            "2026-11-21t09:30:00.125Z",
            "2026-11-21T09:30:00.125+00:00",
            "2026-02-29T00:00:00.000Z",
            "2026-11-31T00:00:00.000Z",
            "2026-11-21T24:00:00.000Z",
            "2026-11-21T09:60:00.000Z",
            "2026-11-21T09:30:60.000Z",
            "1969-12-31T23:59:59.999Z",
            "2026-11-21T09:30:00.125Z ",
            "+026-11-21T09:30:00.125Z",
            "2026-00-21T09:30:00.125Z",
        ] {
            assert_eq!(text.parse::<UnixMillis>(), Err(TimeParseError), "{text}");
        }
    }
}
