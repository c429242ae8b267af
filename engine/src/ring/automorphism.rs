//! The automorphisms `X -> X^k` of the ring, `k` odd.

use blindrelay_kernels::evaluation_exponent;

use super::poly::{Coeff, Ntt, Poly};

/// An odd `k` in `[1, 2 n)`, naming the automorphism `X -> X^k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GaloisElement(u32);

impl GaloisElement {
    /// `None` for an even `k` or one that is not below `2 n`.
    pub fn new(element: u32, degree: usize) -> Option<Self> {
        (element % 2 == 1 && (element as usize) < 2 * degree).then_some(Self(element))
    }

    /// The element `3^step mod 2 n`, which rotates both rows of slots by `step` to the left (negative: to the right).
    pub fn row_rotation(step: i64, degree: usize) -> Self {
        let order = degree as i64 / 2;
        let modulus = 2 * degree as u64;
        let exponent = step.rem_euclid(order);
        Self((0..exponent).fold(1, |power, _| power * 3 % modulus) as u32)
    }

    /// The element `2 n - 1`, which exchanges the two rows of slots.
    pub fn row_exchange(degree: usize) -> Self {
        Self(2 * degree as u32 - 1)
    }

    /// `k`.
    pub const fn value(self) -> u32 {
        self.0
    }
}

/// The order in which an automorphism reads evaluations, computed once per element.
#[derive(Clone, Debug)]
pub struct NttPermutation {
    element: GaloisElement,
    indices: Vec<u32>,
}

impl NttPermutation {
    /// Evaluation `i` of the image is the evaluation at the `k`-th power of point `i`.
    pub fn new(element: GaloisElement, degree: usize) -> Self {
        let order = 2 * degree;
        let mut position = vec![0_u32; order];
        for i in 0..degree {
            if let Some(slot) = position.get_mut(evaluation_exponent(degree, i)) {
                *slot = i as u32;
            }
        }
        let indices = (0..degree)
            .filter_map(|i| position.get(evaluation_exponent(degree, i) * element.value() as usize % order).copied())
            .collect();
        Self { element, indices }
    }

    /// The automorphism this permutation belongs to.
    pub fn element(&self) -> GaloisElement {
        self.element
    }
}

impl Poly<Ntt> {
    /// The image under the automorphism.
    #[must_use]
    pub fn automorphism(&self, permutation: &NttPermutation) -> Self {
        let mut out = Self::stale(self.basis());
        for ((limb, to), (_, from)) in out.limbs_mut().zip(self.limbs()) {
            limb.arithmetic().permute(to, from, &permutation.indices);
        }
        out
    }
}

impl Poly<Coeff> {
    /// The image under `X -> X^k`.
    #[must_use]
    pub fn automorphism(&self, element: GaloisElement) -> Self {
        let degree = self.degree();
        let mut out = Self::stale(self.basis());
        for ((limb, to), (_, from)) in out.limbs_mut().zip(self.limbs()) {
            let modulus = limb.modulus();
            for (i, &value) in from.iter().enumerate() {
                let exponent = i * element.value() as usize % (2 * degree);
                let signed = if exponent >= degree { modulus.neg(value) } else { value };
                if let Some(slot) = to.get_mut(exponent % degree) {
                    *slot = signed;
                }
            }
        }
        out
    }
}
