//! Exact division with rounding by some of the primes of a basis, for polynomials in evaluation form.

use std::sync::Arc;

use blindrelay_kernels::{Backend, KernelError, RnsScaler};

use super::basis::Basis;
use super::poly::{Coeff, Ntt, Poly};

/// `x -> round(x / D)` from the primes `kept` and `dropped` (product `D`) to `kept`.
///
/// With `r` the centred remainder modulo `D`, the result is `(x - r) / D`; only the dropped primes are transformed back, and `r`
/// forth again modulo the kept ones.
#[derive(Debug)]
pub struct NttDivision {
    kept: Arc<Basis>,
    dropped: Arc<Basis>,
    remainder: RnsScaler,
    inverses: Vec<u64>,
}

impl NttDivision {
    /// Prepares the division.
    pub fn new(kept: &Arc<Basis>, dropped: &Arc<Basis>, backend: Backend) -> Result<Self, KernelError> {
        let remainder = RnsScaler::extend(&dropped.moduli(), &kept.moduli(), backend)?;
        let inverses = kept
            .moduli()
            .into_iter()
            .map(|p| {
                let product = dropped.moduli().iter().fold(1, |all, d| p.mul(all, p.reduce(d.value())));
                p.inverse(product).ok_or(KernelError::Bases { value: p.value() })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { kept: Arc::clone(kept), dropped: Arc::clone(dropped), remainder, inverses })
    }

    /// The basis of the result.
    pub fn kept(&self) -> &Arc<Basis> {
        &self.kept
    }

    /// Base-2 logarithm of the divisor.
    pub fn divisor_log2(&self) -> f64 {
        self.dropped.log2()
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
        let tail = Poly::<Ntt>::from_residues(&self.dropped, tail).into_coeff();
        let mut remainder = Poly::<Coeff>::stale(&self.kept);
        self.remainder.apply(tail.residues(), None, remainder.residues_mut());
        let remainder = remainder.into_ntt();
        let mut out = x.truncated(&self.kept);
        for (((limb, values), (_, r)), &inverse) in out.limbs_mut().zip(remainder.limbs()).zip(&self.inverses) {
            limb.arithmetic().sub_mul_scalar_assign(values, r, inverse);
        }
        out
    }
}
