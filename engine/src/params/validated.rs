//! Validated parameters with the tables of every level.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_kernels::Backend;

use super::digest::ParameterDigest;
use super::security::product_bits;
use super::spec::{ParameterError, ParameterSpec, Scheme};
use crate::ring::{Basis, Decomposition, NttDivision, Scaling};

/// How many modulus switches a ciphertext has left: level `l` means `l + 1` primes, level 0 is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub usize);

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The ring of one level with the maps that leave it.
#[derive(Debug)]
pub struct RingLevel {
    basis: Arc<Basis>,
    decomposition: Decomposition,
    drop_special: Option<NttDivision>,
    drop_prime: Option<NttDivision>,
    to_answer: Option<Scaling>,
}

impl RingLevel {
    /// The primes of this level.
    pub fn basis(&self) -> &Arc<Basis> {
        &self.basis
    }

    /// Digits for key switching at this level.
    pub fn decomposition(&self) -> &Decomposition {
        &self.decomposition
    }

    /// Division by the special primes, where the set has any.
    pub fn drop_special(&self) -> Option<&NttDivision> {
        self.drop_special.as_ref()
    }

    /// Division by this level's last prime, except at level 0.
    pub fn drop_prime(&self) -> Option<&NttDivision> {
        self.drop_prime.as_ref()
    }

    /// The switch to the answer prime, where the set has one.
    pub fn to_answer(&self) -> Option<&Scaling> {
        self.to_answer.as_ref()
    }
}

#[derive(Debug)]
struct Inner {
    spec: ParameterSpec,
    digest: ParameterDigest,
    backend: Backend,
    modulus_bits: u32,
    key_basis: Arc<Basis>,
    answer_basis: Option<Arc<Basis>>,
    levels: Vec<RingLevel>,
}

/// A validated, immutable parameter set with its tables, cheap to clone.
#[derive(Clone, Debug)]
pub struct Parameters(Arc<Inner>);

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Parameters {
    /// Checks a specification and builds its tables for one backend.
    ///
    /// Refused: a modulus above the ceiling of the policy, an improper name, repeated or unsuitable primes, special primes smaller than a
    /// group of ciphertext primes, a plaintext modulus with no room above it.
    pub fn new(spec: ParameterSpec, backend: Backend) -> Result<Self, ParameterError> {
        let modulus_bits = check(&spec)?;
        let key_primes: Vec<u64> = spec.ciphertext_primes.iter().chain(&spec.special_primes).copied().collect();
        let key_basis = Basis::new(spec.ring_degree, &key_primes, backend)?;
        let special = key_basis.slice(spec.ciphertext_primes.len()..key_primes.len());
        let answer_basis =
            spec.answer_prime.map(|prime| Basis::new(spec.ring_degree, &[prime], backend)).transpose()?;
        let levels = (1..=spec.ciphertext_primes.len())
            .map(|count| ring_level(&spec, &key_basis.prefix(count), &special, answer_basis.as_ref(), backend))
            .collect::<Result<Vec<_>, _>>()?;
        let digest = ParameterDigest::of(&spec);
        Ok(Self(Arc::new(Inner { spec, digest, backend, modulus_bits, key_basis, answer_basis, levels })))
    }

    /// The specification these parameters were made from.
    pub fn spec(&self) -> &ParameterSpec {
        &self.0.spec
    }

    /// The name of the set.
    pub fn name(&self) -> &str {
        &self.0.spec.name
    }

    /// The digest that names the set on the wire.
    pub fn digest(&self) -> ParameterDigest {
        self.0.digest
    }

    /// The backend the tables were built for.
    pub fn backend(&self) -> Backend {
        self.0.backend
    }

    /// The ring degree `n`.
    pub fn degree(&self) -> usize {
        self.0.spec.ring_degree
    }

    /// Bit length of `Q P`.
    pub fn modulus_bits(&self) -> u32 {
        self.0.modulus_bits
    }

    /// Ciphertext primes followed by special primes: the basis of every key.
    pub fn key_basis(&self) -> &Arc<Basis> {
        &self.0.key_basis
    }

    /// The answer prime as a basis, where the set has one.
    pub fn answer_basis(&self) -> Option<&Arc<Basis>> {
        self.0.answer_basis.as_ref()
    }

    /// The level of a fresh ciphertext.
    pub fn top_level(&self) -> Level {
        Level(self.0.levels.len() - 1)
    }

    /// The ring of a level; `None` above the top level.
    pub fn at(&self, level: Level) -> Option<&RingLevel> {
        self.0.levels.get(level.0)
    }

    /// The ring of a fresh ciphertext.
    #[expect(clippy::expect_used, reason = "check() refuses a set without ciphertext primes")]
    pub fn top(&self) -> &RingLevel {
        self.0.levels.last().expect("a validated set has at least one level")
    }
}

fn check(spec: &ParameterSpec) -> Result<u32, ParameterError> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if spec.name.is_empty() || spec.name.len() > 32 || !spec.name.chars().all(legal) {
        return Err(ParameterError::Name { length: spec.name.len() });
    }
    if spec.ciphertext_primes.is_empty() {
        return Err(ParameterError::NoPrimes);
    }
    if !(2..=50).contains(&spec.digit_bits) {
        return Err(ParameterError::DigitBits { bits: spec.digit_bits });
    }
    let plaintext_modulus = match spec.scheme {
        Scheme::Bfv { plaintext_modulus } => Some(plaintext_modulus),
        Scheme::Ckks { .. } => None,
    };
    let mut seen = BTreeSet::from_iter(plaintext_modulus);
    for &prime in spec.ciphertext_primes.iter().chain(&spec.special_primes).chain(&spec.answer_prime) {
        if !seen.insert(prime) {
            return Err(ParameterError::Repeated { prime });
        }
    }
    let primes: Vec<u64> = spec.ciphertext_primes.iter().chain(&spec.special_primes).copied().collect();
    let bits = product_bits(&primes);
    let ceiling = spec.policy.max_modulus_bits(spec.ring_degree);
    if bits > ceiling {
        let (degree, policy) = (spec.ring_degree, spec.policy.name());
        return Err(ParameterError::AboveCeiling { bits, ceiling, degree, policy });
    }
    if !spec.special_primes.is_empty() {
        let special = product_bits(&spec.special_primes);
        let group = spec.ciphertext_primes.chunks(spec.special_primes.len()).map(product_bits).max().unwrap_or(0);
        if group > special {
            return Err(ParameterError::SpecialTooSmall { special, group });
        }
    }
    check_scheme(spec)?;
    Ok(bits)
}

fn check_scheme(spec: &ParameterSpec) -> Result<(), ParameterError> {
    match spec.scheme {
        Scheme::Bfv { plaintext_modulus: plaintext } => {
            blindrelay_kernels::Modulus::new(plaintext)?;
            let (plaintext_bits, modulus_bits) = (product_bits(&[plaintext]), product_bits(&spec.ciphertext_primes));
            if plaintext_bits + 8 > modulus_bits {
                return Err(ParameterError::PlaintextTooLarge { plaintext, plaintext_bits, modulus_bits });
            }
        }
        Scheme::Ckks { scale_bits: bits } => {
            let first = spec.ciphertext_primes.first().map_or(0, |&prime| product_bits(&[prime]));
            if !(20..=50).contains(&bits) || bits >= first {
                return Err(ParameterError::ScaleBits { bits, first });
            }
        }
    }
    Ok(())
}

fn ring_level(
    spec: &ParameterSpec,
    basis: &Arc<Basis>,
    special: &Arc<Basis>,
    answer: Option<&Arc<Basis>>,
    backend: Backend,
) -> Result<RingLevel, ParameterError> {
    let (decomposition, drop_special) = if special.is_empty() {
        (Decomposition::digits(basis, spec.digit_bits), None)
    } else {
        (Decomposition::groups(basis, special, backend)?, Some(NttDivision::new(basis, special, backend)?))
    };
    let last = basis.len() - 1;
    let drop_prime = (last > 0)
        .then(|| NttDivision::new(&basis.prefix(last), &basis.slice(last..basis.len()), backend))
        .transpose()?;
    let to_answer =
        answer.zip(spec.answer_prime).map(|(to, prime)| Scaling::divide(basis, to, &[prime], backend)).transpose()?;
    Ok(RingLevel { basis: Arc::clone(basis), decomposition, drop_special, drop_prime, to_answer })
}
