//! When a request is sent again: exponential back-off with full jitter, the service's `Retry-After`, a deadline.

use std::time::{Duration, Instant};

/// Longest pause before the first repetition; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause that a client chooses by itself.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longest pause that a service can ask for.
const LONGEST_ASKED: Duration = Duration::from_mins(1);

/// The time, and waiting. A test of a program can put its own in place of [`SystemClock`] and need not wait.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Instant;
    /// Returns when so much time has passed.
    fn sleep(&self, pause: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// The repetitions of one request.
pub(crate) struct Schedule<'a> {
    clock: &'a dyn Clock,
    /// When the request is given up, where the clock can tell so late a moment.
    end: Option<Instant>,
    left: u32,
    bound: Duration,
}

impl<'a> Schedule<'a> {
    /// Up to `attempts` attempts, the last of which ends before `deadline` has passed.
    pub(crate) fn new(clock: &'a dyn Clock, attempts: u32, deadline: Duration) -> Self {
        let end = clock.now().checked_add(deadline);
        Self { clock, end, left: attempts.saturating_sub(1), bound: FIRST_PAUSE }
    }

    /// How long an attempt that would need `limit` may take now.
    pub(crate) fn grant(&self, limit: Duration) -> Duration {
        self.remaining().map_or(limit, |remaining| remaining.min(limit))
    }

    /// Waits until the next attempt is due. `false` if there is none: attempts or time are used up, or would be after the pause.
    pub(crate) fn wait(&mut self, asked: Option<Duration>) -> bool {
        let pause = jitter(self.bound).max(asked.unwrap_or_default().min(LONGEST_ASKED));
        if self.left == 0 || self.remaining().is_some_and(|remaining| remaining <= pause) {
            return false;
        }
        self.clock.sleep(pause);
        self.left -= 1;
        self.bound = (self.bound * 2).min(LONGEST_PAUSE);
        true
    }

    fn remaining(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(self.clock.now()))
    }
}

/// A uniform pause up to the bound, so that clients which failed together do not come back together (full jitter: M. Brooker, "Exponential backoff and
/// jitter", 2015). The bound itself where the system has no random bytes.
fn jitter(bound: Duration) -> Duration {
    getrandom::u32().map_or(bound, |random| bound.mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Paused {
        start: Instant,
        pauses: Mutex<Vec<Duration>>,
    }

    impl Paused {
        fn new() -> Self {
            Self { start: Instant::now(), pauses: Mutex::default() }
        }
    }

    impl Clock for Paused {
        fn now(&self) -> Instant {
            self.start + self.pauses.lock().unwrap().iter().sum::<Duration>()
        }

        fn sleep(&self, pause: Duration) {
            self.pauses.lock().unwrap().push(pause);
        }
    }

    #[test]
    fn pauses_are_spread_below_a_doubling_bound() {
        let mut shortened = 0;
        for _ in 0..64 {
            let clock = Paused::new();
            let mut schedule = Schedule::new(&clock, 12, Duration::MAX);
            while schedule.wait(None) {}
            let pauses = clock.pauses.into_inner().unwrap();
            assert_eq!(pauses.len(), 11);
            for (number, pause) in (0_u32..).zip(&pauses) {
                let bound = Duration::from_millis(100 * 2_u64.pow(number)).min(Duration::from_secs(10));
                assert!(*pause <= bound, "{pause:?} before repetition {number}");
                shortened += u32::from(*pause < bound / 2);
            }
        }
        // Half of 704 in the mean, with a standard deviation of 13.
        assert!((200..504).contains(&shortened), "{shortened} of 704 pauses are below half of their bounds");
    }

    #[test]
    fn a_service_asks_for_up_to_a_minute() {
        let clock = Paused::new();
        let mut schedule = Schedule::new(&clock, 3, Duration::MAX);
        assert!(schedule.wait(Some(Duration::from_secs(7))) && schedule.wait(Some(Duration::from_hours(1))));
        assert!(!schedule.wait(None));
        assert_eq!(clock.pauses.into_inner().unwrap(), [7, 60].map(Duration::from_secs));
    }

    #[test]
    fn no_attempt_begins_after_the_deadline_and_none_lasts_beyond_it() {
        let clock = Paused::new();
        let mut schedule = Schedule::new(&clock, 100, Duration::from_secs(10));
        assert_eq!(schedule.grant(Duration::from_secs(30)), Duration::from_secs(10));
        assert!(schedule.wait(Some(Duration::from_secs(6))));
        assert_eq!(schedule.grant(Duration::from_secs(30)), Duration::from_secs(4));
        assert_eq!(schedule.grant(Duration::from_secs(3)), Duration::from_secs(3));
        assert!(!schedule.wait(Some(Duration::from_secs(4))));
    }
}
