//! 32 scores of 128 entries, encrypted x encrypted: `match/32-scores/<set>/<backend>`, and the peer with slots and rotations as its documentation shows
//! and with our packing. Both sides are checked against the clear scores first.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::Error;
use blindrelay_benches::meeting::Meeting;
use blindrelay_kernels::Backend;
use blindrelay_routing::MatchKind;
use criterion::Criterion;

fn scores(criterion: &mut Criterion, kind: MatchKind) -> Result<(), Error> {
    let set = kind.parameters();
    let mut group = criterion.benchmark_group("match/32-scores");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    for backend in Backend::available() {
        let meeting = Meeting::new(kind, backend)?;
        let (snapshot, probe) = (meeting.room.snapshot(), meeting.room.received_probe(&meeting.probe)?);
        group.bench_function(format!("{set}/{}", backend.name()), |bencher| {
            bencher.iter(|| black_box(snapshot.scores(black_box(&probe), None)));
        });
        let expectation = meeting.room.expectation();
        group.bench_function(format!("{set}/whole/{}", backend.name()), |bencher| {
            bencher.iter(|| {
                let blocks = snapshot.scores(&meeting.room.received_probe(black_box(&meeting.probe))?, None)?;
                meeting.room.open_all(&blocks, &expectation)
            });
        });
    }
    let meeting = Meeting::new(kind, Backend::detect())?;
    let (slots, packed) = (meeting.slots.probe(&meeting.probe)?, meeting.packed.probe(&meeting.probe)?);
    group.bench_function(format!("{set}/fhe-slots"), |bencher| {
        bencher.iter(|| black_box(meeting.slots.scores(black_box(&slots))));
    });
    group.bench_function(format!("{set}/fhe-packed"), |bencher| {
        bencher.iter(|| black_box(meeting.packed.scores(black_box(&packed))));
    });
    group.finish();
    Ok(())
}

/// Everything on the only worker of a pool, as in the summary.
fn main() -> Result<(), Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        let mut criterion = Criterion::default().configure_from_args();
        scores(&mut criterion, MatchKind::Signs)?;
        scores(&mut criterion, MatchKind::Embeddings)?;
        criterion.final_summary();
        Ok(())
    })
}
