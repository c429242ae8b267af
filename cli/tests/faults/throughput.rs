//! The measurement of throughput measures what it says.

use std::time::Duration;

use blindrelay_faults::throughput::{Plan, run};

use crate::{check, program};

#[test]
fn matches_over_http_are_counted_and_none_fails() {
    let plan = Plan { participants: 32, connections: 4, duration: Duration::from_millis(500) };
    check(&run(program(), &plan, |_| {}));
}
