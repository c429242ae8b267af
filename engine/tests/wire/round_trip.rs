//! Every object comes back as it was.

use blindrelay_engine::bfv::{Answer, Ciphertext, Context, SeededCiphertext};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::params::Level;
use blindrelay_engine::ring::{Coeff, Poly};
use blindrelay_engine::rlwe::{self, EvaluationKeys};
use blindrelay_engine::wire::{
    Header, Kind, Message, Wire, exact_len, max_len, public_key_from_bytes, public_key_to_bytes,
};
use proptest::prelude::*;

use crate::objects;
use crate::sets::{BILL, HYBRID, PADDED, SMALL, WIDE, every_kind};

fn sets() -> [&'static Context; 5] {
    [&SMALL, &WIDE, &BILL, &PADDED, &HYBRID]
}

#[test]
fn every_kind_comes_back_under_every_set() {
    for context in sets() {
        let parameters = context.parameters();
        let seeded = objects::seeded_ciphertext(context, 1);
        assert_eq!(SeededCiphertext::from_bytes(&seeded.to_bytes(), context), Ok(seeded));
        // The lowest levels of a set with a wide plaintext have no room for a message.
        let fresh = NoiseBound::fresh_secret(parameters.degree()).sup_log2();
        let roomy = |level: &Level| context.noise_limit_log2(*level) > fresh;
        assert!(roomy(&parameters.top_level()));
        for level in (0..=parameters.top_level().0).map(Level).filter(roomy) {
            for components in 2..=3 {
                let ciphertext = objects::ciphertext(context, components, level, 2).unwrap();
                let back = Ciphertext::from_bytes(&ciphertext.to_bytes(), context).unwrap();
                assert_eq!(back.rlwe(), ciphertext.rlwe());
                assert_eq!(back.parameters(), parameters);
                let (kept, sent) = (back.noise(), ciphertext.noise());
                for growth in [kept.sup_log2() - sent.sup_log2(), kept.euclidean_log2() - sent.euclidean_log2()] {
                    assert!((0.0..1.0 / 1024.0).contains(&growth), "{growth}");
                }
                assert_eq!(back.to_bytes(), ciphertext.to_bytes());
            }
        }
        let key = objects::public_key(parameters, 3);
        assert_eq!(public_key_from_bytes(&public_key_to_bytes(&key, parameters), parameters), Ok(key));
        let top = 2 * parameters.degree() as u32 - 1;
        for (relinearization, elements) in
            [(false, vec![]), (true, vec![]), (false, vec![1, top]), (true, vec![3, 9, 27])]
        {
            let keys = objects::evaluation_keys(parameters, relinearization, &elements, 4).unwrap();
            assert_eq!(EvaluationKeys::from_bytes(&keys.to_bytes(), context.parameters()), Ok(keys));
        }
        let message = objects::message(parameters);
        assert_eq!(Message::from_bytes(&message.to_bytes().unwrap(), parameters.digest(), 4, 5), Ok(message));
    }
}

#[test]
fn lengths_are_known_before_the_payload() {
    for context in sets() {
        let parameters = context.parameters();
        for bytes in every_kind(context) {
            let header = Header::parse(&bytes).unwrap();
            assert_eq!(exact_len(&bytes[..header.prefix_len()], parameters), Ok(bytes.len()));
            match header.kind {
                Kind::SeededCiphertext | Kind::PublicKey => assert_eq!(max_len(header.kind, parameters), bytes.len()),
                Kind::Message => {
                    assert_eq!(max_len(Kind::Message, parameters), 0);
                    assert!(bytes.len() <= Message::max_len(4, 5));
                }
                // At most the longest typed header is unused by the longest object.
                Kind::Ciphertext => assert!((0..16).contains(&(max_len(header.kind, parameters) - bytes.len()))),
                kind => assert!(bytes.len() <= max_len(kind, parameters)),
            }
        }
    }
    assert_eq!(max_len(Kind::Answer, BILL.parameters()), 0);
}

#[test]
fn a_full_set_of_keys_fits_the_budget_nearly_exactly() {
    let parameters = SMALL.parameters();
    let elements: Vec<u32> = (0..64).map(|i| 4095 - 2 * i).collect();
    let bytes = objects::evaluation_keys(parameters, true, &elements, 7).unwrap().to_bytes();
    assert!((0..=5 * 64).contains(&(max_len(Kind::EvaluationKeys, parameters) - bytes.len())));
}

#[test]
fn a_full_answer_fits_the_budget() {
    for context in [&SMALL, &WIDE, &PADDED] {
        let parameters = context.parameters();
        let everywhere = (0..parameters.degree() as u32).collect();
        let answer = objects::answer(parameters, everywhere, 2, 8).unwrap();
        let bytes = answer.to_bytes();
        assert!(bytes.len() <= max_len(Kind::Answer, parameters));
        assert_eq!(Answer::from_bytes(&bytes, context), Ok(answer));
    }
}

#[test]
fn fresh_ciphertexts_are_as_small_as_promised() {
    assert_eq!(objects::seeded_ciphertext(&SMALL, 1).to_bytes().len(), 40 + 32 + 2048 * 41 / 8);
    assert_eq!(objects::seeded_ciphertext(&WIDE, 1).to_bytes().len(), 40 + 32 + 2 * 4096 * 41 / 8);
    let answer = objects::answer(SMALL.parameters(), (0..16).map(|i| 128 * i + 127).collect(), 1, 1).unwrap();
    assert_eq!(answer.to_bytes().len(), 40 + 1 + 1 + 1 + 16 + 16 * 3 + 2048 * 3);
}

#[test]
fn no_noise_and_noise_at_the_limit_come_back() {
    let rlwe = objects::ciphertext(&SMALL, 2, Level(0), 1).unwrap().rlwe().clone();
    let limit = SMALL.noise_limit_log2(Level(0));
    let step_below = (limit * 1024.0).floor() / 1024.0;
    let least = f64::from(i32::MIN) / 1024.0;
    let below = NoiseBound::from_log2(step_below, 40.0, 2048);
    for (noise, kept) in [(NoiseBound::NONE, NoiseBound::from_log2(least, least, 2048)), (below, below)] {
        let ciphertext = Ciphertext::new(&SMALL, rlwe.clone(), noise).unwrap();
        let back = Ciphertext::from_bytes(&ciphertext.to_bytes(), &SMALL).unwrap();
        assert_eq!(back.noise(), kept);
    }
}

#[test]
fn extreme_residues_come_back() {
    for context in sets() {
        let parameters = context.parameters();
        for extreme in [0, u64::MAX] {
            let residues: Vec<u64> = parameters
                .top()
                .basis()
                .moduli()
                .iter()
                .flat_map(|p| std::iter::repeat_n(extreme.min(p.value() - 1), parameters.degree()))
                .collect();
            let body = Poly::from_residues(parameters.top().basis(), &residues);
            let object = SeededCiphertext::new(parameters, rlwe::SeededCiphertext::new(body, objects::seed(1)));
            assert_eq!(SeededCiphertext::from_bytes(&object.to_bytes(), context), Ok(object));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bodies_of_any_residues_come_back(number: u8, at in 0..2048_usize, value in 0..2_199_020_228_609_u64) {
        let basis = SMALL.parameters().top().basis();
        let mut body = objects::poly(basis, number);
        body.residues_mut()[at] = value;
        let object = SeededCiphertext::new(SMALL.parameters(), rlwe::SeededCiphertext::new(body, objects::seed(number)));
        prop_assert_eq!(SeededCiphertext::from_bytes(&object.to_bytes(), &SMALL), Ok(object));
    }

    #[test]
    fn answers_at_any_positions_come_back(
        positions in proptest::collection::btree_set(0..2048_u32, 0..600),
        rest in 1..=2_u8,
        number in 0..200_u8,
    ) {
        for context in [&*SMALL, &*PADDED] {
            let answer = objects::answer(context.parameters(), positions.iter().copied().collect(), rest, number).unwrap();
            let bytes = answer.to_bytes();
            prop_assert_eq!(exact_len(&bytes, context.parameters()), Ok(bytes.len()));
            prop_assert_eq!(Answer::from_bytes(&bytes, context), Ok(answer));
        }
    }

    #[test]
    fn answers_of_any_body_come_back(body in proptest::collection::vec(0..8_380_417_u64, 0..20), number in 0..200_u8) {
        let parameters = PADDED.parameters();
        let rest: Poly<Coeff> = objects::poly(parameters.answer_basis().unwrap(), number);
        let answer = Answer::new(parameters, (0..body.len() as u32).collect(), body, vec![rest]).unwrap();
        prop_assert_eq!(Answer::from_bytes(&answer.to_bytes(), &PADDED), Ok(answer));
    }

    #[test]
    fn key_sets_of_any_automorphisms_come_back(
        elements in proptest::collection::btree_set((0..2048_u32).prop_map(|i| 2 * i + 1), 0..4),
        relinearization: bool,
        number in 0..200_u8,
    ) {
        let elements: Vec<u32> = elements.into_iter().collect();
        let keys = objects::evaluation_keys(SMALL.parameters(), relinearization, &elements, number).unwrap();
        prop_assert_eq!(EvaluationKeys::from_bytes(&keys.to_bytes(), SMALL.parameters()), Ok(keys));
    }

    #[test]
    fn messages_of_any_items_come_back(
        operator in "\\PC{0,16}",
        part: u8,
        items in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..40),
    ) {
        let message = Message { parameters: SMALL.parameters().digest(), operator, part, items };
        let bytes = message.to_bytes().unwrap();
        prop_assert_eq!(exact_len(&bytes, SMALL.parameters()), Ok(bytes.len()));
        prop_assert_eq!(Message::from_bytes(&bytes, message.parameters, 40, 4), Ok(message));
    }
}
