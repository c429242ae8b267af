//! `bench`: measurements against peers. They are in a build of their own, because the peers are large.

use clap::Args;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Says how to get a build that measures.
pub(crate) fn run(_arguments: &Arguments, _output: Output) -> Result<(), Failure> {
    Err(Failure::Usage {
        what: "this build has no benchmarks in it".to_owned(),
        advice: "run `cargo run --release --features bench -- bench`",
    })
}
