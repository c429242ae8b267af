//! What settings mean at a parameter set: scales, levels, public bounds, and the operator's card.
//!
//! Sums of values need one level below them, sums of products two. A scale is as large as the declared ranges leave room for: with `N` contributions up to `L`,
//! `N L^2` at the square of the scale stays below the modulus, and so does `N L` at the scale one level lower, where answers leave.

use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::ckks::{Arithmetic, Bounds, Context, Encoding, Planner, Scale, Shape};
use blindrelay_engine::operator::{KeyNeed, NoiseCard, OperatorCard, Resource, ValueRange};
use blindrelay_engine::params::{Level, STATS_8192, STATS_16384};
use blindrelay_engine::wire::{self, Kind, Message};

use crate::error::SettingsError;
use crate::layout::Layout;
use crate::settings::{Collect, MAX_LIMIT, Settings};

/// Statistics at `stats-8192`: 4,096 slots.
pub const STATISTICS: &str = "statistics/1";
/// Statistics at `stats-16384`: 8,192 slots.
pub const STATISTICS_WIDE: &str = "statistics-wide/1";

/// Scales are not larger: a double holds integers of 53 bits.
const MOST_SCALE_BITS: i32 = 50;
/// Scales are not smaller: a presence is told from an absence after 1,000 contributions.
const LEAST_SCALE_BITS: i32 = 30;
/// Bits between what sums may reach and the modulus, for their errors.
const MARGIN_BITS: f64 = 2.0;
/// The level at which answers leave.
pub(crate) const ANSWER_LEVEL: Level = Level(1);
/// The level of contributions that are multiplied.
const PRODUCT_LEVEL: Level = Level(2);

/// The operator of a parameter set.
pub(crate) fn operator_id(context: &Context) -> Result<&'static str, Error> {
    match context.parameters().name() {
        STATS_8192 => Ok(STATISTICS),
        STATS_16384 => Ok(STATISTICS_WIDE),
        name => Err(Error::Unsupported {
            name: name.to_owned(),
            operation: "statistics",
            reason: "the operator knows its sets by name",
        }),
    }
}

/// Settings at a parameter set.
#[derive(Clone, Debug)]
pub struct Plan {
    settings: Settings,
    digest: [u8; 32],
    operator: &'static str,
    context: Arc<Context>,
    layout: Layout,
    encodings: Vec<Encoding>,
    fresh: Vec<Shape>,
}

impl Plan {
    /// Refused where the settings are outside their ranges, take more slots than there are, or leave too few bits for the scale.
    pub fn new(settings: &Settings, context: &Arc<Context>) -> Result<Self, SettingsError> {
        settings.validate()?;
        let operator = operator_id(context)?;
        let layout = Layout::of(&settings.collect);
        let (found, capacity) = (layout.used(0), context.slot_count());
        if found > capacity {
            return Err(SettingsError::Slots { found, capacity });
        }
        let planner = Planner::new(context);
        let mut encodings = Vec::new();
        for limit in limits(&settings.collect) {
            encodings.push(encoding(context, limit, settings.maximum_contributions, !layout.products().is_empty())?);
        }
        let fresh = encodings.iter().map(|encoding| planner.fresh(encoding)).collect::<Result<_, _>>()?;
        let plan = Self {
            settings: settings.clone(),
            digest: settings.digest(),
            operator,
            context: Arc::clone(context),
            layout,
            encodings,
            fresh,
        };
        // The largest sums pass the checks that evaluation will make.
        plan.answer_shapes(settings.maximum_contributions)?;
        Ok(plan)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Digest of the settings.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The operator's id.
    pub fn operator(&self) -> &'static str {
        self.operator
    }

    /// The tables of the parameter set.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Which number stands where.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How each ciphertext of a contribution is encoded.
    pub fn encodings(&self) -> &[Encoding] {
        &self.encodings
    }

    /// The shape of each ciphertext of a contribution.
    pub fn fresh(&self) -> &[Shape] {
        &self.fresh
    }

    /// Bounds of the sum of so many contributions' ciphertext.
    pub(crate) fn sum_bounds(fresh: &Shape, contributions: u64) -> Bounds {
        fresh.bounds.over(-count_log2(contributions))
    }

    /// The shapes of a product's sum: three components, and nothing rescaled yet.
    pub(crate) fn product_shape(&self, (a, b): (usize, usize), contributions: u64) -> Option<Shape> {
        let (a, b) = (self.fresh.get(a)?, self.fresh.get(b)?);
        let bounds = a.bounds.times(b.bounds).over(-count_log2(contributions));
        Some(Shape { scale: a.scale.times(&b.scale), components: 3, bounds, ..a.clone() })
    }

    /// The shapes of an answer about so many contributions with a relinearization key: sums, then sums of products.
    pub fn answer_shapes(&self, contributions: u64) -> Result<Vec<Shape>, Error> {
        let planner = Planner::new(&self.context);
        let mut shapes = Vec::new();
        for fresh in &self.fresh {
            let sum = Shape { bounds: Self::sum_bounds(fresh, contributions), ..fresh.clone() };
            self.context.admit("a sum of contributions", &sum)?;
            shapes.push(planner.drop_to_level(&sum, ANSWER_LEVEL)?);
        }
        let products = self.layout.products().iter().filter_map(|&pair| self.product_shape(pair, contributions));
        for sum in products {
            self.context.admit("a sum of products", &sum)?;
            // A product of nothing has the error of its relinearization.
            let nothing = Bounds { message: f64::NEG_INFINITY, error: f64::NEG_INFINITY };
            let zero = Shape { bounds: nothing, components: 2, scale: self.context.default_scale(), ..sum.clone() };
            let switched = planner.multiply(&zero, &zero)?.bounds.error;
            let relinearized = Shape { components: 2, bounds: sum.bounds.with_error(switched), ..sum };
            shapes.push(planner.rescale(&relinearized)?);
        }
        Ok(shapes)
    }

    /// Bounds on the error of each sum and each sum of products in an answer about so many contributions.
    pub fn error_bounds(&self, contributions: u64) -> Result<Vec<f64>, Error> {
        Ok(self.answer_shapes(contributions)?.iter().map(Shape::error_bound).collect())
    }

    /// Bytes of the largest contribution or state.
    pub(crate) fn message_limit(context: &Context) -> usize {
        Message::max_len(6, wire::max_len(Kind::ApproximateCiphertext, context.parameters()))
    }
}

/// Base-2 logarithm of a count.
fn count_log2(count: u64) -> f64 {
    libm::log2(count as f64)
}

/// The largest magnitude in each ciphertext.
fn limits(collect: &Collect) -> Vec<f64> {
    match collect {
        Collect::Attention { .. } | Collect::Concurrency { .. } => vec![1.0],
        Collect::Speaking { limit_seconds, .. } => vec![*limit_seconds],
        // A bin may hold all calls of a contribution, a presence 1.
        Collect::Durations { limit_seconds, calls, .. } => vec![limit_seconds.max(*calls as f64)],
        Collect::Correlation { x_limit, y_limit, .. } => vec![x_limit.max(1.0), *y_limit],
    }
}

/// The largest scale at which the sums fit.
fn encoding(context: &Context, limit: f64, contributions: u64, products: bool) -> Result<Encoding, SettingsError> {
    let (count, magnitude) = (count_log2(contributions), libm::log2(limit));
    let sum = context.limit_log2(ANSWER_LEVEL) - MARGIN_BITS - count - magnitude;
    let product = (context.limit_log2(PRODUCT_LEVEL) - MARGIN_BITS - count) / 2.0 - magnitude;
    let room = if products { sum.min(product) } else { sum };
    let bits = (room.floor() as i32).min(MOST_SCALE_BITS);
    if bits < LEAST_SCALE_BITS {
        return Err(SettingsError::Precision { limit, contributions, bits, needed: LEAST_SCALE_BITS });
    }
    let level = if products { PRODUCT_LEVEL } else { ANSWER_LEVEL };
    Ok(Encoding { level, scale: Scale::power_of_two(bits), limit })
}

/// The card of the operator over a parameter set. Its error bound is that of a mean, or of a mean of squares, of values up to 1 in magnitude, of one contribution; it
/// is not larger for more. [`Plan::error_bounds`] has those of given settings.
pub fn card(context: &Arc<Context>) -> Result<OperatorCard, Error> {
    let id = operator_id(context)?;
    let settings = Settings {
        collect: Collect::Attention { slots: 1 },
        minimum_contributions: 1,
        maximum_contributions: 1_000_000,
    };
    let unsupported = |_| Error::Unsupported {
        name: context.parameters().name().to_owned(),
        operation: "statistics",
        reason: "the set has no room for a million contributions",
    };
    let plan = Plan::new(&settings, context).map_err(unsupported)?;
    let most = plan.answer_shapes(settings.maximum_contributions)?;
    let phase = |shapes: &[Shape]| shapes.iter().map(|shape| shape.bounds.phase()).fold(f64::NEG_INFINITY, f64::max);
    let products: Vec<Shape> = plan
        .layout
        .products()
        .iter()
        .filter_map(|&pair| plan.product_shape(pair, settings.maximum_contributions))
        .collect();
    let slots = context.slot_count();
    let limit = MAX_LIMIT as i64;
    Ok(OperatorCard {
        id: id.to_owned(),
        summary: "sums, sums of squares and of products, counts and histograms of encrypted contributions, for means, variances, shares and correlation".to_owned(),
        resource: Resource::Panels,
        parameters: context.parameters().name().to_owned(),
        parameter_digest: context.parameters().digest().to_string(),
        depth: 1,
        relinearization: KeyNeed::Optional,
        galois_elements: Vec::new(),
        entries: slots,
        entry_range: ValueRange { minimum: -limit, maximum: limit, step: 0 },
        values_per_record: 1,
        result_range: ValueRange { minimum: i64::MIN, maximum: i64::MAX, step: 0 },
        output_layout: "the settings' digest, the request's digest and the number of contributions; then the sums of each ciphertext, then the sums of each product, slot by slot".to_owned(),
        record_limit: Plan::message_limit(context),
        request_limit: Message::max_len(1, crate::message::REQUEST_BYTES),
        noise: NoiseCard {
            bound_log2: phase(&products),
            limit_log2: context.limit_log2(PRODUCT_LEVEL),
            answer_bound_log2: phase(&most),
            answer_limit_log2: context.limit_log2(ANSWER_LEVEL),
        },
        error_bound: plan.error_bounds(1)?.into_iter().reduce(f64::max),
        failure_log2: -128.0,
    })
}
