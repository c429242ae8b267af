//! Approximate numbers at both sets for statistics. There is no peer: see `docs/benchmarks.md`.

use blindrelay_engine::params::{STATS_8192, STATS_16384};

use super::{Ours, Recorder, call};
use crate::Error;
use crate::approximate::Numbers;
use crate::report::Goal;

pub(super) fn ckks(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    // The goals are set for N = 8192.
    for (set, goals) in [(STATS_8192, [Some(400.0), Some(320.0), Some(4000.0)]), (STATS_16384, [None; 3])] {
        let numbers = Numbers::new(set, recorder.options.backend)?;
        let parameters = numbers.parameters();
        let mut alone = |subject, goal: Option<f64>, call| {
            let goal = goal.map(Goal::AtMost);
            recorder.compare(Ours { subject, parameters: &parameters, goal, bytes: None, call }, Vec::new());
        };
        let [product, rotation, sum] = goals;
        alone("CKKS encode", None, call(|| numbers.encoded()));
        alone("CKKS encrypt, public key", None, call(|| numbers.encrypted()));
        alone("CKKS multiply + relinearize + rescale", product, call(|| numbers.product()));
        alone("CKKS rotate", rotation, call(|| numbers.rotated()));
        alone("CKKS sum of 4,096 slots", sum, call(|| numbers.summed()));
        alone("CKKS open", None, call(|| numbers.opened()));
    }
    Ok(())
}
