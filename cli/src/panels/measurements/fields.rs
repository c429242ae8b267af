//! The fields of a line: numbers within the ranges that the panel declares.

use blindrelay_analytics::Collect;

use crate::printable::one_line;

/// What a field may be.
pub(super) enum Limits {
    /// A number in a range, or nothing.
    Scores,
    /// Seconds up to a limit.
    Seconds(f64),
    /// Join and leave, up to the end of the last stretch of time.
    Stays(f64),
    /// Two series with their magnitudes.
    Pairs([f64; 2]),
}

const NUMBER: &str = "write a number such as 0.75";
const SECONDS: &str = "write seconds such as 90, or a time such as 1:30 or 0:01:30";

impl Limits {
    pub(super) fn of(collect: &Collect) -> Self {
        match collect {
            Collect::Attention { .. } => Self::Scores,
            Collect::Speaking { limit_seconds, .. } | Collect::Durations { limit_seconds, .. } => {
                Self::Seconds(*limit_seconds)
            }
            Collect::Concurrency { buckets, bucket_seconds } => Self::Stays(*buckets as f64 * bucket_seconds),
            Collect::Correlation { x_limit, y_limit, .. } => Self::Pairs([*x_limit, *y_limit]),
        }
    }

    /// Whether values are joins and leaves.
    pub(super) const fn stays(&self) -> bool {
        matches!(self, Self::Stays(_))
    }

    /// The field of the value at `index` of a line; not a number where a score is left out. The error says what is wrong and what to do, and nothing of what
    /// the field is worth beyond its text.
    pub(super) fn read(&self, index: usize, text: &str) -> Result<f64, (String, &'static str)> {
        if text.is_empty() && matches!(self, Self::Scores) {
            return Ok(f64::NAN);
        }
        let (least, most, time) = match *self {
            Self::Scores => (0.0, 1.0, false),
            Self::Seconds(limit) | Self::Stays(limit) => (0.0, limit, true),
            Self::Pairs([x, y]) => {
                let limit = if index == 0 { x } else { y };
                (-limit, limit, false)
            }
        };
        let advice = if time { SECONDS } else { NUMBER };
        let value = if time && text.contains(':') { clock(text) } else { text.parse().ok() };
        let Some(value) = value.filter(|value: &f64| value.is_finite()) else {
            return Err((format!("{} is not a number", quoted(text)), advice));
        };
        if value < least {
            let what = if least == 0.0 { "is negative".to_owned() } else { format!("is below {least}") };
            return Err((
                format!("{} {what}", quoted(text)),
                "correct the line; the panel declares what a value may be",
            ));
        }
        if value > most {
            let what = format!("{} is above {most}, the largest that the panel takes", quoted(text));
            return Err((what, "correct the line, or make a panel with a higher limit"));
        }
        Ok(value)
    }
}

/// `minutes:seconds` or `hours:minutes:seconds`; the seconds may have decimals.
fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let whole = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<f64>().ok()).flatten()
    };
    let sixtieth = |value: &f64| *value < 60.0;
    let (hours, minutes, seconds) = match *parts.as_slice() {
        [minutes, seconds] => (0.0, whole(minutes)?, seconds),
        [hours, minutes, seconds] => (whole(hours)?, whole(minutes).filter(sixtieth)?, seconds),
        _ => return None,
    };
    let (before, after) = seconds.split_once('.').unwrap_or((seconds, "0"));
    whole(before).and(whole(after))?;
    let seconds = seconds.parse::<f64>().ok().filter(sixtieth)?;
    Some(60.0 * (60.0 * hours + minutes) + seconds)
}

fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    if shown.is_empty() { "nothing".to_owned() } else { format!("'{}'", one_line(&shown)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_clocks_or_seconds() {
        let read = |text| Limits::Seconds(1e6).read(0, text);
        for (text, seconds) in [("90", 90.0), ("0.5", 0.5), ("1:30", 90.0), ("0:01:30.5", 90.5), ("90:00", 5400.0)] {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
        for text in [
            "", ":", "1:", ":30", "1:60", "1:60:00", "-1:30", "1:2:3:4", "1:3e1", "nan", "inf", "1e999", "0x10", "1,5",
            "1:30.",
        ] {
            assert!(read(text).unwrap_err().0.ends_with("is not a number"), "{text}");
        }
        assert!(read("-1").unwrap_err().0.contains("'-1' is negative"));
        assert!(read("1000001").unwrap_err().0.contains("above 1000000"));
    }

    #[test]
    fn every_statistic_has_its_ranges() {
        let scores = Limits::Scores;
        assert!(scores.read(3, "").unwrap().is_nan());
        assert!(scores.read(3, "1.01").is_err() && scores.read(3, "-0.01").is_err() && scores.read(3, "1:00").is_err());
        let pairs = Limits::Pairs([1.0, 5.0]);
        assert_eq!((pairs.read(0, "-1"), pairs.read(1, "-5")), (Ok(-1.0), Ok(-5.0)));
        assert!(pairs.read(0, "2").is_err() && pairs.read(1, "-5.5").unwrap_err().0.contains("below -5"));
        assert!(pairs.read(0, "").unwrap_err().0.contains("nothing is not a number"));
    }
}
