//! The ring `Z_q[X] / (X^n + 1)` by the schoolbook.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::Zero;

/// Coefficients, the constant one first.
pub type Polynomial = Vec<BigInt>;

/// A polynomial from machine integers.
pub fn polynomial<T: Clone + Into<BigInt>>(coefficients: &[T]) -> Polynomial {
    coefficients.iter().cloned().map(Into::into).collect()
}

/// The representative of `x` modulo `q > 0` in `(-q/2, q/2]`.
pub fn centred(x: &BigInt, q: &BigInt) -> BigInt {
    let residue = x.mod_floor(q);
    if &residue + &residue > *q { residue - q } else { residue }
}

/// `numerator / denominator * x`, each coefficient rounded to the nearest integer, for `denominator > 0`.
///
/// Division by the odd `q` knows no ties; the one that BFV can meet is `q m / t` with an even `t`, and it goes up.
pub fn round_scaled(a: &[BigInt], numerator: &BigInt, denominator: &BigInt) -> Polynomial {
    let round = |x: &BigInt| (x * numerator * 2u32 + denominator).div_floor(&(denominator * 2u32));
    a.iter().map(round).collect()
}

/// `Z_q[X] / (X^n + 1)`: arguments are any integer polynomials of `n` coefficients, results are centred in `(-q/2, q/2]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The degree, a power of two.
    pub n: usize,
    /// The modulus `q`, at least 2.
    pub modulus: BigInt,
}

impl Ring {
    /// The ring of degree `n` modulo `modulus`.
    pub fn new(n: usize, modulus: BigInt) -> Self {
        assert!(n.is_power_of_two(), "the degree {n} is not a power of two");
        assert!(modulus > BigInt::from(1), "the modulus {modulus} is below 2");
        Self { n, modulus }
    }

    /// The zero polynomial.
    pub fn zero(&self) -> Polynomial {
        vec![BigInt::zero(); self.n]
    }

    /// Each coefficient reduced to `(-q/2, q/2]`.
    pub fn reduce(&self, a: &[BigInt]) -> Polynomial {
        self.checked(a).iter().map(|x| centred(x, &self.modulus)).collect()
    }

    /// `a + b`.
    pub fn add(&self, a: &[BigInt], b: &[BigInt]) -> Polynomial {
        let pairs = self.checked(a).iter().zip(self.checked(b));
        pairs.map(|(x, y)| centred(&(x + y), &self.modulus)).collect()
    }

    /// `a - b`.
    pub fn sub(&self, a: &[BigInt], b: &[BigInt]) -> Polynomial {
        self.add(a, &self.neg(b))
    }

    /// `-a`.
    pub fn neg(&self, a: &[BigInt]) -> Polynomial {
        self.scale(a, &BigInt::from(-1))
    }

    /// `factor * a`.
    pub fn scale(&self, a: &[BigInt], factor: &BigInt) -> Polynomial {
        self.checked(a).iter().map(|x| centred(&(x * factor), &self.modulus)).collect()
    }

    /// `a b`.
    pub fn mul(&self, a: &[BigInt], b: &[BigInt]) -> Polynomial {
        self.reduce(&self.integer_product(a, b))
    }

    /// `a b` in `Z[X] / (X^n + 1)`: the coefficients are not reduced modulo `q`.
    pub fn integer_product(&self, a: &[BigInt], b: &[BigInt]) -> Polynomial {
        let mut product = vec![BigInt::zero(); 2 * self.n];
        for (i, x) in self.checked(a).iter().enumerate() {
            product.iter_mut().skip(i).zip(self.checked(b)).for_each(|(sum, y)| *sum += x * y);
        }
        self.fold(&product)
    }

    /// The image of `a` under the automorphism `X -> X^k`, for `k` odd.
    pub fn automorphism(&self, a: &[BigInt], k: usize) -> Polynomial {
        assert!(k % 2 == 1, "X -> X^{k} is no automorphism: the exponent is even");
        let mut image = vec![BigInt::zero(); 2 * self.n];
        for (i, x) in self.checked(a).iter().enumerate() {
            // The exponent i k modulo 2n; k is a unit, so no two coefficients meet.
            let exponent = i * (k % (2 * self.n)) % (2 * self.n);
            image.iter_mut().skip(exponent).take(1).for_each(|y| y.clone_from(x));
        }
        self.reduce(&self.fold(&image))
    }

    /// `a(point)`, centred. Modulo `t`, at the odd powers of a primitive `2n`-th root of unity, these are the slots.
    pub fn evaluate_at(&self, a: &[BigInt], point: &BigInt) -> BigInt {
        self.checked(a).iter().rev().fold(BigInt::zero(), |value, x| centred(&(value * point + x), &self.modulus))
    }

    /// `2n` coefficients to `n` by `X^n = -1`.
    fn fold(&self, wide: &[BigInt]) -> Polynomial {
        let (low, high) = wide.split_at(self.n);
        low.iter().zip(high).map(|(x, y)| x - y).collect()
    }

    fn checked<'a>(&self, a: &'a [BigInt]) -> &'a [BigInt] {
        assert!(a.len() == self.n, "a polynomial of {} coefficients in a ring of degree {}", a.len(), self.n);
        a
    }
}
