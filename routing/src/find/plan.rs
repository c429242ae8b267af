//! The card of the operator.

use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{Circuit, CircuitPlan};
use blindrelay_engine::operator::{KeyNeed, NoiseCard, OperatorCard, Resource, ValueRange};

use super::circuit::{FindCircuit, THRESHOLDS, sum_noise};
use super::layout::FindLayout;
use super::payload::{CHUNK_MODULUS, MAX_PAYLOAD_BYTES};
use super::record::FindRecord;
use super::request::{FindKind, FindRequest};
use crate::layout::TOKEN_ENTRIES;

/// Oblivious selection by tokens of 128 signs, at `decide-32768`.
pub const FIND_SIGNS: &str = "find-signs/1";

/// What makes the evaluation keys of a room.
pub const KEYGEN_COMMAND: &str = "blindrelay keygen --for find";

/// The dry run of the threshold whose result is closest to its limit.
pub(super) fn worst_plan(context: &Arc<Context>, layout: FindLayout) -> Result<CircuitPlan, Error> {
    let plan = |least| FindCircuit::new(layout, least, FindKind::Tickets)?.plan(context);
    let mut worst = plan(*THRESHOLDS.end())?;
    for least in THRESHOLDS.filter(|least| least % 2 == 0) {
        let next = plan(least)?;
        if next.noise_log2 - next.limit_log2 > worst.noise_log2 - worst.limit_log2 {
            worst = next;
        }
    }
    Ok(worst)
}

/// How many groups are counted in one answer: their places are fewer than the plaintext modulus.
pub(super) fn groups_a_count(layout: FindLayout) -> usize {
    (CHUNK_MODULUS as usize - 1) / layout.capacity()
}

/// The card: the worst threshold, a full group, the noise of an answer.
pub(super) fn card(context: &Arc<Context>, layout: FindLayout, plan: &CircuitPlan) -> Result<OperatorCard, Error> {
    let parameters = context.parameters();
    let output = plan.outputs.first().ok_or(Error::Transparent)?;
    // A count adds up so many decisions, whose noise is below that of a selection.
    let counted = FindCircuit::new(layout, 0, FindKind::Count)?.plan(context)?;
    let decision = counted.outputs.first().ok_or(Error::Transparent)?;
    let counts = context.answer_noise(sum_noise(decision.noise, groups_a_count(layout)), decision.level, 2)?;
    let answer = context.answer_noise(output.noise, output.level, 2)?;
    Ok(OperatorCard {
        id: FIND_SIGNS.to_owned(),
        summary: "the encrypted payloads of those in a room whose encrypted token reaches a threshold with an encrypted probe, or their number".to_owned(),
        resource: Resource::Rooms,
        parameters: parameters.name().to_owned(),
        parameter_digest: parameters.digest().to_string(),
        depth: 9,
        relinearization: KeyNeed::Required,
        galois_elements: plan.galois().iter().map(|element| element.value()).collect(),
        entries: TOKEN_ENTRIES,
        entry_range: ValueRange { minimum: -1, maximum: 1, step: 2 },
        values_per_record: 1,
        result_range: ValueRange { minimum: 0, maximum: CHUNK_MODULUS as i64 - 2, step: 1 },
        output_layout: format!(
            "blocks of {} places with a payload of up to {MAX_PAYLOAD_BYTES} bytes each; chunk c of place p is slot {} floor(p / {width}) + {width} c + p mod {width}",
            layout.capacity(),
            layout.slots() / 2,
            width = layout.capacity() / 2,
        ),
        record_limit: FindRecord::encoded_len(parameters),
        request_limit: FindRequest::encoded_len(parameters),
        noise: NoiseCard {
            bound_log2: plan.noise_log2,
            limit_log2: plan.limit_log2,
            answer_bound_log2: answer.sup_log2().max(counts.sup_log2()),
            answer_limit_log2: context.answer_limit_log2(),
        },
        error_bound: None,
        failure_log2: -128.0,
    })
}
