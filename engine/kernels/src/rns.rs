//! RNS conversion with exact rounding: basis extension, modulus switching, division by special primes, BFV
//! scale-and-round and decryption are one kernel with different constants.
//!
//! For `X` given by residues `x_i` modulo the primes `q_i` (product `Q`), the numbers `y_i = x_i * A_i mod q_i` satisfy
//! `sum y_i * Q / q_i = F * X + v * Q` with `F * X` reduced to the centred interval, and `v = round(sum y_i / q_i)`: the
//! fast basis conversion of Bajard et al. with the rounding of Halevi, Polyakov and Shoup (*An improved RNS variant of
//! the BFV homomorphic encryption scheme*, 2019), except that `v` is exact here. Modulo each output prime `b_j`
//!
//! ```text
//! out_j = sum_i y_i * C_ij + v * V_j + x_j * E_j
//! ```
//!
//! * extension: `A_i = (Q / q_i)^-1`, `C_ij = Q / q_i`, `V_j = -Q`, `E_j = 0` gives the centred `X`;
//! * division: `A_i = F * (Q / q_i)^-1`, `C_ij = -1 / q_i`, `V_j = 1`, `E_j = F / Q` gives `round(F * X / Q)`, because
//!   `F * X = Q * round(F * X / Q) + r` with the centred remainder `r = sum y_i * Q / q_i - v * Q`.

mod rounding;

use crate::backend::Backend;
use crate::error::KernelError;
use crate::modulus::Modulus;
use crate::reduction::{FixedFactor, LaneConstants, NarrowReduction, WideReduction};
use crate::scalar;
pub(crate) use rounding::Rounding;

/// Most primes that a basis of a conversion can have.
pub const MAX_RNS_LIMBS: usize = 64;

/// One source prime `q_i`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) modulus: Modulus,
    pub(crate) lanes: LaneConstants,
    /// `A_i`.
    pub(crate) factor: FixedFactor,
}

/// One target prime `b_j`.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) lanes: LaneConstants,
    pub(crate) wide: WideReduction,
    pub(crate) narrow: NarrowReduction,
    /// `C_ij` for every source prime.
    pub(crate) coefficients: Vec<u64>,
    /// `V_j`.
    pub(crate) rounds: u64,
    /// `E_j`.
    pub(crate) carry: u64,
}

impl Target {
    fn new(modulus: Modulus, coefficients: Vec<u64>, rounds: u64, carry: u64) -> Self {
        let (lanes, wide, narrow) =
            (LaneConstants::new(modulus), WideReduction::new(modulus), NarrowReduction::new(modulus));
        Self { lanes, wide, narrow, coefficients, rounds, carry }
    }
}

/// Where the residues `x_j` modulo the target primes are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Carry<'a> {
    /// Nowhere: every `E_j` is zero.
    Absent,
    /// In limbs of their own.
    Limbs(&'a [&'a [u64]]),
    /// In the output, which is read before it is overwritten.
    InPlace,
}

/// The exact conversion of integers from one RNS basis to another, with or without a division by the source basis.
///
/// Limbs are contiguous and limb-major: a polynomial of `k` limbs and `n` coefficients is `k * n` canonical residues.
///
/// The time depends on the values only where a coefficient lies within about `k * 2^-50` of a rounding boundary
/// (probability about `k * 2^-49` for random data), and is then settled with integers of full length: meant for public
/// data and for the key holder's own.
#[derive(Clone, Debug)]
pub struct RnsScaler {
    pub(crate) sources: Vec<Source>,
    pub(crate) targets: Vec<Target>,
    pub(crate) rounding: Rounding,
    /// So many products `y_i * C_ij` may be summed, beside the other two and a residue, before a reduction.
    pub(crate) max_terms: usize,
    /// Whether every complete sum fits [`NarrowReduction`].
    pub(crate) is_narrow: bool,
    needs_carry: bool,
    backend: Backend,
}

impl RnsScaler {
    /// The centred extension: `out_j = X mod b_j` for the `X` in `(-Q/2, Q/2)` with residues `x_i`.
    ///
    /// # Errors
    /// [`KernelError::Bases`] if a basis is empty, the source basis repeats a prime, or the bases share one.
    ///
    /// # Panics
    /// If a basis has more than [`MAX_RNS_LIMBS`] primes.
    pub fn extend(from: &[Modulus], to: &[Modulus], backend: Backend) -> Result<Self, KernelError> {
        let sources = sources(from, to, &[])?;
        let targets = to.iter().map(|&target| {
            let coefficients = (0..from.len()).map(|i| cofactor(from, i, target)).collect();
            Target::new(target, coefficients, target.neg(product(from.iter().map(|q| q.value()), target)), 0)
        });
        Ok(Self::assemble(from, sources, targets.collect(), backend))
    }

    /// The division: `out_j = round(F * X / Q) mod b_j` for an integer `X` of any size, given modulo `Q` and modulo every
    /// `b_j` with `F / Q` not zero there; `F` is the product of the numbers in `numerator`, 1 if there is none.
    ///
    /// # Errors
    /// [`KernelError::Bases`] if a basis is empty, the source basis repeats a prime, or the bases share one.
    ///
    /// # Panics
    /// If a basis has more than [`MAX_RNS_LIMBS`] primes.
    pub fn divide(from: &[Modulus], to: &[Modulus], numerator: &[u64], backend: Backend) -> Result<Self, KernelError> {
        let sources = sources(from, to, numerator)?;
        let targets = to.iter().map(|&target| {
            // The bases are coprime, so that every inverse exists.
            let inverse = |q: u64| target.inverse(target.reduce(q)).unwrap_or(0);
            let scale = product(numerator.iter().copied(), target);
            let coefficients = from.iter().map(|q| target.neg(inverse(q.value()))).collect();
            let carry = from.iter().fold(scale, |carry, q| target.mul(carry, inverse(q.value())));
            Target::new(target, coefficients, 1, carry)
        });
        Ok(Self::assemble(from, sources, targets.collect(), backend))
    }

    fn assemble(from: &[Modulus], sources: Vec<Source>, targets: Vec<Target>, backend: Backend) -> Self {
        let target_bits = targets.iter().map(|target| target.wide.modulus.bits()).max().unwrap_or(0);
        let bits = from.iter().map(|q| q.bits()).max().unwrap_or(0).max(target_bits) + target_bits;
        // The carry takes the place of one product, `v * V_j` and the residue that of another.
        let max_terms = (1 << (104 - bits).min(11)) - 2;
        // v <= limbs, and the carry's residue is below its prime.
        let widest_target = targets.iter().map(|target| target.lanes.p).max().unwrap_or(0);
        let factors = from.iter().map(|q| q.value()).sum::<u64>() + widest_target + from.len() as u64;
        let is_narrow = NarrowReduction::admits(factors);
        let needs_carry = targets.iter().any(|target| target.carry != 0);
        Self { sources, targets, rounding: Rounding::new(from), max_terms, is_narrow, needs_carry, backend }
    }

    /// Number of source limbs.
    pub fn source_limbs(&self) -> usize {
        self.sources.len()
    }

    /// Number of target limbs.
    pub fn target_limbs(&self) -> usize {
        self.targets.len()
    }

    /// Whether a call needs the residues of `X` modulo the target primes.
    pub fn needs_carry(&self) -> bool {
        self.needs_carry
    }

    /// Converts `from` (source limbs x n) into `out` (target limbs x n); `carry` (target limbs x n) holds the residues of
    /// the same integers modulo the target primes.
    ///
    /// # Panics
    /// If a length does not fit, or if `carry` is missing where [`Self::needs_carry`] says that it is needed.
    pub fn apply(&self, from: &[u64], carry: Option<&[u64]>, out: &mut [u64]) {
        let n = self.length(from.len(), out.len());
        if let Some(carry) = carry {
            assert_eq!(carry.len(), self.targets.len() * n, "carry of an RNS conversion");
            let limbs = split(carry, n);
            self.run(from, Carry::Limbs(&limbs[..self.targets.len()]), out, n);
        } else {
            assert!(!self.needs_carry, "this RNS division needs the residues modulo the target primes");
            self.run(from, Carry::Absent, out, n);
        }
    }

    /// Like [`Self::apply`] with the carry in `values`, which the result replaces.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn apply_assign(&self, from: &[u64], values: &mut [u64]) {
        let n = self.length(from.len(), values.len());
        self.run(from, Carry::InPlace, values, n);
    }

    /// Like [`Self::apply`], for limbs that lie anywhere, such as the same range of coefficients of every limb.
    ///
    /// # Panics
    /// If a number of limbs or a length does not fit, or if a needed carry is missing.
    pub fn apply_limbs(&self, from: &[&[u64]], carry: Option<&[&[u64]]>, out: &mut [&mut [u64]]) {
        let n = from.first().map_or(0, |limb| limb.len());
        assert_eq!((from.len(), out.len()), (self.sources.len(), self.targets.len()), "limbs of an RNS conversion");
        assert!(from.iter().all(|limb| limb.len() == n), "limbs of an RNS conversion differ in length");
        assert!(out.iter().all(|limb| limb.len() == n), "limbs of an RNS conversion differ in length");
        if let Some(carry) = carry {
            assert_eq!(carry.len(), self.targets.len(), "carry of an RNS conversion");
            assert!(carry.iter().all(|limb| limb.len() == n), "limbs of an RNS conversion differ in length");
        } else {
            assert!(!self.needs_carry, "this RNS division needs the residues modulo the target primes");
        }
        self.dispatch(from, carry.map_or(Carry::Absent, Carry::Limbs), out);
    }

    /// The number of coefficients `n` of a call, after checking both lengths.
    fn length(&self, from: usize, out: usize) -> usize {
        let n = from / self.sources.len();
        assert_eq!(from, self.sources.len() * n, "input of an RNS conversion");
        assert_eq!(out, self.targets.len() * n, "output of an RNS conversion");
        n
    }

    fn run(&self, from: &[u64], carry: Carry<'_>, out: &mut [u64], n: usize) {
        let sources = split(from, n);
        let mut rest = out.chunks_exact_mut(n.max(1));
        let mut outputs: [&mut [u64]; MAX_RNS_LIMBS] = core::array::from_fn(|_| rest.next().unwrap_or_default());
        self.dispatch(&sources[..self.sources.len()], carry, &mut outputs[..self.targets.len()]);
    }

    fn dispatch(&self, from: &[&[u64]], carry: Carry<'_>, out: &mut [&mut [u64]]) {
        match self.backend {
            Backend::Scalar => scalar::rns::convert(self, from, carry, out, 0),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => token.convert(self, from, carry, out),
        }
    }
}

/// The limbs of `n` coefficients, followed by empty ones.
fn split(limbs: &[u64], n: usize) -> [&[u64]; MAX_RNS_LIMBS] {
    let mut rest = limbs.chunks_exact(n.max(1));
    core::array::from_fn(|_| rest.next().unwrap_or_default())
}

/// The product of integers modulo `modulus`.
fn product(factors: impl Iterator<Item = u64>, modulus: Modulus) -> u64 {
    factors.fold(1, |product, factor| modulus.mul(product, modulus.reduce(factor)))
}

/// `Q / q_i mod modulus`.
fn cofactor(from: &[Modulus], i: usize, modulus: Modulus) -> u64 {
    product(from.iter().enumerate().filter(|&(l, _)| l != i).map(|(_, q)| q.value()), modulus)
}

/// Checks the bases and computes `A_i = numerator * (Q / q_i)^-1 mod q_i`.
fn sources(from: &[Modulus], to: &[Modulus], numerator: &[u64]) -> Result<Vec<Source>, KernelError> {
    assert!(from.len() <= MAX_RNS_LIMBS, "{} source primes, at most {MAX_RNS_LIMBS}", from.len());
    assert!(to.len() <= MAX_RNS_LIMBS, "{} target primes, at most {MAX_RNS_LIMBS}", to.len());
    if from.is_empty() || to.is_empty() {
        return Err(KernelError::Bases { value: 0 });
    }
    let source = |(i, &modulus): (usize, &Modulus)| {
        let inverse = modulus.inverse(cofactor(from, i, modulus)).filter(|_| !to.contains(&modulus));
        let inverse = inverse.ok_or(KernelError::Bases { value: modulus.value() })?;
        let factor = modulus.mul(inverse, product(numerator.iter().copied(), modulus));
        Ok(Source { modulus, lanes: LaneConstants::new(modulus), factor: FixedFactor::new(modulus, factor) })
    };
    from.iter().enumerate().map(source).collect()
}
