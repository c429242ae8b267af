//! The running sum of one period, with what a result needs to be certain.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Ciphertext, Context};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::rlwe;

use super::unfit;
use crate::chain;
use crate::layout::Layout;
use crate::message::Digest;
use crate::plan::MAX_BATCHES;
use crate::rates::Period;

/// Readers round a noise bound up to a multiple of this, in bits.
const NOISE_STEP: f64 = 1.0 / 1024.0;

/// Encrypted rates of a period, and the SHA-256 of the message that brought them.
#[derive(Clone)]
pub(super) struct StoredRates {
    pub(super) rates: Ciphertext,
    pub(super) digest: Digest,
}

/// Usage of one period.
#[derive(Clone)]
pub(super) struct Sums {
    pub(super) period: Period,
    pub(super) opening: Digest,
    pub(super) chain: Digest,
    batches: u64,
    /// Ciphertexts in the sum. Its noise bound follows from them alone, so that storing and restoring the sum neither changes the bound nor the bytes.
    terms: u64,
    usage: Option<rlwe::Ciphertext>,
    pub(super) rates: Option<StoredRates>,
}

impl Sums {
    pub(super) const fn opened(period: Period, opening: Digest) -> Self {
        Self { period, opening, chain: opening, batches: 0, terms: 0, usage: None, rates: None }
    }

    pub(super) const fn batches(&self) -> u64 {
        self.batches
    }

    pub(super) const fn terms(&self) -> u64 {
        self.terms
    }

    /// Puts restored values in. `terms` is at least 1 and at most 2 a batch where there is a sum.
    pub(super) fn restore_usage(&mut self, batches: u64, terms: u64, usage: Option<Ciphertext>) -> Option<()> {
        let plausible = match usage {
            Some(_) => (1..=MAX_BATCHES).contains(&batches) && (batches..=2 * batches).contains(&terms),
            None => batches == 0 && terms == 0,
        };
        plausible.then_some(())?;
        (self.batches, self.terms) = (batches, terms);
        self.usage = usage.map(|usage| usage.rlwe().clone());
        Some(())
    }

    /// The sum as a ciphertext, whose noise bound is that of so many fresh ones.
    pub(super) fn usage(&self, context: &Context) -> Result<Option<Ciphertext>, Error> {
        let noise = sum_noise(context, self.terms);
        self.usage.as_ref().map(|usage| Ciphertext::new(context, usage.clone(), noise)).transpose()
    }

    /// Counts batches. Refused where a slot of usage or charge could then wrap modulo `t`, and above [`MAX_BATCHES`].
    pub(super) fn add_batches(&mut self, layout: &Layout, count: u64) -> Result<(), OperatorError> {
        let batches = self.batches.saturating_add(count);
        if batches > MAX_BATCHES {
            return Err(unfit("batch", format!("a period holds at most {MAX_BATCHES} batches, not {batches}")));
        }
        let (bound, limit) = (layout.reach(self.period, batches), u128::from(layout.limit()));
        if bound > limit {
            return Err(OperatorError::Range { bound, limit });
        }
        self.batches = batches;
        Ok(())
    }

    /// Adds a fresh ciphertext, or subtracts it.
    pub(super) fn add(&mut self, context: &Context, ciphertext: &Ciphertext, added: bool) -> Result<(), OperatorError> {
        check_fresh(context, ciphertext)?;
        self.combine(context, ciphertext.rlwe(), 1, added)
    }

    fn combine(
        &mut self,
        context: &Context,
        other: &rlwe::Ciphertext,
        terms: u64,
        added: bool,
    ) -> Result<(), OperatorError> {
        match &mut self.usage {
            None => {
                let mut first = other.clone();
                if !added {
                    first.neg_assign();
                }
                self.usage = Some(first);
            }
            Some(sum) if added => sum.add_assign(other),
            Some(sum) => {
                for (ours, theirs) in sum.components_mut().iter_mut().zip(other.components()) {
                    ours.sub_assign(theirs);
                }
            }
        }
        self.terms += terms;
        let (noise, level) = (sum_noise(context, self.terms), other.level());
        let limit_log2 = context.noise_limit_log2(level);
        if noise.sup_log2() > limit_log2 {
            return Err(Error::Noise { operation: "addition", bound_log2: noise.sup_log2(), limit_log2 }.into());
        }
        // Whoever sends a ciphertext and its negative leaves a sum that everybody could read.
        if self.usage.as_ref().is_some_and(rlwe::Ciphertext::is_transparent) {
            return Err(Error::Transparent.into());
        }
        Ok(())
    }

    /// Stores the rates of the period; `false` where the same were there already. Others are refused.
    pub(super) fn set_rates(
        &mut self,
        context: &Context,
        rates: Ciphertext,
        digest: Digest,
    ) -> Result<bool, OperatorError> {
        check_fresh(context, &rates)?;
        match &self.rates {
            Some(stored) if stored.digest == digest => Ok(false),
            Some(_) => Err(unfit("batch", format!("the period from {} has other rates already", self.period.start))),
            None => {
                self.rates = Some(StoredRates { rates, digest });
                self.chain = chain::after_rates(&self.chain, &digest);
                Ok(true)
            }
        }
    }

    /// Adds other sums of the same period. On error the sums must not be used any more.
    pub(super) fn merge(&mut self, context: &Context, layout: &Layout, other: Self) -> Result<(), OperatorError> {
        self.add_batches(layout, other.batches)?;
        if let Some(usage) = &other.usage {
            self.combine(context, usage, other.terms, true)?;
        }
        match (&self.rates, other.rates) {
            (Some(ours), Some(theirs)) if ours.digest != theirs.digest => {
                let reason = format!("the period from {} has other rates already", self.period.start);
                return Err(unfit("state", reason));
            }
            (None, Some(theirs)) => self.rates = Some(theirs),
            _ => {}
        }
        self.chain = chain::after_merge(&self.chain, &other.chain);
        Ok(())
    }
}

/// Noise of a sum of so many fresh ciphertexts.
pub(crate) fn sum_noise(context: &Context, terms: u64) -> NoiseBound {
    NoiseBound::fresh_public(context.parameters().degree()).scaled(libm::log2(terms.max(1) as f64))
}

/// What meters send: two components at the top level, with no more noise than encryption under a public key leaves.
fn check_fresh(context: &Context, ciphertext: &Ciphertext) -> Result<(), OperatorError> {
    let parameters = context.parameters();
    let components = ciphertext.rlwe().components().len();
    if components != 2 {
        return Err(Error::Components { operation: "charging", expected: 2, found: components }.into());
    }
    if ciphertext.level() != parameters.top_level() {
        return Err(Error::LevelMismatch { left: ciphertext.level(), right: parameters.top_level() }.into());
    }
    let fresh = NoiseBound::fresh_public(parameters.degree());
    let (found, most) = (ciphertext.noise(), fresh.scaled(NOISE_STEP));
    if found.sup_log2() > most.sup_log2() || found.euclidean_log2() > most.euclidean_log2() {
        return Err(unfit("batch", "its ciphertext is not fresh: the noise is larger than encryption leaves"));
    }
    Ok(())
}
