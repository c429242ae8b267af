//! The named parameter sets. Names and primes are part of the wire format and never change; a better set gets a new name.

use super::security::SecurityPolicy;
use super::spec::{ParameterError, ParameterSpec, Scheme};

/// Scores of +-1 tokens, 16 to a ciphertext: one product, opened at once.
pub const MATCH_2048: &str = "match-2048";
/// Scores of tokens with entries up to +-7, 32 to a ciphertext, and circuits that need key switching.
pub const MATCH_4096: &str = "match-4096";
/// Exact integers up to 2^49 in magnitude, one product deep, with rotations.
pub const BILL_8192: &str = "bill-8192";

/// Approximate numbers in 4,096 slots, two products deep.
pub const STATS_8192: &str = "stats-8192";
/// Approximate numbers in 8,192 slots, six products deep.
pub const STATS_16384: &str = "stats-16384";

/// Decisions about up to 129 values in 16,384 slots: polynomials of degree 128, seven products deep.
pub const DECIDE_16384: &str = "decide-16384";
/// Scores, decisions and selection in one circuit, ten products deep, in 32,768 slots.
pub const DECIDE_32768: &str = "decide-32768";
/// Rankings of up to 128 candidates with 128 values: a comparison of all pairs and a threshold on the wins, sixteen products deep.
pub const RANK_32768: &str = "rank-32768";

/// Keyword search: products with a secret of the service that noise of 2^144 hides, in 8,192 slots.
pub const SEARCH_8192: &str = "search-8192";

fn bfv(name: &str, ring_degree: usize, plaintext_modulus: u64, ciphertext_primes: &[u64]) -> ParameterSpec {
    ParameterSpec {
        name: name.to_owned(),
        ring_degree,
        scheme: Scheme::Bfv { plaintext_modulus },
        ciphertext_primes: ciphertext_primes.to_vec(),
        special_primes: Vec::new(),
        digit_bits: 50,
        answer_prime: None,
        policy: SecurityPolicy::Pq128,
    }
}

/// Every named set.
///
/// The primes of the two matching sets are the largest below 2^41 that are 1 modulo `2 n t`: with `Q = 1 mod t` a product can stay
/// in the basis `Q` (see `bfv::multiply`). Those of `bill-8192` and `search-8192` are the largest that are 1 modulo `2 n`. The sets for statistics have a first prime
/// and a special prime that are a little wider than the scale, and scale primes as near to 2^40 as there are, so that rescaling keeps the scale.
#[expect(clippy::too_many_lines, reason = "a table, one entry a set")]
pub fn presets() -> Vec<ParameterSpec> {
    vec![
        ParameterSpec {
            digit_bits: 14,
            answer_prime: Some(16_760_833),
            ..bfv(MATCH_2048, 2048, 257, &[2_199_020_228_609])
        },
        ParameterSpec {
            answer_prime: Some(4_294_828_033),
            ..bfv(MATCH_4096, 4096, 65_537, &[2_198_519_930_881, 2_194_224_898_049])
        },
        bfv(
            BILL_8192,
            8192,
            1_125_899_906_826_241,
            &[2_199_023_190_017, 2_199_022_927_873, 2_199_022_354_433, 2_199_022_043_137],
        ),
        ParameterSpec {
            answer_prime: Some(133_857_281),
            ..bfv(
                SEARCH_8192,
                8192,
                65_537,
                &[2_199_023_190_017, 2_199_022_927_873, 2_199_022_354_433, 2_199_022_043_137],
            )
        },
        ParameterSpec {
            special_primes: vec![68_713_512_961],
            answer_prime: Some(1_073_643_521),
            ..bfv(
                DECIDE_16384,
                16384,
                65_537,
                &[
                    8_257_537,
                    8_159_233,
                    68_718_428_161,
                    68_717_740_033,
                    68_716_036_097,
                    68_714_954_753,
                    68_714_201_089,
                    68_713_873_409,
                    536_641_537,
                ],
            )
        },
        ParameterSpec {
            special_primes: vec![
                1_666_545_549_313,
                1_666_545_221_633,
                1_666_543_190_017,
                1_666_542_469_121,
                1_666_542_206_977,
            ],
            answer_prime: Some(2_147_352_577),
            ..bfv(
                DECIDE_32768,
                32768,
                65_537,
                &[
                    35_184_368_877_569,
                    35_184_368_025_601,
                    169_207_136_257,
                    169_206_611_969,
                    169_205_563_393,
                    169_204_252_673,
                    169_204_187_137,
                    169_203_793_921,
                    169_203_269_633,
                    99_516_431_794_177,
                    169_203_007_489,
                ],
            )
        },
        ParameterSpec {
            special_primes: vec![175_171_829_761],
            answer_prime: Some(2_147_352_577),
            ..bfv(
                RANK_32768,
                32768,
                65_537,
                &[
                    16_580_609,
                    16_515_073,
                    169_207_136_257,
                    169_206_611_969,
                    169_205_563_393,
                    169_204_252_673,
                    169_204_187_137,
                    169_203_793_921,
                    169_203_269_633,
                    3_735_553,
                    169_203_007_489,
                    169_202_483_201,
                    169_201_631_233,
                    169_201_041_409,
                    169_199_534_081,
                    169_198_682_113,
                    169_195_601_921,
                    536_608_769,
                ],
            )
        },
        ckks(STATS_8192, 8192, &[4_398_046_150_657, 1_099_511_480_321, 1_099_511_922_689], &[4_398_045_708_289]),
        ckks(
            STATS_16384,
            16384,
            &[
                17_592_183_914_497,
                1_099_511_922_689,
                1_099_512_938_497,
                1_099_510_054_913,
                1_099_514_314_753,
                1_099_514_478_593,
                1_099_508_121_601,
            ],
            &[17_592_183_390_209],
        ),
    ]
}

fn ckks(name: &str, ring_degree: usize, ciphertext_primes: &[u64], special_primes: &[u64]) -> ParameterSpec {
    ParameterSpec {
        name: name.to_owned(),
        ring_degree,
        scheme: Scheme::Ckks { scale_bits: 40 },
        ciphertext_primes: ciphertext_primes.to_vec(),
        special_primes: special_primes.to_vec(),
        digit_bits: 50,
        answer_prime: None,
        policy: SecurityPolicy::Pq128,
    }
}

/// The set of that name.
pub fn preset(name: &str) -> Result<ParameterSpec, ParameterError> {
    let all = presets();
    let known = all.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", ");
    all.into_iter()
        .find(|spec| spec.name == name)
        .ok_or_else(|| ParameterError::Unknown { name: name.to_owned(), known })
}
