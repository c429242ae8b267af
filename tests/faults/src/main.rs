//! `faults RUN`: long runs of the service under faults and load, with the figures that they have to reach.
//!
//!     cargo build --release -p blindrelay -p blindrelay-faults
//!     target/release/faults nodes
//!
//! The last line has all figures; the exit code is 1 where one is missed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use blindrelay_faults::figures::Figures;
use blindrelay_faults::{nodes, process};
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

/// Long runs of the service under faults and load.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    run: Run,
    /// The program that serves; without it, `blindrelay` beside this one.
    #[arg(long, global = true, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Run {
    /// Several services on one PostgreSQL, one of them killed again and again.
    Nodes {
        /// How long.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Seconds from one kill to the next.
        #[arg(long, default_value_t = 10.0)]
        every: f64,
        /// Services.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=16))]
        nodes: u8,
        /// Clients that work at the same time.
        #[arg(long, default_value_t = 8)]
        clients: usize,
    },
}

fn minutes(minutes: f64) -> Duration {
    Duration::from_secs_f64(60.0 * minutes)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    process::raise_descriptor_limit();
    let program = arguments.program.unwrap_or_else(|| {
        let own = std::env::current_exe().expect("a program has a path");
        own.with_file_name("blindrelay")
    });
    if !program.exists() {
        eprintln!("error: {} is not there: build it with `cargo build --release -p blindrelay`", program.display());
        return ExitCode::from(2);
    }
    let bar = |length: u64| {
        if arguments.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} s, {eta} left").expect("a template");
        ProgressBar::new(length).with_style(style)
    };
    let (name, figures) = match arguments.run {
        Run::Nodes { minutes: long, every, nodes, clients } => {
            let (duration, every) = (minutes(long), Duration::from_secs_f64(every));
            let plan = nodes::Plan { nodes: usize::from(nodes), clients, duration, every };
            let bar = bar(duration.as_secs());
            ("nodes", nodes::run(&program, &plan, |seconds| bar.set_position(seconds)))
        }
    };
    let Some(figures) = figures else {
        eprintln!("error: this run needs PostgreSQL (Debian: postgresql)");
        return ExitCode::from(2);
    };
    tell(name, &figures, arguments.json)
}

fn tell(name: &str, figures: &Figures, json: bool) -> ExitCode {
    if json {
        println!("{:#}", figures.to_json(name));
    } else {
        println!("{name}: {figures}");
    }
    if figures.missed(true).is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
