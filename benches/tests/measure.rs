//! Processor time, in a process of its own: everything that runs beside it would count.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::measure::{Contestant, Effort, interleaved};

#[test]
fn more_work_reads_slower_and_sleep_costs_nothing() {
    let count = |terms: u64| -> Contestant<'_> { Box::new(move || (0..terms).for_each(|term| _ = black_box(term))) };
    let sleep: Contestant<'_> = Box::new(|| std::thread::sleep(Duration::from_millis(5)));
    let effort = Effort { rounds: 9, budget: Duration::from_secs(5) };
    let figures = interleaved(&mut [count(10_000), count(1_000_000), sleep], effort);
    let [fast, slow, asleep] = figures.as_slice() else { panic!("three figures") };
    assert!(fast.minimum > 0.0 && fast.minimum <= fast.median, "{fast:?}");
    assert!(slow.minimum > 10.0 * fast.minimum && slow.minimum <= slow.median, "{fast:?} {slow:?}");
    assert!(asleep.minimum < 2500.0, "{asleep:?}");
}
