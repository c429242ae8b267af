//! Moments as usage files write them: RFC 3339 in UTC, or seconds since 1970.

use blindrelay_billing::Date;

/// What is wrong with a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MomentFault {
    /// Neither form.
    Form,
    /// A time zone other than UTC.
    Zone,
    /// A day or a time of day that does not exist.
    Value,
    /// A number so large that it counts something else than seconds.
    Milliseconds,
}

impl MomentFault {
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Form => "is not a time",
            Self::Zone => "is not in UTC",
            Self::Value => "does not exist",
            Self::Milliseconds => "is after the year 9999, or not in seconds",
        }
    }

    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Form | Self::Value => "write times as 2026-11-03T09:30:00Z or as seconds since 1970",
            Self::Zone => "convert times to UTC and end them with Z",
            Self::Milliseconds => "write seconds since 1970, not milliseconds",
        }
    }
}

/// Reads moments; most lie on the day of the one before, which is remembered.
#[derive(Default)]
pub(crate) struct Moments {
    day: [u8; 10],
    start: Option<u64>,
}

impl Moments {
    /// Seconds since 1970. A fraction of a second is cut off.
    pub(crate) fn parse(&mut self, text: &[u8]) -> Result<u64, MomentFault> {
        let Some((day, rest)) = text.split_first_chunk::<10>().filter(|(day, _)| day.get(4) == Some(&b'-')) else {
            return epoch_seconds(text);
        };
        let start = match self.start {
            Some(start) if self.day == *day => start,
            _ => {
                let date = std::str::from_utf8(day).ok().and_then(|day| day.parse::<Date>().ok());
                let start = date.ok_or(MomentFault::Value)?.unix();
                (self.day, self.start) = (*day, Some(start));
                start
            }
        };
        let &[b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, ref zone @ ..] = rest else {
            return Err(MomentFault::Form);
        };
        let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return Err(MomentFault::Value);
        }
        match without_fraction(zone)? {
            b"Z" | b"z" | b"+00:00" | b"-00:00" => Ok(start + hour * 3600 + minute * 60 + second),
            b"" | [b'+' | b'-', ..] => Err(MomentFault::Zone),
            _ => Err(MomentFault::Form),
        }
    }
}

fn two(tens: u8, ones: u8) -> Result<u64, MomentFault> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        Ok(u64::from(tens - b'0') * 10 + u64::from(ones - b'0'))
    } else {
        Err(MomentFault::Form)
    }
}

fn without_fraction(zone: &[u8]) -> Result<&[u8], MomentFault> {
    let Some(digits) = zone.strip_prefix(b".") else { return Ok(zone) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(MomentFault::Form) } else { Ok(digits.get(count..).unwrap_or_default()) }
}

fn epoch_seconds(text: &[u8]) -> Result<u64, MomentFault> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(MomentFault::Form);
    }
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
    number.filter(|&seconds| Date::of_unix(seconds).is_some()).ok_or(MomentFault::Milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_moment() {
        let mut moments = Moments::default();
        for text in [
            "2026-11-03T09:30:05Z",
            "2026-11-03t09:30:05z",
            "2026-11-03 09:30:05+00:00",
            "2026-11-03T09:30:05.999Z",
            "1793698205",
        ] {
            assert_eq!(moments.parse(text.as_bytes()), Ok(1_793_698_205), "{text}");
        }
        assert_eq!(moments.parse(b"1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(moments.parse(b"0"), Ok(0));
    }

    #[test]
    fn what_is_no_moment_in_utc_is_refused() {
        let mut moments = Moments::default();
        for (text, fault) in [
            ("", MomentFault::Form),
            ("yesterday", MomentFault::Form),
            ("-5", MomentFault::Form),
            ("2026-11-03", MomentFault::Form),
            ("2026-11-03T09:30Z", MomentFault::Form),
            ("2026-11-03T09:30:0xZ", MomentFault::Form),
            ("2026-11-03T09:30:05.Z", MomentFault::Form),
            ("2026-11-03T09:30:05ZZ", MomentFault::Form),
            ("2026-11-03T09:30:05", MomentFault::Zone),
            ("2026-11-03T09:30:05+01:00", MomentFault::Zone),
            ("2026-11-31T09:30:05Z", MomentFault::Value),
            ("2026-11-03T24:00:00Z", MomentFault::Value),
            ("1793698205000", MomentFault::Milliseconds),
            ("99999999999999999999999", MomentFault::Milliseconds),
        ] {
            assert_eq!(moments.parse(text.as_bytes()), Err(fault), "{text}");
        }
    }
}
