//! The settings of panels, and the plans that are made of them.

use std::sync::{Arc, LazyLock};

use blindrelay_analytics::{Plan, Settings, Statistics};
use blindrelay_engine::Backend;
use blindrelay_engine::ckks::Context;
use blindrelay_engine::operator::{Accumulation, Accumulator};
use blindrelay_engine::params::{Parameters, STATS_8192, preset};

/// Tables of the set of `statistics/1`.
pub static CONTEXT: LazyLock<Arc<Context>> = LazyLock::new(|| {
    let parameters = Parameters::new(preset(STATS_8192).expect("a named set"), Backend::detect()).expect("a named set");
    Context::new(&parameters).expect("a set of CKKS")
});

/// The operator.
static STATISTICS: LazyLock<Statistics> = LazyLock::new(|| Statistics::new(&CONTEXT).expect("the operator's own set"));

/// Reads settings. What is accepted has one JSON; what can be planned has bounds that are numbers, and an empty panel that comes back from its bytes.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Ok(settings) = Settings::from_json(text) else { return false };
    let json = settings.to_json();
    assert_eq!(Settings::from_json(&json).as_ref(), Ok(&settings), "{json}");
    let Ok(plan) = Plan::new(&settings, &CONTEXT) else { return false };
    for contributions in [settings.minimum_contributions, settings.maximum_contributions] {
        let bounds = plan.error_bounds(contributions).expect("a plan admits its own contributions");
        assert!(bounds.iter().all(|bound| bound.is_finite() && *bound >= 0.0), "{bounds:?}");
    }
    let sums = STATISTICS.sums(&json).expect("settings with a plan");
    let state = sums.to_bytes();
    let restored = STATISTICS.restore(&json, &state).expect("its own state");
    assert_eq!(restored.to_bytes(), state);
    true
}
