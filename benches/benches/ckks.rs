//! Approximate numbers: `ckks/<operation>/<set>/<backend>`, for `encode`, `encrypt` (public key), `multiply-rescale` (with relinearization), `rotate`,
//! `sum-4096` and `open`. Every operation is checked against the clear values first.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::Error;
use blindrelay_benches::approximate::Numbers;
use blindrelay_engine::params::{STATS_8192, STATS_16384};
use blindrelay_kernels::Backend;
use criterion::Criterion;

fn measure(criterion: &mut Criterion, set: &str) -> Result<(), Error> {
    let mut group = criterion.benchmark_group("ckks");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(20);
    for backend in Backend::available() {
        let (numbers, name) = (Numbers::new(set, backend)?, backend.name());
        group.bench_function(format!("encode/{set}/{name}"), |bencher| bencher.iter(|| black_box(numbers.encoded())));
        group.bench_function(format!("encrypt/{set}/{name}"), |bencher| {
            bencher.iter(|| black_box(numbers.encrypted()));
        });
        group.bench_function(format!("multiply-rescale/{set}/{name}"), |bencher| {
            bencher.iter(|| black_box(numbers.product()));
        });
        group.bench_function(format!("rotate/{set}/{name}"), |bencher| bencher.iter(|| black_box(numbers.rotated())));
        group.bench_function(format!("sum-4096/{set}/{name}"), |bencher| bencher.iter(|| black_box(numbers.summed())));
        group.bench_function(format!("open/{set}/{name}"), |bencher| bencher.iter(|| black_box(numbers.opened())));
    }
    group.finish();
    Ok(())
}

/// Everything on the only worker of a pool, as in the summary.
fn main() -> Result<(), Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        let mut criterion = Criterion::default().configure_from_args();
        measure(&mut criterion, STATS_8192)?;
        measure(&mut criterion, STATS_16384)?;
        criterion.final_summary();
        Ok(())
    })
}
