//! The two matching operators, and their cards.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, Evaluator};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{KeyNeed, NoiseCard, OperatorCard, Resource, ValueRange};
use blindrelay_engine::params::{MATCH_2048, MATCH_4096};
use blindrelay_engine::rlwe::key_switch_noise;
use blindrelay_engine::wire::{self, Kind};

use crate::layout::{Layout, TOKEN_ENTRIES};

/// Scores of tokens of 128 signs.
pub const MATCH_SIGNS: &str = "match-signs/1";
/// Scores of tokens of 128 integers up to 7 in magnitude.
pub const MATCH_EMBEDDINGS: &str = "match-embeddings/1";

/// Which tokens are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKind {
    /// Entries +-1, at `match-2048`.
    Signs,
    /// Entries from -7 to 7, at `match-4096`.
    Embeddings,
}

impl MatchKind {
    /// The operator's id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Signs => MATCH_SIGNS,
            Self::Embeddings => MATCH_EMBEDDINGS,
        }
    }

    /// The kind of an operator id.
    pub fn of_id(id: &str) -> Option<Self> {
        [Self::Signs, Self::Embeddings].into_iter().find(|kind| kind.id() == id)
    }

    /// Name of the parameter set.
    pub const fn parameters(self) -> &'static str {
        match self {
            Self::Signs => MATCH_2048,
            Self::Embeddings => MATCH_4096,
        }
    }

    /// Largest magnitude of an entry.
    pub const fn entry_limit(self) -> u8 {
        match self {
            Self::Signs => 1,
            Self::Embeddings => 7,
        }
    }

    pub(crate) const fn signs_only(self) -> bool {
        matches!(self, Self::Signs)
    }

    /// What a score can be. A sum of 128 signs is even.
    pub const fn score_range(self) -> ValueRange {
        let limit = self.entry_limit() as i64;
        let maximum = TOKEN_ENTRIES as i64 * limit * limit;
        ValueRange { minimum: -maximum, maximum, step: if self.signs_only() { 2 } else { 1 } }
    }

    /// What scores of honest answers are, except with probability 2^-60: an opening refuses anything else. Tokens of identities are
    /// pseudorandom, so that a score below -100 is never seen (nine standard deviations), while an answer forged to show coefficients of the key
    /// shows -128 as often as 128.
    pub const fn plausible_range(self) -> ValueRange {
        match self {
            Self::Signs => ValueRange { minimum: -100, ..self.score_range() },
            Self::Embeddings => self.score_range(),
        }
    }

    /// Noise of a product of a probe of noise `probe` with a full set of tokens of noise `tokens`, and of the answer without relinearization.
    pub(crate) fn noise(
        evaluator: &Evaluator,
        probe: NoiseBound,
        tokens: NoiseBound,
    ) -> Result<(NoiseBound, NoiseBound), Error> {
        let product = evaluator.prepared_product_noise(probe, tokens);
        let level = evaluator.context().parameters().top_level();
        Ok((product, evaluator.context().answer_noise(product, level, 3)?))
    }

    /// The card: worst case of as many records as share a ciphertext, each freshly encrypted with the secret key, with or without relinearization.
    pub fn card(self, context: &std::sync::Arc<Context>) -> Result<OperatorCard, Error> {
        let parameters = context.parameters();
        let degree = parameters.degree();
        let capacity = Layout::new(degree).capacity();
        let fresh = NoiseBound::fresh_secret(degree);
        let full = std::iter::repeat_n(fresh, capacity).fold(NoiseBound::NONE, NoiseBound::plus);
        let (product, answer) = Self::noise(&Evaluator::new(context), fresh, full)?;
        let level = parameters.top_level();
        let relinearized = product.plus(key_switch_noise(parameters, parameters.top()));
        let relinearized_answer = context.answer_noise(relinearized, level, 2)?;
        let limit = i64::from(self.entry_limit());
        let largest =
            wire::max_len(Kind::SeededCiphertext, parameters).max(wire::max_len(Kind::Ciphertext, parameters));
        Ok(OperatorCard {
            id: self.id().to_owned(),
            summary: "inner products of one encrypted probe with every encrypted token of a room".to_owned(),
            resource: Resource::Rooms,
            parameters: parameters.name().to_owned(),
            parameter_digest: parameters.digest().to_string(),
            depth: 1,
            relinearization: KeyNeed::Optional,
            galois_elements: Vec::new(),
            entries: TOKEN_ENTRIES,
            entry_range: ValueRange { minimum: -limit, maximum: limit, step: if self.signs_only() { 2 } else { 1 } },
            values_per_record: capacity,
            result_range: self.score_range(),
            output_layout: format!(
                "blocks of up to {capacity} handles; the score of place j is coefficient 128 j + 127 of the block's answer"
            ),
            record_limit: largest,
            request_limit: largest,
            noise: NoiseCard {
                bound_log2: relinearized.sup_log2(),
                limit_log2: context.noise_limit_log2(level),
                answer_bound_log2: answer.sup_log2().max(relinearized_answer.sup_log2()),
                answer_limit_log2: context.answer_limit_log2(),
            },
            error_bound: None,
            failure_log2: -128.0,
        })
    }
}
