//! The verbs of products within the basis against clear arithmetic in every slot; coefficient by coefficient they are held to big integers by the random circuits.

use std::collections::BTreeSet;

use blindrelay_engine::bfv::Ciphertext;
use blindrelay_engine::params::Level;
use blindrelay_engine::{Error, KeyName};
use blindrelay_keyholder::KeyRequirements;
use proptest::prelude::*;

use crate::world::{Choices, T, World, centred, spec};

struct Fixture {
    world: World,
    keys: Vec<blindrelay_engine::rlwe::EvaluationKeys>,
}

fn fixture() -> Fixture {
    let world = World::new(&spec(256, 4));
    let keys = world.keys(true, &BTreeSet::new());
    Fixture { world, keys }
}

impl Fixture {
    /// The product of the primes above `lower` up to `upper`, modulo `t`, by 128-bit integers.
    fn residue(&self, lower: Option<Level>, upper: Level) -> i128 {
        let primes = &self.world.context().parameters().spec().ciphertext_primes;
        let from = lower.map_or(0, |level| level.0 + 1);
        primes[from..=upper.0].iter().fold(1, |all, &p| all * i128::from(p) % i128::from(T))
    }

    /// The same verb on every backend.
    fn each(
        &self,
        operands: &[&[Ciphertext]],
        verb: impl Fn(usize, &[&Ciphertext]) -> Result<Ciphertext, Error>,
    ) -> Vec<Ciphertext> {
        (0..self.world.sides.len())
            .map(|side| verb(side, &operands.iter().map(|operand| &operand[side]).collect::<Vec<_>>()).unwrap())
            .collect()
    }

    fn random(&self, choices: &mut Choices) -> (Vec<i64>, Vec<Ciphertext>) {
        let values: Vec<i64> = (0..self.world.slots()).map(|_| choices.residue()).collect();
        let ciphertext = self.world.encrypt(&values, choices.below(u64::MAX));
        (values, ciphertext)
    }
}

#[test]
fn no_modulus_of_the_reduced_set_is_one_modulo_t() {
    // Otherwise a forgotten factor would go unnoticed.
    let fixture = fixture();
    for level in 0..=4 {
        let residue = fixture.residue(None, Level(level));
        assert!(residue != 1 && residue != i128::from(T) - 1, "level {level}");
        assert_eq!(i128::from(fixture.world.context().modulus_residue(Level(level))), residue);
    }
    assert_eq!(fixture.world.context().modulus_residue(Level(5)), 0);
}

#[test]
fn products_gain_the_residue_of_the_modulus_at_every_level() {
    let fixture = fixture();
    let mut choices = Choices(1);
    for level in (1..=4).rev().map(Level) {
        let [(a, ca), (b, cb), (c, cc)] = [0; 3].map(|_| fixture.random(&mut choices));
        let evaluator = |side: usize| &fixture.world.sides[side].evaluator;
        let [ca, cb, cc] =
            [&ca, &cb, &cc].map(|x| fixture.each(&[x], |side, x| evaluator(side).switch_down_to(x[0], level)));
        let residue = fixture.residue(None, level);
        let product = |slot: usize| residue * i128::from(a[slot]) * i128::from(b[slot]);

        let in_place =
            fixture.each(&[&ca, &cb], |side, x| evaluator(side).multiply_within_basis(x[0], x[1], &fixture.keys[side]));
        assert_eq!(in_place[0].level(), level);
        let expected: Vec<i64> = (0..a.len()).map(|slot| centred(product(slot))).collect();
        assert_eq!(fixture.world.open(&in_place), expected);

        let lower = fixture.each(&[&ca, &cb], |side, x| {
            evaluator(side).multiply_add_and_switch_down(x[0], x[1], None, &fixture.keys[side])
        });
        assert_eq!(lower[0].level(), Level(level.0 - 1));
        assert_eq!(fixture.world.open(&lower), expected);

        let with_addend = fixture.each(&[&ca, &cb, &cc], |side, x| {
            evaluator(side).multiply_add_and_switch_down(x[0], x[1], Some(x[2]), &fixture.keys[side])
        });
        let expected: Vec<i64> = (0..a.len()).map(|slot| centred(product(slot) + i128::from(c[slot]))).collect();
        assert_eq!(fixture.world.open(&with_addend), expected);

        // One verb for three: product, sum, division.
        let one_by_one = fixture.each(&[&ca, &cb, &cc], |side, x| {
            let product = evaluator(side).multiply_within_basis(x[0], x[1], &fixture.keys[side])?;
            evaluator(side).switch_down(&evaluator(side).add(&product, x[2])?)
        });
        assert!(with_addend.iter().zip(&one_by_one).all(|(a, b)| a.rlwe() == b.rlwe()));
    }
}

#[test]
fn leaving_primes_out_multiplies_by_them_and_keeps_the_noise() {
    let fixture = fixture();
    let (values, fresh) = fixture.random(&mut Choices(2));
    for level in (0..=4).map(Level) {
        let truncated = fixture.each(&[&fresh], |side, x| fixture.world.sides[side].evaluator.truncate_to(x[0], level));
        assert_eq!((truncated[0].level(), truncated[0].noise()), (level, fresh[0].noise()));
        let factor = fixture.residue(Some(level), Level(4));
        let expected: Vec<i64> = values.iter().map(|&value| centred(factor * i128::from(value))).collect();
        assert_eq!(fixture.world.open(&truncated), expected, "level {level}");
    }
    let evaluator = &fixture.world.sides[0].evaluator;
    let low = evaluator.truncate_to(&fresh[0], Level(2)).unwrap();
    let refused = evaluator.truncate_to(&low, Level(3));
    assert_eq!(refused, Err(Error::LevelMismatch { left: Level(2), right: Level(3) }));
}

#[test]
fn refusals_of_the_verbs() {
    let fixture = fixture();
    let side = &fixture.world.sides[0];
    let (evaluator, keys) = (&side.evaluator, &fixture.keys[0]);
    let mut choices = Choices(3);
    let (a, b) = (fixture.random(&mut choices).1.remove(0), fixture.random(&mut choices).1.remove(0));
    let none = side.key.evaluation_keys(&KeyRequirements::default());
    let missing = Err(Error::MissingKey { key: KeyName::Relinearization });
    assert_eq!(evaluator.multiply_within_basis(&a, &b, &none), missing);
    assert_eq!(evaluator.multiply_add_and_switch_down(&a, &b, None, &none), missing);
    let lower = evaluator.switch_down(&a).unwrap();
    let mismatch = Err(Error::LevelMismatch { left: Level(4), right: Level(3) });
    assert_eq!(evaluator.multiply_within_basis(&a, &lower, keys), mismatch);
    assert_eq!(evaluator.multiply_add_and_switch_down(&a, &lower, None, keys), mismatch);
    assert_eq!(evaluator.multiply_add_and_switch_down(&a, &b, Some(&lower), keys), mismatch);
    let lowest = evaluator.switch_down_to(&a, Level(0)).unwrap();
    let refused = evaluator.multiply_add_and_switch_down(&lowest, &lowest, None, keys).unwrap_err();
    assert!(matches!(refused, Error::Noise { operation: "a product within the basis", .. }), "{refused}");
    // Where only the division is missing: a product that the lowest level would still hold.
    let wide = blindrelay_engine::ntt_primes_below(50, 512, 2).unwrap();
    let narrow = World::new(&blindrelay_engine::params::ParameterSpec {
        ciphertext_primes: wide[..1].to_vec(),
        special_primes: wide[1..].to_vec(),
        ..spec(256, 0)
    });
    let side = &narrow.sides[0];
    let x = &narrow.encrypt(&[1, 2, 3], 0)[0];
    let keys = side.key.evaluation_keys(&KeyRequirements { relinearization: true, galois: BTreeSet::new() });
    assert_eq!(side.evaluator.multiply_add_and_switch_down(x, x, None, &keys), Err(Error::LevelExhausted));
    let three = evaluator.multiply(&a, &b).unwrap();
    let components = |operation| Err(Error::Components { operation, expected: 2, found: 3 });
    assert_eq!(evaluator.multiply_within_basis(&three, &b, &fixture.keys[0]), components("multiplication"));
    assert_eq!(evaluator.linear_combination(&[(&three, 1)], Level(4)), components("a linear combination"));
    assert_eq!(
        evaluator.linear_combination(&[(&lower, 1)], Level(4)),
        Err(Error::LevelMismatch { left: Level(3), right: Level(4) })
    );
    assert_eq!(evaluator.linear_combination(&[], Level(4)), Err(Error::Transparent));
    assert_eq!(evaluator.linear_combination(&[(&a, 0), (&b, 0)], Level(4)), Err(Error::Transparent));
    assert_eq!(
        evaluator.add_constant(&a, T / 2 + 1),
        Err(Error::ValueOutOfRange { index: 0, limit: T.unsigned_abs() / 2 })
    );
    let large = i64::MAX >> 1;
    let refused = evaluator.linear_combination(&[(&lowest, large)], Level(0)).unwrap_err();
    assert!(matches!(refused, Error::Noise { operation: "a linear combination", .. }), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Terms at any levels, with any factors, over any level below them, and a constant.
    #[test]
    fn linear_combinations_and_constants(
        number in any::<u64>(),
        terms in proptest::collection::vec((1_usize..=4, -70_000_i64..70_000), 1..6),
        lowest in 1_usize..=4,
        constant in -T / 2..=T / 2,
    ) {
        let fixture = fixture();
        let mut choices = Choices(number);
        let level = Level(lowest.min(terms.iter().map(|(level, _)| *level).min().unwrap()));
        let operands: Vec<(Vec<i64>, Vec<Ciphertext>)> = terms
            .iter()
            .map(|&(at, _)| {
                let (values, fresh) = fixture.random(&mut choices);
                let evaluator = |side: usize| &fixture.world.sides[side].evaluator;
                (values, fixture.each(&[&fresh], |side, x| evaluator(side).switch_down_to(x[0], Level(at))))
            })
            .collect();
        let ciphertexts: Vec<&[Ciphertext]> = operands.iter().map(|(_, ciphertext)| ciphertext.as_slice()).collect();
        let combined = |side: usize, x: &[&Ciphertext]| {
            let evaluator = &fixture.world.sides[side].evaluator;
            let terms: Vec<_> = x.iter().copied().zip(terms.iter().map(|(_, factor)| *factor)).collect();
            let sum = evaluator.linear_combination(&terms, level)?;
            evaluator.add_constant(&sum, constant)
        };
        if terms.iter().all(|(_, factor)| *factor == 0) {
            let first: Vec<&Ciphertext> = ciphertexts.iter().map(|operand| &operand[0]).collect();
            prop_assert_eq!(combined(0, &first), Err(Error::Transparent));
            return Ok(());
        }
        let sum = fixture.each(&ciphertexts, combined);
        let expected: Vec<i64> = (0..fixture.world.slots())
            .map(|slot| {
                let all = operands.iter().zip(&terms).map(|((values, _), &(at, factor))| {
                    let gained = fixture.residue(Some(level), Level(at));
                    gained * i128::from(factor) * i128::from(values[slot])
                });
                centred(all.sum::<i128>() + i128::from(constant))
            })
            .collect();
        prop_assert_eq!(fixture.world.open(&sum), expected);
    }
}
