//! The homomorphisms of CKKS on random slots: the phase held to its formula exactly, the slots to the error that follows.

use std::f64::consts::PI;

use blindrelay_reference::{
    Ciphertext, Ckks, Complex, KeySwitchingKey, Polynomial, Rlwe, Scale, base_digits, polynomial,
};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use generator::Generator;

mod generator;

/// The largest error coefficient drawn.
const ERROR: u32 = 21;
const DIGIT: u32 = 1 << 16;
const DIGITS: u32 = 12;
const DEGREES: [usize; 3] = [2, 16, 32];

/// A modulus of three primes of 61, 31 and 89 bits, a ternary secret, and two vectors of slots with their ciphertexts at the scale `2^40`.
struct Case {
    ckks: Ckks,
    n: usize,
    generator: Generator,
    secret: Polynomial,
    slots: [Vec<Complex>; 2],
    messages: [Polynomial; 2],
    ciphertexts: [Ciphertext; 2],
}

impl Case {
    fn new(n: usize) -> Self {
        let q = prime(61) * prime(31) * prime(89);
        let ckks = Ckks::new(n, q.clone());
        let mut generator = Generator::new(n as u64);
        let secret = generator.small(n, 1);
        let slots = [(); 2].map(|()| (0..n / 2).map(|_| (unit(&mut generator), unit(&mut generator))).collect());
        let messages = slots.each_ref().map(|slots: &Vec<Complex>| ckks.encode(slots, &power_of_two(40)));
        let ciphertexts = messages
            .each_ref()
            .map(|m| ckks.encrypt_with_secret(m, &secret, &generator.below(n, &q), &generator.small(n, ERROR)));
        Self { ckks, n, generator, secret, slots, messages, ciphertexts }
    }

    fn key(&mut self, from: &[BigInt], special: BigInt) -> KeySwitchingKey {
        let wide = &self.ckks.ring.modulus * &special;
        let count = if special == 1.into() { DIGITS } else { 1 };
        let gadget = (0..count).map(|i| BigInt::from(DIGIT).pow(i));
        let row = |g| (g, self.generator.below(self.n, &wide), self.generator.small(self.n, ERROR));
        let rows = gadget.map(row).collect::<Vec<_>>();
        KeySwitchingKey::new(&self.ckks.ring, (from, &self.secret), special, &rows)
    }

    fn opened(&self, ckks: &Ckks, ciphertext: &Ciphertext, scale: &Scale) -> Vec<Complex> {
        ckks.decode(&ckks.decrypt(ciphertext, &self.secret), scale)
    }

    fn digits(&self, c: &[BigInt]) -> Vec<Polynomial> {
        base_digits(&self.ckks.ring, c, &DIGIT.into(), DIGITS)
    }
}

fn prime(bits: u32) -> BigInt {
    (BigInt::from(1) << bits) - 1
}

fn power_of_two(bits: u32) -> Scale {
    Scale::from_integer(BigInt::from(1) << bits)
}

/// A number in `[-1, 1)`.
fn unit(generator: &mut Generator) -> f64 {
    (generator.next() >> 11) as f64 / f64::from(1 << 26) / f64::from(1 << 26) - 1.0
}

fn times((a, b): Complex, (c, d): Complex) -> Complex {
    (a * c - b * d, a * d + b * c)
}

fn largest(a: &[BigInt]) -> BigInt {
    a.iter().map(Signed::abs).max().unwrap_or_default()
}

fn assert_within(found: &[Complex], expected: &[Complex], bound: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        let error = (f.0 - e.0).hypot(f.1 - e.1);
        assert!(error <= bound, "off by {error} with a bound of {bound}: {f:?} instead of {e:?}");
    }
}

#[test]
fn slots_are_the_values_at_the_roots_of_unity() {
    for n in [2, 4, 16, 64, 256] {
        let (ckks, message) = (Ckks::new(n, 1001.into()), Generator::new(7).small(n, 1000));
        let decoded = ckks.decode(&message, &power_of_two(0));
        assert_eq!(decoded.len(), n / 2);
        let mut exponent = 1;
        for slot in decoded {
            let angle = |i: usize| (i * exponent % (2 * n)) as f64 * PI / n as f64;
            let value = |part: fn(f64) -> f64| {
                message.iter().enumerate().map(|(i, m)| m.to_f64().unwrap() * part(angle(i))).sum::<f64>()
            };
            assert_within(&[slot], &[(value(f64::cos), value(f64::sin))], 1e-12 * 1000.0 * n as f64);
            exponent = exponent * 3 % (2 * n);
        }
    }
}

#[test]
fn encoding_leads_back_from_decoding() {
    for n in [2, 4, 16, 64, 256] {
        let ckks = Ckks::new(n, 1001.into());
        // 30 bits, so that an f64 holds the slots well enough to find every coefficient again.
        let message = Generator::new(n as u64).small(n, u32::MAX >> 2);
        for scale in [power_of_two(0), power_of_two(17), Scale::new(prime(61), prime(31))] {
            assert_eq!(ckks.encode(&ckks.decode(&message, &scale), &scale), message, "n = {n}, scale {scale}");
        }
    }
}

#[test]
fn decoding_leads_back_from_encoding_up_to_the_rounding() {
    for n in DEGREES {
        let case = Case::new(n);
        for (slots, message) in case.slots.iter().zip(&case.messages) {
            // Half a unit for each of the n coefficients, and the 52 bits of the slots.
            let bound = n as f64 / 2.0 / 2f64.powi(40) + 1e-15;
            assert_within(&case.ckks.decode(message, &power_of_two(40)), slots, bound);
        }
    }
}

#[test]
fn secret_key_encryption_adds_the_error_and_no_more() {
    for n in DEGREES {
        let mut case = Case::new(n);
        let (ring, error) = (case.ckks.ring.clone(), case.generator.small(n, ERROR));
        let mask = case.generator.below(n, &ring.modulus);
        let encrypted = case.ckks.encrypt_with_secret(&case.messages[0], &case.secret, &mask, &error);
        assert_eq!(case.ckks.decrypt(&encrypted, &case.secret), ring.add(&case.messages[0], &error));
    }
}

#[test]
fn public_key_encryption_adds_the_error_of_its_formula() {
    for n in DEGREES {
        let mut case = Case::new(n);
        let ring = case.ckks.ring.clone();
        let (mask, error) = (case.generator.below(n, &ring.modulus), case.generator.small(n, ERROR));
        let public = case.ckks.encrypt_with_secret(&ring.zero(), &case.secret, &mask, &error);
        let u = case.generator.small(n, 1);
        let [e0, e1] = [(); 2].map(|()| case.generator.small(n, ERROR));
        let [p0, p1] = &public.components[..] else { panic!("a public key is a pair") };
        let encrypted = case.ckks.encrypt_with_public(&case.messages[1], (p0, p1), &u, &e0, &e1);
        let noise = ring.add(&ring.add(&ring.mul(&error, &u), &e0), &ring.mul(&e1, &case.secret));
        assert_eq!(case.ckks.decrypt(&encrypted, &case.secret), ring.add(&case.messages[1], &noise));
    }
}

#[test]
fn sums_and_products_are_those_of_the_phases_and_of_the_slots() {
    for n in DEGREES {
        let case = Case::new(n);
        let (ckks, ring, [a, b]) = (&case.ckks, &case.ckks.ring, &case.ciphertexts);
        let phase = |c: &Ciphertext| ckks.decrypt(c, &case.secret);
        assert_eq!(phase(&ckks.add(a, b)), ring.add(&phase(a), &phase(b)));
        assert_eq!(phase(&ckks.sub(a, b)), ring.sub(&phase(a), &phase(b)));
        assert_eq!(phase(&ckks.add_plain(a, &case.messages[1])), ring.add(&phase(a), &case.messages[1]));
        assert_eq!(phase(&ckks.mul_plain(a, &case.messages[1])), ring.mul(&phase(a), &case.messages[1]));
        let product = ckks.multiply(a, b);
        assert_eq!(product.components.len(), 3);
        assert_eq!(phase(&product), ring.mul(&phase(a), &phase(b)));
        let products = case.slots[0].iter().zip(&case.slots[1]).map(|(&x, &y)| times(x, y)).collect::<Vec<_>>();
        // Slots are below sqrt(2), errors below (ERROR + 1/2) n; the product of two errors is far below the rest.
        let bound = 3.0 * f64::from(ERROR + 1) * n as f64 / 2f64.powi(40);
        assert_within(&case.opened(ckks, &product, &power_of_two(80)), &products, bound);
    }
}

#[test]
fn rescaling_divides_the_phase_and_adds_only_rounding() {
    for n in DEGREES {
        let case = Case::new(n);
        for bits in [61, 31, 89] {
            let smaller = case.ckks.without(&prime(bits));
            let rescaled =
                case.ckks.rescale(&case.ckks.multiply(&case.ciphertexts[0], &case.ciphertexts[1]), &prime(bits));
            let phase =
                case.ckks.decrypt(&case.ckks.multiply(&case.ciphertexts[0], &case.ciphertexts[1]), &case.secret);
            let divided = smaller.decrypt(&rescaled, &case.secret);
            let remainder = divided.iter().zip(&phase).map(|(d, p)| d * prime(bits) - p).collect::<Vec<_>>();
            // A half for each component's rounding, times 1, s and s^2, of 1-norms up to 1, n and n^2.
            assert!(largest(&remainder) * 2u32 <= prime(bits) * (1 + n + n * n));
        }
    }
}

#[test]
fn dropping_a_prime_keeps_phase_and_scale() {
    for n in DEGREES {
        let case = Case::new(n);
        let dropped = case.ckks.drop_prime(&case.ciphertexts[0], &prime(31));
        let (smaller, phase) = (case.ckks.without(&prime(31)), case.ckks.decrypt(&case.ciphertexts[0], &case.secret));
        assert_eq!(smaller.decrypt(&dropped, &case.secret), phase);
    }
}

#[test]
fn rotations_and_conjugation_move_the_slots() {
    for n in DEGREES {
        let mut case = Case::new(n);
        let ckks = case.ckks.clone();
        let slots = case.slots[0].clone();
        let bound = f64::from(DIGIT) * f64::from(DIGITS + 1) * f64::from(ERROR) * (n * n) as f64 / 2f64.powi(40);
        for step in [0, 1, 3, n / 2 - 1, n / 2 + 1] {
            let image = ckks.ring.automorphism(&case.secret, ckks.rotation(step));
            let key = case.key(&image, 1.into());
            let rotated = ckks
                .key_switch(&ckks.automorphism(&case.ciphertexts[0], ckks.rotation(step)), &key, |c| case.digits(c));
            let expected = slots.iter().cycle().skip(step % (n / 2)).take(n / 2).copied().collect::<Vec<_>>();
            assert_within(&case.opened(&ckks, &rotated, &power_of_two(40)), &expected, bound);
        }
        let image = ckks.ring.automorphism(&case.secret, ckks.conjugation());
        let key = case.key(&image, 1.into());
        let conjugated =
            ckks.key_switch(&ckks.automorphism(&case.ciphertexts[0], ckks.conjugation()), &key, |c| case.digits(c));
        let expected = slots.iter().map(|&(re, im)| (re, -im)).collect::<Vec<_>>();
        assert_within(&case.opened(&ckks, &conjugated, &power_of_two(40)), &expected, bound);
    }
}

#[test]
fn a_circuit_of_depth_two() {
    for n in DEGREES {
        let mut case = Case::new(n);
        let ckks = case.ckks.clone();
        let square = ckks.ring.mul(&case.secret, &case.secret);
        // One row beside a special modulus above q.
        let key = case.key(&square, prime(521));
        let product =
            ckks.relinearize(&ckks.multiply(&case.ciphertexts[0], &case.ciphertexts[1]), &key, |c| vec![c.to_vec()]);
        let (p, smaller) = (prime(31), ckks.without(&prime(31)));
        let product = ckks.rescale(&product, &p);
        let scale = power_of_two(80) / &p;
        // (x y + 1/2) x, at the scale 2^120 / p.
        let half = ckks.encode(&vec![(0.5, 0.0); n / 2], &scale);
        let sum = smaller.add_plain(&product, &half);
        let circuit = smaller.multiply(&sum, &ckks.drop_prime(&case.ciphertexts[0], &p));
        let expected = case.slots[0].iter().zip(&case.slots[1]).map(|(&x, &y)| {
            let (re, im) = times(x, y);
            times((re + 0.5, im), x)
        });
        let bound = 8.0 * f64::from(ERROR + 1) * n as f64 / 2f64.powi(40);
        let opened = case.opened(&smaller, &circuit, &(scale * power_of_two(40)));
        assert_within(&opened, &expected.collect::<Vec<_>>(), bound);
    }
}

#[test]
fn an_even_modulus_is_refused() {
    assert!(std::panic::catch_unwind(|| Ckks::new(2, 1000.into())).is_err());
    assert_eq!(Ckks::new(2, 1001.into()).ring.zero(), polynomial(&[0, 0]));
}
