//! BFV at `n = 2`, `q = 1001`, `t = 5`, worked by hand with the secret `1 - X`.

use blindrelay_reference::{Bfv, Ciphertext, KeySwitchingKey, Polynomial, Rlwe, base_digits, polynomial};

fn bfv() -> Bfv {
    Bfv::new(2, 1001.into(), 5.into())
}

fn secret() -> Polynomial {
    polynomial(&[1, -1])
}

/// Encrypts `2 + X` with the mask `100 - 200X`, given uncentred as `1101 - 200X`, and the error `1 - X`.
fn first() -> Ciphertext {
    bfv().encrypt_with_secret(&polynomial(&[2, 1]), &secret(), &polynomial(&[1101, -200]), &polynomial(&[1, -1]))
}

/// Encrypts `1 - 2X` with the mask `3 + 4X` and the error `X`.
fn second() -> Ciphertext {
    bfv().encrypt_with_secret(&polynomial(&[1, -2]), &secret(), &polynomial(&[3, 4]), &polynomial(&[0, 1]))
}

fn ciphertext<const LENGTH: usize>(components: [[i64; 2]; LENGTH]) -> Ciphertext {
    Ciphertext { components: components.iter().map(|c| polynomial(c)).collect() }
}

#[test]
fn encryption_with_the_secret() {
    // a s = -100 - 300X; round(1001 m / 5) = 400 + 200X; c0 = 501 + 499X, and 501 - 1001 = -500.
    assert_eq!(first(), ciphertext([[-500, 499], [100, -200]]));
    // a s = 7 + X; round(1001 m / 5) = 200 - 400X.
    assert_eq!(second(), ciphertext([[193, -400], [3, 4]]));
}

#[test]
fn encryption_with_a_public_key() {
    // p u = (7 + 5X)(1 + X) = 2 + 12X and (3 + 4X)(1 + X) = -1 + 7X; round(1001 m / 5) = 400 + 200X.
    let (p0, p1) = (polynomial(&[7, 5]), polynomial(&[3, 4]));
    let (u, e0, e1) = (polynomial(&[1, 1]), polynomial(&[1, 0]), polynomial(&[0, -1]));
    let encrypted = bfv().encrypt_with_public(&polynomial(&[2, 1]), (&p0, &p1), &u, &e0, &e1);
    assert_eq!(encrypted, ciphertext([[403, 212], [-1, 6]]));
}

#[test]
fn decryption() {
    // 401 + 199X: five times it, over 1001, is 2.003 + 0.994X.
    assert_eq!(bfv().phase(&first(), &secret()), polynomial(&[401, 199]));
    assert_eq!(bfv().noise(&first(), &secret(), &polynomial(&[2, 1])), polynomial(&[1, -1]));
    assert_eq!(bfv().decrypt(&first(), &secret()), polynomial(&[2, 1]));
}

#[test]
fn multiplication() {
    // c0 d0 = 103100 + 296307X, c0 d1 + c1 d0 = -64196 - 79103X, c1 d1 = 1100 - 200X, each times 5/1001.
    let product = bfv().multiply(&first(), &second());
    assert_eq!(product, ciphertext([[-486, 479], [-321, -395], [5, -1]]));
    // (2 + X)(1 - 2X) = 4 - 3X, that is -1 + 2X modulo 5; the phase is -203 + 395X, the scaled message -200 + 400X.
    assert_eq!(bfv().phase(&product, &secret()), polynomial(&[-203, 395]));
    assert_eq!(bfv().noise(&product, &secret(), &polynomial(&[4, -3])), polynomial(&[-3, -5]));
    assert_eq!(bfv().decrypt(&product, &secret()), polynomial(&[-1, 2]));
}

#[test]
fn modulus_switching() {
    // 501/1001 of -500, 499, 100, -200: -250.2, 249.7, 50.05, -100.1.
    let switched = bfv().switch_modulus(&first(), &501.into());
    assert_eq!(switched, ciphertext([[-250, 250], [50, -100]]));
    assert_eq!(Bfv::new(2, 501.into(), 5.into()).decrypt(&switched, &secret()), polynomial(&[2, 1]));
}

#[test]
fn digits_to_a_base() {
    // -486 stands for 515 = 5 + 1 * 10 + 5 * 100, and 479 = 9 + 7 * 10 + 4 * 100.
    let digits = base_digits(&bfv().ring, &polynomial(&[-486, 479]), &10.into(), 4);
    assert_eq!(digits, [[5, 9], [1, 7], [5, 4], [0, 0]].map(|digit| polynomial(&digit)));
}

#[test]
fn a_key_switching_key_and_its_application() {
    // From s' = -2X (which is s^2), g = 1, P = 3: b = -(10 + 20X)(1 - X) + (1 + X) + 3(-2X) = -29 - 15X modulo 3003, where 3013 is 10.
    let row = (1.into(), polynomial(&[3013, 20]), polynomial(&[1, 1]));
    let key = KeySwitchingKey::new(&bfv().ring, (&polynomial(&[0, -2]), &secret()), 3.into(), &[row]);
    assert_eq!(key.rows, [(polynomial(&[-29, -15]), polynomial(&[10, 20]))]);
    // Times 5 - X: -160 - 46X and 70 + 90X; a third of each: -53.3 - 15.3X and 23.3 + 30X.
    let pair = key.apply(&bfv().ring, &[polynomial(&[5, -1])]);
    assert_eq!(pair, ciphertext([[-53, -15], [23, 30]]));
    // Its phase, 0 - 8X, is near (5 - X)(-2X) = -2 - 10X.
    assert_eq!(bfv().phase(&pair, &secret()), polynomial(&[0, -8]));
}
