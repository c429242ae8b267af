//! A basis: the primes whose product is the modulus of a ring, with the transform and arithmetic of each.

use std::sync::Arc;

use blindrelay_kernels::{Backend, KernelError, LimbArithmetic, Modulus, NttPlan};

/// One prime of a basis with its tables.
#[derive(Debug)]
pub struct Limb {
    plan: NttPlan,
    arithmetic: LimbArithmetic,
}

impl Limb {
    /// Builds the tables of the prime `value` for degree `degree`.
    pub fn new(value: u64, degree: usize, backend: Backend) -> Result<Self, KernelError> {
        let modulus = Modulus::new(value)?;
        Ok(Self { plan: NttPlan::new(modulus, degree, backend)?, arithmetic: LimbArithmetic::new(modulus, backend) })
    }

    /// The prime.
    pub fn modulus(&self) -> Modulus {
        self.arithmetic.modulus()
    }

    /// Its transform.
    pub fn plan(&self) -> &NttPlan {
        &self.plan
    }

    /// Its element-wise arithmetic.
    pub fn arithmetic(&self) -> LimbArithmetic {
        self.arithmetic
    }
}

/// Distinct primes, each congruent to 1 modulo twice the ring degree. The tables are shared between bases.
#[derive(Debug)]
pub struct Basis {
    degree: usize,
    limbs: Vec<Arc<Limb>>,
}

impl Basis {
    /// Builds tables for the given primes.
    pub fn new(degree: usize, primes: &[u64], backend: Backend) -> Result<Arc<Self>, KernelError> {
        let limbs = primes
            .iter()
            .map(|&prime| Limb::new(prime, degree, backend).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Arc::new(Self { degree, limbs }))
    }

    /// The first `count` primes of this basis; the tables are shared, not copied.
    pub fn prefix(&self, count: usize) -> Arc<Self> {
        Arc::new(Self { degree: self.degree, limbs: self.limbs.iter().take(count).cloned().collect() })
    }

    /// The primes at positions `range` of this basis; the tables are shared.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Arc<Self> {
        let limbs = self.limbs.iter().skip(range.start).take(range.len()).cloned().collect();
        Arc::new(Self { degree: self.degree, limbs })
    }

    /// The primes of this basis followed by those of `other`; the tables are shared.
    pub fn concat(&self, other: &Self) -> Arc<Self> {
        assert_eq!(self.degree, other.degree, "bases of different degrees");
        Arc::new(Self { degree: self.degree, limbs: self.limbs.iter().chain(&other.limbs).cloned().collect() })
    }

    /// The degree `n` of `X^n + 1`.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// The number of primes.
    pub fn len(&self) -> usize {
        self.limbs.len()
    }

    /// Whether there is no prime (true of an absent special basis).
    pub fn is_empty(&self) -> bool {
        self.limbs.is_empty()
    }

    /// The primes with their tables.
    pub fn limbs(&self) -> &[Arc<Limb>] {
        &self.limbs
    }

    /// The primes.
    pub fn moduli(&self) -> Vec<Modulus> {
        self.limbs.iter().map(|limb| limb.modulus()).collect()
    }

    /// Base-2 logarithm of the product of the primes.
    pub fn log2(&self) -> f64 {
        self.limbs.iter().map(|limb| libm::log2(limb.modulus().value() as f64)).sum()
    }
}

impl PartialEq for Basis {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.degree == other.degree
                && self.limbs.len() == other.limbs.len()
                && self.limbs.iter().zip(&other.limbs).all(|(a, b)| a.modulus() == b.modulus()))
    }
}
