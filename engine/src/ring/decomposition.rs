//! Digits of a polynomial for key switching.
//!
//! A gadget writes `x = sum_d digit_d * g_d mod Q` with small digits. Three kinds, all local to a run of primes so that a key for
//! the highest level serves the lower ones:
//!
//! * *limb*: the digit is `x mod q_i`, centred, and `g_d` is 1 modulo `q_i` and 0 modulo the other primes;
//! * *part*: bits `[shift, shift + bits)` of `x mod q_i`, with `g_d = 2^shift` modulo `q_i` (smaller digits, less noise, more of them);
//! * *group*: `x` modulo a product of consecutive primes, centred, extended to the other primes and to special primes `P` with `g_d = P`
//!   modulo the group (Han and Ki, *Better Bootstrapping for Approximate Homomorphic Encryption*, CT-RSA 2020, section 3).

use std::ops::Range;
use std::sync::Arc;

use blindrelay_kernels::{Backend, Buffer, KernelError, Prefetch, RnsScaler};

use super::basis::{Basis, Limb};
use super::poly::{Coeff, Ntt, Poly};

#[derive(Debug)]
enum Digit {
    Limb {
        index: usize,
    },
    Part {
        index: usize,
        shift: u32,
        bits: u32,
    },
    /// Of two primes or more: a group of one prime is a [`Digit::Limb`].
    Group {
        range: Range<usize>,
        extension: RnsScaler,
    },
}

/// What a digit contributes to a key row: `factor` modulo each prime in `limbs`, zero modulo the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GadgetRow {
    /// Positions of the primes at which the gadget element is not zero.
    pub limbs: Range<usize>,
    /// The gadget element modulo those primes is the product of `2^shift` and all special primes.
    pub shift: u32,
}

/// The decomposition of polynomials over the ciphertext primes of one level into digits over those and the special primes.
#[derive(Debug)]
pub struct Decomposition {
    source: Arc<Basis>,
    target: Arc<Basis>,
    digits: Vec<Digit>,
}

impl Decomposition {
    /// Without special primes: one digit a prime, or several of at most `digit_bits` bits where the prime is wider.
    pub fn digits(source: &Arc<Basis>, digit_bits: u32) -> Self {
        let digits = source
            .limbs()
            .iter()
            .enumerate()
            .flat_map(|(index, limb)| {
                let bits = limb.modulus().bits();
                let parts = bits.div_ceil(digit_bits.max(1));
                let width = bits.div_ceil(parts);
                (0..parts).map(move |part| match parts {
                    1 => Digit::Limb { index },
                    _ => Digit::Part { index, shift: part * width, bits: width.min(bits - part * width) },
                })
            })
            .collect();
        Self { source: Arc::clone(source), target: Arc::clone(source), digits }
    }

    /// With special primes: groups of as many ciphertext primes as there are special ones.
    pub fn groups(source: &Arc<Basis>, special: &Arc<Basis>, backend: Backend) -> Result<Self, KernelError> {
        let target = source.concat(special);
        let moduli = target.moduli();
        let mut digits = Vec::new();
        let mut start = 0;
        while start < source.len() {
            let range = start..(start + special.len()).min(source.len());
            let (mut inside, mut outside) = (Vec::new(), Vec::new());
            for (index, &modulus) in moduli.iter().enumerate() {
                if range.contains(&index) { inside.push(modulus) } else { outside.push(modulus) }
            }
            start = range.end;
            digits.push(match range.len() {
                1 => Digit::Limb { index: range.start },
                _ => Digit::Group { range, extension: RnsScaler::extend(&inside, &outside, backend)? },
            });
        }
        Ok(Self { source: Arc::clone(source), target, digits })
    }

    /// The primes of the digits: the ciphertext primes of the level, then the special primes.
    pub fn target(&self) -> &Arc<Basis> {
        &self.target
    }

    /// The gadget, one row a digit.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = GadgetRow> {
        self.digits.iter().map(|digit| match digit {
            Digit::Limb { index } => GadgetRow { limbs: *index..index + 1, shift: 0 },
            Digit::Part { index, shift, .. } => GadgetRow { limbs: *index..index + 1, shift: *shift },
            Digit::Group { range, .. } => GadgetRow { limbs: range.clone(), shift: 0 },
        })
    }

    /// Base-2 logarithm of a bound on the magnitude of the digits' coefficients, for each digit.
    pub fn digit_log2(&self) -> impl Iterator<Item = f64> {
        let moduli = self.source.moduli();
        self.digits.iter().map(move |digit| match digit {
            Digit::Limb { index } => moduli.get(*index).map_or(0.0, |m| libm::log2(m.value() as f64) - 1.0),
            Digit::Part { bits, .. } => f64::from(*bits),
            Digit::Group { range, .. } => {
                moduli.iter().skip(range.start).take(range.len()).map(|m| libm::log2(m.value() as f64)).sum::<f64>()
                    - 1.0
            }
        })
    }

    /// Whether digits are centred, and not runs of bits. Then the digits of an automorphism's image are the images of the digits.
    pub fn is_centred(&self) -> bool {
        self.digits.iter().all(|digit| !matches!(digit, Digit::Part { .. }))
    }

    /// The digits of `x`, ready to be read prime by prime. `transformed` is `x` in evaluation form where the caller has it: a digit that is
    /// the residue of one prime need not be transformed again modulo that prime.
    pub fn decompose<'a>(&'a self, x: &'a Poly<Coeff>, transformed: Option<&'a Poly<Ntt>>) -> Digits<'a> {
        assert!(*x.basis() == self.source, "polynomial over another basis than the decomposition's");
        let degree = x.degree();
        let extensions = self.digits.iter().map(|digit| match digit {
            Digit::Group { range, extension } => {
                let inside: Vec<&[u64]> = range.clone().map(|index| x.limb(index)).collect();
                let mut outside = Buffer::stale(degree * (self.target.len() - range.len()));
                extension.apply_limbs(&inside, None, &mut outside.chunks_exact_mut(degree).collect::<Vec<_>>());
                outside
            }
            Digit::Limb { .. } | Digit::Part { .. } => Buffer::stale(0),
        });
        Digits { decomposition: self, x, transformed, extensions: extensions.collect() }
    }
}

/// The digits of one polynomial.
pub struct Digits<'a> {
    decomposition: &'a Decomposition,
    x: &'a Poly<Coeff>,
    transformed: Option<&'a Poly<Ntt>>,
    /// For groups: the residues modulo the primes outside the group.
    extensions: Vec<Buffer>,
}

impl Digits<'_> {
    /// How many digits there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always a digit")]
    pub fn len(&self) -> usize {
        self.decomposition.digits.len()
    }

    /// How many residues [`Digits::modulo`] needs as scratch.
    pub fn scratch_len(&self) -> usize {
        self.decomposition.digits.len() * self.x.degree()
    }

    /// Every digit modulo prime number `index` of the target basis, in evaluation form. Meanwhile `ahead` is brought closer.
    pub fn modulo<'s>(&'s self, index: usize, scratch: &'s mut [u64], ahead: &mut Prefetch<'_>) -> Vec<&'s [u64]> {
        let Some(limb) = self.decomposition.target.limbs().get(index) else { return Vec::new() };
        let digits = self.decomposition.digits.iter().zip(&self.extensions);
        digits
            .zip(scratch.chunks_exact_mut(self.x.degree()))
            .map(|((digit, extension), values)| {
                let own = match digit {
                    Digit::Limb { index } => *index..index + 1,
                    Digit::Part { .. } => 0..0,
                    Digit::Group { range, .. } => range.clone(),
                };
                match self.transformed {
                    Some(transformed) if own.contains(&index) => transformed.limb(index),
                    _ => {
                        self.transform(digit, extension, index, limb, values, ahead);
                        values
                    }
                }
            })
            .collect()
    }

    fn transform(
        &self,
        digit: &Digit,
        extension: &[u64],
        index: usize,
        limb: &Limb,
        values: &mut [u64],
        ahead: &mut Prefetch<'_>,
    ) {
        let plan = limb.plan();
        match digit {
            Digit::Limb { index: own } if *own == index => plan.forward_from(values, self.x.limb(index)),
            Digit::Limb { index: own } => {
                if let Some((source, residues)) = self.x.limbs().nth(*own) {
                    plan.forward_centred(values, residues, source.modulus(), ahead);
                }
            }
            Digit::Part { index: own, shift, bits } => {
                let mask = (1_u64 << bits) - 1;
                for (value, &residue) in values.iter_mut().zip(self.x.limb(*own)) {
                    *value = (residue >> shift) & mask;
                }
                plan.forward(values);
            }
            Digit::Group { range, .. } if range.contains(&index) => plan.forward_from(values, self.x.limb(index)),
            Digit::Group { range, .. } => {
                let position = if index < range.start { index } else { index - range.len() };
                let residues = extension.chunks_exact(values.len()).nth(position).unwrap_or_default();
                plan.forward_from(values, residues);
            }
        }
    }
}
