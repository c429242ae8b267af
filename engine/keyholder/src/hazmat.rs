//! Decryption without checks, and encryption with given randomness. Not for applications: a service that sees what these return, even one
//! bit of it, can recover the key with chosen ciphertexts. For tests, tools and auditors.

use blindrelay_engine::bfv::{Ciphertext, Plaintext, SeededCiphertext};
use blindrelay_engine::ring::{Coeff, Poly, Seed};
use blindrelay_engine::{Error, Object};

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
    let moduli = poly.basis().moduli();
    let degree = poly.degree();
    let limbs: Vec<&[u64]> = poly.limbs().map(|(_, values)| values).collect();
    let product: f64 = moduli.iter().map(|m| m.value() as f64).product();
    let mut largest = 0.0_f64;
    for position in 0..degree {
        let residues: Vec<u64> = limbs.iter().filter_map(|limb| limb.get(position).copied()).collect();
        // The digits of x and of -x; the smaller of the two is the magnitude.
        let value = mixed_radix(&moduli, &residues);
        let negated: Vec<u64> = moduli.iter().zip(&residues).map(|(m, &r)| m.neg(r)).collect();
        let opposite = mixed_radix(&moduli, &negated);
        largest = largest.max(value.min(opposite).min(product));
    }
    largest + 0.5
}

/// The integer in `[0, Q)` with these residues, as a float.
fn mixed_radix(moduli: &[blindrelay_engine::Modulus], residues: &[u64]) -> f64 {
    let mut digits: Vec<u64> = Vec::with_capacity(moduli.len());
    for (&modulus, &residue) in moduli.iter().zip(residues) {
        // residue = digits[0] + digits[1] q_0 + .. + digit q_0 .. q_{i-1} (mod q_i)
        let (mut partial, mut radix) = (0, 1);
        for (&digit, earlier) in digits.iter().zip(moduli) {
            partial = modulus.add(partial, modulus.mul(modulus.reduce(digit), radix));
            radix = modulus.mul(radix, modulus.reduce(earlier.value()));
        }
        let inverse = modulus.inverse(radix).unwrap_or(0);
        digits.push(modulus.mul(modulus.sub(residue, partial), inverse));
    }
    let mut radix = 1.0;
    let mut value = 0.0;
    for (&digit, modulus) in digits.iter().zip(moduli) {
        value += digit as f64 * radix;
        radix *= modulus.value() as f64;
    }
    value
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
