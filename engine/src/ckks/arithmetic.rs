//! What operations do to shapes, and the verbs that evaluation and its dry run share.

use super::bounds::{self, Bounds, log2_sum};
use super::ciphertext::Shape;
use super::context::Context;
use super::encoder::Encoding;
use super::scale::Scale;
use crate::error::Error;
use crate::params::{Level, RingLevel};

/// Arithmetic on ciphertexts ([`super::KeyedEvaluator`]) or on their shapes alone ([`super::Planner`]): a circuit written against this trait can be
/// planned before anything is computed.
pub trait Arithmetic {
    /// A ciphertext or a shape.
    type Value: Clone;

    /// The tables.
    fn context(&self) -> &Context;

    /// Level, scale, components and bounds.
    fn shape<'a>(&self, a: &'a Self::Value) -> &'a Shape;

    /// `a + b`, at equal levels and scales.
    fn add(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error>;

    /// `a - b`, at equal levels and scales.
    fn sub(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error>;

    /// `a + c` in every slot; the constant is rounded at the scale of `a`.
    fn add_constant(&self, a: &Self::Value, constant: f64) -> Result<Self::Value, Error>;

    /// `c a` in every slot; the constant is rounded at `scale`, by which the scale of the result is larger.
    fn mul_constant(&self, a: &Self::Value, constant: f64, scale: &Scale) -> Result<Self::Value, Error>;

    /// `a b` slot by slot, relinearized; the scales multiply. At equal levels.
    fn multiply(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error>;

    /// Divides by the level's last prime, one level lower; the scale is divided by that prime.
    fn rescale(&self, a: &Self::Value) -> Result<Self::Value, Error>;

    /// The same message at a lower level and the same scale.
    fn drop_to_level(&self, a: &Self::Value, level: Level) -> Result<Self::Value, Error>;

    /// Slot `j` of the result is slot `j + step` (modulo their number) of `a`.
    fn rotate(&self, a: &Self::Value, step: i64) -> Result<Self::Value, Error>;

    /// The complex conjugate of every slot.
    fn conjugate(&self, a: &Self::Value) -> Result<Self::Value, Error>;

    /// `a` plus its rotations by all of these steps, none of them zero: what a sum of [`Arithmetic::rotate`] gives, but decomposed once for all
    /// rotations and divided by the special primes once.
    fn add_rotations(&self, a: &Self::Value, steps: &[i64]) -> Result<Self::Value, Error>;

    /// [`Arithmetic::multiply`] followed by [`Arithmetic::rescale`], the same result in less time.
    fn multiply_rescale(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error> {
        self.rescale(&self.multiply(a, b)?)
    }

    /// Slot `j` of the result is the sum of slots `j` to `j + count - 1` (modulo their number); `count` is a power of two. The automorphisms are
    /// those of [`Context::sum_slots_elements`].
    fn sum_slots(&self, a: &Self::Value, count: usize) -> Result<Self::Value, Error> {
        let slots = self.context().slot_count();
        if !count.is_power_of_two() || count > slots {
            return Err(Error::TooManyValues { found: count, capacity: slots });
        }
        self.context().slot_sum_steps(count).try_fold(a.clone(), |sum, steps| self.add_rotations(&sum, &steps))
    }
}

/// Up to this degree the keys of a sum over slots stay near the processor: adding four images at a time takes half as many decompositions for half as many keys
/// again. Above it, reading keys is what takes the time, and pairs are faster.
const QUADRUPLES_UP_TO: usize = 8192;

impl Context {
    /// The rotations of each stage of a sum over `count` slots: quadruples, with a pair at the end where they do not come out even, or pairs only.
    pub(super) fn slot_sum_steps(&self, count: usize) -> impl Iterator<Item = Vec<i64>> + use<> {
        let stages = count.max(1).ilog2();
        let width = if self.parameters().degree() <= QUADRUPLES_UP_TO { 2 } else { 1 };
        (0..stages).step_by(width).map(move |stage| {
            let step = 1_i64 << stage;
            if width == 2 && stage + 1 < stages { vec![step, 2 * step, 3 * step] } else { vec![step] }
        })
    }

    /// A sum of `a` and `rotations` images of it.
    pub(super) fn rotations_shape(&self, a: &Shape, rotations: usize) -> Result<Shape, Error> {
        const OPERATION: &str = "a sum of rotations";
        if a.components != 2 {
            return Err(Error::Components { operation: OPERATION, expected: 2, found: a.components });
        }
        let ring = self.ring(a.level)?;
        let error = bounds::key_switch(ring, rotations, self.parameters().degree());
        let terms = libm::log2(1.0 + rotations as f64);
        let shape = Shape { bounds: a.bounds.over(-terms).with_error(error), ..a.clone() };
        self.admit(OPERATION, &shape)?;
        Ok(shape)
    }

    /// Equal levels and scales.
    pub(super) fn sum_shape(&self, operation: &'static str, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        same_level(a.level, b.level)?;
        same_scale(operation, &a.scale, &b.scale)?;
        let shape = Shape { components: a.components.max(b.components), bounds: a.bounds.plus(b.bounds), ..a.clone() };
        self.admit(operation, &shape)?;
        Ok(shape)
    }

    /// Two components each, at equal levels; three components.
    pub(super) fn product_shape(&self, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        const OPERATION: &str = "multiplication";
        same_level(a.level, b.level)?;
        for found in [a.components, b.components] {
            if found != 2 {
                return Err(Error::Components { operation: OPERATION, expected: 2, found });
            }
        }
        let shape =
            Shape { level: a.level, scale: a.scale.times(&b.scale), components: 3, bounds: a.bounds.times(b.bounds) };
        self.admit(OPERATION, &shape)?;
        Ok(shape)
    }

    /// Two components from two or three.
    pub(super) fn relinearized_shape(&self, a: &Shape) -> Result<Shape, Error> {
        if a.components == 2 {
            return Ok(a.clone());
        }
        self.switched_shape("relinearization", a)
    }

    /// An automorphism followed by a key switch.
    pub(super) fn automorphism_shape(&self, a: &Shape) -> Result<Shape, Error> {
        const OPERATION: &str = "an automorphism";
        if a.components != 2 {
            return Err(Error::Components { operation: OPERATION, expected: 2, found: a.components });
        }
        self.switched_shape(OPERATION, a)
    }

    fn switched_shape(&self, operation: &'static str, a: &Shape) -> Result<Shape, Error> {
        let ring = self.ring(a.level)?;
        let error = bounds::key_switch(ring, 1, self.parameters().degree());
        let shape = Shape { components: 2, bounds: a.bounds.with_error(error), ..a.clone() };
        self.admit(operation, &shape)?;
        Ok(shape)
    }

    /// One level lower, divided by the level's last prime.
    pub(super) fn rescaled_shape(&self, a: &Shape) -> Result<Shape, Error> {
        let lower = a.level.0.checked_sub(1).ok_or(Error::LevelExhausted)?;
        let prime = self.last_prime(a.level)?;
        let rounding = bounds::rounding(a.components, self.parameters().degree());
        let shape = Shape {
            level: Level(lower),
            scale: a.scale.over_prime(prime),
            components: a.components,
            bounds: a.bounds.over(libm::log2(prime as f64)).with_error(rounding),
        };
        self.admit("rescaling", &shape)?;
        Ok(shape)
    }

    /// At a level that is not higher.
    pub(super) fn dropped_shape(&self, a: &Shape, level: Level) -> Result<Shape, Error> {
        if level > a.level {
            return Err(Error::LevelMismatch { left: a.level, right: level });
        }
        let shape = Shape { level, ..a.clone() };
        self.admit("dropping to a lower level", &shape)?;
        Ok(shape)
    }

    /// A plaintext operand at the same level.
    pub(super) fn plain_sum_shape(
        &self,
        operation: &'static str,
        a: &Shape,
        encoding: &Encoding,
        bounds: Bounds,
    ) -> Result<Shape, Error> {
        same_level(a.level, encoding.level)?;
        same_scale(operation, &a.scale, &encoding.scale)?;
        let shape = Shape { bounds: a.bounds.plus(bounds), ..a.clone() };
        self.admit(operation, &shape)?;
        Ok(shape)
    }

    /// A plaintext factor at the same level; the scales multiply.
    pub(super) fn plain_product_shape(&self, a: &Shape, encoding: &Encoding, bounds: Bounds) -> Result<Shape, Error> {
        same_level(a.level, encoding.level)?;
        let shape = Shape { scale: a.scale.times(&encoding.scale), bounds: a.bounds.times(bounds), ..a.clone() };
        self.admit("multiplication by a plaintext", &shape)?;
        Ok(shape)
    }

    /// `a + c`: the shape, and `c` times the scale as an integer.
    pub(super) fn constant_sum_shape(&self, a: &Shape, constant: f64) -> Result<(Shape, f64), Error> {
        let (integer, bounds) = constant_at(constant, &a.scale)?;
        let shape = Shape { bounds: a.bounds.plus(bounds), ..a.clone() };
        self.admit("addition of a constant", &shape)?;
        Ok((shape, integer))
    }

    /// `c a`: the shape, and `c` times `scale` as an integer.
    pub(super) fn constant_product_shape(
        &self,
        a: &Shape,
        constant: f64,
        scale: &Scale,
    ) -> Result<(Shape, f64), Error> {
        let (integer, bounds) = constant_at(constant, scale)?;
        if integer == 0.0 {
            return Err(Error::Transparent);
        }
        let shape = Shape { scale: a.scale.times(scale), bounds: a.bounds.times(bounds), ..a.clone() };
        self.admit("multiplication by a constant", &shape)?;
        Ok((shape, integer))
    }

    /// The last prime of a level.
    pub(super) fn last_prime(&self, level: Level) -> Result<u64, Error> {
        let prime = self.parameters().spec().ciphertext_primes.get(level.0).copied();
        prime.ok_or(Error::NoSuchLevel { level, top: self.parameters().top_level() })
    }

    /// The polynomial ring of a shape.
    pub(super) fn ring_of(&self, shape: &Shape) -> Result<&RingLevel, Error> {
        self.ring(shape.level)
    }
}

/// A constant times a scale as an integer; it is off by at most one half and the error of the scale's value.
fn constant_at(constant: f64, scale: &Scale) -> Result<(f64, Bounds), Error> {
    let exact = constant * scale.value();
    if !exact.is_finite() {
        return Err(Error::NumberOutOfRange { index: 0, limit: f64::MAX });
    }
    let message = libm::log2(exact.abs());
    Ok((libm::rint(exact), Bounds { message, error: log2_sum(-1.0, message - 49.0) }))
}

fn same_level(left: Level, right: Level) -> Result<(), Error> {
    if left == right { Ok(()) } else { Err(Error::LevelMismatch { left, right }) }
}

fn same_scale(operation: &'static str, left: &Scale, right: &Scale) -> Result<(), Error> {
    if left == right {
        return Ok(());
    }
    Err(Error::ScaleMismatch { operation, left: left.to_string(), right: right.to_string() })
}
