//! Exact division with rounding by some of the primes of a basis, for polynomials in evaluation form.

use std::sync::Arc;

use blindrelay_kernels::{Backend, Buffer, KernelError, Prefetch, RnsScaler};

use super::basis::{Basis, Limb};
use super::poly::{Coeff, Ntt, Poly};

/// `x -> round(x / D)` from the primes `kept` and `dropped` (product `D`) to `kept`.
///
/// With `r` the centred remainder modulo `D`, the result is `(x - r) / D`; only the dropped primes are transformed back, and `r`
/// forth again modulo the kept ones.
#[derive(Debug)]
pub struct NttDivision {
    kept: Arc<Basis>,
    dropped: Arc<Basis>,
    /// The extension of remainders to the kept primes; a single dropped prime needs none.
    extension: Option<RnsScaler>,
    /// `D` and its inverse modulo every kept prime.
    divisors: Vec<[u64; 2]>,
}

/// The centred remainder modulo `D` of a polynomial that an [`NttDivision`] divides.
///
/// Held as residues modulo the dropped prime where there is one, modulo the kept primes otherwise.
#[derive(Debug)]
pub struct Remainder(Poly<Coeff>);

impl NttDivision {
    /// Prepares the division.
    pub fn new(kept: &Arc<Basis>, dropped: &Arc<Basis>, backend: Backend) -> Result<Self, KernelError> {
        let extension = RnsScaler::extend(&dropped.moduli(), &kept.moduli(), backend)?;
        let divisors = kept
            .moduli()
            .into_iter()
            .map(|p| {
                let product = dropped.moduli().iter().fold(1, |all, d| p.mul(all, p.reduce(d.value())));
                Ok([product, p.inverse(product).ok_or(KernelError::Bases { value: p.value() })?])
            })
            .collect::<Result<_, _>>()?;
        let extension = (dropped.len() > 1).then_some(extension);
        Ok(Self { kept: Arc::clone(kept), dropped: Arc::clone(dropped), extension, divisors })
    }

    /// The basis of the result.
    pub fn kept(&self) -> &Arc<Basis> {
        &self.kept
    }

    /// The primes that are divided by.
    pub fn dropped(&self) -> &Arc<Basis> {
        &self.dropped
    }

    /// Base-2 logarithm of the divisor.
    pub fn divisor_log2(&self) -> f64 {
        self.dropped.log2()
    }

    /// The divisor modulo kept prime number `index`; zero where there is no such prime.
    pub fn divisor(&self, index: usize) -> u64 {
        self.divisors.get(index).map_or(0, |[divisor, _]| *divisor)
    }

    /// Divides a polynomial whose basis is `kept` followed by `dropped`.
    pub fn apply(&self, x: &Poly<Ntt>) -> Poly<Ntt> {
        let degree = x.degree();
        assert_eq!(
            x.basis().len(),
            self.kept.len() + self.dropped.len(),
            "polynomial over another basis than the division's"
        );
        let tail = x.residues().get(self.kept.len() * degree..).unwrap_or_default();
        let remainder = self.remainder(Poly::from_residues(&self.dropped, tail));
        let mut scratch = Buffer::stale(degree);
        let mut out = Poly::stale(&self.kept);
        for (index, (((limb, values), (_, x)), [_, inverse])) in
            out.limbs_mut().zip(x.limbs()).zip(&self.divisors).enumerate()
        {
            self.transform(index, limb, &remainder, &mut scratch, &mut Prefetch::none());
            limb.arithmetic().sub_mul_scalar(values, x, &scratch, *inverse);
        }
        out
    }

    /// The remainder of a polynomial with these residues modulo the dropped primes.
    pub fn remainder(&self, dropped: Poly<Ntt>) -> Remainder {
        assert!(*dropped.basis() == self.dropped, "residues modulo other primes than the division's");
        let dropped = dropped.into_coeff();
        Remainder(match &self.extension {
            None => dropped,
            Some(extension) => {
                let mut remainder = Poly::stale(&self.kept);
                extension.apply(dropped.residues(), None, remainder.residues_mut());
                remainder
            }
        })
    }

    /// Divides the residues modulo kept prime number `index` in place and meanwhile brings `ahead` closer.
    pub fn divide_limb(
        &self,
        index: usize,
        values: &mut [u64],
        remainder: &Remainder,
        scratch: &mut [u64],
        ahead: &mut Prefetch<'_>,
    ) {
        if let Some((limb, [_, inverse])) = self.at(index) {
            self.transform(index, limb, remainder, scratch, ahead);
            limb.arithmetic().sub_mul_scalar_assign(values, scratch, *inverse);
        }
    }

    fn at(&self, index: usize) -> Option<(&Limb, &[u64; 2])> {
        Some((self.kept.limbs().get(index)?, self.divisors.get(index)?))
    }

    /// The remainder modulo kept prime number `index`, in evaluation form.
    fn transform(&self, index: usize, limb: &Limb, remainder: &Remainder, out: &mut [u64], ahead: &mut Prefetch<'_>) {
        match remainder.of_one_prime(self) {
            Some((source, residues)) => limb.plan().forward_centred(out, residues, source.modulus(), ahead),
            None => limb.plan().forward_from(out, remainder.0.limb(index)),
        }
    }

    /// The remainder modulo kept prime number `index`, in coefficients.
    fn lift(&self, index: usize, limb: &Limb, remainder: &Remainder, out: &mut [u64]) {
        match remainder.of_one_prime(self) {
            Some((source, residues)) => limb.arithmetic().lift_centred(out, residues, source.modulus()),
            None => out.copy_from_slice(remainder.0.limb(index)),
        }
    }
}

impl Remainder {
    fn of_one_prime<'a>(&'a self, division: &NttDivision) -> Option<(&'a Limb, &'a [u64])> {
        if division.extension.is_some() { None } else { self.0.limbs().next() }
    }
}

/// A division by `D` (`first`) and then by the last of the primes it keeps (`second`), with the remainders of both: the same integers as
/// one after the other, for one transform a kept prime instead of two.
///
/// With remainders `r` of `x` and `r'` of `round(x / D)`, the result is `(x - (r + D r')) / (D q)`.
#[derive(Debug)]
pub struct SuccessiveRemainder<'a> {
    first: &'a NttDivision,
    second: &'a NttDivision,
    remainder: &'a Remainder,
    /// `r'` modulo the prime that the second division drops.
    next: Poly<Coeff>,
}

impl<'a> SuccessiveRemainder<'a> {
    /// From the first remainder and the undivided residues modulo the prime `q` that the second division drops.
    pub fn new(
        first: &'a NttDivision,
        second: &'a NttDivision,
        remainder: &'a Remainder,
        dropped: Poly<Ntt>,
        scratch: &mut [u64],
    ) -> Self {
        let index = second.kept.len();
        assert!(index + 1 == first.kept.len() && *dropped.basis() == second.dropped, "divisions that do not succeed");
        let mut next = dropped.into_coeff();
        if let (Some((limb, [_, inverse])), values) = (first.at(index), next.residues_mut()) {
            first.lift(index, limb, remainder, scratch);
            limb.arithmetic().sub_mul_scalar_assign(values, scratch, *inverse);
        }
        Self { first, second, remainder, next }
    }

    /// Divides the residues modulo kept prime number `index` in place.
    pub fn divide_limb(&self, index: usize, values: &mut [u64], scratch: &mut [u64]) {
        let divisors = self.first.at(index).zip(self.second.at(index));
        let (Some(((limb, [divisor, first]), (_, [_, second]))), Some((source, next))) =
            (divisors, self.next.limbs().next())
        else {
            return;
        };
        let arithmetic = limb.arithmetic();
        self.first.lift(index, limb, self.remainder, scratch);
        arithmetic.lift_centred_mul_add_assign(scratch, next, source.modulus(), *divisor);
        limb.plan().forward(scratch);
        arithmetic.sub_mul_scalar_assign(values, scratch, limb.modulus().mul(*first, *second));
    }
}
