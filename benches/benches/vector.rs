//! Element-wise operations, RNS conversion and sampling of the kernels: `operation/backend/n=.../q=...`.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a measurement that cannot be prepared stops")]

use std::hint::black_box;
use std::time::Duration;

use blindrelay_kernels::{Backend, LimbArithmetic, Modulus, NttAutomorphism, RnsScaler, ntt_primes_below, sampling};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BITS: u32 = 41;
const SIZES: [usize; 2] = [4096, 8192];

fn moduli(bits: u32, count: usize) -> Vec<Modulus> {
    let primes = ntt_primes_below(bits, 1 << 16, count).expect("enough primes of the size");
    primes.into_iter().map(|p| Modulus::new(p).expect("a prime")).collect()
}

/// `SplitMix64` words.
fn words(seed: u64, out: &mut [u64]) {
    let mut state = seed;
    for word in out {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *word = z ^ (z >> 31);
    }
}

/// Limb-major random residues.
fn residues(basis: &[Modulus], n: usize, seed: u64) -> Vec<u64> {
    let mut out = vec![0; basis.len() * n];
    for (limb, &modulus) in out.chunks_exact_mut(n).zip(basis) {
        words(seed ^ modulus.value(), limb);
        for x in limb {
            *x = modulus.reduce(*x);
        }
    }
    out
}

/// One measurement for every backend and size.
fn compare(criterion: &mut Criterion, name: &str, bits: u32, run: impl Fn(Backend, usize) -> Box<dyn FnMut()>) {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for backend in Backend::available() {
        for n in SIZES {
            group.throughput(Throughput::Elements(n as u64));
            let mut call = run(backend, n);
            group.bench_function(format!("{}/n={n}/q={bits}", backend.name()), |bencher| bencher.iter(&mut call));
        }
    }
}

fn element_wise(criterion: &mut Criterion) {
    let basis = moduli(BITS, 1);
    let modulus = basis[0];
    let operand = move |n, seed| residues(&[modulus], n, seed);
    compare(criterion, "mul", BITS, |backend, n| {
        let limb = LimbArithmetic::new(modulus, backend);
        let (a, b, mut out) = (operand(n, 1), operand(n, 2), vec![0; n]);
        Box::new(move || limb.mul(black_box(&mut out), black_box(&a), black_box(&b)))
    });
    compare(criterion, "mul_prepared", BITS, |backend, n| {
        let limb = LimbArithmetic::new(modulus, backend);
        let (a, w, mut quotients, mut out) = (operand(n, 1), operand(n, 2), vec![0; n], vec![0; n]);
        limb.quotients(&mut quotients, &w);
        Box::new(move || limb.mul_prepared(black_box(&mut out), black_box(&a), black_box(&w), black_box(&quotients)))
    });
    compare(criterion, "tensor", BITS, |backend, n| {
        let limb = LimbArithmetic::new(modulus, backend);
        let [c0, c1, d0, d1] = [1, 2, 3, 4].map(|seed| operand(n, seed));
        let [mut out0, mut out1, mut out2] = [(); 3].map(|()| vec![0; n]);
        Box::new(move || {
            limb.tensor(black_box([&mut out0, &mut out1, &mut out2]), black_box([&c0, &c1]), black_box([&d0, &d1]));
        })
    });
    // 64 KiB a term at n = 4096: the operands come from memory.
    compare(criterion, "dot/128 terms", BITS, |backend, n| {
        let limb = LimbArithmetic::new(modulus, backend);
        let operands: Vec<_> = (0..256).map(|seed| operand(n, seed)).collect();
        let mut out = vec![0; n];
        Box::new(move || {
            let terms: Vec<_> = operands.chunks_exact(2).map(|pair| (&pair[0][..], &pair[1][..])).collect();
            limb.dot(black_box(&mut out), black_box(&terms));
        })
    });
    // The same, with operands that stay in the cache.
    compare(criterion, "dot/128 cached terms", BITS, |backend, n| {
        let limb = LimbArithmetic::new(modulus, backend);
        let operands: Vec<_> = (0..4).map(|seed| operand(n, seed)).collect();
        let mut out = vec![0; n];
        Box::new(move || {
            let pairs = operands.chunks_exact(2).map(|pair| (&pair[0][..], &pair[1][..]));
            let terms: Vec<_> = pairs.collect::<Vec<_>>().into_iter().cycle().take(128).collect();
            limb.dot(black_box(&mut out), black_box(&terms));
        })
    });
    compare(criterion, "automorphism", BITS, |backend, n| {
        let limb = LimbArithmetic::new(modulus, backend);
        let action = NttAutomorphism::new(3, n).expect("an odd exponent and a power of two");
        let (a, mut out) = (operand(n, 1), vec![0; n]);
        Box::new(move || limb.automorphism(black_box(&mut out), black_box(&a), black_box(&action)))
    });
}

fn rns(criterion: &mut Criterion) {
    for (from, to) in [(4, 5), (1, 4), (8, 9), (16, 16)] {
        let primes = moduli(BITS, from + to);
        let bases = move || (primes[..from].to_vec(), primes[from..].to_vec());
        compare(criterion, &format!("rns/extend {from}->{to}"), BITS, |backend, n| {
            let (from, to) = bases();
            let scaler = RnsScaler::extend(&from, &to, backend).expect("coprime bases");
            let (x, mut out) = (residues(&from, n, 1), vec![0; to.len() * n]);
            Box::new(move || scaler.apply(black_box(&x), None, black_box(&mut out)))
        });
        compare(criterion, &format!("rns/divide {from}->{to}"), BITS, |backend, n| {
            let (from, to) = bases();
            let scaler = RnsScaler::divide(&from, &to, &[65_537], backend).expect("coprime bases");
            let (x, carry, mut out) = (residues(&from, n, 1), residues(&to, n, 2), vec![0; to.len() * n]);
            Box::new(move || scaler.apply(black_box(&x), Some(black_box(&carry)), black_box(&mut out)))
        });
    }
    let from = moduli(BITS, 2);
    compare(criterion, "rns/decrypt 2->t", BITS, |backend, n| {
        let to = [Modulus::new(65_537).expect("a prime")];
        let scaler = RnsScaler::divide(&from, &to, &[65_537], backend).expect("coprime bases");
        let (x, mut out) = (residues(&from, n, 1), vec![0; n]);
        Box::new(move || scaler.apply(black_box(&x), None, black_box(&mut out)))
    });
}

fn samples(criterion: &mut Criterion) {
    let random = |n| {
        let mut out = vec![0; n];
        words(9, &mut out);
        out
    };
    compare(criterion, "sample/centred binomial", BITS, |backend, n| {
        let (input, mut out) = (random(n), vec![0; n]);
        Box::new(move || sampling::centred_binomial(backend, black_box(&mut out), black_box(&input)))
    });
    compare(criterion, "sample/ternary", BITS, |backend, n| {
        let (input, mut out) = (random(n), vec![0; n]);
        Box::new(move || sampling::ternary(backend, black_box(&mut out), black_box(&input)))
    });
    // Includes a copy of the words, in the place of their expansion.
    let modulus = moduli(BITS, 1)[0];
    compare(criterion, "sample/uniform", BITS, |backend, n| {
        let (input, mut out) = (random(n), vec![0; n]);
        Box::new(move || {
            let source = &mut |block: &mut [u64]| block.copy_from_slice(&input[..block.len()]);
            sampling::uniform(modulus, backend, black_box(&mut out), source);
        })
    });
}

criterion_group!(benches, element_wise, rns, samples);
criterion_main!(benches);
