//! Decisions: `decisions/threshold/decide-16384/<backend>` (16,384 scores), and what circuits are made of at `decide-32768`: `decisions/product-relinearize-down/..`, `decisions/general-product-relinearize/..`,
//! `decisions/linear-combination/..` (eight terms), `decisions/rotation/..`. Every result is checked against the clear values first.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::Error;
use blindrelay_benches::decisions::Case;
use blindrelay_benches::levelled::Levelled;
use blindrelay_engine::params::{DECIDE_16384, DECIDE_32768};
use blindrelay_kernels::Backend;
use criterion::Criterion;

fn measure(criterion: &mut Criterion) -> Result<(), Error> {
    let mut group = criterion.benchmark_group("decisions");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5)).sample_size(10);
    for backend in Backend::available() {
        let (threshold, name) = (Case::by_name("threshold-16384")?.prepare(backend)?, backend.name());
        group.bench_function(format!("threshold/{DECIDE_16384}/{name}"), |bencher| {
            bencher.iter(|| black_box(threshold.evaluate()));
        });
        let verbs = Levelled::new(backend)?;
        group.bench_function(format!("product-relinearize-down/{DECIDE_32768}/{name}"), |bencher| {
            bencher.iter(|| black_box(verbs.product()));
        });
        group.bench_function(format!("general-product-relinearize/{DECIDE_32768}/{name}"), |bencher| {
            bencher.iter(|| black_box(verbs.general_product()));
        });
        group.bench_function(format!("linear-combination/{DECIDE_32768}/{name}"), |bencher| {
            bencher.iter(|| black_box(verbs.combination()));
        });
        group.bench_function(format!("rotation/{DECIDE_32768}/{name}"), |bencher| {
            bencher.iter(|| black_box(verbs.rotated()));
        });
    }
    group.finish();
    Ok(())
}

/// Everything on the only worker of a pool, as in the summary.
fn main() -> Result<(), Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        let mut criterion = Criterion::default().configure_from_args();
        measure(&mut criterion)?;
        criterion.final_summary();
        Ok(())
    })
}
