//! BFV ciphertexts: RLWE ciphertexts with parameters and a public noise bound.

use super::context::Context;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::{Level, Parameters};
use crate::rlwe;

/// An encryption of a plaintext modulo `t`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ciphertext {
    parameters: Parameters,
    rlwe: rlwe::Ciphertext,
    noise: NoiseBound,
}

impl Ciphertext {
    /// From its parts. The noise bound must hold for the components; refused where it does not decrypt reliably.
    pub fn new(context: &Context, rlwe: rlwe::Ciphertext, noise: NoiseBound) -> Result<Self, Error> {
        context.admit("this ciphertext", noise, rlwe.level())?;
        Ok(Self { parameters: context.parameters().clone(), rlwe, noise })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The components.
    pub fn rlwe(&self) -> &rlwe::Ciphertext {
        &self.rlwe
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.rlwe.level()
    }

    /// The public bound on the noise.
    pub fn noise(&self) -> NoiseBound {
        self.noise
    }

    /// The same ciphertext with a bound that is at least `floor`.
    #[must_use]
    pub fn with_noise_of_at_least(mut self, floor: NoiseBound) -> Self {
        self.noise = self.noise.at_least(floor);
        self
    }

    /// The components without the bound.
    pub(super) fn into_rlwe(self) -> rlwe::Ciphertext {
        self.rlwe
    }

    pub(super) fn parts_mut(&mut self) -> (&mut rlwe::Ciphertext, &mut NoiseBound) {
        (&mut self.rlwe, &mut self.noise)
    }
}

/// A fresh ciphertext made with the secret key, whose uniform half is a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededCiphertext {
    parameters: Parameters,
    rlwe: rlwe::SeededCiphertext,
}

impl SeededCiphertext {
    /// From its parts.
    pub fn new(parameters: &Parameters, rlwe: rlwe::SeededCiphertext) -> Self {
        Self { parameters: parameters.clone(), rlwe }
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Body and seed.
    pub fn rlwe(&self) -> &rlwe::SeededCiphertext {
        &self.rlwe
    }

    /// Expands the uniform half; the noise bound is that of a fresh secret-key encryption.
    pub fn expand(&self, context: &Context) -> Result<Ciphertext, Error> {
        context.same_parameters(Object::Ciphertext, &self.parameters)?;
        Ciphertext::new(context, self.rlwe.expand(), NoiseBound::fresh_secret(self.parameters.degree()))
    }
}

/// A fresh ciphertext made with the secret key at a chosen level, whose uniform half is a seed: for operands that a circuit needs only below the top, so that the primes above them are
/// never sent.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelledSeededCiphertext {
    parameters: Parameters,
    rlwe: rlwe::SeededCiphertext,
}

impl LevelledSeededCiphertext {
    /// From its parts. Refused where the body is not over the primes of a level of the parameters.
    pub fn new(parameters: &Parameters, rlwe: rlwe::SeededCiphertext) -> Result<Self, Error> {
        let (level, top) = (rlwe.level(), parameters.top_level());
        match parameters.at(level) {
            Some(ring) if ring.basis() == rlwe.body().basis() => Ok(Self { parameters: parameters.clone(), rlwe }),
            _ => Err(Error::NoSuchLevel { level, top }),
        }
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Body and seed.
    pub fn rlwe(&self) -> &rlwe::SeededCiphertext {
        &self.rlwe
    }

    /// The level, from 0 to the top.
    pub fn level(&self) -> Level {
        self.rlwe.level()
    }

    /// Expands the uniform half; the noise bound is that of a fresh secret-key encryption, at every level. Refused at a level where not even that decrypts.
    pub fn expand(&self, context: &Context) -> Result<Ciphertext, Error> {
        context.same_parameters(Object::Ciphertext, &self.parameters)?;
        Ciphertext::new(context, self.rlwe.expand(), NoiseBound::fresh_secret(self.parameters.degree()))
    }
}

impl Context {
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

    /// Refuses a noise that could fail to decrypt.
    pub(crate) fn admit(&self, operation: &'static str, noise: NoiseBound, level: Level) -> Result<(), Error> {
        let limit_log2 = self.noise_limit_log2(level);
        if noise.sup_log2() <= limit_log2 {
            Ok(())
        } else {
            Err(Error::Noise { operation, bound_log2: noise.sup_log2(), limit_log2 })
        }
    }
}
