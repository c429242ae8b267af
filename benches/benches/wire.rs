//! Probes and answers to bytes and back, and a whole request: `wire/<what>/<set>/<side>`.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::Error;
use blindrelay_benches::meeting::Meeting;
use blindrelay_engine::bfv::{Answer, SeededCiphertext};
use blindrelay_engine::operator::Collection;
use blindrelay_engine::wire::Wire;
use blindrelay_kernels::Backend;
use blindrelay_routing::MatchKind;
use criterion::Criterion;
use fhe::bfv::Ciphertext;
use fhe_traits::{DeserializeParametrized, Serialize};

fn measure(criterion: &mut Criterion, kind: MatchKind) -> Result<(), Error> {
    let set = kind.parameters();
    let mut group = criterion.benchmark_group("wire");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    for backend in Backend::available() {
        let (meeting, name) = (Meeting::new(kind, backend)?, backend.name());
        let context = meeting.room.context();
        let probe = meeting.room.probe(&meeting.probe)?;
        let request = probe.to_bytes();
        group.bench_function(format!("write-probe/{set}/{name}"), |bencher| {
            bencher.iter(|| black_box(black_box(&probe).to_bytes()));
        });
        group.bench_function(format!("read-probe/{set}/{name}"), |bencher| {
            bencher
                .iter(|| Ok::<_, Error>(SeededCiphertext::from_bytes(black_box(&request), context)?.expand(context)?));
        });
        let blocks = meeting.room.snapshot().scores(&probe.expand(context)?, None)?;
        for answer in blocks.iter().take(1).map(|block| &block.answer) {
            let bytes = answer.to_bytes();
            group.bench_function(format!("write-answer/{set}/{name}"), |bencher| {
                bencher.iter(|| black_box(black_box(answer).to_bytes()));
            });
            group.bench_function(format!("read-answer/{set}/{name}"), |bencher| {
                bencher.iter(|| black_box(Answer::from_bytes(black_box(&bytes), context)));
            });
        }
        let snapshot = meeting.room.roster().snapshot();
        group.bench_function(format!("request-32-scores/{set}/{name}"), |bencher| {
            bencher.iter(|| black_box(snapshot.evaluate(black_box(&request), None)));
        });
    }
    let meeting = Meeting::new(kind, Backend::detect())?;
    let probe = meeting.packed.probe(&meeting.probe)?;
    let (request, parameters) = (probe.to_bytes(), meeting.packed.holder().parameters());
    let side = format!("{set}/fhe");
    group.bench_function(format!("write-probe/{side}"), |bencher| bencher.iter(|| black_box(probe.to_bytes())));
    group.bench_function(format!("read-probe/{side}"), |bencher| {
        bencher.iter(|| black_box(Ciphertext::from_bytes(black_box(&request), parameters)));
    });
    let answer = meeting.packed.scores(&probe);
    let bytes = answer.to_bytes();
    group.bench_function(format!("write-answer/{side}"), |bencher| bencher.iter(|| black_box(answer.to_bytes())));
    group.bench_function(format!("read-answer/{side}"), |bencher| {
        bencher.iter(|| black_box(Ciphertext::from_bytes(black_box(&bytes), parameters)));
    });
    group.bench_function(format!("request-32-scores/{side}-packed"), |bencher| {
        bencher.iter(|| {
            let probe = Ciphertext::from_bytes(black_box(&request), parameters)?;
            Ok::<_, Error>(meeting.packed.scores(&probe).to_bytes())
        });
    });
    group.finish();
    Ok(())
}

/// Everything on the only worker of a pool, as in the summary.
fn main() -> Result<(), Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        let mut criterion = Criterion::default().configure_from_args();
        measure(&mut criterion, MatchKind::Signs)?;
        measure(&mut criterion, MatchKind::Embeddings)?;
        criterion.final_summary();
        Ok(())
    })
}
