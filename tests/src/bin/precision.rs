//! `cargo run --release -p blindrelay-tests --bin precision -- [RUNS] [PART]`: measured errors of approximate results against their bounds, on all cores, of all
//! operations or of those with PART in their name.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use blindrelay_tests::precision::{Bench, SUBJECTS};

fn main() {
    let runs = std::env::args().nth(1).map_or(1000, |text| text.parse::<u64>().expect("RUNS is a number"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{:<48} {:>8} {:>10} {:>10} {:>10}", "operation", "runs", "measured", "bound", "margin");
    let part = std::env::args().nth(2).unwrap_or_default();
    for subject in SUBJECTS.into_iter().filter(|subject| subject.name().contains(&part)) {
        let bench = Bench::new(subject);
        let (next, worst) = (AtomicU64::new(0), Mutex::new((0.0_f64, 0.0_f64)));
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    while let number = next.fetch_add(1, Ordering::Relaxed)
                        && number < runs
                    {
                        let margin = bench.run(number);
                        let mut worst = worst.lock().expect("no run panicked");
                        *worst = (worst.0.max(margin.largest), margin.bound);
                    }
                });
            }
        });
        let (largest, bound) = worst.into_inner().expect("no run panicked");
        let (largest, bound) = (largest.log2(), bound.log2());
        println!("{:<48} {runs:>8} {largest:>10.2} {bound:>10.2} {:>10.2}", subject.name(), bound - largest);
    }
    println!("base-2 logarithms of the largest error of any slot, for inputs up to 1; margin = bound - measured");
}
