//! The key holder's side: from an answer and the slots that were opened from it to figures.

use blindrelay_engine::ckks::{Ciphertext, Shape};
use blindrelay_engine::wire::Wire;
use serde::{Deserialize, Serialize};

use crate::error::AnswerError;
use crate::estimate::Estimate;
use crate::evaluate::check_shape;
use crate::figures::{Correlation, Histogram, Peak, Shares, Variance};
use crate::message::{ANSWER, DIGEST_BYTES};
use crate::plan::Plan;
use crate::settings::Collect;

/// What a panel's answer holds: sums, still encrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// SHA-256 of the request that it answers.
    pub request_digest: [u8; DIGEST_BYTES],
    /// How many contributions are in the sums.
    pub contributions: u64,
    sums: Vec<(Ciphertext, Shape)>,
}

/// The slots of one opened ciphertext.
#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    /// The values, one a slot.
    pub values: Vec<f64>,
    /// How far each may be off.
    pub error_bound: f64,
}

/// The figures of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Findings {
    /// Attention: mean and variance.
    Attention {
        /// Of all scores.
        overall: Variance,
        /// Of each slot.
        slots: Vec<Variance>,
    },
    /// Speaking times.
    Speaking {
        /// Seconds and share of each participant.
        seconds: Shares,
        /// How many participants spoke how long.
        histogram: Histogram,
    },
    /// Lengths of calls.
    Durations {
        /// Mean and variance in seconds.
        seconds: Variance,
        /// How many calls lasted how long.
        histogram: Histogram,
    },
    /// Participants over time.
    Concurrency {
        /// Seconds of each stretch of time.
        bucket_seconds: f64,
        /// How many participants were there, as the mean over each stretch.
        participants: Vec<Estimate>,
        /// The most.
        peak: Option<Peak>,
    },
    /// Correlation of two series.
    Correlation(Correlation),
}

impl Answer {
    /// Reads an answer. Refused where it is of other settings, of another number of contributions than they allow, or its ciphertexts are not the sums that the
    /// settings ask for.
    pub fn from_bytes(bytes: &[u8], plan: &Plan) -> Result<Self, AnswerError> {
        let (rest, items) = plan.read(bytes, ANSWER)?;
        let (request_digest, count) = rest
            .split_first_chunk::<DIGEST_BYTES>()
            .and_then(|(digest, count)| Some((*digest, <[u8; 8]>::try_from(count).ok()?)))
            .ok_or(AnswerError::Items { what: "the first item is not two digests and a number" })?;
        let contributions = u64::from_le_bytes(count);
        let (least, most) = (plan.settings().minimum_contributions, plan.settings().maximum_contributions);
        if !(least..=most).contains(&contributions) {
            return Err(AnswerError::Contributions { found: contributions, least, most });
        }
        let shapes = plan.answer_shapes(contributions).map_err(crate::SettingsError::from)?;
        if items.len() != shapes.len() {
            return Err(AnswerError::Items { what: "it has another number of ciphertexts" });
        }
        let unrelinearized = |index: usize| {
            let product = index.checked_sub(plan.layout().ciphertexts())?;
            plan.product_shape(*plan.layout().products().get(product)?, contributions)
        };
        let read = |(index, (item, shape)): (usize, (&Vec<u8>, Shape))| {
            let found = Ciphertext::from_bytes(item, plan.context())?;
            let shape = std::iter::once(shape)
                .chain(unrelinearized(index))
                .find(|shape| check_shape(&found, shape).is_ok())
                .ok_or(AnswerError::Items { what: "a ciphertext is not the sum that the settings ask for" })?;
            Ok((found, shape))
        };
        let sums = items.iter().zip(shapes).enumerate().map(read).collect::<Result<_, AnswerError>>()?;
        Ok(Self { request_digest, contributions, sums })
    }

    /// What has to be opened, each with the shape to expect: the sums of each ciphertext, then those of each product.
    pub fn sums(&self) -> &[(Ciphertext, Shape)] {
        &self.sums
    }

    /// The figures, from the slots opened from each ciphertext in its order. Refused where slots that carry nothing are not zero within their bound, counts are not
    /// integers, or sums are beyond what the declared ranges admit: then the sums are not of contributions that were packed by the rules.
    pub fn findings(&self, plan: &Plan, opened: &[Slots]) -> Result<Findings, AnswerError> {
        let (expected, found) = (self.sums.len(), opened.len());
        if expected != found {
            return Err(AnswerError::Opened { what: "ciphertexts", expected, found });
        }
        let sums = Sums::new(plan, self.contributions, opened)?;
        let layout = plan.layout();
        match &plan.settings().collect {
            Collect::Attention { .. } => {
                let (values, counts, squares) = (sums.values(0)?, sums.counts()?, sums.squares(0)?);
                let slots = values.iter().zip(&squares).zip(&counts);
                let slots = slots.map(|((&sum, &squares), &count)| Variance::new(sum, squares, count)).collect();
                Ok(Findings::Attention { overall: overall(&values, &squares, &counts), slots })
            }
            Collect::Speaking { edges, .. } => {
                let parts = sums.values(0)?;
                Ok(Findings::Speaking { histogram: Histogram::of(edges, &parts), seconds: Shares::new(parts) })
            }
            Collect::Durations { edges, calls, .. } => {
                let counts = sums.counts()?;
                let seconds = overall(&sums.values(0)?, &sums.squares(0)?, &counts);
                let bins = sums.bounded(sums.part(0, layout.bins())?, (0.0, *calls as f64))?;
                let bins = bins.into_iter().map(Estimate::integer).collect::<Option<Vec<_>>>();
                let bins = bins.ok_or(AnswerError::Implausible)?;
                if !total(&bins).minus(seconds.mean.count).admits(0.0) {
                    return Err(AnswerError::Implausible);
                }
                Ok(Findings::Durations { seconds, histogram: Histogram { edges: edges.clone(), counts: bins } })
            }
            Collect::Concurrency { bucket_seconds, .. } => {
                let participants = sums.values(0)?;
                let peak = Peak::of(&participants);
                Ok(Findings::Concurrency { bucket_seconds: *bucket_seconds, participants, peak })
            }
            Collect::Correlation { .. } => {
                let count = total(&sums.counts()?);
                let [x, y] = [Estimate::sum(sums.values(0)?), Estimate::sum(sums.values(1)?)];
                let [xx, yy] = [Estimate::sum(sums.squares(0)?), Estimate::sum(sums.squares(1)?)];
                let most = sums.range(0).1 * sums.range(1).1;
                let xy =
                    Estimate::sum(sums.bounded(sums.part(layout.ciphertexts() + 2, layout.values())?, (-most, most))?);
                Ok(Findings::Correlation(Correlation::new(count, [x, y], [xx, yy, xy])))
            }
        }
    }
}

fn overall(values: &[Estimate], squares: &[Estimate], counts: &[Estimate]) -> Variance {
    let [sum, squares] = [values, squares].map(|all| Estimate::sum(all.iter().copied()));
    Variance::new(sum, squares, total(counts))
}

/// The sum of integers, without the roundings that the arithmetic of estimates allows for.
fn total(counts: &[Estimate]) -> Estimate {
    let sum = Estimate::sum(counts.iter().copied());
    sum.integer().unwrap_or(sum)
}

/// Opened sums with the checks that everything in them was declared.
struct Sums<'a> {
    plan: &'a Plan,
    contributions: f64,
    opened: &'a [Slots],
}

impl<'a> Sums<'a> {
    fn new(plan: &'a Plan, contributions: u64, opened: &'a [Slots]) -> Result<Self, AnswerError> {
        let layout = plan.layout();
        let products = layout.products().iter().map(|&product| layout.used_by_product(product));
        let used = (0..layout.ciphertexts()).map(|index| layout.used(index)).chain(products);
        let expected = plan.context().slot_count();
        for (slots, used) in opened.iter().zip(used) {
            if slots.values.len() != expected {
                return Err(AnswerError::Opened { what: "slots", expected, found: slots.values.len() });
            }
            // Written so that what is not a number is refused, in every slot and in the bound.
            let admitted = |value: &f64, used: bool| value.is_finite() && (used || value.abs() <= slots.error_bound);
            let all = slots.values.iter().enumerate().all(|(index, value)| admitted(value, index < used));
            if !(all && slots.error_bound >= 0.0 && slots.error_bound.is_finite()) {
                return Err(AnswerError::Implausible);
            }
        }
        Ok(Self { plan, contributions: contributions as f64, opened })
    }

    /// A range of slots of an opened ciphertext.
    fn part(&self, index: usize, range: std::ops::Range<usize>) -> Result<Vec<Estimate>, AnswerError> {
        let (expected, found) = (index + 1, self.opened.len());
        let slots = self.opened.get(index).ok_or(AnswerError::Opened { what: "ciphertexts", expected, found })?;
        let values = slots.values.get(range).unwrap_or_default();
        Ok(values.iter().map(|&value| Estimate::new(value, slots.error_bound)).collect())
    }

    /// The range of one value of a ciphertext.
    fn range(&self, ciphertext: usize) -> (f64, f64) {
        match &self.plan.settings().collect {
            Collect::Attention { .. } | Collect::Concurrency { .. } => (0.0, 1.0),
            Collect::Speaking { limit_seconds, .. } | Collect::Durations { limit_seconds, .. } => (0.0, *limit_seconds),
            Collect::Correlation { x_limit, y_limit, .. } => {
                let limit = if ciphertext == 0 { x_limit } else { y_limit };
                (-limit, *limit)
            }
        }
    }

    /// The sums, each within what so many values of the declared range can add up to.
    fn bounded(&self, sums: Vec<Estimate>, (least, most): (f64, f64)) -> Result<Vec<Estimate>, AnswerError> {
        let (least, most) = (least * self.contributions, most * self.contributions);
        if sums.iter().any(|sum| sum.high() < least || sum.low() > most) {
            return Err(AnswerError::Implausible);
        }
        Ok(sums.into_iter().map(|sum| sum.within(least, most)).collect())
    }

    fn values(&self, ciphertext: usize) -> Result<Vec<Estimate>, AnswerError> {
        self.bounded(self.part(ciphertext, self.plan.layout().values())?, self.range(ciphertext))
    }

    fn counts(&self) -> Result<Vec<Estimate>, AnswerError> {
        let layout = self.plan.layout();
        let integers = |index| {
            let found = self.bounded(self.part(index, layout.presence())?, (0.0, 1.0))?;
            found.into_iter().map(Estimate::integer).collect::<Option<Vec<_>>>().ok_or(AnswerError::Implausible)
        };
        let counts = integers(0)?;
        // The square of a presence is the presence, if it was 0 or 1.
        let squares = integers(layout.ciphertexts())?;
        let confirmed = counts.iter().zip(squares).all(|(count, squares)| count.minus(squares).admits(0.0));
        if confirmed { Ok(counts) } else { Err(AnswerError::Implausible) }
    }

    /// The sums of a ciphertext's squares.
    fn squares(&self, ciphertext: usize) -> Result<Vec<Estimate>, AnswerError> {
        let layout = self.plan.layout();
        let (least, most) = self.range(ciphertext);
        let sums = self.part(layout.ciphertexts() + ciphertext, layout.values())?;
        self.bounded(sums, (0.0, (least * least).max(most * most)))
    }
}
