//! The canonical embedding: between `n` real coefficients and the values at the primitive `2n`-th roots of unity.
//!
//! Of each pair of conjugate roots one is a slot: slot `j` is the value at `zeta^(3^j)`, `zeta = exp(i pi / n)`, so that `X -> X^3` rotates the slots. Folding the
//! upper half of the coefficients onto the lower as imaginary parts turns the evaluation at all `zeta^(4j+1)` into one complex
//! Fourier transform of length `n / 2` (the other roots are conjugates of these). All arithmetic is plain IEEE double precision without fused operations and with
//! software sines, so every platform computes the same bits.

use zeroize::Zeroize;

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Complex {
    /// From both parts.
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    /// Magnitude.
    pub fn abs(self) -> f64 {
        libm::hypot(self.re, self.im)
    }

    /// `exp(i pi k / n)`, by octants so that the trigonometric functions see small angles only.
    fn root(k: usize, n: usize) -> Self {
        let (quarter, rest) = (2 * k / n % 4, 2 * k % n);
        // The angle within a quarter turn is (rest / n) * pi / 2.
        let (sin, cos) = if 2 * rest <= n {
            libm::sincos(std::f64::consts::FRAC_PI_2 * rest as f64 / n as f64)
        } else {
            let (sin, cos) = libm::sincos(std::f64::consts::FRAC_PI_2 * (n - rest) as f64 / n as f64);
            (cos, sin)
        };
        match quarter {
            0 => Self::new(cos, sin),
            1 => Self::new(-sin, cos),
            2 => Self::new(-cos, -sin),
            _ => Self::new(sin, -cos),
        }
    }
}

impl Zeroize for Complex {
    fn zeroize(&mut self) {
        self.re.zeroize();
        self.im.zeroize();
    }
}

/// Real and imaginary parts apart, as the transform wants them.
#[derive(Zeroize, zeroize::ZeroizeOnDrop)]
struct Split {
    re: Vec<f64>,
    im: Vec<f64>,
}

/// The tables of one ring degree.
#[derive(Debug)]
pub struct Embedding {
    degree: usize,
    /// `zeta^k` for `k < n / 2`.
    twist: [Vec<f64>; 2],
    /// For blocks of 2, 4, .., n/2: the first half of the roots of unity of that order.
    roots: Vec<[Vec<f64>; 2]>,
    /// For each slot: its place after the transform (in bit-reversed order), and whether the value there is its conjugate.
    places: Vec<(u32, bool)>,
}

impl Embedding {
    /// The tables for ring degree `degree`, a power of two of at least 4.
    pub fn new(degree: usize) -> Self {
        let half = degree / 2;
        let split = |roots: Vec<Complex>| [roots.iter().map(|z| z.re).collect(), roots.iter().map(|z| z.im).collect()];
        let twist = split((0..half).map(|k| Complex::root(k, degree)).collect());
        let roots = (1..=half.trailing_zeros())
            .map(|log2| 1_usize << log2)
            .map(|block| split((0..block / 2).map(|k| Complex::root(2 * k, block)).collect()))
            .collect();
        let bits = half.trailing_zeros();
        let reversed = |j: usize| if bits == 0 { 0 } else { (j as u32).reverse_bits() >> (u32::BITS - bits) };
        let mut exponent = 1;
        let places = (0..half)
            .map(|_| {
                let conjugate = exponent % 4 == 3;
                let place = if conjugate { 2 * degree - exponent } else { exponent } / 4;
                exponent = exponent * 3 % (2 * degree);
                (reversed(place), conjugate)
            })
            .collect();
        Self { degree, twist, roots, places }
    }

    /// How many slots there are.
    pub fn slot_count(&self) -> usize {
        self.degree / 2
    }

    /// The values of all slots of the polynomial with these `n` real coefficients.
    pub fn evaluate(&self, coefficients: &[f64]) -> Vec<Complex> {
        let (low, high) = coefficients.split_at(self.degree / 2);
        let [cos, sin] = &self.twist;
        let mut z = Split { re: vec![0.0; low.len()], im: vec![0.0; low.len()] };
        let inputs = low.iter().zip(high).zip(cos.iter().zip(sin));
        for ((re, im), ((&a, &b), (&c, &s))) in z.re.iter_mut().zip(&mut z.im).zip(inputs) {
            *re = a * c - b * s;
            *im = a * s + b * c;
        }
        self.forward(&mut z);
        let value = |&(place, conjugate): &(u32, bool)| {
            let (re, im) = z.re.get(place as usize).zip(z.im.get(place as usize)).unwrap_or((&0.0, &0.0));
            Complex::new(*re, if conjugate { -im } else { *im })
        };
        self.places.iter().map(value).collect()
    }

    /// The `n` real coefficients of the polynomial with these values in the slots; absent slots are zero.
    pub fn interpolate(&self, slots: &[Complex]) -> Vec<f64> {
        let half = self.degree / 2;
        let mut z = Split { re: vec![0.0; half], im: vec![0.0; half] };
        for (&(place, conjugate), value) in self.places.iter().zip(slots) {
            if let Some((re, im)) = z.re.get_mut(place as usize).zip(z.im.get_mut(place as usize)) {
                (*re, *im) = (value.re, if conjugate { -value.im } else { value.im });
            }
        }
        self.inverse(&mut z);
        let [cos, sin] = &self.twist;
        let factor = 1.0 / half as f64;
        let mut coefficients = vec![0.0; self.degree];
        let (low, high) = coefficients.split_at_mut(half);
        let inputs = z.re.iter().zip(&z.im).zip(cos.iter().zip(sin));
        for ((a, b), ((&re, &im), (&c, &s))) in low.iter_mut().zip(high).zip(inputs) {
            *a = (re * c + im * s) * factor;
            *b = (im * c - re * s) * factor;
        }
        coefficients
    }

    /// Decimation in frequency: natural order in, bit-reversed order out.
    fn forward(&self, z: &mut Split) {
        for [cos, sin] in self.roots.iter().rev() {
            let block = 2 * cos.len();
            for (re, im) in z.re.chunks_exact_mut(block).zip(z.im.chunks_exact_mut(block)) {
                let ((re0, re1), (im0, im1)) = (re.split_at_mut(cos.len()), im.split_at_mut(cos.len()));
                let pairs = re0.iter_mut().zip(im0).zip(re1.iter_mut().zip(im1)).zip(cos.iter().zip(sin));
                for (((a, b), (c, d)), (&cos, &sin)) in pairs {
                    let (re, im) = (*a - *c, *b - *d);
                    (*a, *b) = (*a + *c, *b + *d);
                    (*c, *d) = (re * cos - im * sin, re * sin + im * cos);
                }
            }
        }
    }

    /// Its inverse times the length: bit-reversed order in, natural order out.
    fn inverse(&self, z: &mut Split) {
        for [cos, sin] in &self.roots {
            let block = 2 * cos.len();
            for (re, im) in z.re.chunks_exact_mut(block).zip(z.im.chunks_exact_mut(block)) {
                let ((re0, re1), (im0, im1)) = (re.split_at_mut(cos.len()), im.split_at_mut(cos.len()));
                let pairs = re0.iter_mut().zip(im0).zip(re1.iter_mut().zip(im1)).zip(cos.iter().zip(sin));
                for (((a, b), (c, d)), (&cos, &sin)) in pairs {
                    let (re, im) = (*c * cos + *d * sin, *d * cos - *c * sin);
                    (*c, *d) = (*a - re, *b - im);
                    (*a, *b) = (*a + re, *b + im);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(coefficients: &[f64], slot: usize) -> Complex {
        let n = coefficients.len();
        let exponent = (0..slot).fold(1, |power, _| power * 3 % (2 * n));
        coefficients.iter().enumerate().fold(Complex::default(), |sum, (k, &m)| {
            let angle = std::f64::consts::PI * (k * exponent % (2 * n)) as f64 / n as f64;
            Complex::new(sum.re + m * angle.cos(), sum.im + m * angle.sin())
        })
    }

    #[test]
    fn slots_are_the_values_at_the_powers_of_three() {
        for degree in [4, 8, 16, 64, 256] {
            let embedding = Embedding::new(degree);
            let coefficients: Vec<f64> = (0..degree).map(|k| ((k * k * 7 + 3 * k) % 101) as f64 - 50.0).collect();
            let slots = embedding.evaluate(&coefficients);
            assert_eq!(slots.len(), degree / 2);
            for (slot, &value) in slots.iter().enumerate() {
                let expected = direct(&coefficients, slot);
                let distance = Complex::new(value.re - expected.re, value.im - expected.im).abs();
                assert!(distance < 1e-9, "n {degree}, slot {slot}: {value:?} {expected:?}");
            }
        }
    }

    #[test]
    fn interpolation_leads_back() {
        for degree in [4, 64, 8192, 32768] {
            let embedding = Embedding::new(degree);
            let slots: Vec<Complex> = (0..degree / 2)
                .map(|j| Complex::new(((j * 37) % 1001) as f64 / 500.0 - 1.0, ((j * 91) % 997) as f64 / 498.0 - 1.0))
                .collect();
            let back = embedding.evaluate(&embedding.interpolate(&slots));
            let worst = slots.iter().zip(&back).map(|(a, b)| Complex::new(a.re - b.re, a.im - b.im).abs());
            let worst = worst.fold(0.0, f64::max);
            assert!(worst < 1e-14, "n {degree}: {worst}");
        }
    }

    #[test]
    fn multiplication_of_polynomials_is_multiplication_of_slots() {
        let n = 16;
        let embedding = Embedding::new(n);
        let (a, b): (Vec<f64>, Vec<f64>) = (0..n).map(|k| ((k % 5) as f64 - 2.0, (k % 7) as f64 - 3.0)).unzip();
        let mut product = vec![0.0; n];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                let sign = if i + j >= n { -1.0 } else { 1.0 };
                product[(i + j) % n] += sign * x * y;
            }
        }
        let slots = embedding.evaluate(&a).into_iter().zip(embedding.evaluate(&b));
        for ((x, y), z) in slots.zip(embedding.evaluate(&product)) {
            let distance = Complex::new(x.re * y.re - x.im * y.im - z.re, x.re * y.im + x.im * y.re - z.im).abs();
            assert!(distance < 1e-10);
        }
    }
}
