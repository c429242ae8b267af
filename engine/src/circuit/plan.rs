//! The dry run: depth, products, keys and noise of a circuit, without a ciphertext.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::arithmetic::{Arithmetic, Shape};
use crate::bfv::Context;
use crate::error::{Error, KeyName};
use crate::noise::NoiseBound;
use crate::params::{Level, Parameters, preset, presets};
use crate::ring::{GaloisElement, NttDivision};
use crate::rlwe::{self, EvaluationKeys, KeyPlan};

/// A circuit from input values to output values.
pub trait Circuit {
    /// What it is called in messages, for example `a threshold over 129 values`.
    fn name(&self) -> String;

    /// Shapes of the inputs that it is planned for. Inputs with less noise run as well.
    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error>;

    /// The outputs.
    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error>;

    /// The dry run. Parameters that are too small are refused, with the named set that would be enough, if one is.
    fn plan(&self, context: &Arc<Context>) -> Result<CircuitPlan, Error> {
        self.plan_on(context).map_err(|reason| match reason {
            Error::LevelExhausted | Error::Noise { .. } | Error::NoSlots { .. } => Error::CircuitTooDeep {
                circuit: self.name(),
                parameters: context.parameters().name().to_owned(),
                reason: Box::new(reason),
                enough: self.smallest_named_set(context),
            },
            other => other,
        })
    }

    /// [`Circuit::plan`] without advice.
    fn plan_on(&self, context: &Arc<Context>) -> Result<CircuitPlan, Error> {
        let planner = Planner::new(context);
        let inputs = self.inputs(context)?;
        let top = inputs.iter().map(|shape| shape.level).max().unwrap_or(context.parameters().top_level());
        let outputs = self.run(&planner, &inputs)?;
        let counted = planner.counted();
        let lowest = outputs.iter().map(|shape| shape.level).min().unwrap_or(top);
        let closest = outputs
            .iter()
            .map(|shape| (shape.noise.sup_log2(), context.noise_limit_log2(shape.level)))
            .max_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1)));
        let (noise_log2, limit_log2) = closest.unwrap_or((f64::NEG_INFINITY, 0.0));
        Ok(CircuitPlan {
            depth: top.0 - lowest.0,
            products: counted.products,
            automorphisms: counted.automorphisms,
            keys: counted.keys,
            noise_log2,
            limit_log2,
            outputs,
        })
    }

    /// The first named set, smallest first, on which the plan succeeds.
    fn smallest_named_set(&self, context: &Context) -> Option<String> {
        let mut names: Vec<_> = presets().into_iter().map(|spec| (spec.ring_degree, spec.name)).collect();
        names.sort();
        names.into_iter().map(|(_, name)| name).find(|name| {
            let other = preset(name)
                .and_then(|spec| Parameters::new(spec, context.parameters().backend()))
                .and_then(|parameters| Context::new(&parameters));
            other.is_ok_and(|other| self.plan_on(&other).is_ok())
        })
    }
}

/// What a circuit uses and what it leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitPlan {
    /// Levels from the highest input to the lowest output.
    pub depth: usize,
    /// Ciphertext-ciphertext products, each with a relinearization.
    pub products: usize,
    /// Automorphisms that are applied.
    pub automorphisms: usize,
    /// The keys that are needed, each up to its level.
    pub keys: KeyPlan,
    /// Bound on the noise of the output that is closest to its limit, base-2 logarithm.
    pub noise_log2: f64,
    /// The largest noise with which that output decrypts, base-2 logarithm.
    pub limit_log2: f64,
    /// Shapes of the outputs.
    pub outputs: Vec<Shape>,
}

impl CircuitPlan {
    /// Whether a relinearization key is needed.
    pub fn relinearizes(&self) -> bool {
        self.keys.relinearization.is_some()
    }

    /// The automorphisms that need keys.
    pub fn galois(&self) -> BTreeSet<GaloisElement> {
        self.keys.galois.keys().copied().collect()
    }

    /// The keys that the plan needs and a set of keys lacks.
    pub fn missing_keys(&self, keys: Option<&EvaluationKeys>) -> Vec<KeyName> {
        self.keys.missing(keys)
    }

    /// Refuses keys that lack one the plan needs, naming all of them.
    pub fn check_keys(&self, keys: Option<&EvaluationKeys>) -> Result<(), Error> {
        let missing = self.missing_keys(keys);
        if missing.is_empty() { Ok(()) } else { Err(Error::MissingKeys { missing }) }
    }
}

#[derive(Clone, Debug, Default)]
struct Counted {
    products: usize,
    automorphisms: usize,
    keys: KeyPlan,
}

/// [`Arithmetic`] on shapes: the same checks and bounds as on ciphertexts, and a count of what was done.
#[derive(Debug)]
pub struct Planner {
    context: Arc<Context>,
    counted: Mutex<Counted>,
}

impl Planner {
    /// A planner that has done nothing yet.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context), counted: Mutex::default() }
    }

    fn counted(&self) -> Counted {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, change: impl FnOnce(&mut Counted)) {
        change(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn count_product(&self, level: Level) {
        self.count(|counted| {
            counted.products += 1;
            counted.keys.relinearize_at(level);
        });
    }

    fn truncate(&self, a: Shape, level: Level) -> Result<Shape, Error> {
        let factor = self.context.truncated_factor(a.level, level, a.factor);
        self.admitted("leaving primes out", Shape { level, factor, ..a })
    }

    fn align(&self, a: Shape, b: Shape) -> Result<(Shape, Shape), Error> {
        let level = a.level.min(b.level);
        Ok((self.truncate(a, level)?, self.truncate(b, level)?))
    }

    fn admitted(&self, operation: &'static str, shape: Shape) -> Result<Shape, Error> {
        self.context.admit(operation, shape.noise, shape.level)?;
        Ok(shape)
    }

    fn automorphism(&self, a: &Shape, element: GaloisElement) -> Result<Shape, Error> {
        if element.value() == 1 {
            return Ok(*a);
        }
        let parameters = self.context.parameters();
        let ring = parameters.at(a.level).ok_or(Error::LevelExhausted)?;
        self.count(|counted| {
            counted.automorphisms += 1;
            counted.keys.apply_at(element, a.level);
        });
        self.admitted("an automorphism", Shape { noise: a.noise.plus(rlwe::key_switch_noise(parameters, ring)), ..*a })
    }
}

impl Arithmetic for Planner {
    type Value = Shape;

    fn context(&self) -> &Context {
        &self.context
    }

    fn shape(&self, a: &Shape) -> Shape {
        *a
    }

    fn multiply_add(&self, a: &Shape, b: &Shape, addend: Option<&Shape>) -> Result<Shape, Error> {
        let level = a.level.min(b.level).min(addend.map_or(a.level, |addend| addend.level));
        let (a, b) = (self.truncate(*a, level)?, self.truncate(*b, level)?);
        let factor = self.context.product_factor(level, a.factor, b.factor);
        let addend = addend.map(|addend| self.truncate(*addend, level)).transpose()?;
        if let Some(addend) = addend {
            Context::same_factor(factor, addend.factor)?;
        }
        let of_addend = addend.map_or(NoiseBound::NONE, |addend| addend.noise);
        let noise = self.context.levelled_product_noise([a.noise, b.noise, of_addend], level)?;
        self.count_product(level);
        Ok(Shape { level: Level(level.0 - 1), noise, factor })
    }

    fn multiply_in_place(&self, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        let (a, b) = self.align(*a, *b)?;
        let parameters = self.context.parameters();
        let ring = parameters.at(a.level).ok_or(Error::LevelExhausted)?;
        let noise = self.context.tensor_noise(a.noise, b.noise).plus(rlwe::key_switch_noise(parameters, ring));
        self.count_product(a.level);
        let factor = self.context.product_factor(a.level, a.factor, b.factor);
        self.admitted("a product within the basis", Shape { level: a.level, noise, factor })
    }

    fn switch_down(&self, a: &Shape) -> Result<Shape, Error> {
        let parameters = self.context.parameters();
        let ring = parameters.at(a.level).ok_or(Error::LevelExhausted)?;
        let divisor = ring.drop_prime().map(NttDivision::divisor_log2).ok_or(Error::LevelExhausted)?;
        let noise = a.noise.scaled(-divisor).plus(NoiseBound::rounding(2, parameters.degree()));
        self.admitted("switching to a lower level", Shape { level: Level(a.level.0 - 1), noise, ..*a })
    }

    fn combine(&self, terms: &[(&Shape, u64)], constant: u64, level: Level, factor: u64) -> Result<Shape, Error> {
        let mut noise = NoiseBound::NONE;
        for &(&a, c) in terms.iter().filter(|(_, c)| *c != 0) {
            if a.level < level {
                return Err(Error::LevelMismatch { left: a.level, right: level });
            }
            let multiplier = self.context.multiplier(a, c, level, factor)?;
            noise = noise.plus(a.noise.scaled(libm::log2(multiplier.unsigned_abs() as f64)));
        }
        if noise == NoiseBound::NONE {
            return Err(Error::Transparent);
        }
        if constant != 0 {
            noise = noise.plus(NoiseBound::from_sup(0.5, self.context.parameters().degree()));
        }
        self.admitted("a linear combination", Shape { level, noise, factor })
    }

    fn add(&self, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        let (a, b) = self.align(*a, *b)?;
        Context::same_factor(a.factor, b.factor)?;
        self.admitted("addition", Shape { noise: a.noise.plus(b.noise), ..a })
    }

    fn rotate_rows(&self, a: &Shape, step: i64) -> Result<Shape, Error> {
        self.automorphism(a, GaloisElement::row_rotation(step, self.context.parameters().degree()))
    }

    fn rotate_columns(&self, a: &Shape) -> Result<Shape, Error> {
        self.automorphism(a, GaloisElement::row_exchange(self.context.parameters().degree()))
    }
}
