//! `cargo run --release -p blindrelay-tests --bin noise -- [RUNS]`: measured noise against its bound for every operator, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use blindrelay_tests::noise::{Bench, SUBJECTS};

fn main() {
    let runs = std::env::args().nth(1).map_or(1000, |text| text.parse::<u64>().expect("RUNS is a number"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{:<42} {:>8} {:>10} {:>10} {:>10} {:>10}", "operator", "runs", "measured", "bound", "limit", "margin");
    for subject in SUBJECTS {
        let bench = Bench::new(subject);
        let (next, worst) = (AtomicU64::new(0), Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    while let number = next.fetch_add(1, Ordering::Relaxed)
                        && number < runs
                    {
                        let margin = bench.run(number);
                        let mut worst = worst.lock().expect("no run panicked");
                        if worst.is_none_or(|w: blindrelay_tests::noise::Margin| w.largest < margin.largest) {
                            *worst = Some(margin);
                        }
                    }
                });
            }
        });
        if let Some(worst) = worst.into_inner().expect("no run panicked") {
            println!(
                "{:<42} {runs:>8} {:>10.2} {:>10.2} {:>10.2} {:>10.2}",
                subject.name(),
                worst.largest,
                worst.bound,
                worst.limit,
                worst.bound - worst.largest
            );
        }
    }
    println!("base-2 logarithms; margin = bound - measured");
}
