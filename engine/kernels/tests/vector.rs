//! Element-wise arithmetic against 128-bit and big integers, on every backend, and sampling.
#![expect(clippy::unwrap_used, reason = "a failure of the preparation fails the test")]

use blindrelay_kernels::{
    Backend, DotTerm, LimbArithmetic, Modulus, NttAutomorphism, evaluation_exponent, is_prime, ntt_primes_below,
    sampling,
};
use num_bigint::BigUint;
use proptest::prelude::*;

const LENGTHS: [usize; 7] = [1, 7, 8, 9, 64, 1000, 4096];

/// NTT primes of every size that the parameter sets use, plaintext moduli, and the ends of the ranges that the reductions
/// are bounded by: the smallest prime, and the smallest and largest ones of 49 and 50 bits.
fn moduli() -> Vec<Modulus> {
    let ntt_primes = [17, 30, 36, 41, 45, 50].map(|bits| ntt_primes_below(bits, 64, 1).unwrap()[0]);
    let largest = [49, 50].map(|bits| ntt_primes_below(bits, 2, 1).unwrap()[0]);
    let smallest = [49, 50].map(|bits| (1 << (bits - 1)..1 << bits).find(|&p| is_prime(p)).unwrap());
    let all = ntt_primes.into_iter().chain([3, 257, 65_537]).chain(largest).chain(smallest);
    all.map(|p| Modulus::new(p).unwrap()).collect()
}

/// Calls `test` for every backend, modulus and length.
fn for_all(test: impl Fn(LimbArithmetic, usize)) {
    for backend in Backend::available() {
        for modulus in moduli() {
            println!("{} modulo {modulus:?}", backend.name());
            for n in LENGTHS {
                test(LimbArithmetic::new(modulus, backend), n);
            }
        }
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
fn words(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Zeros, ones, the top, values around the middle and random residues, mixed; the top alone for seed 0, zeros alone for seed 1.
fn operand(p: Modulus, n: usize, seed: u64) -> Vec<u64> {
    let q = p.value();
    let special = [0, 1, q - 1, q / 2, q / 2 + 1];
    match seed {
        0 => vec![q - 1; n],
        1 => vec![0; n],
        _ => words(seed)
            .take(n)
            .map(|w| if w % 4 == 0 { special[(w >> 8) as usize % 5] } else { p.reduce(w >> 2) })
            .collect(),
    }
}

/// Pairs and triples of seeds: extremes against each other, then random operands.
const SEEDS: [[u64; 3]; 5] = [[0, 0, 0], [1, 0, 0], [0, 1, 1], [2, 3, 4], [5, 6, 7]];

/// Compares with a function of the operands' residues in 128 bits.
fn check(out: &[u64], p: Modulus, expected: impl Fn(usize) -> u128) {
    for (j, &value) in out.iter().enumerate() {
        assert_eq!(u128::from(value), expected(j) % u128::from(p.value()), "coefficient {j} of {}", out.len());
    }
}

#[test]
fn sums_and_products() {
    for_all(|limb, n| {
        let p = limb.modulus();
        let q = u128::from(p.value());
        for seeds in SEEDS {
            let [a, b, c] = seeds.map(|seed| operand(p, n, seed));
            let [x, y, z] = [&a, &b, &c].map(|v| v.iter().map(|&v| u128::from(v)).collect::<Vec<_>>());
            let mut out = a.clone();
            limb.add_assign(&mut out, &b);
            check(&out, p, |j| x[j] + y[j]);
            out.copy_from_slice(&a);
            limb.sub_assign(&mut out, &b);
            check(&out, p, |j| q + x[j] - y[j]);
            out.copy_from_slice(&a);
            limb.neg_assign(&mut out);
            check(&out, p, |j| q - x[j]);
            limb.mul(&mut out, &a, &b);
            check(&out, p, |j| x[j] * y[j]);
            out.copy_from_slice(&a);
            limb.mul_assign(&mut out, &b);
            check(&out, p, |j| x[j] * y[j]);
            out.copy_from_slice(&c);
            limb.mul_add_assign(&mut out, &a, &b);
            check(&out, p, |j| z[j] + x[j] * y[j]);
        }
    });
}

#[test]
fn products_with_one_factor() {
    for_all(|limb, n| {
        let p = limb.modulus();
        let q = u128::from(p.value());
        for seeds in SEEDS {
            let [a, b, _] = seeds.map(|seed| operand(p, n, seed));
            for factor in [0, 1, 2, p.value() / 2, p.value() - 1, p.reduce(0x1234_5678_9abc_def1)] {
                let w = u128::from(factor);
                let [x, y] = [&a, &b].map(|v| v.iter().map(|&v| u128::from(v)).collect::<Vec<_>>());
                let mut out = a.clone();
                limb.mul_scalar_assign(&mut out, factor);
                check(&out, p, |j| x[j] * w);
                out.copy_from_slice(&b);
                limb.mul_scalar_add_assign(&mut out, &a, factor);
                check(&out, p, |j| y[j] + x[j] * w);
                out.copy_from_slice(&a);
                limb.sub_mul_scalar_assign(&mut out, &b, factor);
                check(&out, p, |j| (q + x[j] - y[j]) * w);
                out.fill(u64::MAX);
                limb.sub_mul_scalar(&mut out, &a, &b, factor);
                check(&out, p, |j| (q + x[j] - y[j]) * w);
            }
        }
    });
}

#[test]
fn prepared_products() {
    for_all(|limb, n| {
        let p = limb.modulus();
        for seeds in SEEDS {
            let [a, w, _] = seeds.map(|seed| operand(p, n, seed));
            let (mut quotients, mut out) = (vec![u64::MAX; n], vec![u64::MAX; n]);
            limb.quotients(&mut quotients, &w);
            for (&w, &quotient) in w.iter().zip(&quotients) {
                assert_eq!(u128::from(quotient), (u128::from(w) << 52) / u128::from(p.value()));
            }
            limb.mul_prepared(&mut out, &a, &w, &quotients);
            check(&out, p, |j| u128::from(a[j]) * u128::from(w[j]));
        }
    });
}

#[test]
fn tensor_products() {
    for_all(|limb, n| {
        let p = limb.modulus();
        for [s, t, u] in SEEDS {
            let [c0, c1, d0, d1] = [s, t, u, s + t + u].map(|seed| operand(p, n, seed));
            let mut out = [(); 3].map(|()| vec![u64::MAX; n]);
            let [out0, out1, out2] = &mut out;
            limb.tensor([out0, out1, out2], [&c0, &c1], [&d0, &d1]);
            let product = |a: &[u64], b: &[u64], j: usize| u128::from(a[j]) * u128::from(b[j]);
            check(&out[0], p, |j| product(&c0, &d0, j));
            check(&out[1], p, |j| product(&c0, &d1, j) + product(&c1, &d0, j));
            check(&out[2], p, |j| product(&c1, &d1, j));
        }
    });
}

#[test]
fn dot_products() {
    for_all(|limb, n| {
        let p = limb.modulus();
        // Up to 5000 terms, over few distinct operands; seed 0 makes every factor p - 1.
        for (count, distinct) in [(0, 0), (1, 1), (2, 2), (16, 16), (17, 5), (130, 130), (4096, 3), (5000, 3)] {
            if count * n > 5000 * 64 {
                continue;
            }
            for first in [0, 10] {
                let seed = |i: u64| if first == 0 { 0 } else { first + i };
                let operands: Vec<_> = (0..2 * distinct).map(|i| operand(p, n, seed(i))).collect();
                let pairs: Vec<_> = operands.chunks_exact(2).map(|pair| (&pair[0][..], &pair[1][..])).collect();
                let terms: Vec<_> = pairs.iter().cycle().take(count).copied().collect();
                let mut out = vec![u64::MAX; n];
                limb.dot(&mut out, &terms);
                for (j, &value) in out.iter().enumerate() {
                    let sum: BigUint = terms.iter().map(|(x, y)| BigUint::from(x[j]) * y[j]).sum();
                    assert_eq!(BigUint::from(value), sum % p.value(), "{count} terms, coefficient {j} of {n}");
                }
            }
        }
    });
}

#[test]
fn changes_of_modulus() {
    for_all(|limb, n| {
        let p = limb.modulus();
        for source in moduli() {
            for seed in [0, 1, 2, 3] {
                let src = operand(source, n, seed);
                let mut out = vec![u64::MAX; n];
                limb.reduce(&mut out, &src, source);
                check(&out, p, |j| u128::from(src[j]));
                limb.lift_centred(&mut out, &src, source);
                let expected: Vec<_> = src.iter().map(|&x| p.from_signed(source.centre(x))).collect();
                assert_eq!(out, expected);
                let (acc, w) = (operand(p, n, seed + 1), p.reduce(0x1234_5678_9abc_def1));
                out.copy_from_slice(&acc);
                limb.lift_centred_mul_add_assign(&mut out, &src, source, w);
                check(&out, p, |j| u128::from(acc[j]) + u128::from(expected[j]) * u128::from(w));
            }
        }
        for seed in [0, 1, 2] {
            let src = operand(p, n, seed);
            let mut out = vec![i64::MAX; n];
            limb.centre(&mut out, &src);
            assert_eq!(out, src.iter().map(|&x| p.centre(x)).collect::<Vec<_>>());
        }
        let small: Vec<i8> = (0..n).map(|j| (j as i64 * 37 - 128) as i8).collect();
        for values in [small, vec![i8::MIN; n], vec![i8::MAX; n], vec![-1; n], vec![0; n]] {
            let mut out = vec![u64::MAX; n];
            limb.from_small(&mut out, &values);
            assert_eq!(out, values.iter().map(|&v| p.from_signed(v.into())).collect::<Vec<_>>());
            for seed in [0, 1, 2] {
                let acc = operand(p, n, seed);
                let mut sum = acc.clone();
                limb.add_small_assign(&mut sum, &values);
                check(&sum, p, |j| u128::from(acc[j]) + u128::from(out[j]));
            }
        }
    });
}

/// The positions that the image under `X -> X^k` reads.
fn moved(k: usize, n: usize) -> Vec<usize> {
    let mut place = vec![0; 2 * n];
    for i in 0..n {
        place[evaluation_exponent(n, i)] = i;
    }
    (0..n).map(|i| place[evaluation_exponent(n, i) * k % (2 * n)]).collect()
}

#[test]
fn automorphisms_move_values() {
    for backend in Backend::available() {
        for p in moduli() {
            let limb = LimbArithmetic::new(p, backend);
            for n in [16, 32, 64, 1024] {
                for k in [1, 3, 9, 27, 2 * n - 1] {
                    let automorphism = NttAutomorphism::new(k as u32, n).unwrap();
                    let (src, acc, positions) = (operand(p, n, 2), operand(p, n, 3), moved(k, n));
                    let mut out = vec![u64::MAX; n];
                    limb.automorphism(&mut out, &src, &automorphism);
                    check(&out, p, |j| src[positions[j]].into());
                    out.copy_from_slice(&acc);
                    limb.automorphism_add_assign(&mut out, &src, &automorphism);
                    check(&out, p, |j| u128::from(acc[j]) + u128::from(src[positions[j]]));
                }
            }
        }
    }
}

#[test]
fn pairs_of_dot_products() {
    for backend in Backend::available() {
        for p in moduli() {
            let limb = LimbArithmetic::new(p, backend);
            for (count, n) in [(0, 16), (1, 16), (3, 64), (17, 128), (130, 32), (5000, 16)] {
                for first in [0, 10] {
                    let seed = |i: u64| if first == 0 { 0 } else { first + i };
                    let operands: Vec<_> = (0..12).map(|i| operand(p, n, seed(i))).collect();
                    let automorphisms = [3, 2 * n - 1].map(|k| NttAutomorphism::new(k as u32, n).unwrap());
                    let positions = [moved(3, n), moved(2 * n - 1, n), (0..n).collect()];
                    let term = |i: usize| DotTerm {
                        x: &operands[3 * (i % 4)],
                        automorphism: automorphisms.get(i % 3),
                        y: [&operands[3 * (i % 4) + 1], &operands[3 * (i % 4) + 2]],
                    };
                    let terms: Vec<_> = (0..count).map(term).collect();
                    let mut out = [(); 2].map(|()| vec![u64::MAX; n]);
                    let [out0, out1] = &mut out;
                    limb.dot_pair([out0, out1], &terms);
                    for (half, out) in out.iter().enumerate() {
                        for (j, &value) in out.iter().enumerate() {
                            let factors = terms
                                .iter()
                                .enumerate()
                                .map(|(i, term)| (term.x[positions[i % 3][j]], term.y[half][j]));
                            let sum: BigUint = factors.map(|(x, y)| BigUint::from(x) * y).sum();
                            assert_eq!(BigUint::from(value), sum % p.value(), "{count} terms, coefficient {j} of {n}");
                        }
                    }
                }
            }
            // Any length without automorphisms.
            for n in LENGTHS {
                let [x, y, z] = [5, 6, 7].map(|seed| operand(p, n, seed));
                let mut out = [(); 2].map(|()| vec![u64::MAX; n]);
                let [out0, out1] = &mut out;
                limb.dot_pair([out0, out1], &[DotTerm { x: &x, automorphism: None, y: [&y, &z] }]);
                check(&out[0], p, |j| u128::from(x[j]) * u128::from(y[j]));
                check(&out[1], p, |j| u128::from(x[j]) * u128::from(z[j]));
            }
        }
    }
}

#[test]
fn lengths_that_differ_are_refused() {
    let calls: [fn(LimbArithmetic); 6] = [
        |limb| limb.add_assign(&mut [0; 8], &[0; 9]),
        |limb| limb.mul(&mut [0; 9], &[0; 9], &[0; 8]),
        |limb| limb.dot(&mut [0; 8], &[(&[0; 8], &[0; 8]), (&[0; 8], &[0; 16])]),
        |limb| limb.tensor([&mut [0; 8], &mut [0; 8], &mut [0; 8]], [&[0; 8]; 2], [&[0; 8], &[0; 7]]),
        |limb| limb.from_small(&mut [0; 8], &[0; 7]),
        |limb| limb.mul_scalar_assign(&mut [0; 8], limb.modulus().value()),
    ];
    for backend in Backend::available() {
        for call in calls {
            let limb = LimbArithmetic::new(moduli()[0], backend);
            assert!(std::panic::catch_unwind(|| call(limb)).is_err());
        }
    }
}

proptest! {
    #[test]
    fn backends_agree(p in proptest::sample::select(moduli()), n in 1..200_usize, seed in 8_u64..) {
        let [a, b, c] = [seed, seed ^ 1, seed ^ 2].map(|seed| operand(p, n, seed));
        let results = Backend::available().into_iter().map(|backend| {
            let limb = LimbArithmetic::new(p, backend);
            let mut out = c.clone();
            limb.mul_add_assign(&mut out, &a, &b);
            limb.mul_scalar_assign(&mut out, a[0]);
            limb.sub_assign(&mut out, &b);
            let copy = out.clone();
            limb.dot(&mut out, &[(&a, &b), (&b, &c), (&copy, &a)]);
            out
        });
        prop_assert!(results.collect::<Vec<_>>().windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn centred_binomial_samples_count_bits() {
    let low = (1_u64 << 21) - 1;
    let mut input: Vec<u64> = words(1).take(1000).collect();
    input.extend([0, u64::MAX, low, low << 21, low << 42, !low, 1, 1 << 21, 1 << 20, 1 << 41, 1 << 42]);
    for backend in Backend::available() {
        for n in LENGTHS.into_iter().filter(|&n| n < input.len()).chain([input.len()]) {
            let mut out = vec![i8::MAX; n];
            sampling::centred_binomial(backend, &mut out, &input[input.len() - n..]);
            for (&sample, word) in out.iter().zip(&input[input.len() - n..]) {
                let expected = (word & low).count_ones().cast_signed() - (word >> 21 & low).count_ones().cast_signed();
                assert_eq!(i32::from(sample), expected, "{word:#x}");
            }
        }
    }
}

#[test]
fn centred_binomial_samples_have_the_variance_of_the_distribution() {
    let input: Vec<u64> = words(2).take(1 << 18).collect();
    let mut out = vec![0; input.len()];
    sampling::centred_binomial(Backend::detect(), &mut out, &input);
    let (sum, squares) =
        out.iter().fold((0, 0), |(sum, squares), &x| (sum + i64::from(x), squares + i64::from(x).pow(2)));
    let count = input.len() as f64;
    // Five standard deviations of the estimators: sigma / sqrt(count) and sigma^2 * sqrt(2 / count).
    assert!((sum as f64 / count).abs() < 5.0 * (10.5 / count).sqrt());
    assert!((squares as f64 / count - 10.5).abs() < 5.0 * 10.5 * (2.0 / count).sqrt());
}

#[test]
fn ternary_samples_split_the_words_in_thirds() {
    let third = u64::MAX / 3;
    let table = [(0, -1), (third, -1), (third + 1, 0), (2 * third, 0), (2 * third + 1, 1), (u64::MAX, 1)];
    for backend in Backend::available() {
        let random: Vec<u64> = words(3).take(1003).collect();
        let input: Vec<u64> = table.iter().map(|&(word, _)| word).cycle().take(30).chain(random).collect();
        let mut out = vec![i8::MAX; input.len()];
        sampling::ternary(backend, &mut out, &input);
        for (&sample, &(_, expected)) in out[..30].iter().zip(table.iter().cycle()) {
            assert_eq!(sample, expected);
        }
        for (&sample, &word) in out.iter().zip(&input) {
            assert_eq!(i128::from(sample), ((i128::from(word) * 3) >> 64) - 1, "{word:#x}");
        }
    }
}

#[test]
fn uniform_residues_are_the_accepted_words_in_order() {
    for backend in Backend::available() {
        for p in moduli() {
            for n in LENGTHS {
                let mut stream = words(4);
                let mut requests = Vec::new();
                let mut out = vec![u64::MAX; n];
                sampling::uniform(p, backend, &mut out, &mut |block| {
                    requests.push(block.len());
                    block.fill_with(|| stream.next().unwrap());
                });
                let low = words(4).map(|word| word & ((1 << p.bits()) - 1));
                let mut used = 0;
                let accepted = low.inspect(|_| used += 1).filter(|&word| word < p.value()).take(n);
                assert_eq!(out, accepted.collect::<Vec<_>>());
                let refills = used.max(n).saturating_sub(n).div_ceil(sampling::UNIFORM_REFILL_WORDS);
                let mut expected = vec![n];
                expected.resize(1 + refills, sampling::UNIFORM_REFILL_WORDS);
                assert_eq!(requests, expected);
            }
        }
    }
}
