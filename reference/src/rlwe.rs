//! Ciphertexts as polynomials in the secret, and what is done to them whatever the message's encoding.

use std::iter::repeat_with;

use num_bigint::BigInt;
use num_integer::Integer;

use crate::ring::{Polynomial, Ring, round_scaled};

/// `(c_0, c_1, ..)`, which stands for the phase `c_0 + c_1 s + c_2 s^2 + ..` modulo `q`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    /// The components, the one that the secret does not multiply first; never empty.
    pub components: Vec<Polynomial>,
}

impl Ciphertext {
    /// The same map applied to each component.
    #[must_use]
    pub fn map(&self, map: impl Fn(&[BigInt]) -> Polynomial) -> Self {
        Self { components: self.components.iter().map(|c| map(c)).collect() }
    }
}

/// The verbs that do not depend on how the message sits in the phase.
pub trait Rlwe {
    /// The ring modulo `q`.
    fn ring(&self) -> &Ring;

    /// The phase `sum c_i s^i` modulo `q`, centred, of a ciphertext of any length.
    fn phase(&self, ciphertext: &Ciphertext, secret: &[BigInt]) -> Polynomial {
        let horner = |value: Polynomial, c: &Polynomial| self.ring().add(&self.ring().mul(&value, secret), c);
        ciphertext.components.iter().rev().fold(self.ring().zero(), horner)
    }

    /// `(-a s + e + payload, a)`, whose phase is `payload + e`.
    fn mask_with_secret(&self, payload: &[BigInt], secret: &[BigInt], a: &[BigInt], error: &[BigInt]) -> Ciphertext {
        let masked = self.ring().sub(error, &self.ring().mul(a, secret));
        Ciphertext { components: vec![self.ring().add(&masked, payload), self.ring().reduce(a)] }
    }

    /// `(p0 u + e0 + payload, p1 u + e1)`, whose phase is `payload + e u + e0 + e1 s` under a public key of error `e`.
    fn mask_with_public(
        &self,
        payload: &[BigInt],
        (p0, p1): (&[BigInt], &[BigInt]),
        u: &[BigInt],
        e0: &[BigInt],
        e1: &[BigInt],
    ) -> Ciphertext {
        let masked = self.ring().add(&self.ring().mul(p0, u), e0);
        let c1 = self.ring().add(&self.ring().mul(p1, u), e1);
        Ciphertext { components: vec![self.ring().add(&masked, payload), c1] }
    }

    /// `a + b`; the shorter one is filled up with zeros.
    fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Ciphertext {
        let filled = |c: &Ciphertext| c.components.clone().into_iter().chain(repeat_with(|| self.ring().zero()));
        let pairs = filled(a).zip(filled(b)).take(a.components.len().max(b.components.len()));
        Ciphertext { components: pairs.map(|(x, y)| self.ring().add(&x, &y)).collect() }
    }

    /// `-a`.
    fn neg(&self, a: &Ciphertext) -> Ciphertext {
        a.map(|c| self.ring().neg(c))
    }

    /// `a - b`.
    fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Ciphertext {
        self.add(a, &self.neg(b))
    }

    /// The tensor product `sum_{i+j=k} a_i b_j` over the integers, of the components centred modulo `q`.
    fn tensor(&self, a: &Ciphertext, b: &Ciphertext) -> Ciphertext {
        let (a, b) = (a.map(|c| self.ring().reduce(c)), b.map(|c| self.ring().reduce(c)));
        let mut components = vec![self.ring().zero(); a.components.len() + b.components.len() - 1];
        for (i, c) in a.components.iter().enumerate() {
            for (sum, d) in components.iter_mut().skip(i).zip(&b.components) {
                sum.iter_mut().zip(self.ring().integer_product(c, d)).for_each(|(x, y)| *x += y);
            }
        }
        Ciphertext { components }
    }

    /// The phase's image under `X -> X^k`, `k` odd, as a ciphertext under the secret's image.
    fn automorphism(&self, ciphertext: &Ciphertext, k: usize) -> Ciphertext {
        ciphertext.map(|c| self.ring().automorphism(c, k))
    }

    /// `(c0 + k0, k1)` for `(c0, c1)`: from the secret `s'` of `key` to its `s`. `decompose` gives a component's digits in the gadget.
    fn key_switch(
        &self,
        c: &Ciphertext,
        key: &KeySwitchingKey,
        decompose: impl Fn(&[BigInt]) -> Vec<Polynomial>,
    ) -> Ciphertext {
        let [c0, c1] = c.components.as_slice() else {
            panic!("a key switch wants 2 components, not {}", c.components.len())
        };
        self.add(&Ciphertext { components: vec![c0.clone()] }, &key.apply(self.ring(), &decompose(c1)))
    }

    /// `(c0 + k0, c1 + k1)` for `(c0, c1, c2)`, with a key from `s^2` to `s`.
    fn relinearize(
        &self,
        c: &Ciphertext,
        key: &KeySwitchingKey,
        decompose: impl Fn(&[BigInt]) -> Vec<Polynomial>,
    ) -> Ciphertext {
        let [c0, c1, c2] = c.components.as_slice() else { panic!("wanted 3 components, not {}", c.components.len()) };
        self.add(&Ciphertext { components: vec![c0.clone(), c1.clone()] }, &key.apply(self.ring(), &decompose(c2)))
    }

    /// The ciphertext modulo `new_q`: `round(new_q / q c_i)`.
    fn switch_modulus(&self, ciphertext: &Ciphertext, new_q: &BigInt) -> Ciphertext {
        let target = Ring::new(self.ring().n, new_q.clone());
        ciphertext.map(|c| target.reduce(&round_scaled(c, new_q, &self.ring().modulus)))
    }
}

/// Encryptions under `s` of `P g_i s'` modulo `q P`, for the gadget `g_1, g_2, ..` and the special modulus `P` (1: none).
///
/// `P = 1` is the first relinearization of Fan and Vercauteren (section 4), one row with `g = 1` beside a `P` their second, both
/// together the hybrid of Han and Ki (ePrint 2019/688).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySwitchingKey {
    /// The special modulus `P`.
    pub special: BigInt,
    /// The pairs `(b_i, a_i)` modulo `q P`, with `b_i = -a_i s + e_i + P g_i s'`.
    pub rows: Vec<(Polynomial, Polynomial)>,
}

impl KeySwitchingKey {
    /// The key from `from` (`s'`) to `to` (`s`), one row for each `(g_i, a_i, e_i)`; `a_i` is modulo `q P`.
    pub fn new(
        ring: &Ring,
        (from, to): (&[BigInt], &[BigInt]),
        special: BigInt,
        rows: &[(BigInt, Polynomial, Polynomial)],
    ) -> Self {
        let wide = Ring::new(ring.n, &ring.modulus * &special);
        let row = |(g, a, e): &(BigInt, Polynomial, Polynomial)| {
            let b = wide.sub(&wide.add(e, &wide.scale(from, &(&special * g))), &wide.mul(a, to));
            (b, wide.reduce(a))
        };
        Self { rows: rows.iter().map(row).collect(), special }
    }

    /// `(k0, k1) = round(sum_i d_i (b_i, a_i) / P)` modulo `q`: if `sum_i d_i g_i = c` modulo `q`, its phase is near `c s'`.
    pub fn apply(&self, ring: &Ring, digits: &[Polynomial]) -> Ciphertext {
        assert!(digits.len() == self.rows.len(), "{} digits for a key of {} rows", digits.len(), self.rows.len());
        let wide = Ring::new(ring.n, &ring.modulus * &self.special);
        let mut components = vec![wide.zero(); 2];
        for (d, (b, a)) in digits.iter().zip(&self.rows) {
            components.iter_mut().zip([b, a]).for_each(|(sum, key)| *sum = wide.add(sum, &wide.mul(d, key)));
        }
        Ciphertext { components }.map(|k| ring.reduce(&round_scaled(k, &BigInt::from(1), &self.special)))
    }
}

/// The `count` digits in `[0, base)` of each coefficient's residue in `[0, q)`: the gadget is `1, base, base^2, ..`.
pub fn base_digits(ring: &Ring, a: &[BigInt], base: &BigInt, count: u32) -> Vec<Polynomial> {
    assert!(base.pow(count) >= ring.modulus, "{count} digits to the base {base} do not reach q");
    let digit = |x: &BigInt, i| x.mod_floor(&ring.modulus).div_floor(&base.pow(i)).mod_floor(base);
    (0..count).map(|i| a.iter().map(|x| digit(x, i)).collect()).collect()
}
