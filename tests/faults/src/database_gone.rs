//! A database that is stopped as in an emergency and started again, or that hangs without a word.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use crate::course::{self, Fault};
use crate::figures::Figures;
use crate::postgres::Server;
use crate::service::Setup;

/// How the database is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Its processes end: connections break and none can be made.
    Stops,
    /// Its processes stand still: connections stay and nothing is answered, as behind a network that drops everything.
    Hangs,
}

/// Runs the fault for so long, with a service that waits so many seconds for its database; `None` where there is no PostgreSQL.
pub fn run(program: &Path, manner: Manner, duration: Duration, wait_seconds: u64) -> Option<Figures> {
    let server = RefCell::new(Server::start()?);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut setup = Setup::new(program, folder.path());
    setup.configuration = format!(
        "[storage]\ndatabase = \"{}\"\nblobs = {{ directory = \"{}\" }}\nwait_seconds = {wait_seconds}\n",
        server.borrow().new_database(),
        folder.path().join("blobs").display()
    );
    let fault = Fault {
        begin: |_: &_| match manner {
            Manner::Stops => server.borrow_mut().stop(),
            Manner::Hangs => server.borrow().freeze(),
        },
        end: |_: &_| match manner {
            Manner::Stops => server.borrow_mut().start_again(),
            Manner::Hangs => server.borrow().thaw(),
        },
        duration,
        code: "store-unavailable",
        ready: Some(503),
        limit: Duration::from_secs(30),
    };
    Some(course::run(setup.start(), fault))
}
