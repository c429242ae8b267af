//! Services that are killed one after the other.

use std::time::Duration;

use blindrelay_faults::nodes::{Plan, run};

use crate::{check, program};

#[test]
fn no_request_fails_and_nothing_is_lost_while_services_are_killed() {
    let plan = Plan { nodes: 3, clients: 4, duration: Duration::from_secs(4), every: Duration::from_secs(1) };
    let Some(figures) = run(program(), &plan, |_| {}) else { return };
    check(&figures);
}
