//! `bench`: measurements beside peers. They are in a build of their own, because the peers are large.

#[cfg(feature = "bench")]
pub(crate) use measured::{Arguments, run};
#[cfg(not(feature = "bench"))]
pub(crate) use missing::{Arguments, run};

#[cfg(feature = "bench")]
mod measured {
    use std::path::PathBuf;
    use std::time::Duration;

    use blindrelay_benches::Options;
    use blindrelay_engine::Backend;
    use clap::Args;

    use crate::failure::Failure;
    use crate::output::Output;

    #[derive(Debug, Args)]
    pub(crate) struct Arguments {
        /// Rounds at most for each comparison
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        rounds: usize,
        /// Seconds at most for each comparison
        #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
        seconds: f64,
        /// Only subjects whose name contains this
        #[arg(long, value_name = "PART")]
        filter: Option<String>,
        /// Tokens in the largest roster
        #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
        roster: usize,
        /// Write the figures to this file, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Write a plot of the ratios to this file
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    }

    /// Measures and prints one table, or its figures as JSON.
    pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
        let options = Options {
            backend,
            rounds: arguments.rounds,
            budget: Duration::try_from_secs_f64(arguments.seconds).unwrap_or(Duration::MAX),
            filter: arguments.filter.clone(),
            roster: arguments.roster,
            json: arguments.report.clone(),
            svg: arguments.svg.clone(),
            progress: !output.json(),
        };
        let report = blindrelay_benches::run(&options).map_err(|error| Failure::Bench(error.to_string()))?;
        output.result(&report, || report.to_string())
    }
}

#[cfg(not(feature = "bench"))]
mod missing {
    use blindrelay_engine::Backend;
    use clap::Args;

    use crate::failure::Failure;
    use crate::output::Output;

    #[derive(Debug, Args)]
    pub(crate) struct Arguments {}

    /// Says how to get a build that measures.
    pub(crate) fn run(_arguments: &Arguments, _backend: Backend, _output: Output) -> Result<(), Failure> {
        Err(Failure::Usage {
            what: "this build has no benchmarks in it".to_owned(),
            advice: "run `cargo run --release --features bench -- bench`",
        })
    }
}
