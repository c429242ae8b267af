//! Encryption with the secret key.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{LevelledSeededCiphertext, Plaintext, SeededCiphertext};
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::ring::{Coeff, Expander, Ntt, Poly, Seed};
use blindrelay_engine::rlwe;
use zeroize::Zeroize;

use crate::secret::{SchemeContext, SecretKey};

impl SecretKey {
    /// A fresh ciphertext of the plaintext, half of which is a seed. Its noise is one error polynomial.
    pub fn encrypt(&self, plaintext: &Plaintext) -> Result<SeededCiphertext, Error> {
        self.encrypt_with(plaintext, Seed::random()?, &Seed::random()?)
    }

    /// [`SecretKey::encrypt`] with given randomness: `uniform` becomes public, `error` must stay secret and neither may be used
    /// twice. For known answers; see [`crate::hazmat`].
    pub(crate) fn encrypt_with(
        &self,
        plaintext: &Plaintext,
        uniform: Seed,
        error: &Seed,
    ) -> Result<SeededCiphertext, Error> {
        let parameters = self.parameters();
        Ok(SeededCiphertext::new(parameters, self.encrypt_body(plaintext, parameters.top_level(), uniform, error)?))
    }

    /// A fresh ciphertext at a level from 0 to the top, half of which is a seed: as [`SecretKey::encrypt`] and then without the primes above the level, which are neither computed nor sent.
    pub fn encrypt_at(&self, plaintext: &Plaintext, level: Level) -> Result<LevelledSeededCiphertext, Error> {
        self.encrypt_at_with(plaintext, level, Seed::random()?, &Seed::random()?)
    }

    /// [`SecretKey::encrypt_at`] with given randomness, under the conditions of [`SecretKey::encrypt_with`].
    pub(crate) fn encrypt_at_with(
        &self,
        plaintext: &Plaintext,
        level: Level,
        uniform: Seed,
        error: &Seed,
    ) -> Result<LevelledSeededCiphertext, Error> {
        let top = self.parameters().top_level();
        if level > top {
            return Err(Error::NoSuchLevel { level, top });
        }
        LevelledSeededCiphertext::new(self.parameters(), self.encrypt_body(plaintext, level, uniform, error)?)
    }

    /// `(round(Q m / t) + e - a s, seed of a)` over the primes of the level.
    fn encrypt_body(
        &self,
        plaintext: &Plaintext,
        level: Level,
        uniform: Seed,
        error: &Seed,
    ) -> Result<rlwe::SeededCiphertext, Error> {
        let mut scaled = self.context().scale_message(plaintext, level)?;
        let randomness = Expander::new(error, "ciphertext/error");
        add_error(&mut scaled, &randomness, 0, self.parameters());
        let mut body = scaled.into_ntt();
        let mask: Poly<Ntt> = Expander::new(&uniform, rlwe::SeededCiphertext::DOMAIN).uniform(body.basis());
        self.subtract_mask(&mut body, mask);
        Ok(rlwe::SeededCiphertext::new(body, uniform))
    }
}

impl<C: SchemeContext> SecretKey<C> {
    /// `body -= mask s` over the primes of a level, with or without the special ones.
    pub(crate) fn subtract_mask(&self, body: &mut Poly<Ntt>, mut mask: Poly<Ntt>) {
        for ((limb, mask), (_, body)) in mask.limbs_mut().zip(body.limbs_mut()) {
            let own = self.over_keys().limbs().find(|(own, _)| own.modulus() == limb.modulus());
            let Some((_, secret)) = own else { continue };
            limb.arithmetic().mul_assign(mask, secret);
            limb.arithmetic().sub_assign(body, mask);
        }
        mask.zeroize();
    }
}

/// `poly += e` for a fresh error from stream `index`.
pub(crate) fn add_error(poly: &mut Poly<Coeff>, randomness: &Expander, index: u64, parameters: &Parameters) {
    let error = randomness.error(parameters.degree(), index, parameters.backend());
    let mut residues = error.to_poly(poly.basis());
    poly.add_assign(&residues);
    residues.zeroize();
}
