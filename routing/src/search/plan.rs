//! The card of the search operator, and the noise behind it.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, Flood};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{KeyNeed, NoiseCard, OperatorCard, Resource, ValueRange};
use blindrelay_engine::wire::{self, Kind, Message};

use super::layout::{KEYWORD_RESIDUES, KEYWORDS, SearchLayout};

/// Keyword search.
pub const SEARCH: &str = "search/1";

/// The worst case of an answer: as many records as share a ciphertext, each freshly encrypted with the secret key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchPlan {
    /// Noise of the roster's ciphertext.
    pub roster: NoiseBound,
    /// Noise of `r (query - roster)`, which tells of `r` and the roster.
    pub product: NoiseBound,
    /// What hides it.
    pub flood: Flood,
    /// Base-2 logarithm of the statistical distance, for one ciphertext of an answer, between its noise and noise that has nothing to do with `r` and the roster.
    pub distance_log2: f64,
    /// Noise after the flood.
    pub masked: NoiseBound,
    /// Noise modulo the answer prime.
    pub answer: NoiseBound,
}

impl SearchPlan {
    /// The plan for a parameter set. Refused where it has no slots or too small a ring, where the flood would hide too little, and where an answer could fail to open.
    pub fn new(context: &Context) -> Result<Self, Error> {
        let parameters = context.parameters();
        let (degree, level) = (parameters.degree(), parameters.top_level());
        let plaintext = context.plaintext_modulus().value();
        context.slot_count().ok_or(Error::NoSlots { plaintext, order: 2 * degree as u64 })?;
        let capacity = SearchLayout::new(degree).capacity();
        if capacity == 0 {
            let (name, reason) =
                (parameters.name().to_owned(), "its ring is smaller than the slots of one participant");
            return Err(Error::Unsupported { name, operation: "keyword search", reason });
        }
        // A mask of zeros and ones, and a vector of residues: in coefficients both are anything.
        let by_slots = libm::log2(degree as f64 * context.plaintext_limit() as f64);
        let fresh = NoiseBound::fresh_secret(degree);
        let masked = fresh.times_one_norm(by_slots);
        let roster = std::iter::repeat_n(masked, capacity).fold(NoiseBound::NONE, NoiseBound::plus);
        let product = roster.plus(fresh).times_one_norm(by_slots);
        let flood = Flood::for_level(context, level);
        let masked = context.rerandomized_noise(product, flood)?;
        let hidden = product.plus(NoiseBound::fresh_public(degree));
        let answer = context.answer_noise(masked, level, 2)?;
        Ok(Self { roster, product, flood, distance_log2: flood.distance_log2(hidden, degree), masked, answer })
    }

    /// The card.
    pub(super) fn card(&self, context: &Context) -> OperatorCard {
        let parameters = context.parameters();
        let layout = SearchLayout::new(parameters.degree());
        let limit = context.plaintext_limit() as i64;
        let record = wire::max_len(Kind::SeededCiphertext, parameters);
        OperatorCard {
            id: SEARCH.to_owned(),
            summary: "which participants of a room have one encrypted keyword".to_owned(),
            resource: Resource::Rooms,
            parameters: parameters.name().to_owned(),
            parameter_digest: parameters.digest().to_string(),
            depth: 0,
            relinearization: KeyNeed::None,
            galois_elements: Vec::new(),
            entries: KEYWORDS * KEYWORD_RESIDUES,
            entry_range: ValueRange { minimum: -limit, maximum: limit, step: 1 },
            values_per_record: layout.capacity(),
            result_range: ValueRange { minimum: -limit, maximum: limit, step: 1 },
            output_layout: format!(
                "blocks of up to {} participants; residue i of keyword k of participant p is slot 64 p + 8 k + i, zero where it equals that of the query and \
                 otherwise random",
                layout.capacity()
            ),
            record_limit: record,
            request_limit: Message::max_len(2, record.max(wire::max_len(Kind::PublicKey, parameters))),
            noise: NoiseCard {
                bound_log2: self.masked.sup_log2(),
                limit_log2: context.noise_limit_log2(parameters.top_level()),
                answer_bound_log2: self.answer.sup_log2(),
                answer_limit_log2: context.answer_limit_log2(),
            },
            error_bound: None,
            failure_log2: -128.0,
        }
    }
}
