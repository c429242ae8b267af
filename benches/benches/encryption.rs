//! Seeded encryption with the secret key, and the opening of an answer: `keyholder/encrypt/<set>/<side>`, `keyholder/open/<set>/<side>`.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_benches::Error;
use blindrelay_benches::meeting::Meeting;
use blindrelay_kernels::Backend;
use blindrelay_routing::MatchKind;
use criterion::Criterion;

fn measure(criterion: &mut Criterion, kind: MatchKind) -> Result<(), Error> {
    let set = kind.parameters();
    let mut group = criterion.benchmark_group("keyholder");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    for backend in Backend::available() {
        let (meeting, name) = (Meeting::new(kind, backend)?, backend.name());
        let blocks = meeting.room.snapshot().scores(&meeting.room.received_probe(&meeting.probe)?, None)?;
        let expectation = meeting.room.expectation();
        group.bench_function(format!("encrypt/{set}/{name}"), |bencher| {
            bencher.iter(|| black_box(meeting.room.probe(black_box(&meeting.probe))));
        });
        group.bench_function(format!("open/{set}/{name}"), |bencher| {
            bencher.iter(|| blocks.first().map(|block| meeting.room.open(black_box(&block.answer), &expectation)));
        });
    }
    let meeting = Meeting::new(kind, Backend::detect())?;
    let answer = meeting.slots.scores(&meeting.slots.probe(&meeting.probe)?)?;
    group.bench_function(format!("encrypt/{set}/fhe"), |bencher| {
        bencher.iter(|| black_box(meeting.packed.probe(black_box(&meeting.probe))));
    });
    group.bench_function(format!("open/{set}/fhe"), |bencher| {
        bencher.iter(|| black_box(meeting.slots.open(black_box(&answer))));
    });
    group.finish();
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, MatchKind::Signs)?;
    measure(&mut criterion, MatchKind::Embeddings)?;
    criterion.final_summary();
    Ok(())
}
