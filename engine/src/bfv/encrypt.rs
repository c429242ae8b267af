//! Encryption under a public key, and the scaled message that both kinds of encryption add.

use super::ciphertext::Ciphertext;
use super::context::Context;
use super::encoder::Plaintext;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::Level;
use crate::ring::{Coeff, Poly, Seed};
use crate::rlwe::{PublicKey, encrypt_message};

impl Context {
    /// `round(Q m / t)` over the primes of a level, for centred `m`.
    pub fn scale_message(&self, plaintext: &Plaintext, level: Level) -> Result<Poly<Coeff>, Error> {
        self.check_plaintext(plaintext)?;
        let (tables, ring) = self.at(level).zip(self.parameters().at(level)).ok_or(Error::LevelExhausted)?;
        let mut scaled = Poly::stale(ring.basis());
        tables.scale_up.apply(plaintext.residues(), None, scaled.residues_mut());
        Ok(scaled)
    }

    /// Encrypts under a public key with fresh randomness from the operating system.
    pub fn encrypt(&self, plaintext: &Plaintext, key: &PublicKey) -> Result<Ciphertext, Error> {
        self.encrypt_with_seed(plaintext, key, &Seed::random()?)
    }

    /// [`Context::encrypt`] with the randomness of a given seed: the same plaintext, key and seed give the same ciphertext.
    ///
    /// A seed is secret and serves one plaintext under one key. Two plaintexts under one seed show their difference to everybody; one plaintext under two
    /// keys shows itself. Who derives seeds must derive them from the plaintext and the key, among other things.
    pub fn encrypt_with_seed(&self, plaintext: &Plaintext, key: &PublicKey, seed: &Seed) -> Result<Ciphertext, Error> {
        let message = self.scale_message(plaintext, self.parameters().top_level())?;
        let encrypted = encrypt_message(self.parameters(), key, seed, message);
        Ciphertext::new(self, encrypted, NoiseBound::fresh_public(self.parameters().degree()))
    }

    pub(super) fn check_plaintext(&self, plaintext: &Plaintext) -> Result<(), Error> {
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
