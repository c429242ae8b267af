//! Element-wise arithmetic on one limb: vectors of residues modulo one prime.

use crate::automorphism::NttAutomorphism;
use crate::backend::Backend;
use crate::modulus::Modulus;
use crate::reduction::{FixedFactor, WideReduction};
use crate::scalar;

/// The element-wise operations modulo one prime `p`, on one backend.
///
/// Residues are canonical, `[0, p)`, on both sides of every call (debug builds do not check each one: a residue out of
/// range gives a wrong residue, never a panic or an access out of bounds). All methods take constant time in the
/// values; lengths, indices, moduli and fixed factors are public. Slices that start on a cache line (64 bytes) are faster,
/// most of all in [`Self::dot`] and [`Self::add_assign`].
///
/// # Panics
/// Every method panics if its slices differ in length.
#[derive(Clone, Copy, Debug)]
pub struct LimbArithmetic {
    modulus: Modulus,
    wide: WideReduction,
    backend: Backend,
}

/// One term of [`LimbArithmetic::dot_pair`].
#[derive(Clone, Copy, Debug)]
pub struct DotTerm<'a> {
    /// The common factor.
    pub x: &'a [u64],
    /// The automorphism under which the image of `x` is meant instead of `x`.
    pub automorphism: Option<&'a NttAutomorphism>,
    /// The factors of the two sums.
    pub y: [&'a [u64]; 2],
}

/// One match on the backend for a call over whole slices.
macro_rules! dispatch {
    ($self:ident, $name:ident($($argument:expr),*)) => {
        match $self.backend {
            Backend::Scalar => scalar::vector::$name($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => token.$name($($argument),*),
        }
    };
}

#[track_caller]
fn assert_lengths<const K: usize>(expected: usize, lengths: [usize; K]) {
    for length in lengths {
        assert_eq!(length, expected, "operands of an element-wise operation differ in length");
    }
}

impl LimbArithmetic {
    /// Arithmetic modulo `modulus` on `backend`.
    pub fn new(modulus: Modulus, backend: Backend) -> Self {
        Self { modulus, wide: WideReduction::new(modulus), backend }
    }

    /// The prime.
    pub const fn modulus(&self) -> Modulus {
        self.modulus
    }

    /// The instruction set.
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// `a = a + b`.
    pub fn add_assign(&self, a: &mut [u64], b: &[u64]) {
        assert_lengths(a.len(), [b.len()]);
        dispatch!(self, add_assign(self.modulus, a, b));
    }

    /// `a = a - b`.
    pub fn sub_assign(&self, a: &mut [u64], b: &[u64]) {
        assert_lengths(a.len(), [b.len()]);
        dispatch!(self, sub_assign(self.modulus, a, b));
    }

    /// `a = -a`.
    pub fn neg_assign(&self, a: &mut [u64]) {
        dispatch!(self, neg_assign(self.modulus, a));
    }

    /// `out = a * b`.
    pub fn mul(&self, out: &mut [u64], a: &[u64], b: &[u64]) {
        assert_lengths(out.len(), [a.len(), b.len()]);
        dispatch!(self, mul(self.modulus, out, a, b));
    }

    /// `a = a * b`.
    pub fn mul_assign(&self, a: &mut [u64], b: &[u64]) {
        assert_lengths(a.len(), [b.len()]);
        dispatch!(self, mul_assign(self.modulus, a, b));
    }

    /// `acc = acc + a * b`.
    pub fn mul_add_assign(&self, acc: &mut [u64], a: &[u64], b: &[u64]) {
        assert_lengths(acc.len(), [a.len(), b.len()]);
        dispatch!(self, mul_add_assign(self.modulus, acc, a, b));
    }

    /// `a = a * w` for one canonical factor; panics if `w >= p`.
    pub fn mul_scalar_assign(&self, a: &mut [u64], w: u64) {
        dispatch!(self, mul_scalar_assign(self.modulus, a, FixedFactor::new(self.modulus, w)));
    }

    /// `acc = acc + a * w` for one canonical factor; panics if `w >= p`.
    pub fn mul_scalar_add_assign(&self, acc: &mut [u64], a: &[u64], w: u64) {
        assert_lengths(acc.len(), [a.len()]);
        dispatch!(self, mul_scalar_add_assign(self.modulus, acc, a, FixedFactor::new(self.modulus, w)));
    }

    /// `a = (a - b) * w` for one canonical factor; panics if `w >= p`.
    pub fn sub_mul_scalar_assign(&self, a: &mut [u64], b: &[u64], w: u64) {
        assert_lengths(a.len(), [b.len()]);
        dispatch!(self, sub_mul_scalar_assign(self.modulus, a, b, FixedFactor::new(self.modulus, w)));
    }

    /// `out = (a - b) * w` for one canonical factor; panics if `w >= p`.
    pub fn sub_mul_scalar(&self, out: &mut [u64], a: &[u64], b: &[u64], w: u64) {
        assert_lengths(out.len(), [a.len(), b.len()]);
        dispatch!(self, sub_mul_scalar(self.modulus, out, a, b, FixedFactor::new(self.modulus, w)));
    }

    /// `out = sum of x * y` over the terms `(x, y)`; zero without terms. Products are summed without reduction.
    pub fn dot(&self, out: &mut [u64], terms: &[(&[u64], &[u64])]) {
        for (x, y) in terms {
            assert_lengths(out.len(), [x.len(), y.len()]);
        }
        match self.backend {
            Backend::Scalar => scalar::dot::dot(self.wide, out, terms, 0),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => token.dot(self.wide, out, terms, 0),
        }
    }

    /// `out = [sum of x * y[0], sum of x * y[1]]` over the terms, where `x` is moved by the term's automorphism, if it has one: two
    /// [`Self::dot`]s that read each `x` once. Panics if an automorphism is of another size.
    pub fn dot_pair(&self, out: [&mut [u64]; 2], terms: &[DotTerm<'_>]) {
        let [out0, out1] = out;
        for term in terms {
            let moved = term.automorphism.map_or(term.x.len(), NttAutomorphism::n);
            assert_lengths(out0.len(), [out1.len(), term.x.len(), moved, term.y[0].len(), term.y[1].len()]);
        }
        assert_lengths(out0.len(), [out1.len()]);
        match self.backend {
            Backend::Scalar => scalar::dot::dot_pair(self.wide, [out0, out1], terms, 0),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => token.dot_pair(self.wide, [out0, out1], terms),
        }
    }

    /// `out = [c0 * d0, c0 * d1 + c1 * d0, c1 * d1]`: the tensor product of two ciphertexts in one pass over their limbs.
    pub fn tensor(&self, out: [&mut [u64]; 3], c: [&[u64]; 2], d: [&[u64]; 2]) {
        let [out0, out1, out2] = out;
        assert_lengths(out0.len(), [out1.len(), out2.len(), c[0].len(), c[1].len(), d[0].len(), d[1].len()]);
        dispatch!(self, tensor(self.wide, [out0, out1, out2], c, d));
    }

    /// `out = floor(w * 2^52 / p)`: the quotients that [`Self::mul_prepared`] takes beside `w`.
    pub fn quotients(&self, out: &mut [u64], w: &[u64]) {
        assert_lengths(out.len(), [w.len()]);
        dispatch!(self, quotients(self.modulus, out, w));
    }

    /// `out = a * w`, given the [`Self::quotients`] of `w` (Shoup's multiplication).
    pub fn mul_prepared(&self, out: &mut [u64], a: &[u64], w: &[u64], quotients: &[u64]) {
        assert_lengths(out.len(), [a.len(), w.len(), quotients.len()]);
        dispatch!(self, mul_prepared(self.modulus, out, a, w, quotients));
    }

    /// `out = src mod p` for residues in `[0, source)` taken as integers.
    pub fn reduce(&self, out: &mut [u64], src: &[u64], source: Modulus) {
        assert_lengths(out.len(), [src.len()]);
        if source.value() <= self.modulus.value() {
            out.copy_from_slice(src);
        } else {
            dispatch!(self, reduce(self.modulus, out, src));
        }
    }

    /// `out = src mod p` for residues modulo `source` taken as integers in `[-(source - 1) / 2, (source - 1) / 2]`.
    pub fn lift_centred(&self, out: &mut [u64], src: &[u64], source: Modulus) {
        assert_lengths(out.len(), [src.len()]);
        dispatch!(self, lift_centred(self.modulus, out, src, source));
    }

    /// `out = values mod p` for small signed integers. Secrets and errors pass here: no branch or access depends on them.
    pub fn from_small(&self, out: &mut [u64], values: &[i8]) {
        assert_lengths(out.len(), [values.len()]);
        dispatch!(self, lift_small(self.modulus, out, values));
    }

    /// `acc = acc + values` for small signed integers, in constant time as [`Self::from_small`].
    pub fn add_small_assign(&self, acc: &mut [u64], values: &[i8]) {
        assert_lengths(acc.len(), [values.len()]);
        dispatch!(self, add_small_assign(self.modulus, acc, values));
    }

    /// `acc = acc + w * src` for residues modulo `source` taken as integers in `[-(source - 1) / 2, (source - 1) / 2]` and one
    /// canonical factor; panics if `w >= p`.
    pub fn lift_centred_mul_add_assign(&self, acc: &mut [u64], src: &[u64], source: Modulus, w: u64) {
        assert_lengths(acc.len(), [src.len()]);
        let factor = FixedFactor::new(self.modulus, w);
        dispatch!(self, lift_centred_mul_add_assign(self.modulus, acc, src, source, factor));
    }

    /// `out =` the image of the transform `src` under an automorphism. Panics if it is of another size.
    pub fn automorphism(&self, out: &mut [u64], src: &[u64], automorphism: &NttAutomorphism) {
        assert_lengths(out.len(), [src.len(), automorphism.n()]);
        match self.backend {
            Backend::Scalar => scalar::dot::automorphism(out, src, automorphism),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => token.automorphism(out, src, automorphism),
        }
    }

    /// `acc = acc +` the image of the transform `src` under an automorphism. Panics if it is of another size.
    pub fn automorphism_add_assign(&self, acc: &mut [u64], src: &[u64], automorphism: &NttAutomorphism) {
        assert_lengths(acc.len(), [src.len(), automorphism.n()]);
        match self.backend {
            Backend::Scalar => scalar::dot::automorphism_add_assign(self.modulus, acc, src, automorphism),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => token.automorphism_add_assign(self.modulus, acc, src, automorphism),
        }
    }

    /// `out =` the representatives of `src` in `[-(p - 1) / 2, (p - 1) / 2]`.
    pub fn centre(&self, out: &mut [i64], src: &[u64]) {
        assert_lengths(out.len(), [src.len()]);
        dispatch!(self, centre(self.modulus, out, src));
    }
}
