//! Ciphertexts without scheme: two or three polynomials over the primes of a level.

use crate::params::Level;
use crate::ring::{Expander, Ntt, Poly, Seed};

/// Components `c_0, .., c_k` (k = 1, or 2 after a product that was not relinearized) with phase `sum c_i s^i`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ciphertext {
    components: Vec<Poly<Ntt>>,
    level: Level,
}

impl Ciphertext {
    /// From components over the basis of one level; two or three of them.
    pub fn new(components: Vec<Poly<Ntt>>, level: Level) -> Self {
        assert!((2..=3).contains(&components.len()), "a ciphertext has two or three components");
        assert!(components.iter().all(|c| c.basis().len() == level.0 + 1), "components of another level");
        Self { components, level }
    }

    /// The components.
    pub fn components(&self) -> &[Poly<Ntt>] {
        &self.components
    }

    /// The components, to be changed in place.
    pub fn components_mut(&mut self) -> &mut [Poly<Ntt>] {
        &mut self.components
    }

    /// The components themselves.
    pub fn into_components(self) -> Vec<Poly<Ntt>> {
        self.components
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether everything but the first component is zero: such a ciphertext shows its message to everybody, and a decryption of it
    /// would show the key.
    pub fn is_transparent(&self) -> bool {
        self.components.iter().skip(1).all(Poly::is_zero)
    }

    /// `self += other`; a missing third component counts as zero.
    pub fn add_assign(&mut self, other: &Self) {
        for (index, theirs) in other.components.iter().enumerate() {
            match self.components.get_mut(index) {
                Some(ours) => ours.add_assign(theirs),
                None => self.components.push(theirs.clone()),
            }
        }
    }

    /// `self = -self`.
    pub fn neg_assign(&mut self) {
        self.components.iter_mut().for_each(Poly::neg_assign);
    }
}

/// A fresh ciphertext whose uniform half is a seed: half the bytes of the expanded one.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededCiphertext {
    body: Poly<Ntt>,
    seed: Seed,
}

impl SeededCiphertext {
    /// Domain of the uniform half.
    pub const DOMAIN: &'static str = "ciphertext/uniform";

    /// From `c_0` over the primes of a level and the seed of `c_1`.
    pub fn new(body: Poly<Ntt>, seed: Seed) -> Self {
        Self { body, seed }
    }

    /// `c_0`.
    pub fn body(&self) -> &Poly<Ntt> {
        &self.body
    }

    /// The seed of `c_1`.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The level: that of `c_0`.
    pub fn level(&self) -> Level {
        Level(self.body.basis().len().saturating_sub(1))
    }

    /// Expands the uniform half, over the primes of `c_0`.
    pub fn expand(&self) -> Ciphertext {
        let uniform = Expander::new(&self.seed, Self::DOMAIN).uniform(self.body.basis());
        Ciphertext::new(vec![self.body.clone(), uniform], self.level())
    }
}
