//! The homomorphisms of BFV on random messages, with the noise held to its formula: exactly where the paper gives
//! an equation, by a bound where it rounds.

use blindrelay_reference::{Bfv, Ciphertext, KeySwitchingKey, Polynomial, Ring, Rlwe, base_digits, polynomial};
use num_bigint::BigInt;
use num_traits::Signed;

use generator::Generator;

mod generator;

/// The largest error coefficient drawn.
const ERROR: u32 = 21;

/// A scheme, a ternary secret and two messages with their ciphertexts.
struct Case {
    bfv: Bfv,
    n: usize,
    generator: Generator,
    secret: Polynomial,
    messages: [Polynomial; 2],
    ciphertexts: [Ciphertext; 2],
}

impl Case {
    fn new(n: usize, q: &BigInt, t: u32) -> Self {
        let bfv = Bfv::new(n, q.clone(), t.into());
        let mut generator = Generator::new(n as u64 + u64::from(t));
        let secret = generator.small(n, 1);
        let messages = [(); 2].map(|()| bfv.plaintext_ring.reduce(&generator.below(n, &t.into())));
        let ciphertexts = messages
            .each_ref()
            .map(|m| bfv.encrypt_with_secret(m, &secret, &generator.below(n, q), &generator.small(n, ERROR)));
        Self { bfv, n, generator, secret, messages, ciphertexts }
    }

    /// Every degree and plaintext modulus of this page, at a `q` near `2^92` that is the product of two primes.
    fn all() -> impl Iterator<Item = Self> {
        let q = primes().iter().product::<BigInt>();
        [16, 32].into_iter().flat_map(|n| [17, 257, 65537].map(|t| (n, t))).map(move |(n, t)| Self::new(n, &q, t))
    }

    /// A key from `from` to the secret.
    fn key(&mut self, from: &[BigInt], gadget: &[BigInt], special: BigInt) -> (KeySwitchingKey, Vec<Polynomial>) {
        let wide = &self.bfv.ring.modulus * &special;
        let row = |g: &BigInt| (g.clone(), self.generator.below(self.n, &wide), self.generator.small(self.n, ERROR));
        let rows = gadget.iter().map(row).collect::<Vec<_>>();
        let key = KeySwitchingKey::new(&self.bfv.ring, (from, &self.secret), special, &rows);
        (key, rows.into_iter().map(|(_, _, error)| error).collect())
    }

    fn secret_squared(&self) -> Polynomial {
        self.bfv.ring.mul(&self.secret, &self.secret)
    }

    /// Opens to `message`, with noise of at most `bound`.
    fn assert_encrypts(&self, ciphertext: &Ciphertext, message: &[BigInt], bound: &BigInt) {
        self.assert_encrypts_in(&self.bfv, ciphertext, message, bound);
    }

    fn assert_encrypts_in(&self, bfv: &Bfv, ciphertext: &Ciphertext, message: &[BigInt], bound: &BigInt) {
        let noise = largest(&bfv.noise(ciphertext, &self.secret, message));
        let (n, t, q) = (self.n, &bfv.plaintext_ring.modulus, &bfv.ring.modulus);
        assert!(noise <= *bound, "noise {noise} above {bound} at n = {n}, t = {t}, q = {q}");
        assert!((bound * 2u32 + 1u32) * t < *q, "a bound of {bound} shows nothing at n = {n}, t = {t}, q = {q}");
        let opened = bfv.decrypt(ciphertext, &self.secret);
        assert_eq!(opened, bfv.plaintext_ring.reduce(message), "at n = {n}, t = {t}, q = {q}");
    }

    /// Fan and Vercauteren's bound for a product of phases within `noise` of their messages, for a ternary secret.
    fn product_noise(&self, noise: u32) -> BigInt {
        let (n, t) = (BigInt::from(self.n), &self.bfv.plaintext_ring.modulus);
        &n * t * (&n + 1u32) * (2 * noise + 3) + (&n + 1u32) * (&n + 1u32)
    }
}

fn primes() -> [BigInt; 2] {
    [31, 61].map(|bits| (BigInt::from(1) << bits) - 1)
}

fn largest(a: &[BigInt]) -> BigInt {
    a.iter().map(Signed::abs).max().unwrap_or_default()
}

fn powers(base: u64, count: u32) -> Vec<BigInt> {
    (0..count).map(|i| BigInt::from(base).pow(i)).collect()
}

#[test]
fn secret_key_encryption_round_trips_with_the_error_as_noise() {
    let smallest = [(17, 1_009), (257, 13_001), (65537, (1 << 22) - 1)];
    for (n, (t, q)) in [16, 32].into_iter().flat_map(|n| smallest.map(|case| (n, case))) {
        let mut case = Case::new(n, &q.into(), t);
        let error = case.generator.small(n, ERROR);
        let mask = case.generator.below(n, &q.into());
        let encrypted = case.bfv.encrypt_with_secret(&case.messages[0], &case.secret, &mask, &error);
        assert_eq!(case.bfv.noise(&encrypted, &case.secret, &case.messages[0]), error);
        case.assert_encrypts(&encrypted, &case.messages[0], &ERROR.into());
    }
}

#[test]
fn public_key_encryption_round_trips_with_the_noise_of_its_formula() {
    for mut case in Case::all() {
        let (n, ring) = (case.n, case.bfv.ring.clone());
        let (mask, error) = (case.generator.below(n, &ring.modulus), case.generator.small(n, ERROR));
        let public = case.bfv.encrypt_with_secret(&ring.zero(), &case.secret, &mask, &error);
        let u = case.generator.small(n, 1);
        let [e0, e1] = [(); 2].map(|()| case.generator.small(n, ERROR));
        let [p0, p1] = &public.components[..] else { panic!("a public key is a pair") };
        let encrypted = case.bfv.encrypt_with_public(&case.messages[0], (p0, p1), &u, &e0, &e1);
        let noise = ring.add(&ring.add(&ring.mul(&error, &u), &e0), &ring.mul(&e1, &case.secret));
        assert_eq!(case.bfv.noise(&encrypted, &case.secret, &case.messages[0]), noise);
        case.assert_encrypts(&encrypted, &case.messages[0], &(ERROR * (2 * n as u32 + 1)).into());
    }
}

#[test]
fn decryption_fails_just_above_its_limit() {
    // q / 2t is 500.5 / 17 = 29.4: an error of 29 beside a rounding of at most a half may fall on either side, 28 and 30 not.
    let bfv = Bfv::new(2, 1001.into(), 17.into());
    let (secret, mask) = (polynomial(&[1, -1]), polynomial(&[123, 456]));
    for m in -8..=8 {
        let message = polynomial(&[m, 0]);
        let open = |error: i32| {
            bfv.decrypt(&bfv.encrypt_with_secret(&message, &secret, &mask, &polynomial(&[error, -error])), &secret)
        };
        assert_eq!(open(28), message);
        assert_eq!(open(-28), message);
        assert_eq!(open(30), bfv.plaintext_ring.add(&message, &polynomial(&[1, -1])));
        assert_eq!(open(-30), bfv.plaintext_ring.add(&message, &polynomial(&[-1, 1])));
    }
}

#[test]
fn sums_differences_and_negation() {
    for case in Case::all() {
        let (bfv, [m0, m1], [c0, c1]) = (&case.bfv, &case.messages, &case.ciphertexts);
        let messages = &bfv.plaintext_ring;
        // One for the rounding of the three scaled messages.
        let bound = BigInt::from(2 * ERROR + 1);
        case.assert_encrypts(&bfv.add(c0, c1), &messages.add(m0, m1), &bound);
        case.assert_encrypts(&bfv.sub(c0, c1), &messages.sub(m0, m1), &bound);
        case.assert_encrypts(&bfv.neg(c0), &messages.neg(m0), &bound);
        case.assert_encrypts(&bfv.add_plain(c0, m1), &messages.add(m0, m1), &bound);
    }
}

#[test]
fn products_with_a_message_in_the_clear() {
    for case in Case::all() {
        let (bfv, [m0, m1]) = (&case.bfv, &case.messages);
        let product = bfv.mul_plain(&case.ciphertexts[0], m1);
        // Each of n terms carries at most the error and the scaled message's rounding, times t / 2.
        let bound = &bfv.plaintext_ring.modulus * case.n * (ERROR + 1) / 2u32 + 1u32;
        case.assert_encrypts(&product, &bfv.plaintext_ring.mul(m0, m1), &bound);
        let unlifted = bfv.plaintext_ring.modulus.clone() * 3 + &m1[0];
        let shifted: Polynomial = std::iter::once(unlifted).chain(m1[1..].iter().cloned()).collect();
        assert_eq!(bfv.mul_plain(&case.ciphertexts[0], &shifted), product);
    }
}

#[test]
fn products_of_ciphertexts() {
    for case in Case::all() {
        let (bfv, [m0, m1], [c0, c1]) = (&case.bfv, &case.messages, &case.ciphertexts);
        let product = bfv.multiply(c0, c1);
        assert_eq!(product.components.len(), 3);
        case.assert_encrypts(&product, &bfv.plaintext_ring.mul(m0, m1), &case.product_noise(ERROR));
        // Components need not come centred.
        let shifted = c0.map(|c| c.iter().map(|x| x + &bfv.ring.modulus).collect());
        assert_eq!(bfv.multiply(&shifted, c1), product);
    }
}

#[test]
fn products_through_the_least_significant_digit_form() {
    // t times a BFV ciphertext encrypts -q m in the low digits; the pointwise product comes back times -1 / (q t).
    for case in Case::all() {
        let (bfv, [c0, c1]) = (&case.bfv, &case.ciphertexts);
        let (t, q) = (&bfv.plaintext_ring.modulus, &bfv.ring.modulus);
        let low = |c: &Ciphertext| c.map(|component| bfv.ring.scale(component, t));
        let back = -(q.modinv(t).unwrap()) * t.modinv(q).unwrap();
        let product = bfv.tensor(&low(c0), &low(c1)).map(|component| bfv.ring.scale(component, &back));
        let message = bfv.plaintext_ring.mul(&case.messages[0], &case.messages[1]);
        let bound = t.pow(2) * case.n * (ERROR + 1).pow(2) + 1u32;
        case.assert_encrypts(&product, &message, &bound);
    }
}

#[test]
fn relinearization_by_digits_adds_the_noise_of_its_formula() {
    for mut case in Case::all() {
        let (bfv, square) = (case.bfv.clone(), case.secret_squared());
        let (base, count) = (1 << 16, 6);
        let (key, errors) = case.key(&square, &powers(base, count), 1.into());
        let product = bfv.multiply(&case.ciphertexts[0], &case.ciphertexts[1]);
        let relinearized = bfv.relinearize(&product, &key, |c| base_digits(&bfv.ring, c, &base.into(), count));
        assert_eq!(relinearized.components.len(), 2);
        let added = bfv.ring.sub(&bfv.phase(&relinearized, &case.secret), &bfv.phase(&product, &case.secret));
        let digits = base_digits(&bfv.ring, &product.components[2], &base.into(), count);
        let terms = digits.iter().zip(&errors).map(|(d, e)| bfv.ring.mul(d, e));
        assert_eq!(added, terms.fold(bfv.ring.zero(), |sum, term| bfv.ring.add(&sum, &term)));
        let message = bfv.plaintext_ring.mul(&case.messages[0], &case.messages[1]);
        let bound = case.product_noise(ERROR) + BigInt::from(base) * count * ERROR * case.n;
        case.assert_encrypts(&relinearized, &message, &bound);
    }
}

#[test]
fn relinearization_by_the_residues_modulo_the_primes() {
    for mut case in Case::all() {
        let (bfv, square, q) = (case.bfv.clone(), case.secret_squared(), case.bfv.ring.modulus.clone());
        let idempotent = |p: BigInt| &q / &p * (&q / &p).modinv(&p).unwrap();
        let (key, _) = case.key(&square, &primes().map(idempotent), 1.into());
        let product = bfv.multiply(&case.ciphertexts[0], &case.ciphertexts[1]);
        let residues = |c: &[BigInt]| primes().map(|p| Ring::new(c.len(), p).reduce(c)).to_vec();
        let message = bfv.plaintext_ring.mul(&case.messages[0], &case.messages[1]);
        let bound = case.product_noise(ERROR) + primes().iter().sum::<BigInt>() * ERROR * case.n / 2u32;
        case.assert_encrypts(&bfv.relinearize(&product, &key, residues), &message, &bound);
    }
}

#[test]
fn relinearization_with_a_special_modulus_adds_only_rounding() {
    for mut case in Case::all() {
        let (bfv, square) = (case.bfv.clone(), case.secret_squared());
        let special = (BigInt::from(1) << 107) - 1;
        let (key, _) = case.key(&square, &[1.into()], special);
        let product = bfv.multiply(&case.ciphertexts[0], &case.ciphertexts[1]);
        let relinearized = bfv.relinearize(&product, &key, |c| vec![c.to_vec()]);
        let added = bfv.ring.sub(&bfv.phase(&relinearized, &case.secret), &bfv.phase(&product, &case.secret));
        // The error term is below n q ERROR / 2P < 1; each of the two components is rounded by at most a half.
        assert!(largest(&added) <= BigInt::from(case.n / 2 + 1));
        let message = bfv.plaintext_ring.mul(&case.messages[0], &case.messages[1]);
        case.assert_encrypts(&relinearized, &message, &(case.product_noise(ERROR) + case.n));
    }
}

#[test]
fn automorphisms_with_their_key_switch() {
    for mut case in Case::all() {
        let (bfv, n) = (case.bfv.clone(), case.n);
        let (base, count) = (1 << 16, 6);
        for k in [3, 9, n + 1, 2 * n - 1] {
            let image = bfv.ring.automorphism(&case.secret, k);
            let message = bfv.plaintext_ring.automorphism(&case.messages[0], k);
            let rotated = bfv.automorphism(&case.ciphertexts[0], k);
            assert_eq!(bfv.decrypt(&rotated, &image), message, "X -> X^{k} under the image of the secret");
            let (key, _) = case.key(&image, &powers(base, count), 1.into());
            let switched = bfv.key_switch(&rotated, &key, |c| base_digits(&bfv.ring, c, &base.into(), count));
            assert_eq!(switched.components.len(), 2);
            let bound = BigInt::from(base) * count * ERROR * n + ERROR + 1u32;
            case.assert_encrypts(&switched, &message, &bound);
        }
    }
}

#[test]
fn modulus_switching_keeps_the_message() {
    for case in Case::all() {
        for new_q in primes() {
            let target = Bfv { ring: Ring::new(case.n, new_q.clone()), ..case.bfv.clone() };
            let switched = case.bfv.switch_modulus(&case.ciphertexts[0], &new_q);
            // Half for each component's rounding, the second times up to n signs, half and less for the scaled messages'.
            case.assert_encrypts_in(&target, &switched, &case.messages[0], &(case.n / 2 + 2).into());
        }
    }
}

#[test]
fn a_circuit_of_depth_two() {
    for mut case in Case::all() {
        let bfv = case.bfv.clone();
        let square = case.secret_squared();
        let (base, count) = (1 << 16, 6);
        let (key, _) = case.key(&square, &powers(base, count), 1.into());
        let ([m0, m1], [c0, c1]) = (&case.messages, &case.ciphertexts);
        let product = bfv.relinearize(&bfv.multiply(c0, c1), &key, |c| base_digits(&bfv.ring, c, &base.into(), count));
        // ((m0 m1 - m0) + m1) m1, whose second product stays in three components.
        let circuit = bfv.multiply(&bfv.add_plain(&bfv.sub(&product, c0), m1), c1);
        let messages = &bfv.plaintext_ring;
        let expected = messages.mul(&messages.add(&messages.sub(&messages.mul(m0, m1), m0), m1), m1);
        assert_eq!(bfv.decrypt(&circuit, &case.secret), expected, "at n = {}, t = {}", case.n, messages.modulus);
        // The same without relinearization: four components.
        let unrelinearized = bfv.multiply(&bfv.add_plain(&bfv.sub(&bfv.multiply(c0, c1), c0), m1), c1);
        assert_eq!(unrelinearized.components.len(), 4);
        assert_eq!(bfv.decrypt(&unrelinearized, &case.secret), expected);
    }
}

#[test]
#[should_panic(expected = "wanted 3 components, not 2")]
fn relinearization_of_a_pair_is_refused() {
    let case = Case::new(2, &1001.into(), 5);
    let key = KeySwitchingKey { special: 1.into(), rows: vec![] };
    let _ = case.bfv.relinearize(&case.ciphertexts[0], &key, |_| vec![]);
}

#[test]
#[should_panic(expected = "1 digits for a key of 0 rows")]
fn a_gadget_of_another_length_is_refused() {
    let case = Case::new(2, &1001.into(), 5);
    let key = KeySwitchingKey { special: 1.into(), rows: vec![] };
    let _ = case.bfv.key_switch(&case.ciphertexts[0], &key, |c| vec![c.to_vec()]);
}

#[test]
#[should_panic(expected = "q odd")]
fn an_even_modulus_is_refused() {
    let _ = Bfv::new(2, 1000.into(), 5.into());
}
