//! Circuits at the named parameter sets: every slot against its clear value, shapes against the plan, and the measured noise against the bound.

use std::sync::Arc;
use std::time::{Duration, Instant};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Context, Evaluator};
use blindrelay_engine::circuit::{
    Arithmetic, Circuit, CircuitPlan, Evaluation, Membership, Operand, Threshold, ValueSet,
};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};

use crate::generator::Generator;
use crate::noise::Margin;

/// A parameter set with the keys of a circuit. Circuits that need no other keys run on it as well.
pub struct Bench {
    context: Arc<Context>,
    evaluator: Evaluator,
    key: SecretKey,
    keys: EvaluationKeys,
    plan: CircuitPlan,
}

/// What one run found.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Slots that were compared.
    pub compared: usize,
    /// Slots that do not hold the clear value.
    pub wrong: usize,
    /// Noise of the output whose noise is closest to its bound.
    pub margin: Margin,
    /// How long the evaluation took, without encryption and decryption.
    pub time: Duration,
}

impl Bench {
    /// Tables and exactly the keys that the plan of `circuit` asks for.
    pub fn new<C: Circuit>(parameters: &str, circuit: &C) -> Self {
        let parameters = Parameters::new(preset(parameters).expect("named set"), Backend::detect()).expect("valid set");
        let context = Context::new(&parameters).expect("BFV tables");
        let key = SecretKey::from_seed(&context, Seed::from_bytes([6; 32]));
        let plan = circuit.plan(&context).unwrap_or_else(|error| panic!("{error}"));
        let requirements = KeyRequirements { relinearization: plan.relinearizes(), galois: plan.galois() };
        let keys = key.evaluation_keys(&requirements);
        Self { evaluator: Evaluator::new(&context), context, key, keys, plan }
    }

    /// The plan of the circuit that the keys are for.
    pub fn plan(&self) -> &CircuitPlan {
        &self.plan
    }

    /// How many values an input holds.
    pub fn slots(&self) -> usize {
        self.context.slot_count().expect("a set with slots")
    }

    /// Encrypts the inputs, evaluates the circuit and compares every slot of every output with `expected`. Panics where a shape is not as planned or a noise
    /// is above its bound.
    pub fn run<C: Circuit>(&self, circuit: &C, number: u64, inputs: &[Vec<i64>], expected: &[Vec<i64>]) -> Outcome {
        let mut generator = Generator::new(&circuit.name(), number);
        let inputs: Vec<Operand> = inputs.iter().map(|values| self.encrypt(values, &mut generator)).collect();
        let evaluation = Evaluation::new(&self.evaluator, &self.keys);
        let begun = Instant::now();
        let outputs = circuit.run(&evaluation, &inputs).unwrap_or_else(|error| panic!("{error}"));
        let time = begun.elapsed();
        let shapes: Vec<_> = outputs.iter().map(|output| evaluation.shape(output)).collect();
        let plan = circuit.plan(&self.context).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(shapes, plan.outputs, "{}: shapes are not as planned", circuit.name());
        assert_eq!(outputs.len(), expected.len());
        let mut outcome: Option<Outcome> = None;
        for (output, expected) in outputs.into_iter().zip(expected) {
            let margin = self.margin(circuit, number, &output);
            let found = self.decrypt(&output);
            assert_eq!(found.len(), expected.len());
            let wrong = found.iter().zip(expected).filter(|(found, expected)| found != expected).count();
            let next = Outcome { compared: found.len(), wrong, margin, time };
            outcome = Some(outcome.map_or(next, |all| Outcome {
                compared: all.compared + next.compared,
                wrong: all.wrong + next.wrong,
                margin: closer(all.margin, next.margin),
                time,
            }));
        }
        outcome.expect("a circuit has outputs")
    }

    fn encrypt(&self, values: &[i64], generator: &mut Generator) -> Operand {
        let plaintext = self.context.encode_slots(values).expect("in range");
        let (uniform, error) = (generator.seed(), generator.seed());
        let fresh = hazmat::encrypt_deterministically(&self.key, &plaintext, uniform, &error);
        Operand::fresh(fresh.and_then(|fresh| fresh.expand(&self.context)).expect("fresh ciphertexts are admitted"))
    }

    fn decrypt(&self, output: &Operand) -> Vec<i64> {
        let t = self.context.plaintext_modulus();
        let inverse = t.inverse(output.factor()).expect("not 0 modulo a prime");
        let plaintext = hazmat::decrypt(&self.key, output.ciphertext()).expect("own key");
        let slots = self.context.decode_slots(&plaintext).expect("a set with slots");
        slots.into_iter().map(|slot| t.centre(t.mul(t.from_signed(slot), inverse))).collect()
    }

    fn margin<C: Circuit>(&self, circuit: &C, number: u64, output: &Operand) -> Margin {
        let ciphertext = output.ciphertext();
        let largest = hazmat::measure_noise(&self.key, ciphertext).expect("own key");
        let (bound, limit) = (ciphertext.noise().sup_log2(), self.context.noise_limit_log2(ciphertext.level()));
        assert!(largest <= bound, "{} run {number}: noise 2^{largest} above its bound 2^{bound}", circuit.name());
        Margin { largest, bound, limit }
    }
}

/// The one whose noise is closer to its bound.
pub fn closer(a: Margin, b: Margin) -> Margin {
    if a.bound - a.largest <= b.bound - b.largest { a } else { b }
}

/// The scores of tokens of 128 signs.
pub fn scores() -> ValueSet {
    ValueSet::new(-128, 128, 2).expect("129 values")
}

/// Every threshold that decides something about a score.
pub fn thresholds() -> Vec<Threshold> {
    scores().values().skip(1).map(|value| Threshold::new(scores(), value).expect("in range")).collect()
}

impl Bench {
    /// All values against one threshold: they fill all slots, in an order of their own for each `number`.
    pub fn threshold(&self, threshold: &Threshold, number: u64) -> Outcome {
        let values: Vec<i64> = threshold.values().values().collect();
        let mut generator = Generator::new("order of values", number);
        let (first, stride) = (generator.below(values.len()), 1 + generator.below(values.len() - 1));
        // Neighbours differ, and every value occurs as long as the stride has no factor in common with their number.
        let stride =
            (stride..2 * values.len()).find(|stride| gcd(*stride, values.len()) == 1).expect("a prime is there");
        let slots: Vec<i64> = (0..self.slots()).map(|slot| values[(first + slot * stride) % values.len()]).collect();
        let expected: Vec<i64> = slots.iter().map(|&value| i64::from(value >= threshold.threshold())).collect();
        self.run(threshold, number, &[slots], &[expected])
    }
}

impl Bench {
    /// A decision about two values of a set: random ones in all slots, equal ones in about every second.
    pub fn pairs<C: Circuit>(
        &self,
        circuit: &C,
        number: u64,
        values: ValueSet,
        decide: impl Fn(i64, i64) -> bool,
    ) -> Outcome {
        let mut generator = Generator::new("pairs of values", number);
        let all: Vec<i64> = values.values().collect();
        let a: Vec<i64> = (0..self.slots()).map(|_| *generator.choose(&all)).collect();
        let b: Vec<i64> =
            a.iter().map(|&a| if generator.below(2) == 0 { a } else { *generator.choose(&all) }).collect();
        let expected = a.iter().zip(&b).map(|(&a, &b)| i64::from(decide(a, b))).collect();
        self.run(circuit, number, &[a, b], &[expected])
    }

    /// Membership of random values in a public set.
    pub fn membership(&self, number: u64, values: ValueSet, elements: &[i64]) -> Outcome {
        let circuit = Membership::public(values, elements).expect("distinct elements of the set");
        let mut generator = Generator::new("values", number);
        let all: Vec<i64> = values.values().collect();
        let x: Vec<i64> = (0..self.slots()).map(|_| *generator.choose(&all)).collect();
        let expected = x.iter().map(|x| i64::from(elements.contains(x))).collect();
        self.run(&circuit, number, &[x], &[expected])
    }

    /// Membership of values in encrypted sets, another one in each slot: the product of the differences.
    pub fn encrypted_membership(&self, number: u64, elements: usize) -> Outcome {
        let circuit = Membership::encrypted(elements).expect("few elements");
        let mut generator = Generator::new("values and sets", number);
        let inputs: Vec<Vec<i64>> =
            (0..=elements).map(|_| (0..self.slots()).map(|_| generator.value(9)).collect()).collect();
        let t = self.context.plaintext_modulus();
        let product = |slot: usize| {
            let differences = inputs.iter().skip(1).map(|set| t.from_signed(inputs[0][slot] - set[slot]));
            t.centre(differences.fold(1, |all, difference| t.mul(all, difference)))
        };
        let expected = (0..self.slots()).map(product).collect();
        self.run(&circuit, number, &inputs, &[expected])
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
