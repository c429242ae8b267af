//! Time, memory and keys of decisions, each in a process of its own.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use blindrelay_benches::Error;
use blindrelay_benches::decisions::{CASES, Case};
use blindrelay_benches::document::{replace_usages, usage_table};
use blindrelay_benches::memory::{Usage, measure};
use blindrelay_kernels::Backend;
use clap::Parser;

/// Measures decisions one after the other, each in a fresh process: seconds with one thread and with two, most resident memory, keys.
#[derive(Parser)]
struct Arguments {
    /// Which decisions; all if none is named
    names: Vec<String>,
    /// Instruction set: auto, scalar, avx512
    #[arg(long, default_value = "auto")]
    backend: String,
    /// How often each decision is made with each number of threads
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Replace the table of these figures in this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Measure the one named decision in this process
    #[arg(long, hide = true)]
    here: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("circuits-memory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let cases: Vec<&Case> = if arguments.names.is_empty() {
        CASES.iter().collect()
    } else {
        arguments.names.iter().map(|name| Case::by_name(name)).collect::<Result<_, _>>()?
    };
    if arguments.here {
        let backend = Backend::by_name(&arguments.backend)?;
        for case in cases {
            println!("{}", serde_json::to_string(&measure(case, backend, arguments.repeats)?)?);
        }
        return Ok(());
    }
    let usages = cases.into_iter().map(|case| in_a_process(case, arguments)).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&usages)?);
    } else {
        print!("{}", usage_table(&usages));
        if usages.iter().any(|usage| usage.peaks_include_preparation) {
            println!(
                "\nPeaks include the making of keys and records: this system does not let a process begin a new peak."
            );
        }
    }
    if let Some(path) = &arguments.document {
        replace_usages(path, &usages)?;
    }
    Ok(())
}

fn in_a_process(case: &Case, arguments: &Arguments) -> Result<Usage, Error> {
    let failed = |reason: String| Error::Process { name: case.name.to_owned(), reason };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let repeats = arguments.repeats.to_string();
    let output = Command::new(program)
        .args([case.name, "--here", "--backend", &arguments.backend, "--repeats", &repeats])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
