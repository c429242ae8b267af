//! CKKS: every verb of the evaluator on real keys, the bounds that travel with ciphertexts, the dry run, openings and releases.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

use std::sync::Arc;

use blindrelay_engine::ckks::{
    Arithmetic, Ciphertext, Complex, Context, Evaluator, Planner, Precision, Scale, Shape, evaluate_polynomial,
};
use blindrelay_engine::params::{Level, MATCH_2048, ParameterSpec, Parameters, STATS_8192, STATS_16384, preset};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::{Backend, Error, KeyName};
use blindrelay_keyholder::release::{self, ReleaseError, ReleaseRequest, Statistical};
use blindrelay_keyholder::{KeyRequirements, OpenError, SecretKey, hazmat};

struct Setup {
    context: Arc<Context>,
    evaluator: Evaluator,
    key: SecretKey<Context>,
    keys: EvaluationKeys,
}

fn setup(name: &str, backend: Backend) -> Setup {
    let context = Context::new(&Parameters::new(preset(name).unwrap(), backend).unwrap()).unwrap();
    let key = SecretKey::from_seed(&context, Seed::from_bytes([5; 32]));
    let degree = context.parameters().degree();
    let mut galois = context.sum_slots_elements(context.slot_count());
    galois.push(GaloisElement::row_exchange(degree));
    galois.push(GaloisElement::row_rotation(-3, degree));
    let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois: galois.into_iter().collect() });
    Setup { evaluator: Evaluator::new(&context), context, key, keys }
}

/// Complex numbers of magnitude at most one, negative ones among them.
fn numbers(count: usize, salt: u64) -> Vec<Complex> {
    let mut state = salt;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| Complex::new(next() * 0.7, next() * 0.7)).collect()
}

fn times(a: Complex, b: Complex) -> Complex {
    Complex::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
}

impl Setup {
    fn encrypt(&self, values: &[Complex]) -> Ciphertext {
        let plaintext = self.context.encode_complex(values, &self.context.encoding()).unwrap();
        self.key.encrypt(&plaintext).unwrap().expand(&self.context).unwrap()
    }

    /// Decrypts and holds the largest error against the bound that travelled with the ciphertext; returns both.
    #[track_caller]
    fn check(&self, ciphertext: &Ciphertext, expected: &[Complex]) -> (f64, f64) {
        let found = hazmat::decrypt_approximate(&self.key, ciphertext).unwrap();
        let precision = Precision::of_complex(expected, &found).unwrap();
        let bound = ciphertext.error_bound();
        assert!(precision.maximum <= bound, "measured {:e}, bound {bound:e}", precision.maximum);
        (precision.maximum, bound)
    }
}

#[test]
fn every_verb_stays_within_its_bound() {
    for name in [STATS_8192, STATS_16384] {
        let s = setup(name, Backend::detect());
        let slots = s.context.slot_count();
        let (x, y) = (numbers(slots, 1), numbers(slots, 2));
        let (a, b) = (s.encrypt(&x), s.encrypt(&y));
        let map = |f: &dyn Fn(usize) -> Complex| (0..slots).map(f).collect::<Vec<_>>();
        s.check(&a, &x);
        let public = s.key.public_key();
        let plaintext = s.context.encode_complex(&x, &s.context.encoding()).unwrap();
        s.check(&s.context.encrypt(&plaintext, &public).unwrap(), &x);
        let low = s.context.encode_complex(&x, &s.context.encoding().at(Level(0))).unwrap();
        s.check(&s.context.encrypt(&low, &public).unwrap(), &x);

        s.check(&s.evaluator.add(&a, &b).unwrap(), &map(&|j| Complex::new(x[j].re + y[j].re, x[j].im + y[j].im)));
        s.check(&s.evaluator.sub(&a, &b).unwrap(), &map(&|j| Complex::new(x[j].re - y[j].re, x[j].im - y[j].im)));
        s.check(&s.evaluator.neg(&a).unwrap(), &map(&|j| Complex::new(-x[j].re, -x[j].im)));
        s.check(
            &s.evaluator.add_plain(&b, &plaintext).unwrap(),
            &map(&|j| Complex::new(x[j].re + y[j].re, x[j].im + y[j].im)),
        );
        s.check(
            &s.evaluator.sub_plain(&b, &plaintext).unwrap(),
            &map(&|j| Complex::new(y[j].re - x[j].re, y[j].im - x[j].im)),
        );
        s.check(&s.evaluator.add_constant(&a, -2.5).unwrap(), &map(&|j| Complex::new(x[j].re - 2.5, x[j].im)));
        let products = map(&|j| times(x[j], y[j]));
        let scaled = s.evaluator.mul_constant(&a, -0.3, &Scale::power_of_two(40)).unwrap();
        s.check(&s.evaluator.rescale(&scaled).unwrap(), &map(&|j| Complex::new(-0.3 * x[j].re, -0.3 * x[j].im)));
        let by_plain = s.evaluator.mul_plain(&b, &plaintext).unwrap();
        s.check(&by_plain, &products);
        let product = s.evaluator.multiply(&a, &b).unwrap();
        assert_eq!(product.shape().components, 3);
        s.check(&product, &products);
        let relinearized = s.evaluator.multiply_relinearize(&a, &b, &s.keys).unwrap();
        s.check(&relinearized, &products);
        let rescaled = s.evaluator.rescale(&relinearized).unwrap();
        assert_eq!(s.evaluator.multiply_rescale(&a, &b, &s.keys).unwrap(), rescaled);
        let (measured, bound) = s.check(&rescaled, &products);
        assert!(bound < 2_f64.powi(-19) && bound < 100.0 * measured, "{name}: product {measured:e} {bound:e}");
        assert_eq!(*rescaled.scale(), s.context.scale_at(rescaled.level()));
        let squares = s.evaluator.multiply_relinearize(&rescaled, &rescaled, &s.keys).unwrap();
        let fourth = s.evaluator.rescale(&squares).unwrap();
        s.check(&fourth, &map(&|j| times(times(x[j], y[j]), times(x[j], y[j]))));
        for step in [1, 2, 64, -3] {
            let expected = map(&|j| x[(j as i64 + step).rem_euclid(slots as i64) as usize]);
            s.check(&s.evaluator.rotate(&a, step, &s.keys).unwrap(), &expected);
        }
        s.check(&s.evaluator.conjugate(&a, &s.keys).unwrap(), &map(&|j| Complex::new(x[j].re, -x[j].im)));
        let dropped = s.evaluator.drop_to_level(&a, Level(0)).unwrap();
        s.check(&dropped, &x);
        for count in [1, 2, 256, slots] {
            let sum = |j: usize| {
                (0..count).fold(Complex::default(), |sum, i| {
                    let z = x[(j + i) % slots];
                    Complex::new(sum.re + z.re, sum.im + z.im)
                })
            };
            s.check(&s.evaluator.sum_slots(&a, count, &s.keys).unwrap(), &map(&sum));
        }
    }
}

#[test]
fn results_are_equal_on_every_backend() {
    let results: Vec<Vec<Ciphertext>> = Backend::available()
        .into_iter()
        .map(|backend| {
            let s = setup(STATS_8192, backend);
            let public = s.key.public_key();
            let plaintext = s.context.encode_complex(&numbers(4096, 9), &s.context.encoding()).unwrap();
            let a = s.context.encrypt_with_seed(&plaintext, &public, &Seed::from_bytes([8; 32])).unwrap();
            let product = s.evaluator.multiply_relinearize(&a, &a, &s.keys).unwrap();
            let rescaled = s.evaluator.rescale(&product).unwrap();
            let sum = s.evaluator.sum_slots(&rescaled, 4096, &s.keys).unwrap();
            vec![a, rescaled, sum]
        })
        .collect();
    for other in &results[1..] {
        for (a, b) in results[0].iter().zip(other) {
            assert_eq!(a.shape(), b.shape());
            for (x, y) in a.rlwe().components().iter().zip(b.rlwe().components()) {
                assert!(x.residues() == y.residues());
            }
        }
    }
}

#[test]
fn polynomials_agree_with_clear_values_and_with_their_plan() {
    let s = setup(STATS_16384, Backend::detect());
    let slots = s.context.slot_count();
    let values: Vec<f64> = (0..slots).map(|j| 2.0 * j as f64 / slots as f64 - 1.0).collect();
    let plaintext = s.context.encode_real(&values, &s.context.encoding()).unwrap();
    let a = s.context.encrypt(&plaintext, &s.key.public_key()).unwrap();
    let sparse = [0.0, 0.0, 0.0, 0.0, 0.0, 1.5];
    let many: Vec<f64> = (0..12).map(|i| f64::from(i % 5) * 0.4 - 0.7).collect();
    let sigmoid = [0.5, 0.197, 0.0, -0.004];
    for coefficients in [&sigmoid[..], &[1.0, -1.0], &[0.0, 0.0, 2.0], &sparse, &many, &many[..5], &many[..8]] {
        let scale = Scale::power_of_two(40);
        let result = evaluate_polynomial(&s.evaluator.with_keys(&s.keys), &a, coefficients, &scale).unwrap();
        let expected: Vec<Complex> = values
            .iter()
            .map(|x| Complex::new(coefficients.iter().rev().fold(0.0, |value, c| value * x + c), 0.0))
            .collect();
        s.check(&result, &expected);
        assert_eq!(*result.scale(), scale);
        let planner = Planner::new(&s.context);
        let shape = evaluate_polynomial(&planner, &planner.fresh(&s.context.encoding()).unwrap(), coefficients, &scale);
        assert_eq!(shape.unwrap(), *result.shape(), "{coefficients:?}");
        let degree = coefficients.len() - 1;
        let used = s.context.parameters().top_level().0 - result.level().0;
        assert!(used <= degree.ilog2() as usize + 2, "degree {degree}: {used} levels");
        assert!(planner.plan().multiplications <= 2 * degree.isqrt() + 4, "{:?}", planner.plan());
    }
    let too_deep = vec![0.01; 300];
    let planner = Planner::new(&s.context);
    let fresh = planner.fresh(&s.context.encoding()).unwrap();
    assert_eq!(evaluate_polynomial(&planner, &fresh, &too_deep, &Scale::power_of_two(40)), Err(Error::LevelExhausted));
    assert_eq!(evaluate_polynomial(&planner, &fresh, &[3.0], &Scale::power_of_two(40)), Err(Error::Transparent));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let s = setup(STATS_8192, Backend::detect());
    let encoding = s.context.encoding();
    let a = s.encrypt(&numbers(10, 3));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.001, -1.001] {
        let refused = s.context.encode_real(&[0.0, bad], &encoding).unwrap_err();
        assert_eq!(refused, Error::NumberOutOfRange { index: 1, limit: 1.0 });
    }
    let many = vec![0.0; 4097];
    let refused = s.context.encode_real(&many, &encoding).unwrap_err();
    assert_eq!(refused, Error::TooManyValues { found: 4097, capacity: 4096 });
    for limit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(s.context.encode_real(&[0.0], &encoding.clone().within(limit)).is_err(), "limit {limit}");
    }
    let wide = encoding.clone().at(Level(0)).within(2.0);
    assert!(matches!(s.context.encode_real(&[0.5], &wide), Err(Error::Magnitude { operation: "encoding", .. })));
    let missing = encoding.clone().at(Level(3));
    assert_eq!(
        s.context.encode_real(&[0.5], &missing).unwrap_err(),
        Error::NoSuchLevel { level: Level(3), top: Level(2) }
    );

    let product = s.evaluator.multiply_relinearize(&a, &a, &s.keys).unwrap();
    let Err(Error::ScaleMismatch { operation: "addition", left, right }) = s.evaluator.add(&a, &product) else {
        panic!("scales 2^40 and 2^80 were added")
    };
    assert_eq!((left.as_str(), right.as_str()), ("2^40", "2^80"));
    let rescaled = s.evaluator.rescale(&product).unwrap();
    let lower = s.evaluator.drop_to_level(&a, Level(1)).unwrap();
    assert!(matches!(s.evaluator.add(&lower, &rescaled), Err(Error::ScaleMismatch { .. })));
    let mismatch = Error::LevelMismatch { left: Level(2), right: Level(1) };
    assert_eq!(s.evaluator.add(&a, &rescaled).unwrap_err(), mismatch);
    assert_eq!(s.evaluator.multiply(&a, &rescaled).unwrap_err(), mismatch);
    assert_eq!(
        s.evaluator.drop_to_level(&lower, Level(2)).unwrap_err(),
        Error::LevelMismatch { left: Level(1), right: Level(2) }
    );
    let bottom = s.evaluator.drop_to_level(&a, Level(0)).unwrap();
    assert_eq!(s.evaluator.rescale(&bottom).unwrap_err(), Error::LevelExhausted);
    let doubled = s.evaluator.add(&bottom, &bottom);
    assert!(matches!(doubled, Err(Error::Magnitude { operation: "addition", .. })), "{doubled:?}");
    let square = s.evaluator.multiply(&bottom, &bottom);
    assert!(matches!(square, Err(Error::Magnitude { operation: "multiplication", .. })));
    let three = s.evaluator.multiply(&a, &a).unwrap();
    assert_eq!(
        s.evaluator.rotate(&three, 1, &s.keys).unwrap_err(),
        Error::Components { operation: "an automorphism", expected: 2, found: 3 }
    );
    let element = GaloisElement::row_rotation(5, 8192).value();
    assert_eq!(s.evaluator.rotate(&a, 5, &s.keys).unwrap_err(), Error::MissingKey { key: KeyName::Galois(element) });
    let zero = s.context.encode_real(&[0.0], &encoding).unwrap();
    assert_eq!(s.evaluator.mul_plain(&a, &zero).unwrap_err(), Error::Transparent);
    assert_eq!(s.evaluator.mul_constant(&a, 1e-20, &Scale::power_of_two(40)).unwrap_err(), Error::Transparent);
    assert!(s.evaluator.mul_constant(&a, f64::NAN, &Scale::power_of_two(40)).is_err());
    assert!(s.evaluator.add_constant(&a, f64::INFINITY).is_err());
    let other = setup(STATS_16384, Backend::detect());
    assert!(matches!(other.evaluator.add(&a, &a), Err(Error::ParameterMismatch { .. })));
    assert!(matches!(
        other.evaluator.mul_plain(&other.encrypt(&numbers(4, 4)), &zero),
        Err(Error::ParameterMismatch { .. })
    ));
    let bfv = Parameters::new(preset(MATCH_2048).unwrap(), Backend::detect()).unwrap();
    assert!(Context::new(&bfv).is_err());
    assert!(blindrelay_engine::bfv::Context::new(s.context.parameters()).is_err());
}

#[test]
fn openings_round_to_the_certified_precision_and_refuse_what_was_not_expected() {
    let s = setup(STATS_8192, Backend::detect());
    let values: Vec<f64> = numbers(4096, 7).iter().map(|z| z.re).collect();
    let plaintext = s.context.encode_real(&values, &s.context.encoding()).unwrap();
    let a = s.context.encrypt(&plaintext, &s.key.public_key()).unwrap();
    let planner = Planner::new(&s.context);
    let expected = planner.fresh(&s.context.encoding()).unwrap();
    let opened = s.key.open(&a, &expected).unwrap();
    assert!(opened.resolution <= a.error_bound() && 2.0 * opened.resolution > a.error_bound());
    for (found, value) in opened.values.iter().zip(&values) {
        assert!((found - value).abs() <= opened.error_bound);
        assert!((found % opened.resolution).abs() < f64::MIN_POSITIVE, "not rounded");
    }
    let complex = s.encrypt(&numbers(4096, 8));
    assert_eq!(s.key.open(&complex, &expected).unwrap_err(), OpenError);
    assert_eq!(s.key.open_complex(&complex, &expected).unwrap().values.len(), 4096);
    let rescaled = s.evaluator.rescale(&s.evaluator.multiply_relinearize(&a, &a, &s.keys).unwrap()).unwrap();
    assert_eq!(s.key.open(&rescaled, &expected).unwrap_err(), OpenError);
    // A sum that claims to be a fresh encryption: larger than the expectation allows.
    let sum = (0..3).fold(a.clone(), |sum, _| s.evaluator.add(&sum, &a).unwrap());
    let forged = Ciphertext::new(&s.context, sum.rlwe().clone(), a.shape().clone()).unwrap();
    assert_eq!(s.key.open(&forged, &expected).unwrap_err(), OpenError);
    assert_eq!(s.key.open(&sum, &expected).unwrap_err(), OpenError);
    assert!(s.key.open(&sum, sum.shape()).is_ok());
    let stranger: SecretKey<Context> = SecretKey::from_seed(&s.context, Seed::from_bytes([6; 32]));
    assert_eq!(stranger.open(&a, &expected).unwrap_err(), OpenError);
}

/// A sum of 16 numbers at scale 2^78, where flooding leaves something to see.
fn released_sum(s: &Setup) -> (Ciphertext, Shape, f64) {
    let values: Vec<f64> = numbers(4096, 11).iter().map(|z| z.re).collect();
    let encoding = s.context.encoding().with_scale(Scale::power_of_two(78));
    let plaintext = s.context.encode_real(&values, &encoding).unwrap();
    let a = s.context.encrypt(&plaintext, &s.key.public_key()).unwrap();
    let planner = Planner::new(&s.context);
    let expected = planner.sum_slots(&planner.fresh(&encoding).unwrap(), 16).unwrap();
    (s.evaluator.sum_slots(&a, 16, &s.keys).unwrap(), expected, values.iter().take(16).sum())
}

#[test]
fn releases_are_flooded_counted_and_repeated_exactly() {
    let s = setup(STATS_8192, Backend::detect());
    let (sum, expected, exact) = released_sum(&s);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tenant.key");
    let request = ReleaseRequest { slots: &[0], statistical: Statistical::Bits64, tolerance: 1.0 };
    let first = s.key.release(&file, &sum, &expected, &request).unwrap();
    assert_eq!(first.left, release::LIMIT - 1);
    assert!(first.error_bound < 1.0 && (first.values[0] - exact).abs() <= first.error_bound, "{first:?} {exact}");
    // Flooded: far from the exact opening, on the scale of its error.
    let opened = s.key.open(&sum, &expected).unwrap();
    assert!((first.values[0] - opened.values[0]).abs() > 1000.0 * opened.error_bound);
    let again = s.key.release(&file, &sum, &expected, &request).unwrap();
    assert_eq!(again, first);
    let weaker = ReleaseRequest { statistical: Statistical::Bits40, ..request };
    let other = s.key.release(&file, &sum, &expected, &weaker).unwrap();
    assert_eq!(other.left, release::LIMIT - 2);
    assert!(other.error_bound < first.error_bound / 1000.0 && (other.values[0] - exact).abs() <= other.error_bound);

    let strict = ReleaseRequest { tolerance: 1e-9, ..request };
    assert!(matches!(s.key.release(&file, &sum, &expected, &strict), Err(ReleaseError::Precision { .. })));
    let outside = ReleaseRequest { slots: &[4096], ..request };
    assert!(matches!(s.key.release(&file, &sum, &expected, &outside), Err(ReleaseError::Slot { slot: 4096, .. })));
    let nothing = ReleaseRequest { slots: &[], ..request };
    assert!(matches!(s.key.release(&file, &sum, &expected, &nothing), Err(ReleaseError::Slot { .. })));
    std::fs::write(release::path_of(&file), "spent\n".repeat(release::LIMIT as usize)).unwrap();
    assert!(matches!(s.key.release(&file, &sum, &expected, &request), Err(ReleaseError::Spent)));
    // A crash in the middle of a line: what may have been spent is spent, values that nobody was told are made again.
    std::fs::write(release::path_of(&file), "spent\nspe").unwrap();
    assert_eq!(s.key.release(&file, &sum, &expected, &request).unwrap().left, release::LIMIT - 3);
    let book = std::fs::read_to_string(release::path_of(&file)).unwrap();
    std::fs::write(release::path_of(&file), &book[..book.len() - 5]).unwrap();
    assert_eq!(s.key.release(&file, &sum, &expected, &request).unwrap().left, release::LIMIT - 4);
    assert_eq!(s.key.release(&file, &sum, &expected, &request).unwrap().left, release::LIMIT - 4);
    std::fs::write(release::path_of(&file), "many\n").unwrap();
    assert!(matches!(s.key.release(&file, &sum, &expected, &request), Err(ReleaseError::Format { line: 1, .. })));
}

/// Digits that are bits have a mean, which adds up at the roots near 1: their bound is another one than that of centred digits.
#[test]
fn digits_of_bits_stay_within_their_bound() {
    let prime = blindrelay_engine::ntt_primes_below(50, 16_384, 1).unwrap();
    let spec = ParameterSpec {
        name: "bits-8192".into(),
        ciphertext_primes: prime,
        special_primes: vec![],
        digit_bits: 17,
        ..preset(STATS_8192).unwrap()
    };
    let context = Context::new(&Parameters::new(spec, Backend::detect()).unwrap()).unwrap();
    let evaluator = Evaluator::new(&context);
    let zero = context.encode_real(&[], &context.encoding()).unwrap();
    let element = GaloisElement::row_exchange(8192);
    // The errors that meet the mean are those of the key: many keys, one ciphertext each.
    for number in 0..=u8::MAX {
        let key: SecretKey<Context> = SecretKey::from_seed(&context, Seed::from_bytes([number; 32]));
        let keys = key.evaluation_keys(&KeyRequirements { galois: [element].into(), ..KeyRequirements::default() });
        let a = key.encrypt(&zero).unwrap().expand(&context).unwrap();
        let image = evaluator.conjugate(&a, &keys).unwrap();
        let slots = hazmat::decrypt_approximate(&key, &image).unwrap();
        let largest = slots.iter().map(|z| z.abs()).fold(0.0, f64::max);
        let bound = image.error_bound();
        assert!(largest <= bound, "key {number}: measured {largest:e}, bound {bound:e}");
    }
}
