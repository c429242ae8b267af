//! A room as in the field: tokens are enrolled, matched and relinearized, answers decoded from their bytes.

use std::sync::{Arc, LazyLock};

use blindrelay_bridge::coefficient::{BridgeKey, CoefficientBridge, ShortintSet, Source};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{Collection, Handle, ValueRange};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::coefficient::{DecisionKey, halved, hazmat};
use blindrelay_keyholder::{KeyRequirements, SecretKey};
use blindrelay_routing::{MatchAnswer, MatchKind, Matching, TOKEN_ENTRIES, Token};
use rayon::prelude::*;

/// Scores of tokens of 128 signs.
pub(crate) const SIGNS: ValueRange = ValueRange { minimum: -128, maximum: 128, step: 2 };

pub(crate) struct Room {
    pub(crate) kind: MatchKind,
    pub(crate) context: Arc<Context>,
    pub(crate) key: SecretKey,
    pub(crate) decisions: DecisionKey,
    pub(crate) bridge_key: BridgeKey,
    pub(crate) bridge: CoefficientBridge,
}

/// A score with the answer and the coefficient that carry it.
pub(crate) struct Scored {
    pub(crate) score: i64,
    pub(crate) answer: Arc<Answer>,
    pub(crate) position: u32,
}

/// The room of signs that most tests use: scores halved, at `match-2048`.
pub(crate) static HALVED_SIGNS: LazyLock<Room> =
    LazyLock::new(|| Room::new(MatchKind::Signs, ShortintSet::Message2Carry2, SIGNS, 2));

pub(crate) fn context(name: &str) -> Arc<Context> {
    let parameters = Parameters::new(preset(name).unwrap(), Backend::detect()).unwrap();
    Context::new(&parameters).unwrap()
}

/// The public bound on relinearized answers of a full group.
pub(crate) fn noise(kind: MatchKind, context: &Arc<Context>) -> NoiseBound {
    let parameters = context.parameters();
    let product = NoiseBound::from_sup(kind.card(context).unwrap().noise.bound_log2.exp2(), parameters.degree());
    context.answer_noise(product, parameters.top_level(), 2).unwrap()
}

/// A token of signs that scores `score` against `probe`.
pub(crate) fn scoring(probe: &Token, score: i64) -> Token {
    let flipped = ((TOKEN_ENTRIES as i64 - score) / 2) as usize;
    let entries = probe.entries().iter().enumerate().map(|(i, &entry)| if i < flipped { -entry } else { entry });
    Token::from_entries(&entries.collect::<Vec<_>>()).unwrap()
}

/// The probe of tests with signs.
pub(crate) fn somebody() -> Token {
    Token::of_identity(&[3; 32], "somebody")
}

/// The score in the clear.
pub(crate) fn clear(a: &Token, b: &Token) -> i64 {
    a.entries().iter().zip(b.entries()).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
}

impl Room {
    pub(crate) fn new(kind: MatchKind, set: ShortintSet, scores: ValueRange, divisor: u64) -> Self {
        let context = context(kind.parameters());
        let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
        let source = Source::new(&context, noise(kind, &context), scores, divisor).unwrap();
        let decisions = DecisionKey::of(&key, set);
        let bridge_key = decisions.bridge_key(&key).unwrap();
        let bridge = CoefficientBridge::new(&source, &bridge_key).unwrap();
        Self { kind, context, key, decisions, bridge_key, bridge }
    }

    /// Enrols tokens in groups that are full but the last, asks with a probe, and gives back every token's score, answer and coefficient.
    pub(crate) fn ask(&self, probe: &Token, tokens: &[Token], relinearized: bool) -> Vec<Scored> {
        let keys = self.key.evaluation_keys(&KeyRequirements { relinearization: true, ..KeyRequirements::default() });
        let mut roster = Matching::new(self.kind, &self.context).unwrap().roster();
        let capacity = self.context.parameters().degree() / TOKEN_ENTRIES;
        let handles: Vec<Handle> = (0..tokens.len() as u128).map(|i| Handle::from_bytes(i.to_le_bytes())).collect();
        for (tokens, handles) in tokens.chunks(capacity).zip(handles.chunks(capacity)) {
            let record = self.key.encrypt(&self.kind.pack_tokens(&self.context, tokens).unwrap()).unwrap();
            roster.append(&record.to_bytes(), handles).unwrap();
        }
        let plain = self.kind.pack_probe(&self.context, probe).unwrap();
        let plain = if self.bridge.source().divisor() == 2 { halved(&self.context, &plain).unwrap() } else { plain };
        let request = self.key.encrypt(&plain).unwrap().to_bytes();
        let answer = roster.snapshot().evaluate(&request, relinearized.then_some(&keys)).unwrap();
        let answer = MatchAnswer::from_bytes(&answer, self.kind, &self.context).unwrap();
        let mut found = Vec::new();
        for block in answer.blocks {
            let answer = Arc::new(block.answer);
            for (handle, &position) in block.handles.iter().zip(answer.positions()) {
                let number = u128::from_le_bytes(*handle.as_bytes()) as usize;
                let score = clear(probe, &tokens[number]);
                found.push(Scored { score, answer: Arc::clone(&answer), position });
            }
        }
        assert_eq!(found.len(), tokens.len());
        found
    }

    /// Compares every score with its thresholds; each decision must be the clear one. Gives back the errors of the decisions' phases, as fractions of the
    /// torus.
    pub(crate) fn compare(&self, scored: &[Scored], thresholds: impl Fn(i64) -> Vec<i64>) -> Vec<f64> {
        let cases: Vec<(&Scored, i64)> =
            scored.iter().flat_map(|case| thresholds(case.score).into_iter().map(move |t| (case, t))).collect();
        cases
            .into_par_iter()
            .map(|(Scored { score, answer, position }, threshold)| {
                let decision = self.bridge.at_least(answer, *position, threshold).unwrap();
                let open = self.decisions.open(&decision).unwrap();
                assert_eq!(open, *score >= threshold, "score {score}, threshold {threshold}");
                let phase = hazmat::large_phase(&self.decisions, decision.ciphertext().ct.as_ref()).unwrap();
                on_torus(phase.wrapping_sub(u64::from(open) * self.bridge.set().unit()))
            })
            .collect()
    }
}

/// From units of 2^-64 to a fraction of the torus, centred.
pub(crate) fn on_torus(units: u64) -> f64 {
    units as i64 as f64 / 2_f64.powi(64)
}
