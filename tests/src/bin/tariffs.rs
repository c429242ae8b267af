//! `cargo run --release -p blindrelay-tests --bin tariffs -- [CALLS] [FIRST]`: random calls under random tariffs on ciphertexts against integers on clear values, on
//! all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use blindrelay_tests::invoices::Tenant;
use blindrelay_tests::tariffs::{Size, journey};

/// Calls of one case.
const CALLS: u64 = 1_000;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("CALLS and FIRST are numbers"));
    let (calls, first) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(0));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (tenant, begun) = (Tenant::default(), Instant::now());
    let (next, all) = (AtomicU64::new(0), Mutex::new(Size::default()));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let case = next.fetch_add(1, Ordering::Relaxed)
                    && case * CALLS < calls
                {
                    let size = journey(&tenant, first + case, CALLS.min(calls - case * CALLS) as usize);
                    *all.lock().expect("no case panicked") += size;
                }
            });
        }
    });
    let all = all.into_inner().expect("no case panicked");
    println!(
        "{} calls under {} tariffs, in {} batches of {} bytes in all, on {} lines of invoices: every amount equal to the minor unit ({:.0} s)",
        all.calls,
        all.tariffs,
        all.batches,
        all.bytes,
        all.invoice_lines,
        begun.elapsed().as_secs_f64()
    );
}
