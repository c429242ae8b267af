//! Comparisons of real scores: tokens are enrolled, matched and relinearized as in a room, and every decision is opened beside the clear comparison.
#![cfg(feature = "tfhe")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

use std::sync::Arc;

use blindrelay_bridge::coefficient::{CoefficientBridge, ShortintSet, Source};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{Collection, Handle, ValueRange};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::coefficient::{DecisionKey, halved, hazmat};
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey};
use blindrelay_routing::{MatchAnswer, MatchKind, Matching, TOKEN_ENTRIES, Token};
use rayon::prelude::*;

/// Scores of tokens of 128 signs.
const SIGNS: ValueRange = ValueRange { minimum: -128, maximum: 128, step: 2 };

struct Room {
    kind: MatchKind,
    context: Arc<Context>,
    key: SecretKey,
    decisions: DecisionKey,
    bridge: CoefficientBridge,
}

/// The public bound on answers of a full group, relinearized.
fn noise(kind: MatchKind, context: &Arc<Context>) -> NoiseBound {
    let product = kind.card(context).unwrap().noise.bound_log2;
    let parameters = context.parameters();
    let bound = NoiseBound::from_sup(product.exp2(), parameters.degree());
    context.answer_noise(bound, parameters.top_level(), 2).unwrap()
}

fn context(kind: MatchKind) -> Arc<Context> {
    let parameters = Parameters::new(preset(kind.parameters()).unwrap(), Backend::detect()).unwrap();
    Context::new(&parameters).unwrap()
}

fn room(kind: MatchKind, set: ShortintSet, divisor: u64) -> Room {
    let context = context(kind);
    let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
    let source = Source::new(&context, noise(kind, &context), SIGNS, divisor).unwrap();
    let decisions = DecisionKey::of(&key, set);
    let bridge = CoefficientBridge::new(&source, &decisions.bridge_key(&key).unwrap()).unwrap();
    Room { kind, context, key, decisions, bridge }
}

fn handle(number: usize) -> Handle {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Handle::from_bytes(bytes)
}

/// A token that scores `score` against the token of signs `probe`.
fn scoring(probe: &Token, score: i64) -> Token {
    let flipped = ((TOKEN_ENTRIES as i64 - score) / 2) as usize;
    let entries = probe.entries().iter().enumerate().map(|(i, &entry)| if i < flipped { -entry } else { entry });
    Token::from_entries(&entries.collect::<Vec<_>>()).unwrap()
}

impl Room {
    /// Enrols a token for every score, in groups that are full but the last, asks with a probe, and gives back each score's answer and coefficient.
    fn ask(&self, scores: &[i64]) -> Vec<(i64, Answer, u32)> {
        let probe = Token::of_identity(&[3; 32], "somebody");
        let keys = self.key.evaluation_keys(&KeyRequirements { relinearization: true, ..KeyRequirements::default() });
        let mut roster = Matching::new(self.kind, &self.context).unwrap().roster();
        let capacity = self.context.parameters().degree() / TOKEN_ENTRIES;
        for (group, scores) in scores.chunks(capacity).enumerate() {
            let tokens: Vec<Token> = scores.iter().map(|&score| scoring(&probe, score)).collect();
            let record = self.key.encrypt(&self.kind.pack_tokens(&self.context, &tokens).unwrap()).unwrap();
            let handles: Vec<Handle> = (0..tokens.len()).map(|place| handle(group * capacity + place)).collect();
            roster.append(&record.to_bytes(), &handles).unwrap();
        }
        let plain = self.kind.pack_probe(&self.context, &probe).unwrap();
        let plain = if self.bridge.source().divisor() == 2 { halved(&self.context, &plain).unwrap() } else { plain };
        let request = self.key.encrypt(&plain).unwrap().to_bytes();
        let answer = roster.snapshot().evaluate(&request, Some(&keys)).unwrap();
        let answer = MatchAnswer::from_bytes(&answer, self.kind, &self.context).unwrap();
        let divisor = self.bridge.source().divisor() as i64;
        let mut found = Vec::new();
        for block in &answer.blocks {
            let range = ValueRange { minimum: -128 / divisor, maximum: 128 / divisor, step: 2 / divisor as u64 };
            let positions = block.answer.positions().to_vec();
            let opened =
                self.key.open_answer(&block.answer, &Expectation { positions: positions.clone(), range }).unwrap();
            for ((handle, position), value) in block.handles.iter().zip(positions).zip(opened.iter()) {
                let number = u64::from_le_bytes(handle.as_bytes()[..8].try_into().unwrap()) as usize;
                assert_eq!(value * divisor, scores[number]);
                found.push((scores[number], block.answer.clone(), position));
            }
        }
        assert_eq!(found.len(), scores.len());
        found
    }

    /// Compares all with all thresholds; every decision must be the clear one. Gives back the errors of the decisions' phases as fractions of the torus.
    fn compare(&self, scored: &[(i64, Answer, u32)], thresholds: &[i64]) -> Vec<f64> {
        let cases: Vec<_> = scored.iter().flat_map(|case| thresholds.iter().map(move |&t| (case, t))).collect();
        cases
            .into_par_iter()
            .map(|((score, answer, position), threshold)| {
                let decision = self.bridge.at_least(answer, *position, threshold).unwrap();
                let open = self.decisions.open(&decision).unwrap();
                assert_eq!(open, *score >= threshold, "score {score}, threshold {threshold}");
                let phase = hazmat::large_phase(&self.decisions, decision.ciphertext().ct.as_ref()).unwrap();
                phase.wrapping_sub(u64::from(open) * self.bridge.set().unit()) as i64 as f64 / 2_f64.powi(64)
            })
            .collect()
    }
}

fn every_score() -> Vec<i64> {
    (-128..=128).step_by(2).collect()
}

fn deviation(errors: &[f64]) -> f64 {
    (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt()
}

#[test]
fn every_score_of_signs_is_compared_as_in_the_clear() {
    let room = room(MatchKind::Signs, ShortintSet::Message2Carry2, 2);
    assert!(room.bridge.plan().failure_log2() <= -128.0);
    let scored = room.ask(&every_score());
    let start = std::time::Instant::now();
    let errors = room.compare(&scored, &[-126, -37, 0, 2, 64, 127, 128]);
    println!("{} comparisons in {:?}; deviation {:e}", errors.len(), start.elapsed(), deviation(&errors));
    println!("{:?}", room.bridge.plan());
}
