//! Encryption under a public key.

use blindrelay_kernels::Buffer;
use zeroize::Zeroize;

use super::ciphertext::Ciphertext;
use super::keys::PublicKey;
use crate::params::Parameters;
use crate::ring::{Coeff, Expander, Poly, Seed, SmallPoly};

/// `(b u + e0, a u + e1)` with ternary `u` and fresh errors, all expanded from a secret seed that must be used once
/// (Lyubashevsky, Peikert, Regev, *On ideal lattices and learning with errors over rings*, 2013).
pub fn encrypt_zero(parameters: &Parameters, key: &PublicKey, seed: &Seed) -> Ciphertext {
    encrypt_message(parameters, key, seed, Poly::zero(parameters.top().basis()))
}

/// [`encrypt_zero`] with `message` added to the first component, which takes over its buffer: message and error are transformed together.
/// Panics where the message is not over the primes of the top level.
pub fn encrypt_message(parameters: &Parameters, key: &PublicKey, seed: &Seed, message: Poly<Coeff>) -> Ciphertext {
    let (degree, backend) = (parameters.degree(), parameters.backend());
    let basis = parameters.top().basis();
    assert!(message.basis() == basis, "a message over other primes than the top level's");
    let randomness = Expander::new(seed, "public-key/encrypt");
    let u = randomness.ternary(degree, 0, backend);
    let errors = [1, 2].map(|index| randomness.error(degree, index, backend));
    let mut components = [message, Poly::stale(basis)];
    let mut factor = Buffer::stale(degree);
    for (index, limb) in basis.limbs().iter().enumerate() {
        let (plan, arithmetic) = (limb.plan(), limb.arithmetic());
        arithmetic.from_small(&mut factor, u.coefficients());
        plan.forward(&mut factor);
        let [body, uniform] = components.each_mut().map(|component| component.limb_mut(index));
        let [body_error, uniform_error] = errors.each_ref().map(SmallPoly::coefficients);
        arithmetic.add_small_assign(body, body_error);
        arithmetic.from_small(uniform, uniform_error);
        // Message and errors are transformed in place and masked by the sums, so that no copy of them stays behind.
        for (values, half) in [(body, key.body()), (uniform, key.uniform())] {
            plan.forward(values);
            arithmetic.mul_add_assign(values, &factor, half.limb(index));
        }
    }
    factor.zeroize();
    Ciphertext::new(components.map(Poly::assume_ntt).into(), parameters.top_level())
}
