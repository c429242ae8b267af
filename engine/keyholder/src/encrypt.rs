//! Encryption with the secret key.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Plaintext, SeededCiphertext};
use blindrelay_engine::params::Parameters;
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
        let level = parameters.top_level();
        let mut scaled = self.context().scale_message(plaintext, level)?;
        let randomness = Expander::new(error, "ciphertext/error");
        add_error(&mut scaled, &randomness, 0, parameters);
        let mut body = scaled.into_ntt();
        let mask: Poly<Ntt> = Expander::new(&uniform, rlwe::SeededCiphertext::DOMAIN).uniform(body.basis());
        self.subtract_mask(&mut body, mask);
        Ok(SeededCiphertext::new(parameters, rlwe::SeededCiphertext::new(body, uniform)))
    }
}

impl<C: SchemeContext> SecretKey<C> {
    /// `body -= mask s` over the ciphertext primes or the key basis.
    pub(crate) fn subtract_mask(&self, body: &mut Poly<Ntt>, mut mask: Poly<Ntt>) {
        for (((limb, mask), (_, secret)), (_, body)) in
            mask.limbs_mut().zip(self.over_keys().limbs()).zip(body.limbs_mut())
        {
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
