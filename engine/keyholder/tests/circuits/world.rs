//! A reduced parameter set on every backend, and circuits run on all of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator};
use blindrelay_engine::circuit::{Arithmetic, Circuit, Evaluation, Operand, Shape};
use blindrelay_engine::params::{Level, ParameterSpec, Parameters, Scheme, SecurityPolicy};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::{Backend, Error, ntt_primes_below};
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};

/// The plaintext modulus of every set here.
pub(crate) const T: i64 = 65_537;

/// A ring of degree `n` with `levels + 1` primes, the first of 44 bits and the others of 36, and a special prime of 44 bits. Far too small to be secure.
pub(crate) fn spec(degree: usize, levels: usize) -> ParameterSpec {
    let primes = |bits, count| ntt_primes_below(bits, 2 * degree as u64, count).unwrap();
    let wide = primes(44, 2);
    ParameterSpec {
        name: format!("reduced-{degree}"),
        ring_degree: degree,
        scheme: Scheme::Bfv { plaintext_modulus: T as u64 },
        ciphertext_primes: [&wide[..1], &primes(36, levels)].concat(),
        special_primes: wide[1..].to_vec(),
        digit_bits: 50,
        answer_prime: None,
        policy: SecurityPolicy::InsecureTestOnly,
    }
}

/// One backend.
pub(crate) struct Side {
    pub(crate) context: Arc<Context>,
    pub(crate) evaluator: Evaluator,
    pub(crate) key: SecretKey,
}

/// The same set and the same secret on every backend.
pub(crate) struct World {
    pub(crate) sides: Vec<Side>,
}

/// Choices from a number.
pub(crate) struct Choices(pub u64);

impl Choices {
    /// A number in `[0, bound)` (`SplitMix64`).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * u128::from(bound)) >> 64) as u64
    }

    /// A centred residue modulo `t`.
    pub(crate) fn residue(&mut self) -> i64 {
        self.below(T as u64) as i64 - T / 2
    }
}

/// The centred residue modulo `t`.
pub(crate) fn centred(value: i128) -> i64 {
    let residue = value.rem_euclid(i128::from(T)) as i64;
    if residue > T / 2 { residue - T } else { residue }
}

impl World {
    pub(crate) fn new(spec: &ParameterSpec) -> Self {
        let sides = Backend::available()
            .into_iter()
            .map(|backend| {
                let context = Context::new(&Parameters::new(spec.clone(), backend).unwrap()).unwrap();
                let key = SecretKey::from_seed(&context, Seed::from_bytes([17; 32]));
                Side { evaluator: Evaluator::new(&context), context, key }
            })
            .collect();
        Self { sides }
    }

    /// The tables of the first backend.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.sides[0].context
    }

    pub(crate) fn slots(&self) -> usize {
        self.context().slot_count().unwrap()
    }

    pub(crate) fn top(&self) -> Level {
        self.context().parameters().top_level()
    }

    /// Evaluation keys on every backend.
    pub(crate) fn keys(&self, relinearization: bool, galois: &BTreeSet<GaloisElement>) -> Vec<EvaluationKeys> {
        let requirements = KeyRequirements { relinearization, galois: galois.clone() };
        self.sides.iter().map(|side| side.key.evaluation_keys(&requirements)).collect()
    }

    /// The same fresh ciphertext on every backend; `number` chooses its randomness.
    pub(crate) fn encrypt(&self, values: &[i64], number: u64) -> Vec<Ciphertext> {
        let seed = |half: u8| {
            let mut bytes = [half; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Seed::from_bytes(bytes)
        };
        let encrypt = |side: &Side| {
            let plaintext = side.context.encode_slots(values).unwrap();
            let fresh = hazmat::encrypt_deterministically(&side.key, &plaintext, seed(1), &seed(2)).unwrap();
            fresh.expand(&side.context).unwrap()
        };
        self.sides.iter().map(encrypt).collect()
    }

    /// The slots of ciphertexts that have to be the same, residue by residue, on every backend, and whose noise has to be within its bound.
    pub(crate) fn open(&self, ciphertexts: &[Ciphertext]) -> Vec<i64> {
        let first = &ciphertexts[0];
        for (side, other) in self.sides.iter().zip(ciphertexts) {
            let pairs = first.rlwe().components().iter().zip(other.rlwe().components());
            assert!(
                first.rlwe().components().len() == other.rlwe().components().len()
                    && pairs.into_iter().all(|(a, b)| a.residues() == b.residues()),
                "{} differs from the first backend",
                side.context.parameters().backend().name()
            );
            assert_eq!((first.level(), first.noise()), (other.level(), other.noise()));
        }
        let side = &self.sides[0];
        let (measured, bound) = (hazmat::measure_noise(&side.key, first).unwrap(), first.noise().sup_log2());
        assert!(measured <= bound, "noise 2^{measured} above its bound 2^{bound}");
        side.context.decode_slots(&hazmat::decrypt(&side.key, first).unwrap()).unwrap()
    }

    /// What the operands mean: their slots divided by the factor.
    pub(crate) fn meaning(&self, operands: &[Operand]) -> Vec<i64> {
        let factor = operands[0].factor();
        assert!(operands.iter().all(|operand| operand.factor() == factor));
        let ciphertexts: Vec<_> = operands.iter().map(|operand| operand.ciphertext().clone()).collect();
        let t = self.context().plaintext_modulus();
        let inverse = i128::from(t.inverse(factor).unwrap());
        self.open(&ciphertexts).into_iter().map(|slot| centred(inverse * i128::from(slot))).collect()
    }

    /// Plans a circuit, makes exactly the planned keys, runs it on every backend, and compares what comes out with the plan: shapes and counts. The slots of every output.
    pub(crate) fn run<C: Circuit>(&self, circuit: &C, inputs: &[Vec<i64>]) -> Vec<Vec<i64>> {
        let plan = circuit.plan(self.context()).unwrap();
        self.run_with(circuit, inputs, &self.keys(plan.relinearizes(), &plan.galois()))
    }

    /// [`World::run`] with these keys.
    pub(crate) fn run_with<C: Circuit>(
        &self,
        circuit: &C,
        inputs: &[Vec<i64>],
        keys: &[EvaluationKeys],
    ) -> Vec<Vec<i64>> {
        let plan = circuit.plan(self.context()).unwrap();
        plan.check_keys(keys.first()).unwrap();
        let inputs: Vec<Vec<Ciphertext>> =
            inputs.iter().enumerate().map(|(index, values)| self.encrypt(values, index as u64)).collect();
        let outputs: Vec<Vec<Operand>> = self
            .sides
            .iter()
            .zip(keys)
            .enumerate()
            .map(|(side, (of_side, keys))| {
                let operands: Vec<Operand> = inputs.iter().map(|input| Operand::fresh(input[side].clone())).collect();
                let counting = Counting::new(Evaluation::new(&of_side.evaluator, keys));
                let outputs = circuit.run(&counting, &operands).unwrap();
                let shapes: Vec<Shape> = outputs.iter().map(|output| counting.shape(output)).collect();
                assert_eq!(shapes, plan.outputs, "{}: the shapes are not as planned", circuit.name());
                assert_eq!(counting.counts(), (plan.products, plan.automorphisms), "{}", circuit.name());
                outputs
            })
            .collect();
        let count = outputs[0].len();
        (0..count)
            .map(|output| self.meaning(&outputs.iter().map(|side| side[output].clone()).collect::<Vec<_>>()))
            .collect()
    }
}

/// An evaluation that counts products and automorphisms.
pub(crate) struct Counting<'a> {
    inner: Evaluation<'a>,
    products: AtomicUsize,
    automorphisms: AtomicUsize,
}

impl<'a> Counting<'a> {
    pub(crate) fn new(inner: Evaluation<'a>) -> Self {
        Self { inner, products: AtomicUsize::new(0), automorphisms: AtomicUsize::new(0) }
    }

    fn counts(&self) -> (usize, usize) {
        (self.products.load(Ordering::Relaxed), self.automorphisms.load(Ordering::Relaxed))
    }
}

impl Arithmetic for Counting<'_> {
    type Value = Operand;

    fn context(&self) -> &Context {
        self.inner.context()
    }

    fn shape(&self, a: &Operand) -> Shape {
        self.inner.shape(a)
    }

    fn multiply_add(&self, a: &Operand, b: &Operand, addend: Option<&Operand>) -> Result<Operand, Error> {
        self.products.fetch_add(1, Ordering::Relaxed);
        self.inner.multiply_add(a, b, addend)
    }

    fn multiply_in_place(&self, a: &Operand, b: &Operand) -> Result<Operand, Error> {
        self.products.fetch_add(1, Ordering::Relaxed);
        self.inner.multiply_in_place(a, b)
    }

    fn switch_down(&self, a: &Operand) -> Result<Operand, Error> {
        self.inner.switch_down(a)
    }

    fn combine(&self, terms: &[(&Operand, u64)], constant: u64, level: Level, factor: u64) -> Result<Operand, Error> {
        self.inner.combine(terms, constant, level, factor)
    }

    fn add(&self, a: &Operand, b: &Operand) -> Result<Operand, Error> {
        self.inner.add(a, b)
    }

    fn rotate_rows(&self, a: &Operand, step: i64) -> Result<Operand, Error> {
        self.automorphisms.fetch_add(1, Ordering::Relaxed);
        self.inner.rotate_rows(a, step)
    }

    fn rotate_columns(&self, a: &Operand) -> Result<Operand, Error> {
        self.automorphisms.fetch_add(1, Ordering::Relaxed);
        self.inner.rotate_columns(a)
    }
}
