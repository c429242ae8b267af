//! Negacyclic number-theoretic transform of one size modulo one prime.

use core::fmt;

#[cfg(target_arch = "x86_64")]
use crate::avx512ifma;
use crate::backend::Backend;
use crate::error::KernelError;
use crate::modulus::Modulus;
use crate::prefetch::Prefetch;
use crate::root::smallest_primitive_root;
use crate::scalar;
use crate::table::RootPowers;

/// The negacyclic NTT of size `n` modulo `p`, with the tables of the backend that was chosen for it.
///
/// [`forward`](Self::forward) takes the coefficients `a_0 .. a_{n-1}` of a polynomial modulo `X^n + 1` to its values at the
/// odd powers of `psi`, the smallest primitive `2n`-th root of unity: output `i` is `a(psi^(2 bitrev(i) + 1))`
/// (Longa and Naehrig, *Speeding up the Number Theoretic Transform*, 2016). Point-wise products of transforms are
/// transforms of negacyclic products. Every backend returns the same canonical residues in the same order.
#[derive(Clone)]
pub struct NttPlan {
    modulus: Modulus,
    n: usize,
    root: u64,
    backend: Backend,
    tables: Tables,
}

/// Twiddle factors in the private layout of one backend.
#[derive(Clone)]
enum Tables {
    Scalar(scalar::NttTables),
    #[cfg(target_arch = "x86_64")]
    Avx512Ifma(avx512ifma::Avx512Ifma, Box<avx512ifma::NttTables>),
}

impl NttPlan {
    /// Builds the tables: `n` is a power of two in `[16, 65536]` and `2n` divides `p - 1`, else an error.
    pub fn new(modulus: Modulus, n: usize, backend: Backend) -> Result<Self, KernelError> {
        let root = smallest_primitive_root(modulus, n)?;
        let powers = RootPowers::new(modulus, n, root);
        let tables = match backend {
            Backend::Scalar => Tables::Scalar(scalar::NttTables::new(&powers)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Ifma(token) => Tables::Avx512Ifma(token, Box::new(avx512ifma::NttTables::new(&powers))),
        };
        Ok(Self { modulus, n, root, backend, tables })
    }

    /// The prime.
    pub fn modulus(&self) -> Modulus {
        self.modulus
    }

    /// The transform size.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The smallest primitive `2n`-th root of unity, `psi`.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// The backend that the tables were laid out for.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Replaces `n` canonical coefficients by `n` canonical values, in place.
    ///
    /// # Panics
    /// If `a` does not have length `n`.
    pub fn forward(&self, a: &mut [u64]) {
        self.check(a);
        match &self.tables {
            Tables::Scalar(tables) => scalar::forward::transform(tables, a),
            #[cfg(target_arch = "x86_64")]
            Tables::Avx512Ifma(token, tables) => token.ntt_forward(tables, a),
        }
        debug_assert!(a.iter().all(|&x| x < self.modulus.value()), "forward transform left the canonical range");
    }

    /// `out =` the [`forward`](Self::forward) transform of the coefficients `src`, without a copy beforehand.
    ///
    /// # Panics
    /// If a slice does not have length `n`.
    pub fn forward_from(&self, out: &mut [u64], src: &[u64]) {
        self.check(src);
        assert_eq!(out.len(), self.n, "a transform of size {} was given room for {} values", self.n, out.len());
        match &self.tables {
            Tables::Scalar(tables) => {
                out.copy_from_slice(src);
                scalar::forward::transform(tables, out);
            }
            #[cfg(target_arch = "x86_64")]
            Tables::Avx512Ifma(token, tables) => token.ntt_forward_from(tables, out, src),
        }
    }

    /// `out =` the [`forward`](Self::forward) transform of coefficients that are residues modulo `source`, taken as integers in
    /// `[-(source - 1) / 2, (source - 1) / 2]`: a digit of one prime brought to another in the transform's first pass. Meanwhile
    /// `ahead` is brought closer.
    ///
    /// # Panics
    /// If a slice does not have length `n`.
    pub fn forward_centred(&self, out: &mut [u64], src: &[u64], source: Modulus, ahead: &mut Prefetch<'_>) {
        assert_eq!((out.len(), src.len()), (self.n, self.n), "a transform of size {}", self.n);
        match &self.tables {
            Tables::Scalar(tables) => {
                scalar::vector::lift_centred(self.modulus, out, src, source);
                scalar::forward::transform(tables, out);
            }
            #[cfg(target_arch = "x86_64")]
            Tables::Avx512Ifma(token, tables) => token.ntt_forward_centred(tables, out, src, source, ahead),
        }
        debug_assert!(out.iter().all(|&x| x < self.modulus.value()), "forward transform left the canonical range");
    }

    /// Replaces `n` canonical values by the `n` canonical coefficients they belong to, in place: undoes
    /// [`forward`](Self::forward), division by `n` included.
    ///
    /// # Panics
    /// If `a` does not have length `n`.
    pub fn inverse(&self, a: &mut [u64]) {
        self.check(a);
        match &self.tables {
            Tables::Scalar(tables) => scalar::inverse::transform(tables, a),
            #[cfg(target_arch = "x86_64")]
            Tables::Avx512Ifma(token, tables) => token.ntt_inverse(tables, a),
        }
        debug_assert!(a.iter().all(|&x| x < self.modulus.value()), "inverse transform left the canonical range");
    }

    fn check(&self, a: &[u64]) {
        assert_eq!(a.len(), self.n, "a transform of size {} was given {} residues", self.n, a.len());
        debug_assert!(a.iter().all(|&x| x < self.modulus.value()), "input of a transform is not canonical");
    }
}

impl fmt::Debug for NttPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NttPlan")
            .field("modulus", &self.modulus.value())
            .field("n", &self.n)
            .field("root", &self.root)
            .field("backend", &self.backend.name())
            .finish_non_exhaustive()
    }
}
