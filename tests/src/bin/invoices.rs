//! `cargo run --release -p blindrelay-tests --bin invoices -- [RUNS] [FIRST]`: random invoices on ciphertexts against integers on clear values, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use blindrelay_tests::invoices::{Size, Tenant};

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("RUNS and FIRST are numbers"));
    let (runs, first) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(0));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (tenant, begun) = (Tenant::default(), Instant::now());
    let (next, all) = (AtomicU64::new(first), Mutex::new(Size::default()));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && number < first + runs
                {
                    let size = tenant.journey(number);
                    let mut all = all.lock().expect("no journey panicked");
                    all.lines += size.lines;
                    all.invoice_lines += size.invoice_lines;
                    all.batches += size.batches;
                }
            });
        }
    });
    let all = all.into_inner().expect("no journey panicked");
    println!(
        "{runs} invoices with {} lines, from {} lines of usage in {} messages: every amount equal to the minor unit ({:.0} s)",
        all.invoice_lines,
        all.lines,
        all.batches,
        begun.elapsed().as_secs_f64()
    );
}
