//! Public and evaluation keys: what a service may hold.

use std::collections::BTreeMap;

use crate::params::Parameters;
use crate::ring::{Expander, GaloisElement, Ntt, NttPermutation, Poly, Seed};

/// An encryption of zero under the secret key, `(b, a)` with `b = -a s + e` over the ciphertext primes; `a` comes from a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey {
    body: Poly<Ntt>,
    uniform: Poly<Ntt>,
    seed: Seed,
}

impl PublicKey {
    /// Domain of the uniform half.
    pub const DOMAIN: &'static str = "public-key/uniform";

    /// From `b` and the seed of `a`.
    pub fn new(parameters: &Parameters, body: Poly<Ntt>, seed: Seed) -> Self {
        let uniform = Expander::new(&seed, Self::DOMAIN).uniform(parameters.top().basis());
        Self { body, uniform, seed }
    }

    /// `b`.
    pub fn body(&self) -> &Poly<Ntt> {
        &self.body
    }

    /// `a`.
    pub fn uniform(&self) -> &Poly<Ntt> {
        &self.uniform
    }

    /// The seed of `a`.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// One row of a key-switching key: `(b, a)` with `b = -a s + e + g s'` over the key basis.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyRow {
    /// `b`.
    pub body: Poly<Ntt>,
    /// `a`.
    pub uniform: Poly<Ntt>,
}

/// The uniform half of row `index` of a key with this seed, over the key basis.
pub fn row_uniform(parameters: &Parameters, seed: &Seed, index: usize) -> Poly<Ntt> {
    let row = seed.derive("evaluation-key/row", &(index as u64).to_le_bytes());
    Expander::new(&row, "evaluation-key/uniform").uniform(parameters.key_basis())
}

/// Turns a ciphertext part under one secret into one under another: a row for each digit of the top level's decomposition.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySwitchingKey {
    rows: Vec<KeyRow>,
    seed: Seed,
}

impl KeySwitchingKey {
    /// From the bodies of all rows and the seed of the uniform halves. `None` unless there is one body a digit.
    pub fn new(parameters: &Parameters, bodies: Vec<Poly<Ntt>>, seed: Seed) -> Option<Self> {
        if bodies.len() != parameters.top().decomposition().rows().len() {
            return None;
        }
        let rows = bodies
            .into_iter()
            .enumerate()
            .map(|(index, body)| KeyRow { body, uniform: row_uniform(parameters, &seed, index) })
            .collect();
        Some(Self { rows, seed })
    }

    /// The rows, in the order of the digits.
    pub fn rows(&self) -> &[KeyRow] {
        &self.rows
    }

    /// The seed of the uniform halves.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// Switches from `s^2` to `s`.
#[derive(Clone, Debug, PartialEq)]
pub struct RelinearizationKey(pub KeySwitchingKey);

/// Switches from the image of `s` under an automorphism to `s`.
#[derive(Clone, Debug)]
pub struct GaloisKey {
    permutation: NttPermutation,
    key: KeySwitchingKey,
}

impl GaloisKey {
    /// From the automorphism and its key.
    pub fn new(parameters: &Parameters, element: GaloisElement, key: KeySwitchingKey) -> Self {
        Self { permutation: NttPermutation::new(element, parameters.degree()), key }
    }

    /// The automorphism.
    pub fn element(&self) -> GaloisElement {
        self.permutation.element()
    }

    /// Its action on evaluations.
    pub fn permutation(&self) -> &NttPermutation {
        &self.permutation
    }

    /// The key.
    pub fn key(&self) -> &KeySwitchingKey {
        &self.key
    }
}

impl PartialEq for GaloisKey {
    fn eq(&self, other: &Self) -> bool {
        self.element() == other.element() && self.key == other.key
    }
}

/// What a service needs to evaluate: keys for relinearization and for chosen automorphisms, all of one secret.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationKeys {
    parameters: Parameters,
    relinearization: Option<RelinearizationKey>,
    galois: BTreeMap<GaloisElement, GaloisKey>,
}

impl EvaluationKeys {
    /// From its parts.
    pub fn new(
        parameters: &Parameters,
        relinearization: Option<RelinearizationKey>,
        galois: impl IntoIterator<Item = GaloisKey>,
    ) -> Self {
        let galois = galois.into_iter().map(|key| (key.element(), key)).collect();
        Self { parameters: parameters.clone(), relinearization, galois }
    }

    /// The parameters of every key in the set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The relinearization key, if the set has one.
    pub fn relinearization(&self) -> Option<&RelinearizationKey> {
        self.relinearization.as_ref()
    }

    /// The key of an automorphism, if the set has it.
    pub fn galois(&self, element: GaloisElement) -> Option<&GaloisKey> {
        self.galois.get(&element)
    }

    /// All automorphism keys, by element.
    pub fn galois_keys(&self) -> impl ExactSizeIterator<Item = &GaloisKey> {
        self.galois.values()
    }
}
