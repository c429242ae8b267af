//! Polynomials over a basis, typed by representation.

use std::marker::PhantomData;
use std::sync::Arc;

use blindrelay_kernels::Buffer;
use zeroize::Zeroize;

use super::basis::{Basis, Limb};

mod sealed {
    pub trait Sealed {}
}

/// How the residues of a polynomial are to be read: [`Coeff`] or [`Ntt`]. There are no others.
pub trait Representation: sealed::Sealed + Copy + Send + Sync + 'static {}

/// Coefficients, the one of `X^0` first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coeff {}
/// Evaluations at the primitive roots, in the order of the scalar transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ntt {}

impl sealed::Sealed for Coeff {}
impl sealed::Sealed for Ntt {}
impl Representation for Coeff {}
impl Representation for Ntt {}

/// A polynomial modulo `X^n + 1` and modulo each prime of a basis: canonical residues, one prime after the other.
///
/// Arithmetic between polynomials of different bases is a broken invariant of the caller and panics; every public verb
/// of a scheme checks parameters and levels first and returns an error.
#[derive(Debug)]
pub struct Poly<R: Representation> {
    basis: Arc<Basis>,
    residues: Buffer,
    representation: PhantomData<R>,
}

impl<R: Representation> Clone for Poly<R> {
    fn clone(&self) -> Self {
        Self { basis: Arc::clone(&self.basis), residues: self.residues.clone(), representation: PhantomData }
    }
}

impl<R: Representation> PartialEq for Poly<R> {
    fn eq(&self, other: &Self) -> bool {
        self.basis == other.basis && self.residues == other.residues
    }
}

impl<R: Representation> Poly<R> {
    /// The zero polynomial.
    pub fn zero(basis: &Arc<Basis>) -> Self {
        let residues = Buffer::zeroed(basis.degree() * basis.len());
        Self { basis: Arc::clone(basis), residues, representation: PhantomData }
    }

    /// A polynomial whose residues the caller overwrites, all of them: until then they are those of some earlier polynomial.
    pub(crate) fn stale(basis: &Arc<Basis>) -> Self {
        let residues = Buffer::stale(basis.degree() * basis.len());
        Self { basis: Arc::clone(basis), residues, representation: PhantomData }
    }

    /// Takes residues in the layout of [`Poly::residues`], all canonical. Panics where the length is not `n` times the number
    /// of primes or a residue is not below its prime: foreign bytes are checked by `wire` before they come here.
    pub fn from_residues(basis: &Arc<Basis>, residues: &[u64]) -> Self {
        assert_eq!(residues.len(), basis.degree() * basis.len(), "residues do not fill the basis");
        let residues = Buffer::from_slice(residues);
        let poly = Self { basis: Arc::clone(basis), residues, representation: PhantomData };
        debug_assert!(poly.limbs().all(|(limb, values)| values.iter().all(|&x| x < limb.modulus().value())));
        poly
    }

    /// The basis.
    pub fn basis(&self) -> &Arc<Basis> {
        &self.basis
    }

    /// The degree `n` of the ring.
    pub fn degree(&self) -> usize {
        self.basis.degree()
    }

    /// All residues: `n` of the first prime, then `n` of the next.
    pub fn residues(&self) -> &[u64] {
        &self.residues
    }

    /// All residues, to be overwritten with canonical ones.
    pub fn residues_mut(&mut self) -> &mut [u64] {
        &mut self.residues
    }

    /// Each prime with its `n` residues.
    pub fn limbs(&self) -> impl ExactSizeIterator<Item = (&Limb, &[u64])> {
        self.basis.limbs().iter().map(AsRef::as_ref).zip(self.residues.chunks_exact(self.basis.degree()))
    }

    /// Each prime with its `n` residues, to be changed.
    pub fn limbs_mut(&mut self) -> impl ExactSizeIterator<Item = (&Limb, &mut [u64])> {
        self.basis.limbs().iter().map(AsRef::as_ref).zip(self.residues.chunks_exact_mut(self.basis.degree()))
    }

    /// The residues modulo prime number `index`; none where there is no such prime.
    pub fn limb(&self, index: usize) -> &[u64] {
        self.residues.chunks_exact(self.basis.degree()).nth(index).unwrap_or_default()
    }

    /// The residues modulo prime number `index`, to be changed; none where there is no such prime.
    pub fn limb_mut(&mut self, index: usize) -> &mut [u64] {
        let degree = self.basis.degree();
        self.residues.chunks_exact_mut(degree).nth(index).unwrap_or_default()
    }

    /// Whether every residue is zero. Its time does not depend on the values.
    pub fn is_zero(&self) -> bool {
        self.residues.iter().fold(0, |all, &x| all | x) == 0
    }

    /// The same residues over the first `count` primes.
    #[must_use]
    pub fn truncated(&self, basis: &Arc<Basis>) -> Self {
        assert!(
            basis.len() <= self.basis.len() && *self.basis.prefix(basis.len()) == **basis,
            "not a prefix of the basis"
        );
        let kept = self.residues.get(..basis.len() * basis.degree()).unwrap_or_default();
        Self { basis: Arc::clone(basis), residues: Buffer::from_slice(kept), representation: PhantomData }
    }

    /// The residues modulo the primes of `basis`, all of which this polynomial has.
    #[must_use]
    pub fn over_limbs_of(&self, basis: &Arc<Basis>) -> Self {
        let mut out = Self::stale(basis);
        for (limb, values) in out.limbs_mut() {
            let own = self.limbs().find(|(own, _)| own.modulus() == limb.modulus());
            assert!(own.is_some(), "a prime that the polynomial does not have");
            values.copy_from_slice(own.map(|(_, residues)| residues).unwrap_or_default());
        }
        out
    }

    pub(super) fn reinterpret<S: Representation>(self) -> Poly<S> {
        Poly { basis: self.basis, residues: self.residues, representation: PhantomData }
    }

    pub(super) fn assert_same_basis<S: Representation>(&self, other: &Poly<S>) {
        assert!(self.basis == other.basis, "polynomials over different bases");
    }
}

impl Poly<Coeff> {
    /// Transforms in place.
    pub fn into_ntt(mut self) -> Poly<Ntt> {
        for (limb, values) in self.limbs_mut() {
            limb.plan().forward(values);
        }
        self.reinterpret()
    }

    /// The same residues as evaluations, for callers that transformed every limb themselves.
    pub(crate) fn assume_ntt(self) -> Poly<Ntt> {
        self.reinterpret()
    }

    /// The residues of small signed coefficients, one per power of `X`. Constant time.
    pub fn from_small(basis: &Arc<Basis>, coefficients: &[i8]) -> Self {
        let mut poly = Self::stale(basis);
        for (limb, values) in poly.limbs_mut() {
            limb.arithmetic().from_small(values, coefficients);
        }
        poly
    }
}

impl Poly<Ntt> {
    /// The coefficients.
    pub fn to_coeff(&self) -> Poly<Coeff> {
        self.clone().into_coeff()
    }

    /// Transforms back in place.
    pub fn into_coeff(mut self) -> Poly<Coeff> {
        for (limb, values) in self.limbs_mut() {
            limb.plan().inverse(values);
        }
        self.reinterpret()
    }
}

impl<R: Representation> Zeroize for Poly<R> {
    fn zeroize(&mut self) {
        self.residues.zeroize();
    }
}
