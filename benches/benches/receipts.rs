//! Receipts of a service: signed alone and in batches, checked, written and read: `receipts/<what>`.

use std::hint::black_box;
use std::time::Duration;

use blindrelay_engine::params::ParameterDigest;
use blindrelay_trust::{
    CollectionId, CollectionKind, CollectionState, ContentDigest, KeyHistory, NoiseClaim, OperatorId, Receipt,
    SignedReceipt, SigningKey, SoftwareVersion, UnixMillis,
};
use criterion::{Criterion, Throughput};

/// Any moment: nothing depends on it.
const NOW: UnixMillis = UnixMillis::MAX;

fn receipt(key: &SigningKey, request: u64) -> Result<Receipt, Box<dyn std::error::Error>> {
    Ok(Receipt {
        operator: OperatorId::new("match-signs/1")?,
        software: SoftwareVersion::new("0.1.0")?,
        parameters: ParameterDigest::from_bytes([1; 32]),
        evaluation_keys: Some(ContentDigest::from_bytes([2; 32])),
        collection: CollectionState {
            kind: CollectionKind::Room,
            id: CollectionId::from_bytes([3; 16]),
            version: 7,
            content: Some(ContentDigest::from_bytes([4; 32])),
        },
        request: ContentDigest::of(&request.to_le_bytes()),
        answer: ContentDigest::from_bytes([5; 32]),
        noise: NoiseClaim::new(31.5, 40.25)?,
        time: NOW,
        key: key.identity().id(),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let key = SigningKey::generate(NOW)?;
    let history = KeyHistory::begin(&key)?;
    // Rejection sampling takes another number of rounds for every message and every run, so many are averaged.
    let receipts = (0..1024).map(|request| receipt(&key, request)).collect::<Result<Vec<_>, _>>()?;
    let mut group = criterion.benchmark_group("receipts");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5)).sample_size(100);
    let mut next = receipts.iter().cycle();
    group.bench_function("sign", |bencher| {
        bencher.iter(|| black_box(next.next().map(|receipt| key.sign(receipt))));
    });
    for size in [16, 64, 1024] {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("sign-batch/{size}"), |bencher| {
            bencher.iter(|| black_box(receipts.get(..size).map(|receipts| key.sign_batch(receipts))));
        });
    }
    group.throughput(Throughput::Elements(1));
    let alone = receipts.iter().take(1).map(|receipt| key.sign(receipt)).collect::<Result<Vec<_>, _>>()?;
    let batch = key.sign_batch(receipts.get(..64).unwrap_or_default())?;
    for (name, signed) in ["alone", "in-64"].into_iter().zip(alone.iter().chain(&batch)) {
        signed.verify(&history)?;
        let bytes = signed.to_bytes();
        group.bench_function(format!("verify/{name}"), |bencher| {
            bencher.iter(|| black_box(black_box(signed).verify(&history).is_ok()));
        });
        group.bench_function(format!("encode/{name}"), |bencher| {
            bencher.iter(|| black_box(black_box(signed).to_bytes()));
        });
        group.bench_function(format!("decode/{name}"), |bencher| {
            bencher.iter(|| black_box(SignedReceipt::from_bytes(black_box(&bytes))));
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
