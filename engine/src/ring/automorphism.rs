//! The automorphisms `X -> X^k` of the ring, `k` odd.

use blindrelay_kernels::NttAutomorphism;

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

/// How an automorphism moves evaluations, computed once per element.
#[derive(Clone, Debug)]
pub struct NttPermutation {
    element: GaloisElement,
    action: NttAutomorphism,
}

impl NttPermutation {
    /// Evaluation `i` of the image is the evaluation at the `k`-th power of point `i`.
    #[expect(clippy::expect_used, reason = "an element is odd, and a ring's degree is a transform's size")]
    pub fn new(element: GaloisElement, degree: usize) -> Self {
        let action = NttAutomorphism::new(element.value(), degree).expect("an odd exponent and a power of two");
        Self { element, action }
    }

    /// The automorphism this permutation belongs to.
    pub fn element(&self) -> GaloisElement {
        self.element
    }

    /// The kernels' table of it.
    pub fn action(&self) -> &NttAutomorphism {
        &self.action
    }
}

impl Poly<Ntt> {
    /// The image under the automorphism.
    #[must_use]
    pub fn automorphism(&self, permutation: &NttPermutation) -> Self {
        let mut out = Self::stale(self.basis());
        for ((limb, to), (_, from)) in out.limbs_mut().zip(self.limbs()) {
            limb.arithmetic().automorphism(to, from, permutation.action());
        }
        out
    }

    /// `self +=` the image of `other` under the automorphism.
    pub fn automorphism_add_assign(&mut self, other: &Self, permutation: &NttPermutation) {
        self.assert_same_basis(other);
        for ((limb, sum), (_, from)) in self.limbs_mut().zip(other.limbs()) {
            limb.arithmetic().automorphism_add_assign(sum, from, permutation.action());
        }
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
