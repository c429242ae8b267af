//! Taking the time of several contestants in turns.

use std::time::{Duration, Instant};

use serde::Serialize;

/// A turn is repeated until it takes about this long, so that reading the clock does not count.
const TURN: Duration = Duration::from_micros(100);

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
/// begins with one call that is not counted, which brings the contestant's data back into the cache.
pub fn interleaved(contestants: &mut [Contestant<'_>], effort: Effort) -> Vec<Figure> {
    let calls: Vec<u32> = contestants.iter_mut().map(|contestant| calls_a_turn(contestant)).collect();
    let mut turns: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::with_capacity(effort.rounds)).collect();
    let start = Instant::now();
    for round in 0..effort.rounds {
        if round >= 3 && start.elapsed() > effort.budget {
            break;
        }
        for ((contestant, &calls), turns) in contestants.iter_mut().zip(&calls).zip(&mut turns) {
            contestant();
            let start = Instant::now();
            for _ in 0..calls {
                contestant();
            }
            turns.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
        }
    }
    turns.into_iter().map(figure).collect()
}

fn calls_a_turn(contestant: &mut Contestant<'_>) -> u32 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while calls == 0 || start.elapsed() < WARM_UP {
        contestant();
        calls += 1;
    }
    let one = start.elapsed() / calls;
    (TURN.as_nanos() / one.as_nanos().max(1)).clamp(1, 1 << 20) as u32
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
    fn everybody_takes_every_turn_and_the_slower_one_reads_slower() {
        let pause = |micros| Box::new(move || std::thread::sleep(Duration::from_micros(micros))) as Contestant<'_>;
        let effort = Effort { rounds: 5, budget: Duration::from_secs(5) };
        let figures = interleaved(&mut [pause(200), pause(2000)], effort);
        let [fast, slow] = figures.as_slice() else { panic!("two figures") };
        assert!(fast.minimum >= 200.0 && slow.minimum >= 2000.0, "{fast:?} {slow:?}");
        assert!(fast.minimum < slow.minimum && fast.minimum <= fast.median, "{fast:?} {slow:?}");
    }

    #[test]
    fn the_median_is_the_middle_turn() {
        assert_eq!(figure(vec![5.0, 1.0, 3.0]), Figure { minimum: 1.0, median: 3.0 });
    }
}
