//! Measures everything beside the peers and prints one table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use blindrelay_benches::{Error, Options, document, run};
use blindrelay_kernels::Backend;
use clap::Parser;

/// Measures blindrelay beside its peers on one core, in turns, after checking that all sides agree.
#[derive(Parser)]
struct Arguments {
    /// Instruction set of our side: auto, scalar, avx512
    #[arg(long, default_value = "auto")]
    backend: String,
    /// Rounds at most for each comparison
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Seconds at most for each comparison
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only subjects whose name contains this: ntt, matching, products, charge, meter, decisions, ckks, encryption, whole, wire, roster
    #[arg(long)]
    filter: Option<String>,
    /// Tokens in the largest roster
    #[arg(long, default_value_t = 100_000)]
    roster: usize,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a plot of the ratios
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Replace the table of figures in this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    match summary(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("summary: {error}");
            ExitCode::FAILURE
        }
    }
}

fn summary(arguments: Arguments) -> Result<(), Error> {
    let report = run(&Options {
        backend: Backend::by_name(&arguments.backend)?,
        rounds: arguments.rounds,
        budget: Duration::try_from_secs_f64(arguments.seconds).unwrap_or(Duration::MAX),
        filter: arguments.filter,
        roster: arguments.roster,
        json: arguments.json,
        svg: arguments.svg,
        progress: !arguments.quiet,
    })?;
    if let Some(path) = &arguments.document {
        document::replace_figures(path, &report)?;
    }
    print!("{report}");
    Ok(())
}
