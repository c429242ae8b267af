//! Encryption of zero under a public key.

use zeroize::Zeroize;

use super::ciphertext::Ciphertext;
use super::keys::PublicKey;
use crate::params::Parameters;
use crate::ring::{Expander, Ntt, Poly, Seed};

/// `(b u + e0, a u + e1)` with ternary `u` and fresh errors, all expanded from a secret seed that must be used once
/// (Lyubashevsky, Peikert, Regev, *On ideal lattices and learning with errors over rings*, 2013).
pub fn encrypt_zero(parameters: &Parameters, key: &PublicKey, seed: &Seed) -> Ciphertext {
    let (degree, backend) = (parameters.degree(), parameters.backend());
    let basis = parameters.top().basis();
    let randomness = Expander::new(seed, "public-key/encrypt");
    let mut u = randomness.ternary(degree, 0, backend).to_poly(basis).into_ntt();
    let part = |half: &Poly<Ntt>, index| {
        // The error is transformed in place and masked by the sum, so that no copy of it stays behind.
        let mut component = randomness.error(degree, index, backend).to_poly(basis).into_ntt();
        component.mul_add_assign(half, &u);
        component
    };
    let components = vec![part(key.body(), 1), part(key.uniform(), 2)];
    u.zeroize();
    Ciphertext::new(components, parameters.top_level())
}
