//! The card of `charge/1`: what it needs and how far it goes.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Evaluator;
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{KeyNeed, NoiseCard, OperatorCard, Resource, ValueRange};
use blindrelay_engine::wire::{self, Kind, Message};

use crate::evaluate::{lowest, sum_noise};
use crate::message::CHARGE;

/// Most batches of a period: 2^20, more than eight thousand million lines. The noise is certain for this many; ranges may allow fewer.
pub const MAX_BATCHES: u64 = 1 << 20;

/// Longest request, in bytes.
const MAX_REQUEST: usize = 1 << 10;

/// The card: worst case of [`MAX_BATCHES`] batches of two ciphertexts each, charged at public or at encrypted rates.
pub(crate) fn card(evaluator: &Evaluator) -> Result<OperatorCard, Error> {
    let context = evaluator.context();
    let parameters = context.parameters();
    let (degree, top) = (parameters.degree(), parameters.top_level());
    let slots = context.slot_count().ok_or_else(|| Error::Unsupported {
        name: parameters.name().to_owned(),
        operation: "charges",
        reason: "its plaintext modulus has no slots",
    })?;
    let usage = sum_noise(context, 2 * MAX_BATCHES);
    let fresh = NoiseBound::fresh_public(degree);
    let one_norm_log2 = libm::log2(degree as f64 * context.plaintext_limit() as f64);
    let (public, encrypted) = (usage.times_one_norm(one_norm_log2), evaluator.product_noise(usage, fresh, top));
    let product = public.at_least(encrypted);
    let limit_log2 = context.noise_limit_log2(top);
    if product.sup_log2() > limit_log2 {
        return Err(Error::Noise { operation: "charging", bound_log2: product.sup_log2(), limit_log2 });
    }
    let (level, answer) = lowest(context, product, top, 3);
    Ok(OperatorCard {
        id: CHARGE.to_owned(),
        summary: "exact charges: encrypted usage, summed for each period, times public or encrypted rates".to_owned(),
        resource: Resource::Meters,
        parameters: parameters.name().to_owned(),
        parameter_digest: parameters.digest().to_string(),
        depth: 1,
        relinearization: KeyNeed::None,
        galois_elements: Vec::new(),
        entries: 1,
        entry_range: range(context.plaintext_limit()),
        values_per_record: slots,
        result_range: range(context.plaintext_limit()),
        output_layout: format!(
            "{slots} slots in {} lanes, divided among the items of the rate card by weight; usage and charge of every slot",
            crate::layout::LANES
        ),
        record_limit: Message::max_len(3, wire::max_len(Kind::Ciphertext, parameters)),
        request_limit: MAX_REQUEST,
        noise: NoiseCard {
            bound_log2: product.sup_log2(),
            limit_log2,
            answer_bound_log2: answer.sup_log2(),
            answer_limit_log2: context.noise_limit_log2(level),
        },
        error_bound: None,
        failure_log2: -128.0,
    })
}

const fn range(maximum: u64) -> ValueRange {
    ValueRange { minimum: 0, maximum: maximum as i64, step: 1 }
}
