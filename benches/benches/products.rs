//! Products and rotations at N = 8192: `product/bfv-relinearize/n=8192/<side>`, `product/bfv-rotate/n=8192/<side>`. Both sides are checked against the
//! clear values first.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::Error;
use blindrelay_benches::factors::{DEGREE, Factors, PeerFactors};
use blindrelay_kernels::Backend;
use criterion::Criterion;

fn main() -> Result<(), Error> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("product");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(20);
    for backend in Backend::available() {
        let (ours, name) = (Factors::new(backend)?, backend.name());
        group.bench_function(format!("bfv-relinearize/n={DEGREE}/{name}"), |bencher| {
            bencher.iter(|| black_box(ours.product()));
        });
        group.bench_function(format!("bfv-rotate/n={DEGREE}/{name}"), |bencher| {
            bencher.iter(|| black_box(ours.rotated()));
        });
    }
    let theirs = PeerFactors::new()?;
    group.bench_function(format!("bfv-relinearize/n={DEGREE}/fhe"), |bencher| {
        bencher.iter(|| black_box(theirs.product()));
    });
    group.bench_function(format!("bfv-rotate/n={DEGREE}/fhe"), |bencher| {
        bencher.iter(|| black_box(theirs.rotated()));
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}
