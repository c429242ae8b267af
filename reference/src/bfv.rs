//! BFV: the message sits in the phase's high end, `c_0 + c_1 s = round(q m / t) + e` modulo `q`.

use num_bigint::BigInt;
use num_integer::Integer;

use crate::ring::{Polynomial, Ring, round_scaled};
use crate::rlwe::{Ciphertext, Rlwe};

/// BFV over `Z[X] / (X^n + 1)`, with the verbs of [`Rlwe`] besides its own: sums, negation, automorphisms and switches act on
/// the message as they act on the phase. Messages are any integer polynomials of `n` coefficients; they count modulo `t`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bfv {
    /// The ciphertexts' ring, modulo `q`.
    pub ring: Ring,
    /// The messages' ring, modulo `t`.
    pub plaintext_ring: Ring,
}

impl Rlwe for Bfv {
    fn ring(&self) -> &Ring {
        &self.ring
    }
}

impl Bfv {
    /// The scheme modulo an odd `q` with messages modulo `t < q`; neither need be prime.
    pub fn new(n: usize, q: BigInt, t: BigInt) -> Self {
        assert!(t < q && q.is_odd(), "wanted t < q and q odd: t = {t}, q = {q}");
        Self { ring: Ring::new(n, q), plaintext_ring: Ring::new(n, t) }
    }

    /// `round(q m / t)` modulo `q`.
    pub fn scaled_message(&self, message: &[BigInt]) -> Polynomial {
        self.ring.reduce(&round_scaled(message, &self.ring.modulus, &self.plaintext_ring.modulus))
    }

    /// `(-a s + e + round(q m / t), a)`; of the message zero, it is a public key.
    pub fn encrypt_with_secret(
        &self,
        message: &[BigInt],
        secret: &[BigInt],
        a: &[BigInt],
        error: &[BigInt],
    ) -> Ciphertext {
        self.mask_with_secret(&self.scaled_message(message), secret, a, error)
    }

    /// `(p0 u + e0 + round(q m / t), p1 u + e1)`.
    pub fn encrypt_with_public(
        &self,
        message: &[BigInt],
        public: (&[BigInt], &[BigInt]),
        u: &[BigInt],
        e0: &[BigInt],
        e1: &[BigInt],
    ) -> Ciphertext {
        self.mask_with_public(&self.scaled_message(message), public, u, e0, e1)
    }

    /// `round(t phase / q)` modulo `t`, centred.
    pub fn decrypt(&self, ciphertext: &Ciphertext, secret: &[BigInt]) -> Polynomial {
        let phase = self.phase(ciphertext, secret);
        self.plaintext_ring.reduce(&round_scaled(&phase, &self.plaintext_ring.modulus, &self.ring.modulus))
    }

    /// `phase - round(q m / t)` modulo `q`, centred: decryption is right while it stays below `q / 2t - 1/2` in size.
    pub fn noise(&self, ciphertext: &Ciphertext, secret: &[BigInt], message: &[BigInt]) -> Polynomial {
        self.ring.sub(&self.phase(ciphertext, secret), &self.scaled_message(message))
    }

    /// Encrypts the sum with a message in the clear: `round(q m / t)` is added to the first component.
    pub fn add_plain(&self, a: &Ciphertext, message: &[BigInt]) -> Ciphertext {
        self.add(a, &Ciphertext { components: vec![self.scaled_message(message)] })
    }

    /// Encrypts the product with a message in the clear, lifted to `(-t/2, t/2]`.
    pub fn mul_plain(&self, a: &Ciphertext, message: &[BigInt]) -> Ciphertext {
        let lifted = self.plaintext_ring.reduce(message);
        a.map(|c| self.ring.mul(c, &lifted))
    }

    /// Encrypts the product of the messages, as `round(t / q .)` of the tensor product over the integers: three components
    /// from two pairs.
    pub fn multiply(&self, a: &Ciphertext, b: &Ciphertext) -> Ciphertext {
        let (t, q) = (&self.plaintext_ring.modulus, &self.ring.modulus);
        self.tensor(a, b).map(|c| self.ring.reduce(&round_scaled(c, t, q)))
    }
}
