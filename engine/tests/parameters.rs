//! Parameter sets: what is accepted, what is refused with which numbers, and the rule behind the named primes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "all of this crate is a test: a panic is how it fails"
)]

use std::collections::BTreeSet;

use blindrelay_engine::params::{
    BILL_8192, CEILINGS, MATCH_2048, MATCH_4096, ParameterError, ParameterSpec, Parameters, Scheme, SecurityPolicy,
    preset, presets,
};
use blindrelay_engine::{Backend, KernelError, ntt_primes_below};

fn bfv(degree: usize, primes: Vec<u64>, policy: SecurityPolicy) -> ParameterSpec {
    ParameterSpec {
        name: "under-test".into(),
        ring_degree: degree,
        scheme: Scheme::Bfv { plaintext_modulus: 257 },
        ciphertext_primes: primes,
        special_primes: Vec::new(),
        digit_bits: 50,
        answer_prime: None,
        policy,
    }
}

/// Distinct primes whose product has exactly `bits` bits: of 40 to 50 bits each, as few as possible.
fn primes_of(bits: u32, degree: usize) -> Vec<u64> {
    let count = bits.div_ceil(50);
    let (each, wider) = (bits / count, bits % count);
    let mut primes = Vec::new();
    for index in 0..count {
        let width = each + u32::from(index < wider);
        let before = primes.len();
        let candidates = ntt_primes_below(width, 2 * degree as u64, count as usize).unwrap();
        primes.extend(candidates.into_iter().find(|p| !primes.contains(p)));
        assert_eq!(primes.len(), before + 1);
    }
    primes
}

#[test]
fn one_bit_above_a_ceiling_is_refused_with_the_numbers_and_the_ceiling_itself_is_not() {
    // The product of primes just below powers of two has as many bits as their widths sum to, as long as little is lost: 20 primes here.
    for row in CEILINGS.iter().filter(|row| row.pq128 <= 900) {
        for (policy, name, ceiling) in [
            (SecurityPolicy::Pq128, "Pq128", row.pq128),
            (SecurityPolicy::Classical128, "Classical128", row.classical128),
        ] {
            let above = bfv(row.degree, primes_of(ceiling + 1, row.degree), policy);
            let refused = Parameters::new(above, Backend::detect()).unwrap_err();
            let expected =
                ParameterError::AboveCeiling { bits: ceiling + 1, ceiling, degree: row.degree, policy: name };
            assert_eq!(refused, expected);
            let message = refused.to_string();
            assert!(
                message.contains(&format!("{} bits", ceiling + 1)) && message.contains(&format!("at most {ceiling} "))
            );
            if row.degree <= 8192 {
                let at = Parameters::new(bfv(row.degree, primes_of(ceiling, row.degree), policy), Backend::detect())
                    .unwrap();
                assert_eq!(at.modulus_bits(), ceiling);
            }
        }
    }
}

#[test]
fn special_primes_count_towards_the_ceiling() {
    let primes = ntt_primes_below(41, 16384, 5).unwrap();
    let mut spec = bfv(8192, primes[..3].to_vec(), SecurityPolicy::Pq128);
    spec.special_primes = primes[3..4].to_vec();
    assert_eq!(Parameters::new(spec.clone(), Backend::detect()).unwrap().modulus_bits(), 164);
    spec.ciphertext_primes.push(primes[4]);
    let refused = Parameters::new(spec, Backend::detect()).unwrap_err();
    assert_eq!(refused, ParameterError::AboveCeiling { bits: 205, ceiling: 165, degree: 8192, policy: "Pq128" });
}

#[test]
fn a_degree_without_a_ceiling_has_no_parameters() {
    for degree in [16, 1024, 131_072] {
        let refused = Parameters::new(bfv(degree, vec![12_289], SecurityPolicy::Pq128), Backend::detect());
        assert!(matches!(refused, Err(ParameterError::AboveCeiling { ceiling: 0, .. })), "{degree}: {refused:?}");
    }
}

#[test]
fn the_named_primes_follow_their_rule() {
    let primes_of = |name: &str| preset(name).unwrap().ciphertext_primes;
    assert_eq!(primes_of(MATCH_2048), ntt_primes_below(41, 4096 * 257, 1).unwrap());
    assert_eq!(primes_of(MATCH_4096), ntt_primes_below(41, 8192 * 65_537, 2).unwrap());
    assert_eq!(primes_of(BILL_8192), ntt_primes_below(41, 16_384, 4).unwrap());
    let plaintext = |name: &str| {
        let Scheme::Bfv { plaintext_modulus } = preset(name).unwrap().scheme else {
            unreachable!("the sets named here are BFV")
        };
        plaintext_modulus
    };
    assert_eq!(plaintext(BILL_8192), ntt_primes_below(50, 16_384, 1).unwrap()[0]);
    assert_eq!(preset(MATCH_2048).unwrap().answer_prime, Some(ntt_primes_below(24, 4096, 1).unwrap()[0]));
    assert_eq!(preset(MATCH_4096).unwrap().answer_prime, Some(ntt_primes_below(32, 8192, 1).unwrap()[0]));
    for name in [MATCH_2048, MATCH_4096] {
        let t = plaintext(name);
        assert_eq!(primes_of(name).iter().fold(1, |all, q| all * (q % t) % t), 1, "{name}: Q is not 1 modulo t");
    }
}

#[test]
fn named_sets_are_valid_distinct_and_the_same_on_every_backend() {
    let mut digests = BTreeSet::new();
    for spec in presets() {
        assert_eq!(spec.policy, SecurityPolicy::Pq128);
        let all: Vec<Parameters> =
            Backend::available().into_iter().map(|backend| Parameters::new(spec.clone(), backend).unwrap()).collect();
        assert!(all.iter().all(|parameters| parameters.digest() == all[0].digest()));
        digests.insert(all[0].digest());
    }
    assert_eq!(digests.len(), presets().len());
    assert!(matches!(preset("match-1024"), Err(ParameterError::Unknown { known, .. }) if known.contains(MATCH_2048)));
}

#[test]
fn improper_specifications_are_refused_by_name() {
    let good = bfv(8192, ntt_primes_below(41, 16_384, 3).unwrap(), SecurityPolicy::Pq128);
    let refuse = |change: fn(&mut ParameterSpec)| {
        let mut spec = good.clone();
        change(&mut spec);
        Parameters::new(spec, Backend::detect()).unwrap_err()
    };
    assert!(Parameters::new(good.clone(), Backend::detect()).is_ok());
    assert!(matches!(refuse(|spec| spec.name.clear()), ParameterError::Name { length: 0 }));
    assert!(matches!(refuse(|spec| spec.name = "Upper".into()), ParameterError::Name { length: 5 }));
    assert!(matches!(refuse(|spec| spec.ciphertext_primes.clear()), ParameterError::NoPrimes));
    assert!(matches!(refuse(|spec| spec.digit_bits = 1), ParameterError::DigitBits { bits: 1 }));
    assert!(matches!(refuse(|spec| spec.digit_bits = 51), ParameterError::DigitBits { bits: 51 }));
    let repeated = refuse(|spec| spec.ciphertext_primes[1] = spec.ciphertext_primes[0]);
    assert!(matches!(repeated, ParameterError::Repeated { .. }));
    let small = refuse(|spec| spec.special_primes = vec![65_537]);
    assert!(matches!(small, ParameterError::SpecialTooSmall { special: 17, group: 41 }));
    let composite = refuse(|spec| spec.ciphertext_primes[0] = 1 << 40);
    assert!(matches!(composite, ParameterError::Kernel(KernelError::Modulus { .. })));
    let unsuitable = refuse(|spec| spec.ciphertext_primes[0] = 1_099_511_627_791);
    assert!(matches!(unsuitable, ParameterError::Kernel(KernelError::NoRoot { .. })), "{unsuitable:?}");
    let even = refuse(|spec| spec.scheme = Scheme::Bfv { plaintext_modulus: 256 });
    assert!(matches!(even, ParameterError::Kernel(KernelError::Modulus { value: 256 })));
    let large = refuse(|spec| {
        spec.ciphertext_primes.truncate(1);
        spec.scheme = Scheme::Bfv { plaintext_modulus: 1_125_899_906_826_241 };
    });
    assert!(matches!(large, ParameterError::PlaintextTooLarge { plaintext_bits: 50, modulus_bits: 41, .. }));
}
