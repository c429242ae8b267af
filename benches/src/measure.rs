//! Taking the time of several contestants in turns.
//!
//! What counts is the processor time of the whole process. On a machine that is shared, wall time would favour whoever has the shorter
//! job: one of 30 us often fits between two interruptions, one of 8 ms never does. All threads of the process count, so that nobody
//! gains by working on a second core.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// A turn is repeated until it takes about this long, so that reading the clock does not count.
const TURN: Duration = Duration::from_micros(100);

/// A call that takes this long brings its own data into the cache: none is made before it that is not counted.
const LONG: Duration = Duration::from_millis(100);

/// Before the first round every contestant runs this long.
const WARM_UP: Duration = Duration::from_millis(20);

/// How much work goes into a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds at most.
    pub rounds: usize,
    /// Time at most; at least three rounds are made.
    pub budget: Duration,
}

/// What was measured of one contestant, in the unit of its row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The best turn.
    pub minimum: f64,
    /// The median turn.
    pub median: f64,
}

impl Figure {
    /// A figure that does not vary, such as a length.
    pub const fn exact(value: f64) -> Self {
        Self { minimum: value, median: value }
    }
}

/// Somebody who does the job once a call.
pub type Contestant<'a> = Box<dyn FnMut() + 'a>;

/// Microseconds a call of every contestant. All take a turn in every round (A B C A B C ..), so that a slow phase of the machine hits all of them. A turn
/// begins with one call that is not counted, which brings the contestant's data back into the cache, unless a call takes longer than 100 ms.
pub fn interleaved(contestants: &mut [Contestant<'_>], effort: Effort) -> Vec<Figure> {
    let plans: Vec<Turn> = contestants.iter_mut().map(|contestant| plan_turns(contestant)).collect();
    let mut turns: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::with_capacity(effort.rounds)).collect();
    let start = Instant::now();
    for round in 0..effort.rounds {
        if round >= 3 && start.elapsed() > effort.budget {
            break;
        }
        for ((contestant, &Turn { calls, warm_up }), turns) in contestants.iter_mut().zip(&plans).zip(&mut turns) {
            if warm_up {
                contestant();
            }
            let start = processor_seconds();
            for _ in 0..calls {
                contestant();
            }
            turns.push((processor_seconds() - start) * 1e6 / f64::from(calls));
        }
    }
    turns.into_iter().map(figure).collect()
}

/// How a contestant takes its turns.
struct Turn {
    calls: u32,
    warm_up: bool,
}

/// Warms up, and finds how many calls fill a turn.
fn plan_turns(contestant: &mut Contestant<'_>) -> Turn {
    let (start, warm) = (Instant::now(), processor_seconds());
    let mut calls = 0_u32;
    while calls == 0 || start.elapsed() < WARM_UP {
        contestant();
        calls += 1;
    }
    let one = (processor_seconds() - warm) / f64::from(calls);
    let calls = (TURN.as_secs_f64() / one.max(1e-9)).clamp(1.0, 1e6) as u32;
    Turn { calls, warm_up: one < LONG.as_secs_f64() }
}

/// What all threads of this process have used so far.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn figure(mut turns: Vec<f64>) -> Figure {
    turns.sort_by(f64::total_cmp);
    let minimum = turns.first().copied().unwrap_or(f64::NAN);
    let median = turns.get(turns.len() / 2).copied().unwrap_or(f64::NAN);
    Figure { minimum, median }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_turn() {
        assert_eq!(figure(vec![5.0, 1.0, 3.0]), Figure { minimum: 1.0, median: 3.0 });
    }
}
