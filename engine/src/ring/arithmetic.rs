//! Ring operations on polynomials over one basis.

use super::poly::{Coeff, Ntt, Poly, Representation};

impl<R: Representation> Poly<R> {
    /// `self += other`.
    pub fn add_assign(&mut self, other: &Self) {
        self.assert_same_basis(other);
        for ((limb, a), (_, b)) in self.limbs_mut().zip(other.limbs()) {
            limb.arithmetic().add_assign(a, b);
        }
    }

    /// `self -= other`.
    pub fn sub_assign(&mut self, other: &Self) {
        self.assert_same_basis(other);
        for ((limb, a), (_, b)) in self.limbs_mut().zip(other.limbs()) {
            limb.arithmetic().sub_assign(a, b);
        }
    }

    /// `self = -self`.
    pub fn neg_assign(&mut self) {
        for (limb, a) in self.limbs_mut() {
            limb.arithmetic().neg_assign(a);
        }
    }

    /// Multiplies by the integer `scalar`.
    pub fn mul_scalar_assign(&mut self, scalar: i64) {
        for (limb, a) in self.limbs_mut() {
            let residue = limb.modulus().from_signed(scalar);
            limb.arithmetic().mul_scalar_assign(a, residue);
        }
    }
}

impl Poly<Ntt> {
    /// `self *= other` in the ring.
    pub fn mul_assign(&mut self, other: &Self) {
        self.assert_same_basis(other);
        for ((limb, a), (_, b)) in self.limbs_mut().zip(other.limbs()) {
            limb.arithmetic().mul_assign(a, b);
        }
    }

    /// `self += a * b` in the ring.
    pub fn mul_add_assign(&mut self, a: &Self, b: &Self) {
        self.assert_same_basis(a);
        self.assert_same_basis(b);
        for (((limb, sum), (_, a)), (_, b)) in self.limbs_mut().zip(a.limbs()).zip(b.limbs()) {
            limb.arithmetic().mul_add_assign(sum, a, b);
        }
    }

    /// The tensor product `(c0 d0, c0 d1 + c1 d0, c1 d1)` of two pairs.
    pub fn tensor(c: [&Self; 2], d: [&Self; 2]) -> [Self; 3] {
        let ([c0, c1], [d0, d1]) = (c, d);
        for other in [c1, d0, d1] {
            c0.assert_same_basis(other);
        }
        let [mut out0, mut out1, mut out2] =
            [Self::stale(c0.basis()), Self::stale(c0.basis()), Self::stale(c0.basis())];
        let outputs = out0.limbs_mut().zip(out1.limbs_mut()).zip(out2.limbs_mut());
        let inputs = c0.limbs().zip(c1.limbs()).zip(d0.limbs()).zip(d1.limbs());
        for ((((limb, o0), (_, o1)), (_, o2)), ((((_, c0), (_, c1)), (_, d0)), (_, d1))) in outputs.zip(inputs) {
            limb.arithmetic().tensor([o0, o1, o2], [c0, c1], [d0, d1]);
        }
        [out0, out1, out2]
    }
}

impl Poly<Ntt> {
    /// [`Poly::tensor`] followed by the inverse transform, prime by prime: what belongs to one prime stays in the cache.
    pub fn tensor_into_coeff(c: [&Self; 2], d: [&Self; 2]) -> [Poly<Coeff>; 3] {
        let ([c0, c1], [d0, d1]) = (c, d);
        for other in [c1, d0, d1] {
            c0.assert_same_basis(other);
        }
        let mut outputs = [0; 3].map(|_| Poly::<Coeff>::stale(c0.basis()));
        let [out0, out1, out2] = &mut outputs;
        let inputs = c0.limbs().zip(c1.limbs()).zip(d0.limbs()).zip(d1.limbs());
        for ((((limb, o0), (_, o1)), (_, o2)), ((((_, c0), (_, c1)), (_, d0)), (_, d1))) in
            out0.limbs_mut().zip(out1.limbs_mut()).zip(out2.limbs_mut()).zip(inputs)
        {
            limb.arithmetic().tensor([&mut *o0, &mut *o1, &mut *o2], [c0, c1], [d0, d1]);
            for output in [o0, o1, o2] {
                limb.plan().inverse(output);
            }
        }
        outputs
    }
}

impl Poly<Coeff> {
    /// The tensor product of two pairs in coefficients, prime by prime: what belongs to one prime stays in the cache. The factors' buffers
    /// are used up.
    pub fn tensor_of_coeff(c: [Self; 2], d: [Self; 2]) -> [Self; 3] {
        let ([mut c0, mut c1], [mut d0, mut d1]) = (c, d);
        for other in [&c1, &d0, &d1] {
            c0.assert_same_basis(other);
        }
        let mut third = Self::stale(c0.basis());
        let factors = c0.limbs_mut().zip(c1.limbs_mut()).zip(d0.limbs_mut()).zip(d1.limbs_mut());
        for (((((limb, c0), (_, c1)), (_, d0)), (_, d1)), (_, third)) in factors.zip(third.limbs_mut()) {
            for factor in [&mut *c0, &mut *c1, &mut *d0, &mut *d1] {
                limb.plan().forward(factor);
            }
            let arithmetic = limb.arithmetic();
            // c1 d1, then c0 d1 + c1 d0 over d1, then c0 d0 over c0: each factor is overwritten after its last use.
            arithmetic.mul(third, c1, d1);
            arithmetic.mul_assign(d1, c0);
            arithmetic.mul_add_assign(d1, c1, d0);
            arithmetic.mul_assign(c0, d0);
            for output in [c0, d1, third] {
                limb.plan().inverse(output);
            }
        }
        [c0, d1, third]
    }

    /// Multiplies by `X^exponent`, where `exponent` is taken modulo `2 n`: a rotation of the coefficients, negated on wrapping.
    #[must_use]
    pub fn mul_monomial(&self, exponent: usize) -> Self {
        let degree = self.degree();
        let exponent = exponent % (2 * degree);
        let (shift, negate_all) = (exponent % degree, exponent >= degree);
        let mut out = Self::stale(self.basis());
        for ((limb, to), (_, from)) in out.limbs_mut().zip(self.limbs()) {
            let (stay, wrap) = from.split_at(degree - shift);
            let (low, high) = to.split_at_mut(shift);
            low.copy_from_slice(wrap);
            high.copy_from_slice(stay);
            limb.arithmetic().neg_assign(if negate_all { high } else { low });
        }
        out
    }
}
