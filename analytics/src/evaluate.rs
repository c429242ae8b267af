//! The service's side: encrypted sums of contributions and of their products.

use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::ckks::{Ciphertext, Context, Evaluator, SeededCiphertext, Shape};
use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorCard, OperatorError};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{Header, Kind, Wire, WireError, content_digest};

use crate::error::AnswerError;
use crate::message::{ANSWER, CONTRIBUTION, DIGEST_BYTES, REQUEST, REQUEST_BYTES, STATE, encode};
use crate::plan::{ANSWER_LEVEL, Plan, card};
use crate::settings::Settings;

/// The operator: statistics of contributions under one key.
pub struct Statistics {
    card: OperatorCard,
    evaluator: Evaluator,
}

impl Statistics {
    /// The operator over prepared tables of `stats-8192` or `stats-16384`.
    pub fn new(context: &Arc<Context>) -> Result<Self, Error> {
        Ok(Self { card: card(context)?, evaluator: Evaluator::new(context) })
    }

    /// Empty sums.
    pub fn sums(&self, settings: &str) -> Result<Sums, OperatorError> {
        let plan = Plan::new(&Settings::from_json(settings)?, self.evaluator.context())?;
        Ok(Sums { plan, evaluator: self.evaluator.clone(), contributions: 0, ciphertexts: Vec::new() })
    }
}

impl Accumulation for Statistics {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        self.evaluator.context().parameters()
    }

    fn new_accumulator(&self, settings: &str) -> Result<Box<dyn Accumulator>, OperatorError> {
        Ok(Box::new(self.sums(settings)?))
    }

    fn restore(&self, settings: &str, state: &[u8]) -> Result<Box<dyn Accumulator>, OperatorError> {
        let mut sums = self.sums(settings)?;
        (sums.contributions, sums.ciphertexts) = sums.read_state(state)?;
        Ok(Box::new(sums))
    }
}

/// Encrypted sums of one panel: of each ciphertext of a contribution, then of each product. Products are summed as they are, with three components; the one
/// relinearization and rescaling is that of the report, so that a contribution needs no keys and adds no error of a key switch.
#[derive(Clone, Debug)]
pub struct Sums {
    plan: Plan,
    evaluator: Evaluator,
    contributions: u64,
    ciphertexts: Vec<Ciphertext>,
}

impl Sums {
    /// What is collected, and how.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many contributions there are with so many more.
    fn count(&self, more: u64) -> Result<u64, OperatorError> {
        let limit = self.plan.settings().maximum_contributions;
        let bound = u128::from(self.contributions) + u128::from(more);
        u64::try_from(bound)
            .ok()
            .filter(|&count| count <= limit)
            .ok_or(OperatorError::Range { bound, limit: limit.into() })
    }

    /// A contribution's ciphertexts with at least the bounds of the settings' range: what it claims below them would only hide errors from the checks of the sums.
    fn read_contribution(&self, batch: &[u8]) -> Result<Vec<Ciphertext>, OperatorError> {
        let (rest, items) = self.plan.read(batch, CONTRIBUTION).map_err(|error| refused("batch", error))?;
        if !rest.is_empty() || items.len() != self.plan.fresh().len() {
            let reason = format!("{} ciphertexts instead of {}", items.len(), self.plan.fresh().len());
            return Err(OperatorError::Unfit { object: "batch", reason });
        }
        items.iter().zip(self.plan.fresh()).map(|(item, fresh)| self.read_fresh(item, fresh)).collect()
    }

    fn read_fresh(&self, bytes: &[u8], fresh: &Shape) -> Result<Ciphertext, OperatorError> {
        let context = self.evaluator.context();
        let ciphertext = match Header::parse(bytes)?.kind {
            Kind::SeededApproximateCiphertext => SeededCiphertext::from_bytes(bytes, context)?.expand(context)?,
            Kind::ApproximateCiphertext => Ciphertext::from_bytes(bytes, context)?,
            found => return Err(WireError::Kind { expected: Kind::ApproximateCiphertext, found }.into()),
        };
        if ciphertext.level() > fresh.level {
            let dropped = self.evaluator.drop_to_level(&ciphertext, fresh.level)?;
            return self.fits("batch", dropped, fresh);
        }
        self.fits("batch", ciphertext, fresh)
    }

    /// The ciphertext with this shape, if it has its level, scale and components and does not claim larger bounds.
    fn fits(&self, object: &'static str, found: Ciphertext, shape: &Shape) -> Result<Ciphertext, OperatorError> {
        check_shape(&found, shape).map_err(|reason| OperatorError::Unfit { object, reason })?;
        Ok(Ciphertext::new(self.evaluator.context(), found.into_rlwe(), shape.clone())?)
    }

    fn product_shapes(&self, contributions: u64) -> impl Iterator<Item = Shape> {
        self.plan.layout().products().iter().filter_map(move |&pair| self.plan.product_shape(pair, contributions))
    }

    /// The shapes of the sums of so many contributions.
    fn shapes(&self, contributions: u64) -> Vec<Shape> {
        let sum = |fresh: &Shape| Shape { bounds: Plan::sum_bounds(fresh, contributions), ..fresh.clone() };
        self.plan.fresh().iter().map(sum).chain(self.product_shapes(contributions)).collect()
    }

    fn read_state(&self, state: &[u8]) -> Result<(u64, Vec<Ciphertext>), OperatorError> {
        let unfit = |reason: String| OperatorError::Unfit { object: "state", reason };
        let (rest, items) = self.plan.read(state, STATE).map_err(|error| refused("state", error))?;
        let count = <[u8; 8]>::try_from(rest.as_slice())
            .map(u64::from_le_bytes)
            .map_err(|_| unfit("the number of contributions is not eight bytes".to_owned()))?;
        let shapes = if count == 0 { Vec::new() } else { self.shapes(count) };
        if items.len() != shapes.len() {
            return Err(unfit(format!("{} sums of {count} contributions instead of {}", items.len(), shapes.len())));
        }
        let limit = self.plan.settings().maximum_contributions;
        if count > limit {
            return Err(OperatorError::Range { bound: count.into(), limit: limit.into() });
        }
        let read = |(item, shape): (&Vec<u8>, &Shape)| {
            self.fits("state", Ciphertext::from_bytes(item, self.evaluator.context())?, shape)
        };
        Ok((count, items.iter().zip(&shapes).map(read).collect::<Result<_, _>>()?))
    }

    /// Takes the sums with so many contributions more.
    fn add(&mut self, more: u64, addends: Vec<Ciphertext>) -> Result<(), OperatorError> {
        let count = self.count(more)?;
        let pairs = self.ciphertexts.iter().zip(&addends).zip(self.shapes(count));
        // With the declared shape the bounds are the same in whatever order contributions and states came.
        let add = |((sum, addend), shape): ((&Ciphertext, &Ciphertext), Shape)| {
            Ciphertext::new(self.evaluator.context(), self.evaluator.add(sum, addend)?.into_rlwe(), shape)
        };
        let sums = if self.ciphertexts.is_empty() { addends } else { pairs.map(add).collect::<Result<_, _>>()? };
        (self.contributions, self.ciphertexts) = (count, sums);
        Ok(())
    }

    /// The sums as they leave: at the answer's level, products relinearized and rescaled if there is a key for it.
    fn answer(&self, keys: Option<&EvaluationKeys>) -> Result<Vec<Ciphertext>, Error> {
        let keys = keys.filter(|keys| keys.relinearization().is_some());
        let leave = |sum: &Ciphertext| match (sum.shape().components, keys) {
            (2, _) => self.evaluator.drop_to_level(sum, ANSWER_LEVEL),
            (_, Some(keys)) => self.evaluator.rescale(&self.evaluator.relinearize(sum, keys)?),
            (_, None) => Ok(sum.clone()),
        };
        self.ciphertexts.iter().map(leave).collect()
    }
}

impl Accumulator for Sums {
    fn append(&mut self, batch: &[u8], _: Option<&EvaluationKeys>) -> Result<(), OperatorError> {
        self.count(1)?;
        let mut addends = self.read_contribution(batch)?;
        let pairs = self.plan.layout().products().iter();
        let products = pairs.filter_map(|&(a, b)| Some(self.evaluator.multiply(addends.get(a)?, addends.get(b)?)));
        let products = products.collect::<Result<Vec<_>, _>>()?;
        addends.extend(products);
        self.add(1, addends)
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), OperatorError> {
        let (count, sums) = self.read_state(state)?;
        if count == 0 {
            return Ok(());
        }
        self.add(count, sums)
    }

    fn batches(&self) -> u64 {
        self.contributions
    }

    fn to_bytes(&self) -> Vec<u8> {
        let first = [self.plan.digest().as_slice(), &self.contributions.to_le_bytes()].concat();
        // Six items with a short name are always a message.
        self.plan.message(STATE, std::iter::once(first).chain(encode(&self.ciphertexts)).collect()).unwrap_or_default()
    }

    fn report(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        let (nonce, items) = self.plan.read(request, REQUEST).map_err(|error| refused("request", error))?;
        if nonce.len() + DIGEST_BYTES != REQUEST_BYTES || !items.is_empty() {
            let reason = "it is not the settings' digest and 16 bytes".to_owned();
            return Err(OperatorError::Unfit { object: "request", reason });
        }
        let (found, needed) = (self.contributions, self.plan.settings().minimum_contributions);
        if found < needed {
            return Err(OperatorError::TooFewContributions { found, needed });
        }
        let first = [self.plan.digest().as_slice(), &content_digest(request), &found.to_le_bytes()].concat();
        let sums = self.answer(keys)?;
        Ok(self.plan.message(ANSWER, std::iter::once(first).chain(encode(&sums)).collect())?)
    }
}

/// Refuses a ciphertext of another level, scale or number of components, or with larger bounds.
pub(crate) fn check_shape(ciphertext: &Ciphertext, shape: &Shape) -> Result<(), String> {
    let found = ciphertext.shape();
    if found.level != shape.level {
        return Err(format!("a ciphertext is at level {} instead of {}", found.level, shape.level));
    }
    if found.components != shape.components {
        return Err(format!("a ciphertext has {} components instead of {}", found.components, shape.components));
    }
    if found.scale != shape.scale {
        return Err(format!("a ciphertext has the scale {} instead of {}", found.scale, shape.scale));
    }
    let (claimed, declared) = (found.bounds, shape.bounds);
    if claimed.message > declared.message + TOLERANCE_LOG2 || claimed.error > declared.error + TOLERANCE_LOG2 {
        let limits = (shape.magnitude_bound(), shape.error_bound());
        return Err(format!(
            "a ciphertext claims values up to {:.6e} with errors up to {:.1e}, above the declared {:.6e} and {:.1e}",
            found.magnitude_bound(),
            found.error_bound(),
            limits.0,
            limits.1
        ));
    }
    Ok(())
}

/// What a bound may be larger than another one that came the same way: on the wire they are rounded up to 1/1024 of a bit.
const TOLERANCE_LOG2: f64 = 2.0 / 1024.0;

fn refused(object: &'static str, error: AnswerError) -> OperatorError {
    match error {
        AnswerError::Wire(error) => error.into(),
        error => OperatorError::Unfit { object, reason: error.to_string() },
    }
}
