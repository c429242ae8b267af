//! More uploads at the same time than there is memory for.

use std::time::Duration;

use blindrelay_faults::uploads::{Plan, run};

use crate::{check, program};

#[test]
fn uploads_beyond_the_memory_are_refused_and_all_are_taken_in_the_end() {
    let plan = Plan {
        connections: 60,
        key_sets: 6,
        ramp: Duration::from_millis(500),
        pace: Duration::from_secs(1),
        configuration: "[limits]\nmax_body_bytes = 4_000_000\nupload_bytes = 12_000_000\n",
    };
    let figures = run(program(), &plan, |_| {});
    check(&figures);
    assert!(figures.value("refusals").is_some_and(|refusals| refusals > 0.0), "{figures}");
}
