//! Moments, and who tells them.

use std::fmt;
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
    fn a_clock_never_goes_back() {
        let source = Arc::new(AtomicU64::new(5));
        let read = Arc::clone(&source);
        let clock = Clock::new(move || UnixMillis(read.load(Ordering::Relaxed)));
        assert_eq!(clock.now(), UnixMillis(5));
        source.store(3, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixMillis(5));
        source.store(9, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixMillis(9));
    }
}
