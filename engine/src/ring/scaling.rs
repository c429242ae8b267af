//! Exact maps between bases: centred extension, and division with rounding.

use std::sync::Arc;

use blindrelay_kernels::{Backend, KernelError, RnsScaler};

use super::basis::Basis;
use super::poly::{Coeff, Poly};

/// A prepared map `X -> round(numerator * X / Q) mod to`, or the centred extension of `X mod Q` to another basis.
///
/// The kernel is exact: no floating point, no approximate quotient (see [`RnsScaler`]).
#[derive(Debug)]
pub struct Scaling {
    from: Arc<Basis>,
    to: Arc<Basis>,
    scaler: RnsScaler,
}

impl Scaling {
    /// The representative of `X` in `(-Q/2, Q/2)`, modulo the primes of `to`.
    pub fn extend(from: &Arc<Basis>, to: &Arc<Basis>, backend: Backend) -> Result<Self, KernelError> {
        let scaler = RnsScaler::extend(&from.moduli(), &to.moduli(), backend)?;
        Ok(Self { from: Arc::clone(from), to: Arc::clone(to), scaler })
    }

    /// `round(numerator * X / Q)`, the numerator being the product of the given integers and `Q` the product of `from`.
    pub fn divide(
        from: &Arc<Basis>,
        to: &Arc<Basis>,
        numerator: &[u64],
        backend: Backend,
    ) -> Result<Self, KernelError> {
        let scaler = RnsScaler::divide(&from.moduli(), &to.moduli(), numerator, backend)?;
        Ok(Self { from: Arc::clone(from), to: Arc::clone(to), scaler })
    }

    /// The basis that is read.
    pub fn from(&self) -> &Arc<Basis> {
        &self.from
    }

    /// The basis of the result.
    pub fn to(&self) -> &Arc<Basis> {
        &self.to
    }

    /// Applies the map to a polynomial known over `from` only.
    pub fn apply(&self, input: &Poly<Coeff>) -> Poly<Coeff> {
        assert!(*input.basis() == self.from, "polynomial over another basis than the map's");
        let mut out = Poly::stale(&self.to);
        self.scaler.apply(input.residues(), None, out.residues_mut());
        out
    }

    /// Applies the map to a polynomial known over `from` as `input` and over `to` as `carry`, whose buffer becomes the result's.
    pub fn apply_assign(&self, input: &Poly<Coeff>, mut carry: Poly<Coeff>) -> Poly<Coeff> {
        assert!(
            *input.basis() == self.from && *carry.basis() == self.to,
            "polynomials over other bases than the map's"
        );
        self.scaler.apply_assign(input.residues(), carry.residues_mut());
        carry
    }

    /// The bare kernel, for callers that own the buffers.
    pub fn apply_into(&self, input: &[u64], carry: Option<&[u64]>, out: &mut [u64]) {
        self.scaler.apply(input, carry, out);
    }
}
