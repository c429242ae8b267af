//! What a service needs, and does not have for a while: refused clearly, recovered without a restart, nothing lost.

use std::time::Duration;

use blindrelay_faults::database_gone::{self, Manner};
use blindrelay_faults::descriptors::{self, Plan};
use blindrelay_faults::{clock, disk_full, object_store_gone};

use crate::{check, program};

const LASTING: Duration = Duration::from_millis(500);
/// Seconds that a service waits for its database or its object store.
const WAIT: u64 = 1;

#[test]
fn a_full_disk() {
    check(&disk_full::run(program(), LASTING));
}

#[test]
fn a_database_that_stops() {
    let Some(figures) = database_gone::run(program(), Manner::Stops, LASTING, WAIT) else { return };
    check(&figures);
}

#[test]
fn a_database_that_hangs() {
    let Some(figures) = database_gone::run(program(), Manner::Hangs, LASTING, WAIT) else { return };
    check(&figures);
}

#[test]
fn an_object_store_that_stops() {
    check(&object_store_gone::run(program(), LASTING, WAIT));
}

#[test]
fn a_clock_that_jumps() {
    check(&clock::run());
}

#[test]
fn too_few_descriptors() {
    let configuration = "[limits]\nheader_timeout_seconds = 2\n";
    check(&descriptors::run(program(), &Plan { descriptors: 150, connections: 300, duration: LASTING, configuration }));
}
