//! What the holder of the key sees beyond the matches: uniform residues, and noise that is the flood's. All randomness is fixed, so that every run is the same.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Evaluator, Flood};
use blindrelay_engine::operator::Collection;
use blindrelay_engine::params::Level;
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::hazmat;
use blindrelay_routing::search::{Keyword, SearchMatch, pack_participants};

use crate::room::{REDUCED, REDUCED_MODULUS, WHOLE, handle, handles, keyword};

/// The statistic of Pearson's test of a uniform distribution.
fn chi_square(counts: &[u32]) -> f64 {
    let mean = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|&count| (f64::from(count) - mean).powi(2) / mean).sum()
}

/// What the statistic exceeds in one of a million runs (Wilson and Hilferty).
fn limit(bins: usize) -> f64 {
    let freedom = bins as f64 - 1.0;
    let spread = 2.0 / (9.0 * freedom);
    freedom * (1.0 - spread + 4.753 * spread.sqrt()).powi(3)
}

#[test]
fn what_does_not_match_opens_to_uniform_residues() {
    let room = &WHOLE;
    let mut roster = room.operator.roster();
    // One residue of the second keyword is that of the query; everything else differs, much of it by the same number.
    let near = Keyword::from_residues(std::array::from_fn(|i| if i == 2 { 7 } else { 900 + i as u16 }));
    let query = Keyword::from_residues([7; 8]);
    let plaintext =
        pack_participants(&room.context, &[vec![query.clone(), near, keyword(1)], vec![keyword(2)]]).unwrap();
    let [uniform, error] = [1, 2].map(|byte| Seed::from_bytes([byte; 32]));
    let record = hazmat::encrypt_deterministically(&room.key, &plaintext, uniform, &error).unwrap();
    let record = blindrelay_engine::wire::Wire::to_bytes(&record);
    roster.append(&record, &handles(0..2)).unwrap();
    let (mut single, mut pairs) = (vec![0_u32; 64], vec![0_u32; 256]);
    let mut averages = vec![0.0; 8192];
    for salt in 0..12 {
        let (answer, opened) = room.ask(&roster.view(), &room.request(room.fixed_query(&query, salt)));
        let found = answer.blocks[0].matches(&room.context, &opened[0]).unwrap();
        assert_eq!(found, [SearchMatch { handle: handle(0), place: 0 }]);
        let slots = room.slots(&opened[0]);
        // Zero exactly where a residue is equal: the match, and the one residue of its neighbour.
        let zeros: Vec<usize> = (0..slots.len()).filter(|&slot| slots[slot] == 0).collect();
        assert_eq!(zeros, (0..8).chain([10]).collect::<Vec<_>>());
        // Ranks from 0 to 65535.
        let ranks: Vec<usize> =
            slots[11..].iter().map(|&slot| (slot + 32_768 - i64::from(slot > 0)) as usize).collect();
        for &rank in &ranks {
            single[rank / 1024] += 1;
        }
        for pair in ranks.chunks_exact(2) {
            pairs[pair[0] / 4096 * 16 + pair[1] / 4096] += 1;
        }
        for (average, &slot) in averages.iter_mut().zip(&slots) {
            *average += slot as f64 / 12.0;
        }
    }
    assert!(chi_square(&single) < limit(64), "{} of {}", chi_square(&single), limit(64));
    assert!(chi_square(&pairs) < limit(256), "{} of {}", chi_square(&pairs), limit(256));
    // Asking again and again brings no difference out: the averages of equal differences are as far from each other as random ones.
    let deviation = 65_536.0 / 144.0_f64.sqrt();
    let variance = averages[64..].iter().map(|average| average * average).sum::<f64>() / 8128.0;
    assert!((variance.sqrt() / deviation - 1.0).abs() < 0.05, "{} of {deviation}", variance.sqrt());
}

#[test]
fn factors_are_uniform_and_never_zero() {
    let context = &WHOLE.context;
    let mut counts = vec![0_u32; 128];
    for seed in 0..8 {
        let factors = context.nonzero_slots(&Seed::from_bytes([seed; 32])).unwrap();
        for value in context.decode_slots(&factors).unwrap() {
            assert_ne!(value, 0);
            counts[(value + 32_768 - i64::from(value > 0)) as usize / 512] += 1;
        }
    }
    assert!(chi_square(&counts) < limit(128), "{}", chi_square(&counts));
}

#[test]
fn the_noise_that_is_left_is_the_flood() {
    let room = &WHOLE;
    let evaluator = Evaluator::new(&room.context);
    let flood = Flood::for_level(&room.context, room.context.parameters().top_level());
    let zero = room.context.encode_slots(&[]).unwrap();
    let mut counts = vec![0_u32; 32];
    for byte in 0..8 {
        let [uniform, error] = [byte, 200].map(|byte| Seed::from_bytes([byte; 32]));
        let fresh = hazmat::encrypt_deterministically(&room.key, &zero, uniform, &error).unwrap();
        let fresh = fresh.expand(&room.context).unwrap();
        let seed = Seed::from_bytes([byte ^ 0x55; 32]);
        let masked = evaluator.rerandomize(&fresh, &room.key.public_key(), flood, &seed).unwrap();
        // Both components are new.
        for (before, after) in fresh.rlwe().components().iter().zip(masked.rlwe().components()) {
            assert!(before.residues().iter().zip(after.residues()).all(|(before, after)| before != after));
        }
        // Over one prime the noise of 2^144 is about 2^21 and can be looked at as an integer.
        let low = evaluator.switch_down_to(&masked, Level(0)).unwrap();
        let phase = hazmat::phase(&room.key, &low).unwrap();
        let modulus = phase.basis().moduli()[0];
        let dropped: f64 =
            room.context.parameters().spec().ciphertext_primes[1..].iter().map(|&q| (q as f64).log2()).sum();
        let width = 2_f64.powf(f64::from(flood.bits()) - dropped);
        for &residue in phase.residues() {
            let share = f64::midpoint(modulus.centre(residue) as f64 / width, 1.0);
            assert!((-0.01..1.01).contains(&share), "{share}");
            counts[((share * 32.0) as usize).min(31)] += 1;
        }
    }
    assert!(chi_square(&counts) < limit(32), "{}: {counts:?}", chi_square(&counts));
}

#[test]
fn a_flood_that_hides_too_little_is_refused() {
    let room = &REDUCED;
    let evaluator = Evaluator::new(&room.context);
    let query = room.query(&keyword(1)).expand(&room.context).unwrap();
    let seed = Seed::from_bytes([9; 32]);
    let with = |bits| evaluator.rerandomize(&query, &room.key.public_key(), Flood::of_bits(bits), &seed);
    let needed = (0..160).find(|&bits| with(bits).is_ok()).unwrap();
    // 2^-40 over 256 coefficients: 48 bits above the noise of the query and of the encryption of zero, which is below 2^11.
    assert!((55..=59).contains(&needed), "{needed}");
    let Err(Error::Exposed { flood_bits, distance_log2, limit_log2, .. }) = with(needed - 1) else { panic!() };
    assert!(flood_bits == needed - 1 && distance_log2 > limit_log2 && distance_log2 < limit_log2 + 1.0);
    // A public key over other primes is none of this set's.
    let foreign = REDUCED_MODULUS.public_key();
    let refused = evaluator.rerandomize(&query, &foreign, Flood::of_bits(needed), &seed);
    assert!(matches!(refused, Err(Error::Unsupported { operation: "re-randomisation", .. })), "{refused:?}");
    let low = evaluator.switch_down(&query).unwrap();
    let refused = evaluator.rerandomize(&low, &room.key.public_key(), Flood::of_bits(needed), &seed);
    assert_eq!(refused, Err(Error::LevelMismatch { left: Level(2), right: Level(3) }));
    // One that would not decrypt is refused too.
    assert!(matches!(with(160), Err(Error::Noise { .. })));
}
