//! CKKS ciphertexts: RLWE ciphertexts with a public shape.

use super::bounds::{self, Bounds};
use super::context::Context;
use super::scale::Scale;
use crate::error::{Error, Object};
use crate::params::{Level, Parameters};
use crate::rlwe;

/// Everything public about a ciphertext: what an operation on it needs to know, and what a dry run computes with.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The level.
    pub level: Level,
    /// The exact scale.
    pub scale: Scale,
    /// Two, or three after a product that was not relinearized.
    pub components: usize,
    /// Bounds on the slots and on their error, at the scale.
    pub bounds: Bounds,
}

impl Shape {
    /// Bound on the error of every slot.
    pub fn error_bound(&self) -> f64 {
        libm::exp2(self.bounds.error - self.scale.log2())
    }

    /// Bound on the magnitude of what every slot should hold.
    pub fn magnitude_bound(&self) -> f64 {
        libm::exp2(self.bounds.message - self.scale.log2())
    }
}

/// An encryption of a vector of approximate numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Ciphertext {
    parameters: Parameters,
    rlwe: rlwe::Ciphertext,
    shape: Shape,
}

impl Ciphertext {
    /// From its parts. The bounds must hold for the components; refused where level or number of components are others than the shape's, the scale
    /// is none of the set ([`Scale::check`]), or message and error together could wrap around the modulus.
    pub fn new(context: &Context, rlwe: rlwe::Ciphertext, shape: Shape) -> Result<Self, Error> {
        context.admit("this ciphertext", &shape)?;
        if rlwe.level() != shape.level {
            return Err(Error::LevelMismatch { left: rlwe.level(), right: shape.level });
        }
        if rlwe.components().len() != shape.components {
            let (expected, found) = (shape.components, rlwe.components().len());
            return Err(Error::Components { operation: "a ciphertext of this shape", expected, found });
        }
        Ok(Self { parameters: context.parameters().clone(), rlwe, shape })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The components.
    pub fn rlwe(&self) -> &rlwe::Ciphertext {
        &self.rlwe
    }

    /// Level, scale, components and bounds.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.shape.level
    }

    /// The scale.
    pub fn scale(&self) -> &Scale {
        &self.shape.scale
    }

    /// Bound on the error of every slot.
    pub fn error_bound(&self) -> f64 {
        self.shape.error_bound()
    }

    /// The same ciphertext with bounds that are at least these: for what others claim about their ciphertexts.
    #[must_use]
    pub fn with_bounds_of_at_least(mut self, floor: Bounds) -> Self {
        self.shape.bounds.message = self.shape.bounds.message.max(floor.message);
        self.shape.bounds.error = self.shape.bounds.error.max(floor.error);
        self
    }

    /// The components without the shape.
    pub fn into_rlwe(self) -> rlwe::Ciphertext {
        self.rlwe
    }

    pub(super) fn parts_mut(&mut self) -> (&mut rlwe::Ciphertext, &mut Shape) {
        (&mut self.rlwe, &mut self.shape)
    }
}

/// A fresh ciphertext made with the secret key at the top level, whose uniform half is a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededCiphertext {
    parameters: Parameters,
    rlwe: rlwe::SeededCiphertext,
    scale: Scale,
    bounds: Bounds,
}

impl SeededCiphertext {
    /// From its parts; `bounds` are those of the encoding, to which the error of a fresh encryption is added. Refused where the expanded ciphertext
    /// would be.
    pub fn new(context: &Context, rlwe: rlwe::SeededCiphertext, scale: Scale, bounds: Bounds) -> Result<Self, Error> {
        let parameters = context.parameters();
        context.admit("this ciphertext", &Self::shape_of(parameters, scale.clone(), bounds))?;
        Ok(Self { parameters: parameters.clone(), rlwe, scale, bounds })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Body and seed.
    pub fn rlwe(&self) -> &rlwe::SeededCiphertext {
        &self.rlwe
    }

    /// The scale.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Bounds of the encoding.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The shape of the expanded ciphertext.
    pub fn shape(&self) -> Shape {
        Self::shape_of(&self.parameters, self.scale.clone(), self.bounds)
    }

    /// The shape of a fresh encryption with the secret key.
    pub(crate) fn shape_of(parameters: &Parameters, scale: Scale, encoding: Bounds) -> Shape {
        let bounds = encoding.with_error(bounds::fresh_secret(parameters.degree()));
        Shape { level: parameters.top_level(), scale, components: 2, bounds }
    }

    /// Expands the uniform half.
    pub fn expand(&self, context: &Context) -> Result<Ciphertext, Error> {
        context.same_parameters(Object::Ciphertext, &self.parameters)?;
        Ciphertext::new(context, self.rlwe.expand(), self.shape())
    }
}

impl Context {
    /// Refuses a shape whose scale is none of the set, or whose message and error together could wrap around the modulus of its level.
    pub fn admit(&self, operation: &'static str, shape: &Shape) -> Result<(), Error> {
        self.ring(shape.level)?;
        let refused = |reason| Error::Scale { operation, scale: shape.scale.to_string(), reason };
        shape.scale.check(&self.parameters().spec().ciphertext_primes).map_err(refused)?;
        let (bounds, limit_log2) = (shape.bounds, self.limit_log2(shape.level));
        let bound_log2 = bounds.phase();
        // Written so that a bound that is not a number is refused.
        let fits = [bounds.message, bounds.error, bound_log2].into_iter().all(|bound| bound <= limit_log2);
        if fits { Ok(()) } else { Err(Error::Magnitude { operation, bound_log2, limit_log2 }) }
    }

    /// The bounds of a fresh public-key encryption of an encoding.
    pub fn fresh_public_bounds(&self, encoding: Bounds) -> Bounds {
        encoding.with_error(bounds::fresh_public(self.parameters().degree()))
    }
}
