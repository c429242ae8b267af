//! How fast this service gets through jobs, for clients that ask when to come back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Weight of the newest part in the average.
const WEIGHT: f64 = 0.1;

/// An average of the time that a part takes.
#[derive(Default)]
pub(crate) struct Pace(Mutex<Option<f64>>);

impl Pace {
    /// A part took so long, waiting included.
    pub(crate) fn note(&self, time: Duration) {
        let mut average = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = time.as_secs_f64();
        *average = Some(average.map_or(time, |average| average + WEIGHT * (time - average)));
    }

    /// Whole seconds, from 1 to 60, after which so many parts may be done by so many workers.
    pub(crate) fn seconds(&self, parts: u64, workers: usize) -> u32 {
        let average = self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(0.0);
        let seconds = average * parts as f64 / workers.max(1) as f64;
        seconds.ceil().clamp(1.0, 60.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_queues_take_longer_up_to_a_minute() {
        let pace = Pace::default();
        assert_eq!(pace.seconds(1000, 1), 1, "nothing is known yet");
        pace.note(Duration::from_millis(500));
        assert_eq!((pace.seconds(1, 1), pace.seconds(20, 1), pace.seconds(20, 2)), (1, 10, 5));
        assert_eq!(pace.seconds(1_000_000, 0), 60);
        for _ in 0..100 {
            pace.note(Duration::from_millis(100));
        }
        assert_eq!(pace.seconds(100, 1), 11);
    }
}
