//! An object store that does not answer any more and comes back.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use crate::course::{self, Fault};
use crate::figures::Figures;
use crate::s3::ObjectStore;
use crate::service::Setup;

/// Runs the fault for so long, with a service that waits so many seconds for its store.
pub fn run(program: &Path, duration: Duration, wait_seconds: u64) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = RefCell::new(ObjectStore::start(&folder.path().join("objects")));
    let mut setup = Setup::new(program, folder.path());
    setup.configuration = format!(
        "[storage]\ndatabase = \"sqlite:{}\"\nwait_seconds = {wait_seconds}\n[storage.blobs.s3]\n{}",
        folder.path().join("rows.sqlite").display(),
        store.borrow().settings()
    );
    setup.environment = store.borrow().credentials();
    let fault = Fault {
        begin: |_: &_| store.borrow_mut().stop(),
        end: |_: &_| store.borrow_mut().start_again(),
        duration,
        code: "store-unavailable",
        ready: Some(503),
        limit: Duration::from_mins(1),
    };
    course::run(setup.start(), fault)
}
