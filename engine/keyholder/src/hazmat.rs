//! Decryption without checks, and encryption with given randomness. Not for applications: a service that sees what these return, even one
//! bit of it, can recover the key with chosen ciphertexts. For tests, tools and auditors.

use blindrelay_engine::bfv::{Ciphertext, LevelledSeededCiphertext, Plaintext, SeededCiphertext};
use blindrelay_engine::ckks::{self, Complex};
use blindrelay_engine::params::Level;
use blindrelay_engine::ring::{Coeff, Poly, Seed};
use blindrelay_engine::{Error, Object};
use zeroize::Zeroizing;

use crate::mixed_radix;
use crate::secret::SecretKey;

/// `sum c_i s^i` over the primes of the ciphertext's level.
pub fn phase(key: &SecretKey, ciphertext: &Ciphertext) -> Result<Poly<Coeff>, Error> {
    key.context().same_parameters(Object::Ciphertext, ciphertext.parameters())?;
    key.phase(ciphertext.rlwe(), ciphertext.level())
}

/// The slots of an approximate ciphertext as they decrypt, neither rounded nor flooded. Whoever sees them beside what was computed can recover the key
/// (Li and Micciancio, *On the security of homomorphic encryption on approximate numbers*, 2021).
pub fn decrypt_approximate(
    key: &SecretKey<ckks::Context>,
    ciphertext: &ckks::Ciphertext,
) -> Result<Zeroizing<Vec<Complex>>, Error> {
    key.context().same_parameters(Object::Ciphertext, ciphertext.parameters())?;
    key.decrypt_slots(ciphertext, ciphertext.shape())
}

/// `sum c_i s^i` of an approximate ciphertext: message and error at the scale, before the embedding.
pub fn approximate_phase(key: &SecretKey<ckks::Context>, ciphertext: &ckks::Ciphertext) -> Result<Poly<Coeff>, Error> {
    key.context().same_parameters(Object::Ciphertext, ciphertext.parameters())?;
    key.phase(ciphertext.rlwe(), ciphertext.level())
}

/// The plaintext, whatever produced the ciphertext.
pub fn decrypt(key: &SecretKey, ciphertext: &Ciphertext) -> Result<Plaintext, Error> {
    let phase = phase(key, ciphertext)?;
    Plaintext::from_residues(key.context(), key.context().round_phase(&phase, ciphertext.level()))
}

/// Base-2 logarithm of the largest coefficient of the noise: the distance of the phase from `Q m / t` for the message that the ciphertext
/// decrypts to. It depends on the key and must not leave the key holder.
pub fn measure_noise(key: &SecretKey, ciphertext: &Ciphertext) -> Result<f64, Error> {
    let mut noise = phase(key, ciphertext)?;
    let message = decrypt(key, ciphertext)?;
    noise.sub_assign(&key.context().scale_message(&message, ciphertext.level())?);
    Ok(libm::log2(largest_centred(&noise)))
}

/// Largest magnitude of a polynomial with centred coefficients. Half a unit is added for the rounding of `Q m / t`.
fn largest_centred(poly: &Poly<Coeff>) -> f64 {
    mixed_radix::centred(poly).iter().fold(0.0, |largest, value| value.abs().max(largest)) + 0.5
}

/// Encryption with given seeds, for known answers. Using a seed for two messages gives both away.
pub fn encrypt_deterministically(
    key: &SecretKey,
    plaintext: &Plaintext,
    uniform: Seed,
    error: &Seed,
) -> Result<SeededCiphertext, Error> {
    key.encrypt_with(plaintext, uniform, error)
}

/// [`SecretKey::encrypt_at`] with given seeds, under the conditions of [`encrypt_deterministically`].
pub fn encrypt_at_deterministically(
    key: &SecretKey,
    plaintext: &Plaintext,
    level: Level,
    uniform: Seed,
    error: &Seed,
) -> Result<LevelledSeededCiphertext, Error> {
    key.encrypt_at_with(plaintext, level, uniform, error)
}

/// The ternary secret itself, for comparison with a reference implementation.
pub fn secret_coefficients(key: &SecretKey) -> &[i8] {
    key.coefficients().coefficients()
}
