//! CKKS at `n = 2`, `q = 1001 = 7 * 11 * 13`, worked by hand with the secret `1 - X`: the one slot of `a + bX` is `a + bi`.

use blindrelay_reference::{Ciphertext, Ckks, Complex, Polynomial, Scale, polynomial};

fn ckks() -> Ckks {
    Ckks::new(2, 1001.into())
}

fn secret() -> Polynomial {
    polynomial(&[1, -1])
}

fn scale(numerator: i64, denominator: i64) -> Scale {
    Scale::new(numerator.into(), denominator.into())
}

/// Encrypts `2 + i` at the scale 10 with the mask `100 - 200X`, given uncentred as `1101 - 200X`, and the error `1 - X`.
fn first() -> Ciphertext {
    let message = ckks().encode(&[(2.0, 1.0)], &scale(10, 1));
    ckks().encrypt_with_secret(&message, &secret(), &polynomial(&[1101, -200]), &polynomial(&[1, -1]))
}

/// Encrypts `1 - 2i` at the scale 10 with the mask `3 + 4X` and the error `X`.
fn second() -> Ciphertext {
    let message = ckks().encode(&[(1.0, -2.0)], &scale(10, 1));
    ckks().encrypt_with_secret(&message, &secret(), &polynomial(&[3, 4]), &polynomial(&[0, 1]))
}

fn ciphertext<const LENGTH: usize>(components: [[i64; 2]; LENGTH]) -> Ciphertext {
    Ciphertext { components: components.iter().map(|c| polynomial(c)).collect() }
}

fn assert_near(found: &[Complex], expected: &[Complex]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f.0 - e.0).abs() < 1e-13 && (f.1 - e.1).abs() < 1e-13, "{found:?} instead of {expected:?}");
    }
}

#[test]
fn the_example_of_the_paper() {
    // Cheon, Kim, Kim and Song, section 3.2: n = 4, scale 64, slots 3 + 4i and 2 - i: 10/4 + sqrt(2) X + 10/4 X^2 + sqrt(2)/2 X^3.
    let ckks = Ckks::new(4, 1001.into());
    let message = ckks.encode(&[(3.0, 4.0), (2.0, -1.0)], &scale(64, 1));
    assert_eq!(message, polynomial(&[160, 91, 160, 45]));
    // At zeta = (1 + i)/sqrt(2): 160 + 91 zeta + 160 i + 45 (i - 1)/sqrt(2); at its cube: 160 + 91 (i - 1)/sqrt(2) - 160 i + 45 zeta.
    let root = 0.5_f64.sqrt();
    let slots = [(160.0 + 46.0 * root, 160.0 + 136.0 * root), (160.0 - 46.0 * root, -160.0 + 136.0 * root)];
    assert_near(&ckks.decode(&message, &scale(64, 1)), &slots.map(|(re, im)| (re / 64.0, im / 64.0)));
}

#[test]
fn a_rational_scale_rounds_to_the_nearest() {
    // 10/3 of 2 - 5i: 6.67 and -16.67.
    assert_eq!(ckks().encode(&[(2.0, -5.0)], &scale(10, 3)), polynomial(&[7, -17]));
    assert_near(&ckks().decode(&polynomial(&[7, -17]), &scale(10, 3)), &[(2.1, -5.1)]);
}

#[test]
fn encryption_with_the_secret() {
    // a s = -100 - 300X; 100 + 300X + 1 - X + 20 + 10X.
    assert_eq!(first(), ciphertext([[121, 309], [100, -200]]));
    // a s = 7 + X; -7 - X + X + 10 - 20X.
    assert_eq!(second(), ciphertext([[3, -20], [3, 4]]));
}

#[test]
fn encryption_with_a_public_key() {
    // p u = (7 + 5X)(1 + X) = 2 + 12X and (3 + 4X)(1 + X) = -1 + 7X.
    let (p0, p1) = (polynomial(&[7, 5]), polynomial(&[3, 4]));
    let (u, e0, e1) = (polynomial(&[1, 1]), polynomial(&[1, 0]), polynomial(&[0, -1]));
    let encrypted = ckks().encrypt_with_public(&polynomial(&[20, 10]), (&p0, &p1), &u, &e0, &e1);
    assert_eq!(encrypted, ciphertext([[23, 22], [-1, 6]]));
}

#[test]
fn decryption() {
    let opened = ckks().decrypt(&first(), &secret());
    assert_eq!(opened, polynomial(&[21, 9]));
    assert_near(&ckks().decode(&opened, &scale(10, 1)), &[(2.1, 0.9)]);
}

#[test]
fn sums_and_products_with_messages_in_the_clear() {
    let sum = ckks().add_plain(&first(), &polynomial(&[490, 3]));
    assert_eq!(sum, ciphertext([[-390, 312], [100, -200]]));
    // (121 + 309X)(2 - X) = 551 + 497X and (100 - 200X)(2 - X) = 0 - 500X.
    let product = ckks().mul_plain(&first(), &polynomial(&[2, -1]));
    assert_eq!(product, ciphertext([[-450, 497], [0, -500]]));
}

#[test]
fn multiplication() {
    // c0 d0 = 6543 - 1493X, c0 d1 + c1 d0 = -4573 - 1189X, c1 d1 = 1100 - 200X.
    let product = ckks().multiply(&first(), &second());
    assert_eq!(product, ciphertext([[-464, -492], [432, -188], [99, -200]]));
    // (21 + 9X)(10 - 19X); at the scale 100, near (2 + i)(1 - 2i) = 4 - 3i.
    let opened = ckks().decrypt(&product, &secret());
    assert_eq!(opened, polynomial(&[381, -309]));
    assert_near(&ckks().decode(&opened, &scale(100, 1)), &[(3.81, -3.09)]);
}

#[test]
fn rescaling() {
    // A seventh: 17.3 + 44.1X and 14.3 - 28.6X, modulo 143. The phase, 17 + 44X - 15 - 43X, is near (21 + 9X) / 7.
    let (smaller, rescaled) = (ckks().without(&7.into()), ckks().rescale(&first(), &7.into()));
    assert_eq!(rescaled, ciphertext([[17, 44], [14, -29]]));
    assert_eq!(smaller.decrypt(&rescaled, &secret()), polynomial(&[2, 1]));
}

#[test]
fn dropping_a_prime_keeps_the_phase() {
    let dropped = ckks().drop_prime(&first(), &7.into());
    assert_eq!(dropped, ciphertext([[-22, 23], [-43, -57]]));
    assert_eq!(ckks().without(&7.into()).decrypt(&dropped, &secret()), polynomial(&[21, 9]));
}

#[test]
fn rotations_of_eight_slots() {
    // 3, 9, 27, 81 modulo 32; eight steps lead back.
    let ckks = Ckks::new(16, 1001.into());
    assert_eq!([0, 1, 2, 3, 4, 8].map(|step| ckks.rotation(step)), [1, 3, 9, 27, 17, 1]);
}

#[test]
#[should_panic(expected = "5 does not divide q = 1001")]
fn rescaling_by_another_prime_is_refused() {
    let _ = ckks().rescale(&first(), &5.into());
}

#[test]
#[should_panic(expected = "2 slots for a ring of degree 2, which has 1")]
fn a_wrong_number_of_slots_is_refused() {
    let _ = ckks().encode(&[(1.0, 0.0), (1.0, 0.0)], &scale(1, 1));
}

#[test]
#[should_panic(expected = "NaN is not a number that slots hold")]
fn a_slot_that_is_no_number_is_refused() {
    let _ = ckks().encode(&[(f64::NAN, 0.0)], &scale(1, 1));
}
