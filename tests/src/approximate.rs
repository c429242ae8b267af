//! Random CKKS circuits, run by the engine on every backend and by the reference in big integers. After each operation the ciphertexts are equal coefficient by
//! coefficient, and the slots are as near to those of the same circuit on clear numbers as the ciphertext's bound says.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_engine::ckks::{Ciphertext, Complex, Context, Encoding, Evaluator, Plaintext, Scale};
use blindrelay_engine::params::{Level, ParameterSpec, Parameters, Scheme, SecurityPolicy};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::{EvaluationKeys, PublicKey};
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};
use blindrelay_reference::{self as reference, Ckks, Polynomial, Rlwe};
use num_bigint::BigInt;
use num_rational::Ratio;

use crate::circuits::Tally;
use crate::generator::Generator;
use crate::oracle::LevelOracle;

/// Small rings: with one and two special primes, and with digits.
fn specs() -> Vec<ParameterSpec> {
    let primes = |bits: u32, degree: usize, count: usize| {
        blindrelay_engine::ntt_primes_below(bits, 2 * degree as u64, count).expect("primes of that form exist")
    };
    let spec = |name: &str, ring_degree, ciphertext_primes, special_primes, digit_bits| ParameterSpec {
        name: name.into(),
        ring_degree,
        scheme: Scheme::Ckks { scale_bits: 40 },
        ciphertext_primes,
        special_primes,
        digit_bits,
        answer_prime: None,
        policy: SecurityPolicy::InsecureTestOnly,
    };
    let chain = |first: u32, degree, count| [primes(first, degree, 1), primes(40, degree, count)].concat();
    vec![
        spec("one-special", 16, chain(42, 16, 3), primes(43, 16, 1), 50),
        spec("two-special", 32, chain(45, 32, 4), primes(46, 32, 2), 50),
        spec("digits", 16, chain(50, 16, 2), vec![], 12),
    ]
}

struct Side {
    context: Arc<Context>,
    evaluator: Evaluator,
    key: SecretKey<Context>,
    public: PublicKey,
    keys: EvaluationKeys,
}

/// One parameter set, ready to run circuits on every backend and on the reference.
pub struct World {
    name: String,
    sides: Vec<Side>,
    levels: Vec<LevelOracle<Ckks>>,
}

/// A value three ways.
#[derive(Clone)]
struct Value {
    sides: Vec<Ciphertext>,
    reference: reference::Ciphertext,
    clear: Vec<Complex>,
}

/// All sets.
pub fn worlds() -> Vec<World> {
    specs().into_iter().map(World::new).collect()
}

const STEPS: [i64; 2] = [1, -2];

impl World {
    fn new(spec: ParameterSpec) -> Self {
        let degree = spec.ring_degree;
        let rotations = STEPS.map(|step| GaloisElement::row_rotation(step, degree)).into_iter();
        let galois: BTreeSet<_> = rotations.chain([GaloisElement::row_exchange(degree)]).collect();
        let requirements = KeyRequirements { relinearization: true, galois };
        let sides: Vec<Side> = Backend::available()
            .into_iter()
            .map(|backend| {
                let parameters = Parameters::new(spec.clone(), backend).expect("the listed sets are valid");
                let context = Context::new(&parameters).expect("CKKS tables");
                let key = SecretKey::from_seed(&context, Seed::from_bytes([12; 32]));
                let (public, keys) = (key.public_key(), key.evaluation_keys(&requirements));
                Side { evaluator: Evaluator::new(&context), context, key, public, keys }
            })
            .collect();
        let parameters = sides[0].context.parameters().clone();
        let levels =
            (0..=parameters.top_level().0).map(|l| LevelOracle::new(&parameters, Level(l), Ckks::new)).collect();
        Self { name: spec.name, sides, levels }
    }

    /// Runs circuit number `number`. Panics with the set and the number where anything differs.
    pub fn run(&self, number: u64) -> Tally {
        let mut generator = Generator::new(&format!("approximate/{}", self.name), number);
        let mut tally = Tally::default();
        let mut values: Vec<Value> = (0..3).map(|_| self.fresh(&mut generator)).collect();
        for _ in 0..4 + generator.below(9) {
            let a = values[generator.below(values.len())].clone();
            let b = Self::partner(&mut generator, &values, &a);
            match self.step(&mut generator, &a, &b) {
                Ok((operation, value)) => {
                    self.compare(number, operation, &value);
                    tally.computed += 1;
                    values.push(value);
                }
                Err(
                    Error::Magnitude { .. }
                    | Error::ScaleMismatch { .. }
                    | Error::Scale { .. }
                    | Error::Transparent
                    | Error::LevelMismatch { .. }
                    | Error::LevelExhausted
                    | Error::Components { .. },
                ) => tally.refused += 1,
                Err(error) => panic!("{} circuit {number}: unexpected refusal: {error}", self.name),
            }
        }
        tally
    }

    /// Often a value of the same level and scale.
    fn partner(generator: &mut Generator, values: &[Value], a: &Value) -> Value {
        let like = |value: &&Value| {
            let (left, right) = (value.sides[0].shape(), a.sides[0].shape());
            left.level == right.level && left.scale == right.scale
        };
        let alike: Vec<&Value> = values.iter().filter(like).collect();
        if generator.below(4) == 0 { generator.choose(values).clone() } else { (*generator.choose(&alike)).clone() }
    }

    fn compare(&self, number: u64, operation: &str, value: &Value) {
        let first = &value.sides[0];
        for (side, ciphertext) in self.sides.iter().zip(&value.sides).skip(1) {
            let backend = side.context.parameters().backend().name();
            assert_eq!(first.shape(), ciphertext.shape(), "{} circuit {number}: {operation} on {backend}", self.name);
            let components = first.rlwe().components().iter().zip(ciphertext.rlwe().components());
            let same = components.into_iter().all(|(a, b)| a.residues() == b.residues());
            assert!(same, "{} circuit {number}: {operation} differs on {backend}", self.name);
        }
        let engine = self.levels[first.level().0].ciphertext(first.rlwe());
        assert_eq!(engine, value.reference, "{} circuit {number}: {operation} differs from the reference", self.name);
        let slots = hazmat::decrypt_approximate(&self.sides[0].key, first).expect("own key");
        let bound = first.error_bound();
        for (found, expected) in slots.iter().zip(&value.clear) {
            let error = Complex::new(found.re - expected.re, found.im - expected.im).abs();
            assert!(error <= bound, "{} circuit {number}: {operation} is off by {error:e}, bound {bound:e}", self.name);
            // Clear numbers are doubles themselves.
            let magnitude = first.shape().magnitude_bound() * (1.0 + 1e-9);
            assert!(expected.abs() <= magnitude, "{} circuit {number}: {operation} above its magnitude", self.name);
        }
    }

    fn numbers(&self, generator: &mut Generator) -> Vec<Complex> {
        (0..self.sides[0].context.slot_count()).map(|_| number(generator)).collect()
    }

    fn fresh(&self, generator: &mut Generator) -> Value {
        let (clear, seed) = (self.numbers(generator), generator.seed());
        let encoding = self.sides[0].context.encoding();
        let sides: Vec<Ciphertext> = self
            .sides
            .iter()
            .map(|side| {
                let plaintext = side.context.encode_complex(&clear, &encoding).expect("in range");
                side.context.encrypt_with_seed(&plaintext, &side.public, &seed).expect("admitted")
            })
            .collect();
        let reference = self.levels[sides[0].level().0].ciphertext(sides[0].rlwe());
        let value = Value { sides, reference, clear };
        self.compare(0, "encryption", &value);
        value
    }

    fn each(
        &self,
        a: &Value,
        b: &Value,
        verb: impl Fn(&Side, &Ciphertext, &Ciphertext) -> Result<Ciphertext, Error>,
    ) -> Result<Vec<Ciphertext>, Error> {
        self.sides.iter().zip(a.sides.iter().zip(&b.sides)).map(|(side, (a, b))| verb(side, a, b)).collect()
    }

    /// The engine's encoding as an integer polynomial; it is the reference's up to the rounding of values that lie near one half.
    fn message(&self, plaintext: &Plaintext, values: &[Complex], encoding: &Encoding) -> Polynomial {
        let oracle = &self.levels[encoding.level.0];
        let engine = oracle.poly(plaintext.poly());
        let slots: Vec<(f64, f64)> = values.iter().map(|z| (z.re, z.im)).collect();
        let exact = oracle.scheme.encode(&slots, &ratio(&encoding.scale));
        let near = |(a, b): (&BigInt, &BigInt)| (a - b).magnitude() <= &num_bigint::BigUint::from(1_u32);
        // Doubles hold 53 bits: beyond that the last bits of the coefficients are rounded.
        assert!(encoding.scale.log2() > 50.0 || engine.iter().zip(&exact).all(near), "{}: encoding", self.name);
        engine
    }

    fn step(&self, generator: &mut Generator, a: &Value, b: &Value) -> Result<(&'static str, Value), Error> {
        let shape = a.sides[0].shape().clone();
        let oracle = &self.levels[shape.level.0];
        let ckks = &oracle.scheme;
        let zip = |f: &dyn Fn(Complex, Complex) -> Complex| -> Vec<Complex> {
            a.clear.iter().zip(&b.clear).map(|(&x, &y)| f(x, y)).collect()
        };
        let map = |f: &dyn Fn(Complex) -> Complex| -> Vec<Complex> { a.clear.iter().map(|&x| f(x)).collect() };
        let encoding = self.sides[0].context.encoding().at(shape.level);
        Ok(match generator.below(14) {
            0 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.add(a, b))?;
                let reference = ckks.add(&a.reference, &b.reference);
                ("addition", Value { sides, reference, clear: zip(&plus) })
            }
            1 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.sub(a, b))?;
                let reference = ckks.sub(&a.reference, &b.reference);
                ("subtraction", Value { sides, reference, clear: zip(&|x, y| plus(x, negated(y))) })
            }
            2 => {
                let sides = self.each(a, b, |side, a, _| side.evaluator.neg(a))?;
                ("negation", Value { sides, reference: ckks.neg(&a.reference), clear: map(&negated) })
            }
            3 => {
                let values = self.numbers(generator);
                let encoding = encoding.with_scale(shape.scale.clone());
                let plaintext = self.sides[0].context.encode_complex(&values, &encoding)?;
                let sides = self.each(a, b, |side, a, _| {
                    side.evaluator.add_plain(a, &side.context.encode_complex(&values, &encoding)?)
                })?;
                let reference = ckks.add_plain(&a.reference, &self.message(&plaintext, &values, &encoding));
                let clear = a.clear.iter().zip(&values).map(|(&x, &y)| plus(x, y)).collect();
                ("plaintext sum", Value { sides, reference, clear })
            }
            4 => {
                let values = self.numbers(generator);
                let plaintext = self.sides[0].context.encode_complex(&values, &encoding)?;
                let sides = self.each(a, b, |side, a, _| {
                    side.evaluator.mul_plain(a, &side.context.encode_complex(&values, &encoding)?)
                })?;
                let reference = ckks.mul_plain(&a.reference, &self.message(&plaintext, &values, &encoding));
                let clear = a.clear.iter().zip(&values).map(|(&x, &y)| times(x, y)).collect();
                ("plaintext product", Value { sides, reference, clear })
            }
            5 => {
                let constant = number(generator).re;
                let sides = self.each(a, b, |side, a, _| side.evaluator.add_constant(a, constant))?;
                let integer = constant_at(constant, &shape.scale);
                let mut message = ckks.ring.zero();
                message[0] = integer;
                let reference = ckks.add_plain(&a.reference, &message);
                ("constant sum", Value { sides, reference, clear: map(&|x| plus(x, Complex::new(constant, 0.0))) })
            }
            6 => {
                let constant = 0.1 + number(generator).re.abs();
                let scale = Scale::power_of_two(30);
                let sides = self.each(a, b, |side, a, _| side.evaluator.mul_constant(a, constant, &scale))?;
                let integer = constant_at(constant, &scale);
                let reference = a.reference.map(|c| ckks.ring.scale(c, &integer));
                ("constant product", Value { sides, reference, clear: map(&|x| times(x, Complex::new(constant, 0.0))) })
            }
            7 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.multiply(a, b))?;
                let reference = ckks.multiply(&a.reference, &b.reference);
                ("product", Value { sides, reference, clear: zip(&times) })
            }
            8 | 9 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.multiply_relinearize(a, b, &side.keys))?;
                let key = oracle.key(&self.sides[0].keys.relinearization().expect("was made").0);
                let product = ckks.multiply(&a.reference, &b.reference);
                let reference = ckks.relinearize(&product, &key, |x| oracle.digits(x));
                ("relinearized product", Value { sides, reference, clear: zip(&times) })
            }
            10 | 11 => {
                let sides = self.each(a, b, |side, a, _| side.evaluator.rescale(a))?;
                let prime = self.sides[0].context.parameters().spec().ciphertext_primes[shape.level.0];
                let reference = ckks.rescale(&a.reference, &BigInt::from(prime));
                ("rescaling", Value { sides, reference, clear: a.clear.clone() })
            }
            12 => {
                let level = Level(shape.level.0.checked_sub(1).ok_or(Error::LevelExhausted)?);
                let sides = self.each(a, b, |side, a, _| side.evaluator.drop_to_level(a, level))?;
                let reference = a.reference.map(|c| self.levels[level.0].scheme.ring.reduce(c));
                ("dropping a level", Value { sides, reference, clear: a.clear.clone() })
            }
            _ => {
                let degree = self.sides[0].context.parameters().degree();
                let step = *generator.choose(&STEPS);
                let conjugate = generator.below(3) == 0;
                let element = if conjugate {
                    GaloisElement::row_exchange(degree)
                } else {
                    GaloisElement::row_rotation(step, degree)
                };
                let sides = self.each(a, b, |side, a, _| side.evaluator.apply_automorphism(a, element, &side.keys))?;
                let key = oracle.key(self.sides[0].keys.galois(element).expect("was made").key());
                let image = ckks.automorphism(&a.reference, element.value() as usize);
                let reference = ckks.key_switch(&image, &key, |x| oracle.digits(x));
                let slots = a.clear.len() as i64;
                let rotated = |j: usize| a.clear[(j as i64 + step).rem_euclid(slots) as usize];
                let clear = if conjugate {
                    map(&|x| Complex::new(x.re, -x.im))
                } else {
                    (0..a.clear.len()).map(rotated).collect()
                };
                ("automorphism", Value { sides, reference, clear })
            }
        })
    }
}

/// A number of magnitude at most one, often real or at an end.
fn number(generator: &mut Generator) -> Complex {
    let mut part = || (generator.word() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
    let (re, im) = (part(), part());
    match generator.below(6) {
        0 => Complex::new(1.0, 0.0),
        1 => Complex::new(0.0, -1.0),
        2 => Complex::new(re, 0.0),
        3 => Complex::default(),
        _ => Complex::new(re * std::f64::consts::FRAC_1_SQRT_2, im * std::f64::consts::FRAC_1_SQRT_2),
    }
}

fn plus(x: Complex, y: Complex) -> Complex {
    Complex::new(x.re + y.re, x.im + y.im)
}

fn negated(x: Complex) -> Complex {
    Complex::new(-x.re, -x.im)
}

fn times(x: Complex, y: Complex) -> Complex {
    Complex::new(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re)
}

/// The scale as the reference has it.
fn ratio(scale: &Scale) -> Ratio<BigInt> {
    let power = |base: BigInt, exponent: i32| {
        let value = Ratio::from_integer(base.pow(exponent.unsigned_abs()));
        if exponent < 0 { value.recip() } else { value }
    };
    scale
        .primes()
        .fold(power(BigInt::from(2), scale.two()), |all, (prime, exponent)| all * power(BigInt::from(prime), exponent))
}

/// The double nearest to constant times scale, rounded to an integer.
fn constant_at(constant: f64, scale: &Scale) -> BigInt {
    use num_traits::FromPrimitive;
    BigInt::from_f64((constant * scale.value()).round_ties_even()).expect("finite")
}
