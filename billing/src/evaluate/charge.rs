//! Charges of a period: the sum of usage times the rates, slot by slot, at the lowest level that decrypts.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::params::Level;

use super::sums::Sums;
use super::unfit;
use crate::layout::Layout;
use crate::message::PeriodReport;
use crate::rates::Period;

/// The report of a period that has batches.
pub(super) fn report(evaluator: &Evaluator, layout: &Layout, sums: &Sums) -> Result<PeriodReport, OperatorError> {
    let rates = sums.rates.as_ref().map(|stored| &stored.rates);
    let (usage, charge, rates) = match sums.usage(evaluator.context())? {
        None => (None, None, rates.map(|rates| lower(evaluator, rates)).transpose()?),
        Some(usage) => {
            let charge = charge(evaluator, layout, sums.period, &usage, rates)?;
            let lower = |ciphertext: &Ciphertext| lower(evaluator, ciphertext);
            (Some(lower(&usage)?), charge.as_ref().map(lower).transpose()?, rates.map(lower).transpose()?)
        }
    };
    Ok(PeriodReport::new((sums.period, sums.batches()), [sums.opening, sums.chain], [usage, charge, rates]))
}

/// Usage times rates. `None` where every rate is a public zero.
pub(crate) fn charge(
    evaluator: &Evaluator,
    layout: &Layout,
    period: Period,
    usage: &Ciphertext,
    rates: Option<&Ciphertext>,
) -> Result<Option<Ciphertext>, OperatorError> {
    if layout.card().has_encrypted_prices() {
        let rates =
            rates.ok_or_else(|| unfit("request", format!("the period from {} has no rates yet", period.start)))?;
        return Ok(Some(evaluator.multiply(usage, rates)?));
    }
    let slots = layout.multipliers(period);
    if slots.iter().all(|&multiplier| multiplier == 0) {
        return Ok(None);
    }
    let plaintext = evaluator.context().encode_slots(&slots)?;
    Ok(Some(evaluator.mul_plain(usage, &plaintext)?))
}

/// The ciphertext at the lowest level at which it still decrypts.
pub(crate) fn lower(evaluator: &Evaluator, ciphertext: &Ciphertext) -> Result<Ciphertext, Error> {
    let (level, _) =
        lowest(evaluator.context(), ciphertext.noise(), ciphertext.level(), ciphertext.rlwe().components().len());
    evaluator.switch_down_to(ciphertext, level)
}

/// The lowest level that a ciphertext of this noise can be switched to, and its noise there.
pub(crate) fn lowest(context: &Context, noise: NoiseBound, level: Level, components: usize) -> (Level, NoiseBound) {
    let parameters = context.parameters();
    let log2_q = |level: Level| parameters.at(level).map_or(0.0, |ring| ring.basis().log2());
    let (mut level, mut noise) = (level, noise);
    while let Some(below) = level.0.checked_sub(1).map(Level) {
        let dropped = log2_q(below) - log2_q(level);
        let switched = noise.scaled(dropped).plus(NoiseBound::rounding(components, parameters.degree()));
        // A thousandth of a bit for the two ways of summing logarithms.
        if switched.sup_log2() + 0.001 > context.noise_limit_log2(below) {
            break;
        }
        (level, noise) = (below, switched);
    }
    (level, noise)
}
