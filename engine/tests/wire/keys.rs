//! What a set of evaluation keys may not say or contain.

use blindrelay_engine::params::Level;
use blindrelay_engine::ring::GaloisElement;
use blindrelay_engine::rlwe::{EvaluationKeys, GaloisKey, KeySwitchingKey, RelinearizationKey};
use blindrelay_engine::wire::{GaloisFault, HeaderFault, Kind, MAX_GALOIS_KEYS, Wire, WireError, exact_len, max_len};
use blindrelay_engine::{Error, KeyName, Modulus};

use crate::crafted::{typed, with_bits, with_typed};
use crate::objects;
use crate::sets::{SMALL, WIDE};

fn refusal(typed: &[u8]) -> WireError {
    let bytes = objects::evaluation_keys(SMALL.parameters(), false, &[3, 9], 1).unwrap().to_bytes();
    let crafted = with_typed(&bytes, typed);
    let error = EvaluationKeys::from_bytes(&crafted, SMALL.parameters()).unwrap_err();
    assert_eq!(exact_len(&crafted, SMALL.parameters()), Err(error.clone()));
    error
}

#[test]
fn galois_elements_are_odd_below_twice_the_degree_and_ascending() {
    let element = |element, reason| WireError::GaloisElement { element, reason };
    assert_eq!(refusal(&[0, 2, 3, 8]), element(8, GaloisFault::Even));
    assert_eq!(refusal(&[0, 2, 0, 3]), element(0, GaloisFault::Even));
    assert_eq!(refusal(&[0, 2, 9, 9]), element(9, GaloisFault::Duplicate));
    assert_eq!(refusal(&[0, 2, 9, 3]), element(3, GaloisFault::NotAscending));
    assert_eq!(refusal(&[0, 2, 3, 251, 1, 16]), element(4097, GaloisFault::TooLarge));
    assert_eq!(refusal(&[0, 2, 3, 252, 255, 255, 255, 255]), element((1 << 20) - 1, GaloisFault::TooLarge));
}

#[test]
fn a_key_serves_a_level_of_the_parameters() {
    // One prime, one level: no key can lack a level.
    let level = WireError::Level { found: Level(1), top: Level(0) };
    assert_eq!(refusal(&[2, 2, 3, 9]), level);
    assert_eq!(refusal(&[1, 1, 252, 3, 0, 16, 0]), level);
}

#[test]
fn keys_for_lower_levels_are_smaller_and_come_back() {
    let parameters = WIDE.parameters();
    let full = objects::evaluation_keys(parameters, true, &[3, 9], 1).unwrap();
    let lower = |salt: u8| {
        let target = parameters.at(Level(0)).unwrap().decomposition().target();
        KeySwitchingKey::up_to(parameters, Level(0), vec![objects::poly(target, salt)], objects::seed(salt)).unwrap()
    };
    let three = GaloisElement::new(3, parameters.degree()).unwrap();
    let nine = GaloisElement::new(9, parameters.degree()).unwrap();
    let keys = EvaluationKeys::new(
        parameters,
        Some(RelinearizationKey(lower(7))),
        [GaloisKey::new(parameters, three, lower(8)), full.galois(nine).unwrap().clone()],
    );
    let bytes = keys.to_bytes();
    assert_eq!(exact_len(&bytes, parameters), Ok(bytes.len()));
    // One row of one prime instead of two rows of two.
    assert_eq!(full.to_bytes().len() - bytes.len() + 4, 2 * 3 * 4096 * 41 / 8);
    assert_eq!(EvaluationKeys::from_bytes(&bytes, parameters).as_ref(), Ok(&keys));
    let refused = |name| Error::KeyLevel { key: name, found: Level(0), needed: Level(1) };
    assert_eq!(keys.relinearization_at(Level(1)).err(), Some(refused(KeyName::Relinearization)));
    assert_eq!(keys.galois_at(three, Level(1)).err(), Some(refused(KeyName::Galois(3))));
    assert!(keys.relinearization_at(Level(0)).is_ok() && keys.galois_at(nine, Level(1)).is_ok());
}

#[test]
fn the_number_of_keys_is_limited() {
    let elements: Vec<u8> = (0..=MAX_GALOIS_KEYS as u8).map(|i| 2 * i + 1).collect();
    let header = [&[0, elements.len() as u8][..], &elements].concat();
    let reason = HeaderFault::TooMany { what: "automorphism keys", found: 65, limit: 64 };
    assert_eq!(refusal(&header), WireError::TypedHeader { reason });
    for claim in [&[252, 0, 0, 0, 255][..], &[253, 0, 0, 0, 0, 0, 0, 0, 128]] {
        let ends = WireError::TypedHeader { reason: HeaderFault::Ends };
        assert_eq!(refusal(&[&[0][..], claim, &[3, 9]].concat()), ends);
    }
}

#[test]
fn the_typed_header_decides_how_many_keys_follow() {
    let bytes = objects::evaluation_keys(SMALL.parameters(), false, &[3, 9], 1).unwrap().to_bytes();
    assert_eq!(typed(&bytes), [0, 2, 3, 9]);
    let key = 32 + 3 * 2048 * 41 / 8;
    assert_eq!(bytes.len(), 40 + 4 + 2 * key);
    let decode = |typed: &[u8]| EvaluationKeys::from_bytes(&with_typed(&bytes, typed), SMALL.parameters());
    // Two keys are as long as one of them and one for relinearization.
    assert!(decode(&[1, 1, 3]).is_ok_and(|keys| keys.relinearization().is_some() && keys.galois_keys().len() == 1));
    let found = bytes.len();
    assert_eq!(decode(&[1, 2, 3, 9]), Err(WireError::Truncated { needed: found + key, found }));
    let expected = found - 2 - 2 * key;
    assert_eq!(decode(&[0, 0]), Err(WireError::TrailingBytes { expected, found: found - 2 }));
}

#[test]
fn residues_of_every_row_are_checked() {
    let bytes = objects::evaluation_keys(WIDE.parameters(), true, &[5], 1).unwrap().to_bytes();
    let primes: Vec<u64> = WIDE.parameters().key_basis().moduli().into_iter().map(Modulus::value).collect();
    let row = 2 * 4096 * 41;
    for start in [256, 256 + row, 2 * 256 + 2 * row, 2 * 256 + 3 * row] {
        for (limb, &prime) in primes.iter().enumerate() {
            let crafted = with_bits(&bytes, start + 41 * (4096 * limb + 17), 41, prime);
            assert_eq!(
                EvaluationKeys::from_bytes(&crafted, WIDE.parameters()),
                Err(WireError::Residue { limb, index: 17 })
            );
        }
    }
}

#[test]
fn a_relinearization_key_of_other_parameters_is_refused() {
    let bytes = objects::evaluation_keys(WIDE.parameters(), true, &[], 1).unwrap().to_bytes();
    let (expected, found) = (SMALL.parameters().digest(), WIDE.parameters().digest());
    assert_eq!(EvaluationKeys::from_bytes(&bytes, SMALL.parameters()), Err(WireError::Parameters { expected, found }));
    // Under a forged digest its length gives it away.
    let mut forged = bytes;
    forged[8..40].copy_from_slice(expected.as_bytes());
    assert!(matches!(EvaluationKeys::from_bytes(&forged, SMALL.parameters()), Err(WireError::TrailingBytes { .. })));
}

#[test]
fn the_budget_covers_the_largest_set_of_keys() {
    let bytes = objects::evaluation_keys(SMALL.parameters(), false, &[3, 9], 1).unwrap().to_bytes();
    let elements: Vec<u8> = (0..MAX_GALOIS_KEYS as u16)
        .flat_map(|i| [[251].to_vec(), (4095 - 126 + 2 * i).to_le_bytes().to_vec()].concat())
        .collect();
    let header = [&[1, 64][..], &elements].concat();
    let promised = exact_len(&with_typed(&bytes, &header), SMALL.parameters()).unwrap();
    assert!(promised <= max_len(Kind::EvaluationKeys, SMALL.parameters()));
}
