//! When something ends, as options say it: a time from now, or a moment; and moments as they are shown.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use blindrelay_billing::{Date, SECONDS_PER_DAY};
use blindrelay_client::UnixMillis;

use crate::failure::Failure;
use crate::usage::moment::Moments;

/// A hundred years: whoever means more leaves the end out.
const LONGEST: Duration = Duration::from_secs(36_525 * SECONDS_PER_DAY);

/// An end that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// So long from now.
    In(Duration),
    /// At this moment.
    At(UnixMillis),
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = duration(text) {
            return Ok(Self::In(time));
        }
        // A bare number could be days, seconds or a moment.
        let bare = text.bytes().all(|byte| byte.is_ascii_digit());
        match Moments::default().parse(text.as_bytes()) {
            Ok(seconds) if !bare => Ok(Self::At(UnixMillis(seconds.saturating_mul(1000)))),
            _ => Err(
                "a time from now such as 12h, 30d or 52w, or a moment in UTC such as 2027-01-31T00:00:00Z (RFC 3339)"
                    .to_owned(),
            ),
        }
    }
}

impl Expiry {
    /// The moment, where it is `now`.
    pub(crate) fn moment(self, now: SystemTime) -> Result<UnixMillis, Failure> {
        let now = UnixMillis::from(now);
        let end = match self {
            Self::In(time) => UnixMillis(now.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))),
            Self::At(moment) => moment,
        };
        if end > now {
            return Ok(end);
        }
        Err(Failure::Usage { what: format!("{} is over already", written(end)), advice: "give a later --expires" })
    }
}

/// A length of time: a number and `s`, `m`, `h`, `d` or `w`, at most a hundred years.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let fault = || "a time such as 90s, 30m, 12h, 30d or 52w, at most a hundred years".to_owned();
    let unit = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => SECONDS_PER_DAY,
        Some(b'w') => 7 * SECONDS_PER_DAY,
        _ => return Err(fault()),
    };
    let digits = text.get(..text.len() - 1).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    let time = number.and_then(|number| number.checked_mul(unit)).map(Duration::from_secs);
    time.filter(|&time| time <= LONGEST).ok_or_else(fault)
}

/// A moment in RFC 3339, to the second.
pub(crate) fn written(UnixMillis(millis): UnixMillis) -> String {
    let seconds = millis / 1000;
    let Some(day) = Date::of_unix(seconds) else { return format!("{millis} ms after the beginning of 1970") };
    let of_day = seconds % SECONDS_PER_DAY;
    format!("{day}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn an_end_is_a_time_from_now_or_a_moment() {
        let now = UNIX_EPOCH + Duration::from_millis(1_500);
        let end = |text: &str| text.parse::<Expiry>().unwrap().moment(now).unwrap().0;
        assert_eq!(
            [end("1s"), end("2m"), end("3h"), end("1d"), end("1w")],
            [2_500, 121_500, 10_801_500, 86_401_500, 604_801_500]
        );
        assert_eq!(end("1970-01-02T00:00:01Z"), 86_401_000);
        for text in ["0d", "1970-01-01T00:00:01Z"] {
            assert!(matches!(text.parse::<Expiry>().unwrap().moment(now), Err(Failure::Usage { .. })), "{text}");
        }
        for text in [
            "",
            "d",
            "30",
            "-1d",
            "1.5d",
            "1 d",
            "1y",
            "1é",
            "36526d",
            "99999999999999999999d",
            "tomorrow",
            "2027-01-31",
            "1793698205",
        ] {
            assert!(text.parse::<Expiry>().is_err(), "{text}");
        }
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("36525d"), Ok(LONGEST));
    }

    #[test]
    fn moments_are_shown_as_they_are_read() {
        for text in ["1970-01-01T00:00:00Z", "2026-11-21T18:26:22Z", "9999-12-31T23:59:59Z"] {
            let Expiry::At(moment) = text.parse().unwrap() else { panic!("{text}") };
            assert_eq!(written(moment), text);
        }
        assert_eq!(written(UnixMillis(u64::MAX)), "18446744073709551615 ms after the beginning of 1970");
    }
}
