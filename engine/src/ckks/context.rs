//! The tables that CKKS adds to a parameter set.

use std::sync::Arc;

use super::embedding::Embedding;
use super::scale::Scale;
use crate::error::{Error, Object};
use crate::params::{Level, ParameterError, Parameters, RingLevel, Scheme};

/// A CKKS parameter set with the tables of the canonical embedding.
#[derive(Debug)]
pub struct Context {
    parameters: Parameters,
    embedding: Embedding,
    scale_bits: u32,
}

impl Context {
    /// Builds the tables. Refused for a set of another scheme.
    pub fn new(parameters: &Parameters) -> Result<Arc<Self>, ParameterError> {
        let Scheme::Ckks { scale_bits } = parameters.spec().scheme else {
            return Err(ParameterError::WrongScheme { name: parameters.name().to_owned(), wanted: "CKKS" });
        };
        let embedding = Embedding::new(parameters.degree());
        Ok(Arc::new(Self { parameters: parameters.clone(), embedding, scale_bits }))
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How many slots a ciphertext has: `n / 2`.
    pub fn slot_count(&self) -> usize {
        self.embedding.slot_count()
    }

    /// The canonical embedding of the ring.
    pub fn embedding(&self) -> &Embedding {
        &self.embedding
    }

    /// The scale of encodings that name no other: a power of two.
    pub fn default_scale(&self) -> Scale {
        Scale::power_of_two(self.scale_bits as i32)
    }

    /// The scale that a ciphertext has at a level when every level above was left by a product of two such ciphertexts and a rescaling: fresh
    /// encodings at this scale can be added to results there. The default scale at the top level.
    pub fn scale_at(&self, level: Level) -> Scale {
        let dropped = self.parameters.spec().ciphertext_primes.iter().skip(level.0 + 1).rev();
        dropped.fold(self.default_scale(), |scale, &prime| scale.times(&scale).over_prime(prime))
    }

    /// Base-2 logarithm of the largest magnitude of message and error together that a level holds without wrapping: `Q / 2`.
    pub fn limit_log2(&self, level: Level) -> f64 {
        self.parameters.at(level).map_or(f64::NEG_INFINITY, |ring| ring.basis().log2() - 1.0)
    }

    /// Refuses an object of other parameters.
    pub fn same_parameters(&self, object: Object, parameters: &Parameters) -> Result<(), Error> {
        if parameters == self.parameters() {
            return Ok(());
        }
        Err(Error::ParameterMismatch {
            left: Object::Evaluator,
            left_digest: self.parameters().digest(),
            right: object,
            right_digest: parameters.digest(),
        })
    }

    /// The ring of a level.
    pub(super) fn ring(&self, level: Level) -> Result<&RingLevel, Error> {
        self.parameters.at(level).ok_or(Error::NoSuchLevel { level, top: self.parameters.top_level() })
    }
}
