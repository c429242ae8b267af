//! `cargo run --release -p blindrelay-tests --bin circuits -- [COUNT] [FIRST]`: random BFV and CKKS circuits against the
//! reference, on all cores.

use std::sync::atomic::{AtomicU64, Ordering};

use blindrelay_tests::{approximate, circuits};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("COUNT and FIRST are numbers"));
    let count = arguments.next().unwrap_or(10_000);
    let first = arguments.next().unwrap_or(0);
    let (exact, approximate) = (circuits::worlds(), approximate::worlds());
    let (next, computed, refused) = (AtomicU64::new(first), AtomicU64::new(0), AtomicU64::new(0));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + count {
                        break;
                    }
                    let world = number as usize % (exact.len() + approximate.len());
                    let tally = match exact.get(world) {
                        Some(world) => world.run(number),
                        None => approximate[world - exact.len()].run(number),
                    };
                    computed.fetch_add(tally.computed, Ordering::Relaxed);
                    refused.fetch_add(tally.refused, Ordering::Relaxed);
                    if (number - first) % 10_000 == 9_999 {
                        eprintln!("{} circuits", number - first + 1);
                    }
                }
            });
        }
    });
    println!(
        "{count} circuits agree with the reference: {} operations computed and compared, {} refused for noise, magnitude, scale or level",
        computed.into_inner(),
        refused.into_inner()
    );
}
