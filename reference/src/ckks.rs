//! CKKS: the message is all of the phase, `c_0 + c_1 s = m + e` modulo `q`, and its slots are known up to the error.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::Zero;

use crate::embedding::{self, Complex, Scale};
use crate::ring::{Polynomial, Ring};
use crate::rlwe::{Ciphertext, Rlwe};

/// CKKS over `Z[X] / (X^n + 1)` modulo the `q` of one level, with the verbs of [`Rlwe`] besides its own.
///
/// Ciphertexts do not carry their scale. Sums want equal ones, products multiply them, [`Ckks::rescale`] divides by the prime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ckks {
    /// The ciphertexts' ring, modulo `q`.
    pub ring: Ring,
}

impl Rlwe for Ckks {
    fn ring(&self) -> &Ring {
        &self.ring
    }
}

impl Ckks {
    /// The scheme modulo an odd `q`, for `n` of at least 2.
    pub fn new(n: usize, q: BigInt) -> Self {
        assert!(n > 1 && q.is_odd(), "wanted n > 1 and q odd: n = {n}, q = {q}");
        Self { ring: Ring::new(n, q) }
    }

    /// The integer polynomial whose slot `j`, its value at `zeta^(3^j)` for `zeta = exp(i pi / n)`, is nearest to `scale` times slot `j`. It is not reduced.
    pub fn encode(&self, slots: &[Complex], scale: &Scale) -> Polynomial {
        embedding::encode(self.ring.n, slots, scale)
    }

    /// The slots of an integer polynomial, divided by the scale.
    pub fn decode(&self, message: &[BigInt], scale: &Scale) -> Vec<Complex> {
        assert!(message.len() == self.ring.n, "{} coefficients in a ring of degree {}", message.len(), self.ring.n);
        embedding::decode(message, scale)
    }

    /// `(-a s + e + m, a)`; of the message zero, it is a public key.
    pub fn encrypt_with_secret(&self, m: &[BigInt], secret: &[BigInt], a: &[BigInt], error: &[BigInt]) -> Ciphertext {
        self.mask_with_secret(m, secret, a, error)
    }

    /// `(p0 u + e0 + m, p1 u + e1)`.
    pub fn encrypt_with_public(
        &self,
        m: &[BigInt],
        public: (&[BigInt], &[BigInt]),
        u: &[BigInt],
        e0: &[BigInt],
        e1: &[BigInt],
    ) -> Ciphertext {
        self.mask_with_public(m, public, u, e0, e1)
    }

    /// The phase, centred: `m + e` where that is below `q / 2` in size.
    pub fn decrypt(&self, ciphertext: &Ciphertext, secret: &[BigInt]) -> Polynomial {
        self.phase(ciphertext, secret)
    }

    /// Encrypts the sum with a message in the clear, of the same scale.
    pub fn add_plain(&self, a: &Ciphertext, message: &[BigInt]) -> Ciphertext {
        self.add(a, &Ciphertext { components: vec![message.to_vec()] })
    }

    /// Encrypts the product with a message in the clear, of the product of the scales.
    pub fn mul_plain(&self, a: &Ciphertext, message: &[BigInt]) -> Ciphertext {
        a.map(|c| self.ring.mul(c, message))
    }

    /// Encrypts the product of the phases: the tensor product modulo `q`, three components from two pairs.
    pub fn multiply(&self, a: &Ciphertext, b: &Ciphertext) -> Ciphertext {
        self.tensor(a, b).map(|c| self.ring.reduce(c))
    }

    /// The scheme modulo `q / prime`.
    #[must_use]
    pub fn without(&self, prime: &BigInt) -> Self {
        let (smaller, rest) = self.ring.modulus.div_rem(prime);
        assert!(rest.is_zero(), "{prime} does not divide q = {}", self.ring.modulus);
        Self::new(self.ring.n, smaller)
    }

    /// `round(c_i / prime)` modulo `q / prime`: the phase and the scale divided by the prime. The result is of [`Ckks::without`] that prime.
    pub fn rescale(&self, a: &Ciphertext, prime: &BigInt) -> Ciphertext {
        self.switch_modulus(a, &self.without(prime).ring.modulus)
    }

    /// The same phase and scale modulo `q / prime`: the residues are reduced. The result is of [`Ckks::without`] that prime.
    pub fn drop_prime(&self, a: &Ciphertext, prime: &BigInt) -> Ciphertext {
        let smaller = self.without(prime).ring;
        a.map(|c| smaller.reduce(c))
    }

    /// `3^step` modulo `2n`: under `X -> X^(3^step)`, slots are rotated to the left by `step`, around the `n / 2` slots. With
    /// [`Rlwe::automorphism`] and then [`Rlwe::key_switch`] the result is under the same secret again.
    pub fn rotation(&self, step: usize) -> usize {
        (0..step % (self.ring.n / 2)).fold(1, |power, _| power * 3 % (2 * self.ring.n))
    }

    /// `2n - 1`: under `X -> X^(2n - 1)`, slots become their conjugates.
    pub fn conjugation(&self) -> usize {
        2 * self.ring.n - 1
    }
}
