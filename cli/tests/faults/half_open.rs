//! Connections that never finish a request.

use std::time::Duration;

use blindrelay_faults::half_open::{Plan, run};

use crate::{check, program};

#[test]
fn half_open_connections_are_closed_and_nobody_else_waits_for_them() {
    let plan = Plan {
        connections: 300,
        ramp: Duration::from_millis(500),
        matches: 20,
        participants: 16,
        configuration: "[limits]\nheader_timeout_seconds = 2\n",
    };
    check(&run(program(), &plan));
}
