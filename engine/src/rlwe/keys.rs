//! Public and evaluation keys: what a service may hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, KeyName};
use crate::params::{Level, Parameters};
use crate::ring::{Basis, Expander, GaloisElement, Ntt, NttPermutation, Poly, Seed};

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
    row_uniform_over(parameters.key_basis(), seed, index)
}

/// [`row_uniform`] of a key for a level and those below, over that level's primes and the special ones.
pub fn row_uniform_over(basis: &Arc<Basis>, seed: &Seed, index: usize) -> Poly<Ntt> {
    let row = seed.derive("evaluation-key/row", &(index as u64).to_le_bytes());
    Expander::new(&row, "evaluation-key/uniform").uniform(basis)
}

/// Turns a ciphertext part under one secret into one under another: a row for each digit of a level's decomposition. It serves that level and those below.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySwitchingKey {
    rows: Vec<KeyRow>,
    seed: Seed,
    level: Level,
}

impl KeySwitchingKey {
    /// For every level, from the bodies of all rows and the seed of the uniform halves. `None` unless there is one body a digit.
    pub fn new(parameters: &Parameters, bodies: Vec<Poly<Ntt>>, seed: Seed) -> Option<Self> {
        Self::up_to(parameters, parameters.top_level(), bodies, seed)
    }

    /// For `level` and those below: bodies over the level's primes and the special ones, one a digit of that level; `None` otherwise.
    pub fn up_to(parameters: &Parameters, level: Level, bodies: Vec<Poly<Ntt>>, seed: Seed) -> Option<Self> {
        let decomposition = parameters.at(level)?.decomposition();
        let basis = decomposition.target();
        if bodies.len() != decomposition.rows().len() || bodies.iter().any(|body| body.basis() != basis) {
            return None;
        }
        let rows = bodies
            .into_iter()
            .enumerate()
            .map(|(index, body)| KeyRow { body, uniform: row_uniform_over(basis, &seed, index) })
            .collect();
        Some(Self { rows, seed, level })
    }

    /// The highest level that it serves.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Bytes it occupies in memory: both halves of every row.
    pub fn byte_len(&self) -> usize {
        let halves = self.rows.iter().flat_map(|row| [&row.body, &row.uniform]);
        halves.map(|half| std::mem::size_of_val(half.residues())).sum()
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

    /// The relinearization key for ciphertexts of a level. Refused where there is none, or one for lower levels only.
    pub fn relinearization_at(&self, level: Level) -> Result<&RelinearizationKey, Error> {
        let name = KeyName::Relinearization;
        let key = self.relinearization.as_ref().ok_or(Error::MissingKey { key: name })?;
        serves(name, &key.0, level)?;
        Ok(key)
    }

    /// The key of an automorphism for ciphertexts of a level. Refused where there is none, or one for lower levels only.
    pub fn galois_at(&self, element: GaloisElement, level: Level) -> Result<&GaloisKey, Error> {
        let name = KeyName::Galois(element.value());
        let key = self.galois(element).ok_or(Error::MissingKey { key: name })?;
        serves(name, &key.key, level)?;
        Ok(key)
    }

    /// All automorphism keys, by element.
    pub fn galois_keys(&self) -> impl ExactSizeIterator<Item = &GaloisKey> {
        self.galois.values()
    }
}

fn serves(key: KeyName, found: &KeySwitchingKey, level: Level) -> Result<(), Error> {
    if found.level >= level { Ok(()) } else { Err(Error::KeyLevel { key, found: found.level, needed: level }) }
}

/// Which keys a computation uses, and up to which level: keys for lower levels are smaller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPlan {
    /// The highest level at which ciphertexts are relinearized, if any are.
    pub relinearization: Option<Level>,
    /// The automorphisms, each with the highest level at which it is applied.
    pub galois: BTreeMap<GaloisElement, Level>,
}

impl KeyPlan {
    /// Notes a relinearization.
    pub fn relinearize_at(&mut self, level: Level) {
        self.relinearization = self.relinearization.max(Some(level));
    }

    /// Notes an automorphism.
    pub fn apply_at(&mut self, element: GaloisElement, level: Level) {
        let highest = self.galois.entry(element).or_insert(level);
        *highest = level.max(*highest);
    }

    /// The keys of the plan that a set of keys lacks or has for lower levels only.
    pub fn missing(&self, keys: Option<&EvaluationKeys>) -> Vec<KeyName> {
        let lacks = |level: Level| keys.is_none_or(|keys| keys.relinearization_at(level).is_err());
        let relinearization = self.relinearization.filter(|&level| lacks(level)).map(|_| KeyName::Relinearization);
        let galois = self
            .galois
            .iter()
            .filter(|(element, level)| keys.is_none_or(|keys| keys.galois_at(**element, **level).is_err()));
        relinearization.into_iter().chain(galois.map(|(element, _)| KeyName::Galois(element.value()))).collect()
    }
}
