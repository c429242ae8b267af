//! Encryption under a public key.

use super::ciphertext::{Ciphertext, Shape};
use super::context::Context;
use super::encoder::Plaintext;
use crate::error::{Error, Object};
use crate::ring::Seed;
use crate::rlwe::{self, PublicKey, encrypt_zero};

impl Context {
    /// Encrypts under a public key, at the plaintext's level, with fresh randomness from the operating system.
    pub fn encrypt(&self, plaintext: &Plaintext, key: &PublicKey) -> Result<Ciphertext, Error> {
        self.encrypt_with_seed(plaintext, key, &Seed::random()?)
    }

    /// [`Context::encrypt`] with given randomness: the seed is secret and must never be used for two different plaintexts, whose difference
    /// anybody could then read.
    pub fn encrypt_with_seed(&self, plaintext: &Plaintext, key: &PublicKey, seed: &Seed) -> Result<Ciphertext, Error> {
        self.check_plaintext(plaintext)?;
        let encoding = plaintext.encoding();
        let basis = self.ring(encoding.level)?.basis();
        let shape = Shape {
            level: encoding.level,
            scale: encoding.scale.clone(),
            components: 2,
            bounds: self.fresh_public_bounds(plaintext.bounds()),
        };
        self.admit("encryption", &shape)?;
        let zero = encrypt_zero(self.parameters(), key, seed);
        let top = zero.level() == encoding.level;
        let mut components = zero.into_components();
        if !top {
            for component in &mut components {
                *component = component.truncated(basis);
            }
        }
        if let Some(body) = components.first_mut() {
            body.add_assign(plaintext.poly());
        }
        Ciphertext::new(self, rlwe::Ciphertext::new(components, encoding.level), shape)
    }

    /// Refuses a plaintext of other parameters.
    pub fn check_plaintext(&self, plaintext: &Plaintext) -> Result<(), Error> {
        if plaintext.parameters() == self.parameters().digest() {
            return Ok(());
        }
        Err(Error::ParameterMismatch {
            left: Object::Evaluator,
            left_digest: self.parameters().digest(),
            right: Object::Plaintext,
            right_digest: plaintext.parameters(),
        })
    }
}
