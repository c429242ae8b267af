//! Random BFV circuits, run by the engine on every backend and by the reference in big integers. After each operation the ciphertexts are
//! equal coefficient by coefficient, and in the end the messages are what the same circuit gives on clear polynomials.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator};
use blindrelay_engine::params::{Level, ParameterSpec, Parameters, Scheme, SecurityPolicy};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};
use blindrelay_reference::{self as reference, Bfv, Polynomial, Ring, Rlwe, polynomial};
use num_bigint::BigInt;

use crate::generator::Generator;
use crate::oracle::{LevelOracle, product};

mod levelled;

/// Small rings, so that the schoolbook is fast; every kind of key switching, several widths of primes and plaintexts.
fn specs() -> Vec<ParameterSpec> {
    let primes = |bits: u32, degree: usize, count: usize| ntt_primes(bits, 2 * degree as u64, count);
    let spec =
        |name: &str, ring_degree, t, ciphertext_primes: Vec<u64>, special_primes: Vec<u64>, digit_bits| ParameterSpec {
            name: name.into(),
            ring_degree,
            scheme: Scheme::Bfv { plaintext_modulus: t },
            ciphertext_primes,
            special_primes,
            digit_bits,
            answer_prime: None,
            policy: SecurityPolicy::InsecureTestOnly,
        };
    let mixed = |degree: usize| [primes(50, degree, 1), primes(36, degree, 1), primes(45, degree, 2)].concat();
    let five = primes(41, 16, 7);
    vec![
        spec("one-limb-parts", 16, 257, primes(41, 16, 1), vec![], 14),
        spec("two-limbs", 16, 65_537, primes(41, 16, 2), vec![], 50),
        spec("two-limbs-parts", 32, 97, primes(50, 32, 2), vec![], 18),
        spec("four-limbs", 16, 12_289, primes(41, 16, 4), vec![], 50),
        spec("mixed-widths", 64, 65_537, mixed(64), vec![], 50),
        spec("wide-plaintext", 16, primes(49, 16, 1)[0], primes(41, 16, 4), vec![], 50),
        spec("one-special", 16, 65_537, five[..3].to_vec(), five[3..4].to_vec(), 50),
        spec("two-special", 16, 257, five[..5].to_vec(), five[5..7].to_vec(), 50),
        spec("no-slots", 32, 17, primes(30, 32, 3), vec![], 50),
        spec("unit-residue", 32, 257, ntt_primes(41, 64 * 257, 3), vec![], 14),
        spec("deep", 16, 65_537, primes(36, 16, 8)[..7].to_vec(), primes(36, 16, 8)[7..].to_vec(), 50),
        spec("deep-parts", 32, 65_537, primes(38, 32, 6), vec![], 19),
    ]
}

fn ntt_primes(bits: u32, step: u64, count: usize) -> Vec<u64> {
    blindrelay_engine::ntt_primes_below(bits, step, count).expect("primes of that form exist")
}

/// One parameter set, ready to run circuits on every backend and on the reference.
pub struct World {
    name: String,
    sides: Vec<Side>,
    /// By level; `None` where the modulus is below the plaintext's, so that nothing can be there.
    levels: Vec<Option<LevelOracle<Bfv>>>,
    secret: Polynomial,
    plaintext_ring: Ring,
    elements: Vec<GaloisElement>,
}

struct Side {
    context: Arc<Context>,
    evaluator: Evaluator,
    key: SecretKey,
    keys: EvaluationKeys,
}

/// A value three ways.
#[derive(Clone)]
struct Value {
    sides: Vec<Ciphertext>,
    reference: reference::Ciphertext,
    clear: Polynomial,
}

/// How many operations of a run were computed and how many were refused by the engine for noise or levels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Computed and compared.
    pub computed: u64,
    /// Refused by the noise bound or the level.
    pub refused: u64,
}

/// All sets.
pub fn worlds() -> Vec<World> {
    specs().into_iter().map(World::new).collect()
}

impl World {
    fn new(spec: ParameterSpec) -> Self {
        let degree = spec.ring_degree;
        let Scheme::Bfv { plaintext_modulus } = spec.scheme else { unreachable!("only BFV sets are listed") };
        let elements: Vec<GaloisElement> = [1, -2]
            .map(|step| GaloisElement::row_rotation(step, degree))
            .into_iter()
            .chain([GaloisElement::row_exchange(degree)])
            .collect();
        let requirements =
            KeyRequirements { relinearization: true, galois: elements.iter().copied().collect::<BTreeSet<_>>() };
        let sides: Vec<Side> = Backend::available()
            .into_iter()
            .map(|backend| {
                let parameters = Parameters::new(spec.clone(), backend).expect("the listed sets are valid");
                let context = Context::new(&parameters).expect("BFV tables");
                let key = SecretKey::from_seed(&context, Seed::from_bytes([11; 32]));
                let keys = key.evaluation_keys(&requirements);
                Side { evaluator: Evaluator::new(&context), context, key, keys }
            })
            .collect();
        let parameters = sides[0].context.parameters().clone();
        let levels = (0..=parameters.top_level().0)
            .map(|l| {
                let t = BigInt::from(plaintext_modulus);
                (product(&spec.ciphertext_primes[..=l]) > t)
                    .then(|| LevelOracle::new(&parameters, Level(l), |n, q| Bfv::new(n, q, t)))
            })
            .collect();
        let secret = polynomial(hazmat::secret_coefficients(&sides[0].key));
        let plaintext_ring = Ring::new(degree, BigInt::from(plaintext_modulus));
        Self { name: spec.name, sides, levels, secret, plaintext_ring, elements }
    }

    /// Runs circuit number `number`. Panics with the set and the number where anything differs.
    pub fn run(&self, number: u64) -> Tally {
        let mut generator = Generator::new(&format!("circuit/{}", self.name), number);
        let mut tally = Tally::default();
        let mut values: Vec<Value> = (0..3).map(|_| self.fresh(&mut generator)).collect();
        for _ in 0..3 + generator.below(8) {
            let a = values[generator.below(values.len())].clone();
            let b = values[generator.below(values.len())].clone();
            match self.step(&mut generator, &a, &b) {
                Ok((operation, value)) => {
                    self.compare(number, operation, &value);
                    tally.computed += 1;
                    values.push(value);
                }
                Err(
                    Error::Noise { .. }
                    | Error::LevelMismatch { .. }
                    | Error::LevelExhausted
                    | Error::Components { .. }
                    | Error::Transparent,
                ) => {
                    tally.refused += 1;
                }
                Err(error) => panic!("{} circuit {number}: unexpected refusal: {error}", self.name),
            }
        }
        for value in &values {
            for (side, ciphertext) in self.sides.iter().zip(&value.sides) {
                let opened = hazmat::decrypt(&side.key, ciphertext).expect("own key");
                let opened = polynomial(&side.context.decode_coefficients(&opened));
                assert_eq!(opened, value.clear, "{} circuit {number}: wrong message", self.name);
            }
        }
        tally
    }

    fn oracle(&self, level: Level) -> &LevelOracle<Bfv> {
        self.levels[level.0].as_ref().expect("ciphertexts exist only at levels with room for a message")
    }

    fn compare(&self, number: u64, operation: &str, value: &Value) {
        let first = &value.sides[0];
        for (side, ciphertext) in self.sides.iter().zip(&value.sides).skip(1) {
            let backend = side.context.parameters().backend().name();
            let same = first
                .rlwe()
                .components()
                .iter()
                .zip(ciphertext.rlwe().components())
                .all(|(a, b)| a.residues() == b.residues());
            assert!(same, "{} circuit {number}: {operation} differs on {backend}", self.name);
        }
        let engine = self.oracle(first.level()).ciphertext(first.rlwe());
        assert_eq!(engine, value.reference, "{} circuit {number}: {operation} differs from the reference", self.name);
        self.check_norms(number, operation, value);
    }

    fn message(&self, generator: &mut Generator, count: usize) -> Vec<i64> {
        let limit = self.sides[0].context.plaintext_limit();
        (0..count).map(|_| generator.value(limit)).collect()
    }

    fn clear(&self, message: &[i64]) -> Polynomial {
        let mut clear = polynomial(message);
        clear.resize(self.plaintext_ring.n, BigInt::from(0));
        clear
    }

    fn fresh(&self, generator: &mut Generator) -> Value {
        let message = self.message(generator, self.plaintext_ring.n);
        let (uniform, error) = (generator.seed(), generator.seed());
        let sides: Vec<Ciphertext> = self
            .sides
            .iter()
            .map(|side| {
                let plaintext = side.context.encode_coefficients(&message).expect("in range");
                hazmat::encrypt_deterministically(&side.key, &plaintext, uniform.clone(), &error)
                    .and_then(|seeded| seeded.expand(&side.context))
                    .expect("fresh ciphertexts are admitted")
            })
            .collect();
        let level = self.oracle(sides[0].level());
        let reference = level.ciphertext(sides[0].rlwe());
        // What the reference opens shows that encryption itself is right.
        let clear = self.clear(&message);
        assert_eq!(level.scheme.decrypt(&reference, &self.secret), clear);
        Value { sides, reference, clear }
    }

    fn each(
        &self,
        a: &Value,
        b: &Value,
        verb: impl Fn(&Side, &Ciphertext, &Ciphertext) -> Result<Ciphertext, Error>,
    ) -> Result<Vec<Ciphertext>, Error> {
        self.sides.iter().zip(a.sides.iter().zip(&b.sides)).map(|(side, (a, b))| verb(side, a, b)).collect()
    }

    fn step(&self, generator: &mut Generator, a: &Value, b: &Value) -> Result<(&'static str, Value), Error> {
        let level = a.sides[0].level();
        let oracle = self.oracle(level);
        let (bfv, ring) = (&oracle.scheme, &self.plaintext_ring);
        Ok(match generator.below(11 + levelled::VERBS) {
            0 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.add(a, b))?;
                let clear = ring.add(&a.clear, &b.clear);
                ("addition", Value { sides, reference: bfv.add(&a.reference, &b.reference), clear })
            }
            1 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.sub(a, b))?;
                let clear = ring.sub(&a.clear, &b.clear);
                ("subtraction", Value { sides, reference: bfv.sub(&a.reference, &b.reference), clear })
            }
            2 => {
                let sides = self.each(a, b, |side, a, _| side.evaluator.neg(a))?;
                ("negation", Value { sides, reference: bfv.neg(&a.reference), clear: ring.neg(&a.clear) })
            }
            3 => {
                let message = self.message(generator, ring.n);
                let sides = self.each(a, b, |side, a, _| {
                    side.evaluator.add_plain(a, &side.context.encode_coefficients(&message)?)
                })?;
                let message = self.clear(&message);
                let clear = ring.add(&a.clear, &message);
                ("plaintext sum", Value { sides, reference: bfv.add_plain(&a.reference, &message), clear })
            }
            4 => {
                let count = 1 + generator.below(ring.n);
                let message = self.message(generator, count);
                let sides = self.each(a, b, |side, a, _| {
                    side.evaluator.mul_plain(a, &side.context.encode_coefficients(&message)?)
                })?;
                let message = self.clear(&message);
                let clear = ring.mul(&a.clear, &message);
                ("plaintext product", Value { sides, reference: bfv.mul_plain(&a.reference, &message), clear })
            }
            5 | 6 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.multiply(a, b))?;
                let clear = ring.mul(&a.clear, &b.clear);
                ("product", Value { sides, reference: bfv.multiply(&a.reference, &b.reference), clear })
            }
            7 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.multiply_relinearize(a, b, &side.keys))?;
                let key = oracle.key(&self.sides[0].keys.relinearization().expect("was made").0);
                let product = bfv.multiply(&a.reference, &b.reference);
                let reference = bfv.relinearize(&product, &key, |x| oracle.digits(x));
                ("relinearized product", Value { sides, reference, clear: ring.mul(&a.clear, &b.clear) })
            }
            8 => {
                let element = *generator.choose(&self.elements);
                let sides = self.each(a, b, |side, a, _| side.evaluator.apply_automorphism(a, element, &side.keys))?;
                let k = element.value() as usize;
                let key = oracle.key(self.sides[0].keys.galois(element).expect("was made").key());
                let image = bfv.automorphism(&a.reference, k);
                let reference = bfv.key_switch(&image, &key, |x| oracle.digits(x));
                ("automorphism", Value { sides, reference, clear: ring.automorphism(&a.clear, k) })
            }
            9 => {
                let sides = self.each(a, b, |side, a, _| side.evaluator.switch_down(a))?;
                let reference = bfv.switch_modulus(&a.reference, self.oracle(Level(level.0 - 1)).modulus());
                ("modulus switch", Value { sides, reference, clear: a.clear.clone() })
            }
            10 => {
                let exponent = generator.below(2 * ring.n);
                let sides = self.each(a, b, |side, a, _| side.evaluator.mul_monomial(a, exponent))?;
                let mut monomial = ring.zero();
                monomial[exponent % ring.n] = BigInt::from(if exponent < ring.n { 1 } else { -1 });
                let reference = a.reference.map(|c| bfv.ring.mul(c, &monomial));
                ("monomial product", Value { sides, reference, clear: ring.mul(&a.clear, &monomial) })
            }
            verb => self.levelled_step(generator, verb - 11, a, b)?,
        })
    }
}
