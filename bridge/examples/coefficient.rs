//! One comparison of a score of `match-2048`, timed, beside a comparison of 16-bit integers of the `tfhe` crate under the same parameters.
//!
//!     RAYON_NUM_THREADS=1 cargo run --release -p blindrelay-bridge --features tfhe --example coefficient
//!
//! Times are the shortest of ten runs.

use std::error::Error;
use std::time::{Duration, Instant};

use blindrelay_bridge::coefficient::{BridgeKey, CoefficientBridge, Decision, ShortintSet, Source};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Context, Evaluator};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::params::{MATCH_2048, Parameters, preset};
use blindrelay_keyholder::coefficient::{DecisionKey, halved};
use blindrelay_keyholder::{KeyRequirements, SecretKey};
use blindrelay_routing::{Layout, MatchKind, Token};
use tfhe::integer::gen_keys_radix;

fn shortest<T>(mut work: impl FnMut() -> T) -> Duration {
    let once = |_| {
        let start = Instant::now();
        let result = work();
        let passed = start.elapsed();
        drop(result);
        passed
    };
    (0..10).map(once).min().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let set = ShortintSet::Message2Carry2;
    let context = Context::new(&Parameters::new(preset(MATCH_2048)?, Backend::detect())?)?;
    let parameters = context.parameters();
    let key = SecretKey::generate(&context)?;
    let kind = MatchKind::Signs;
    let token = Token::of_identity(&[1; 32], "somebody");

    // The service's product of a halved probe with one enrolled token, relinearized and answered.
    let evaluator = Evaluator::new(&context);
    let probe = key.encrypt(&halved(&context, &kind.pack_probe(&context, &token)?)?)?.expand(&context)?;
    let record = key.encrypt(&kind.pack_tokens(&context, std::slice::from_ref(&token))?)?.expand(&context)?;
    let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, ..KeyRequirements::default() });
    let product = evaluator.multiply_prepared(&probe, &evaluator.prepare(&record)?)?;
    let position = Layout::new(parameters.degree()).score(0);
    let answer = evaluator.answer(evaluator.relinearize(&product, &keys)?, &[position])?;

    let product_bound = NoiseBound::from_sup(kind.card(&context)?.noise.bound_log2.exp2(), parameters.degree());
    let noise = context.answer_noise(product_bound, parameters.top_level(), 2)?;
    let source = Source::new(&context, noise, ValueRange { minimum: -128, maximum: 128, step: 2 }, 2)?;
    let decisions = DecisionKey::of(&key, set);
    let bridge_key = decisions.bridge_key(&key)?;
    let bridge = CoefficientBridge::new(&source, &bridge_key)?;

    println!("bridge key: {} bytes, expanded {} bytes", BridgeKey::byte_len(set, parameters), bridge.memory_len());
    println!("decision: {} bytes", Decision::byte_len(set));
    println!(
        "{} bootstrappings, wrong with at most 2^{:.1}",
        bridge.plan().stages().len(),
        bridge.plan().failure_log2()
    );
    let decision = bridge.at_least(&answer, position, 128)?;
    println!("equal tokens reach 128: {}", decisions.open(&decision)?);
    println!("coefficient to the large key: {:?}", shortest(|| bridge.lift(&answer, position)));
    println!("score >= threshold: {:?}", shortest(|| bridge.at_least(&answer, position, 128)));

    let (client, server) = gen_keys_radix(set.parameters(), 8);
    let (a, b) = (client.encrypt(40_000_u64), client.encrypt(30_000_u64));
    println!("tfhe, 16-bit integers, a >= b: {:?}", shortest(|| server.ge_parallelized(&a, &b)));
    println!("tfhe, 16-bit integers, a >= constant: {:?}", shortest(|| server.scalar_ge_parallelized(&a, 30_000_u64)));
    Ok(())
}
