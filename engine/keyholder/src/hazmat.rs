//! Decryption without checks, and encryption with given randomness. Not for applications: a service that sees what these return, even one
//! bit of it, can recover the key with chosen ciphertexts. For tests, tools and auditors.

use blindrelay_engine::bfv::{Ciphertext, Plaintext, SeededCiphertext};
use blindrelay_engine::ring::{Coeff, Poly, Seed};
use blindrelay_engine::{Error, Modulus, Object};

use crate::secret::{SecretKey, Wiped};

/// `sum c_i s^i` over the primes of the ciphertext's level.
pub fn phase(key: &SecretKey, ciphertext: &Ciphertext) -> Result<Poly<Coeff>, Error> {
    key.context().same_parameters(Object::Ciphertext, ciphertext.parameters())?;
    let secret = key.at(ciphertext.level()).ok_or(Error::LevelExhausted)?;
    // Horner: ((c_2) s + c_1) s + c_0.
    let mut components = ciphertext.rlwe().components().iter().rev();
    let mut sum = Wiped(components.next().ok_or(Error::Transparent)?.clone());
    for component in components {
        sum.0.mul_assign(&secret.0);
        sum.0.add_assign(component);
    }
    Ok(sum.0.clone().into_coeff())
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

/// Largest magnitude of a polynomial with centred coefficients, by mixed-radix digits (Garner). Half a unit is added for the rounding of `Q m / t`.
fn largest_centred(poly: &Poly<Coeff>) -> f64 {
    let radix = MixedRadix::new(&poly.basis().moduli());
    let limbs: Vec<&[u64]> = poly.limbs().map(|(_, values)| values).collect();
    let magnitude = |position: usize| {
        let residues = limbs.iter().filter_map(move |limb| limb.get(position).copied());
        // Of x and -x in [0, Q), the smaller is the magnitude.
        let negated = radix.moduli.iter().zip(residues.clone()).map(|(modulus, residue)| modulus.neg(residue));
        radix.value(residues).min(radix.value(negated))
    };
    (0..poly.degree()).map(magnitude).fold(0.0, f64::max) + 0.5
}

/// Digits of an integer to the radices `q_0`, `q_0 q_1`, ...
struct MixedRadix {
    moduli: Vec<Modulus>,
    /// For prime `i`: the radices below it modulo `q_i`, and the inverse of their product.
    tables: Vec<(Vec<u64>, u64)>,
}

impl MixedRadix {
    fn new(moduli: &[Modulus]) -> Self {
        let tables = moduli
            .iter()
            .enumerate()
            .map(|(index, &modulus)| {
                let mut radix = 1;
                let mut radices = Vec::with_capacity(index);
                for earlier in moduli.iter().take(index) {
                    radices.push(radix);
                    radix = modulus.mul(radix, modulus.reduce(earlier.value()));
                }
                (radices, modulus.inverse(radix).unwrap_or(0))
            })
            .collect();
        Self { moduli: moduli.to_vec(), tables }
    }

    /// The integer in `[0, Q)` with these residues, as a float.
    fn value(&self, residues: impl Iterator<Item = u64>) -> f64 {
        let mut digits: Vec<u64> = Vec::with_capacity(self.moduli.len());
        for ((&modulus, (radices, inverse)), residue) in self.moduli.iter().zip(&self.tables).zip(residues) {
            let known = radices
                .iter()
                .zip(&digits)
                .fold(0, |sum, (&radix, &digit)| modulus.add(sum, modulus.mul(modulus.reduce(digit), radix)));
            digits.push(modulus.mul(modulus.sub(residue, known), *inverse));
        }
        self.moduli
            .iter()
            .zip(digits)
            .rev()
            .fold(0.0, |value, (modulus, digit)| value * modulus.value() as f64 + digit as f64)
    }
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

/// The ternary secret itself, for comparison with a reference implementation.
pub fn secret_coefficients(key: &SecretKey) -> &[i8] {
    key.coefficients().coefficients()
}
