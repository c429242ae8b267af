//! The negacyclic transform on every backend beside its peers: `ntt/direction/backend or peer/n=.../q=...`.
//!
//! Inverses of the peers leave the factor `n` in their results; ours divide by it.
#![expect(clippy::expect_used, reason = "a measurement that cannot be prepared stops")]

use std::hint::black_box;
use std::time::Duration;

use blindrelay_kernels::{Backend, Modulus, NttPlan, ntt_primes_below};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Never refreshed, refreshed every third layer, and every layer, on AVX-512.
const BITS: [u32; 3] = [41, 49, 50];
const SIZES: [usize; 5] = [2048, 4096, 8192, 16_384, 32_768];

type Transform = Box<dyn Fn(&mut [u64])>;

/// One implementation of both directions.
struct Contestant {
    name: &'static str,
    forward: Transform,
    inverse: Transform,
    /// The factor that a forward and an inverse transform leave.
    factor: u64,
}

fn contestants(modulus: Modulus, n: usize) -> Vec<Contestant> {
    let ours = Backend::available().into_iter().map(|backend| {
        let plan = NttPlan::new(modulus, n, backend).expect("an NTT prime");
        let inverse = plan.clone();
        Contestant {
            name: backend.name(),
            forward: Box::new(move |a| plan.forward(a)),
            inverse: Box::new(move |a| inverse.inverse(a)),
            factor: 1,
        }
    });
    let tfhe = tfhe_ntt::prime64::Plan::try_new(n, modulus.value()).expect("an NTT prime");
    let concrete = concrete_ntt::prime64::Plan::try_new(n, modulus.value()).expect("an NTT prime");
    let (tfhe_inverse, concrete_inverse) = (tfhe.clone(), concrete.clone());
    let peers = [
        Contestant {
            name: "tfhe-ntt",
            forward: Box::new(move |a| tfhe.fwd(a)),
            inverse: Box::new(move |a| tfhe_inverse.inv(a)),
            factor: n as u64,
        },
        Contestant {
            name: "concrete-ntt",
            forward: Box::new(move |a| concrete.fwd(a)),
            inverse: Box::new(move |a| concrete_inverse.inv(a)),
            factor: n as u64,
        },
    ];
    ours.chain(peers).collect()
}

/// `(a b) mod (X^n + 1, p)` by one contestant.
fn product(modulus: Modulus, contestant: &Contestant, a: &[u64], b: &[u64]) -> Vec<u64> {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    (contestant.forward)(&mut a);
    (contestant.forward)(&mut b);
    let scale = modulus.inverse(modulus.reduce(contestant.factor)).expect("n is not a multiple of p");
    for (x, &y) in a.iter_mut().zip(&b) {
        *x = modulus.mul(modulus.mul(modulus.reduce(*x), modulus.reduce(y)), scale);
    }
    (contestant.inverse)(&mut a);
    a.into_iter().map(|x| modulus.reduce(x)).collect()
}

fn transforms(criterion: &mut Criterion) {
    for bits in BITS {
        for n in SIZES {
            let primes = ntt_primes_below(bits, 2 * n as u64, 1).expect("a prime of this form");
            let modulus = Modulus::new(primes.first().copied().unwrap_or_default()).expect("a prime");
            let residues = |factor: u64| (0..n as u64).map(|i| modulus.reduce((i + 1).wrapping_mul(factor))).collect();
            let (a, b): (Vec<u64>, Vec<u64>) = (residues(0x9e37_79b9_7f4a_7c15), residues(0xbf58_476d_1ce4_e5b9));
            let contestants = contestants(modulus, n);
            let mut products = contestants.iter().map(|contestant| product(modulus, contestant, &a, &b));
            let first = products.next();
            assert!(products.all(|product| Some(product) == first), "products differ: n = {n}, {bits} bits");

            let mut group = criterion.benchmark_group("ntt");
            group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
            group.throughput(Throughput::Elements(n as u64));
            for contestant in &contestants {
                for (direction, transform) in [("forward", &contestant.forward), ("inverse", &contestant.inverse)] {
                    // Transforms of canonical residues are canonical residues, so one buffer serves all repetitions.
                    let mut values = a.clone();
                    let id = format!("{direction}/{}/n={n}/q={bits}", contestant.name);
                    group.bench_function(id, |bencher| bencher.iter(|| transform(black_box(&mut values))));
                }
            }
        }
    }
}

criterion_group!(ntt, transforms);
criterion_main!(ntt);
