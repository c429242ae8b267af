//! Moments, and who tells them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since the beginning of 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// A day in UTC, as days since 1 January 1970. Written as `2026-11-20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u64);

/// The text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is written as 2026-11-20, in UTC, from 1970 to 9999")]
pub struct DayParseError;

impl Day {
    /// The day of a moment.
    pub const fn of(moment: UnixMillis) -> Self {
        Self(moment.0 / DAY)
    }

    /// Days since 1 January 1970.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl FromStr for Day {
    type Err = DayParseError;

    fn from_str(text: &str) -> Result<Self, DayParseError> {
        let midnight: blindrelay_trust::UnixMillis =
            format!("{text}T00:00:00.000Z").parse().map_err(|_| DayParseError)?;
        Ok(Self::of(UnixMillis(midnight.get())))
    }
}

/// Who tells what time it is. It never goes back: where the system's clock does, it stands until that has caught up, so that what has expired stays expired as long as the
/// process runs.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> UnixMillis + Send + Sync>,
    latest: Arc<AtomicU64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            UnixMillis(since.as_millis().try_into().unwrap_or(u64::MAX))
        })
    }

    /// A clock of another source.
    pub fn new(source: impl Fn() -> UnixMillis + Send + Sync + 'static) -> Self {
        Self { source: Arc::new(source), latest: Arc::default() }
    }

    /// From now on it is this time or later: what the process has from an earlier one, such as a signing key, was made before.
    pub fn reach(&self, moment: UnixMillis) {
        self.latest.fetch_max(moment.0, Ordering::Relaxed);
    }

    /// What time it is.
    pub fn now(&self) -> UnixMillis {
        let read = (self.source)().0;
        UnixMillis(self.latest.fetch_max(read, Ordering::Relaxed).max(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_one_spelling() {
        // `date -u -d 2026-11-20 +%s` of GNU coreutils.
        assert_eq!("2026-11-20".parse(), Ok(Day::of(UnixMillis(1_795_132_800_000))));
        assert_eq!("2026-11-20".parse(), Ok(Day::of(UnixMillis(1_795_219_199_999))));
        assert_eq!("2026-11-21".parse(), Ok(Day::of(UnixMillis(1_795_219_200_000))));
        assert_eq!("1970-01-01".parse(), Ok(Day(0)));
        for text in ["", "2026-11-31", "2026-1-20", "20261120", "2026-11-20T", "1969-12-31", "yesterday"] {
            assert_eq!(text.parse::<Day>(), Err(DayParseError), "{text}");
        }
    }

    #[test]
    fn a_clock_never_goes_back() {
        let source = Arc::new(AtomicU64::new(5));
        let read = Arc::clone(&source);
        let clock = Clock::new(move || UnixMillis(read.load(Ordering::Relaxed)));
        assert_eq!(clock.now(), UnixMillis(5));
        source.store(3, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixMillis(5));
        source.store(9, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixMillis(9));
        clock.reach(UnixMillis(12));
        clock.reach(UnixMillis(7));
        assert_eq!(clock.now(), UnixMillis(12));
    }
}
