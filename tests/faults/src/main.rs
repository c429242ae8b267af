//! `faults RUN`: long runs of the service under faults and load, with the figures that they have to reach.
//!
//!     cargo build --release -p blindrelay -p blindrelay-faults
//!     target/release/faults nodes
//!
//! The last line has all figures; the exit code is 1 where one is missed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use blindrelay_faults::database_gone::{self, Manner};
use blindrelay_faults::figures::Figures;
use blindrelay_faults::{
    clock, descriptors, disk_full, half_open, nodes, object_store_gone, process, throughput, uploads,
};
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
    /// Thousands of connections in the middle of an upload of 1 MiB at the same time.
    Uploads {
        /// Connections.
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Different key sets that they upload.
        #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
        key_sets: u16,
        /// Seconds until all connections are open, and then until all of them send.
        #[arg(long, default_value_t = 10.0)]
        ramp: f64,
        /// Seconds that a body takes.
        #[arg(long, default_value_t = 2.0)]
        pace: f64,
    },
    /// Thousands of connections that never finish the head of a request, while others match.
    HalfOpen {
        /// Half-open connections.
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Seconds until all of them are open.
        #[arg(long, default_value_t = 5.0)]
        ramp: f64,
        /// Matches a second.
        #[arg(long, default_value_t = 100)]
        matches: u32,
    },
    /// Matches over HTTP beside the bare operator.
    Throughput {
        /// Participants of the room.
        #[arg(long, default_value_t = 1008)]
        participants: usize,
        /// Connections.
        #[arg(long, default_value_t = 16)]
        connections: usize,
        /// Seconds that each of the three parts is measured.
        #[arg(long, default_value_t = 30.0)]
        seconds: f64,
    },
    /// A disk that is full for a while.
    DiskFull(Lasting),
    /// A database that is stopped, and one that hangs, for a while.
    DatabaseGone(Lasting),
    /// An object store that is stopped for a while.
    ObjectStoreGone(Lasting),
    /// A clock that jumps by hours, both ways.
    Clock,
    /// Few descriptors for many connections, and none at all for a while.
    Descriptors {
        /// Descriptors.
        #[arg(long, default_value_t = 1024)]
        descriptors: u64,
        /// Connections.
        #[arg(long, default_value_t = 4000)]
        connections: usize,
        #[command(flatten)]
        lasting: Lasting,
    },
}

/// How long a fault lasts.
#[derive(clap::Args)]
struct Lasting {
    /// How long.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
}

impl Lasting {
    fn duration(&self) -> Duration {
        minutes(self.minutes)
    }
}

/// Seconds that a service waits for its store, unless it is told otherwise.
const WAIT: u64 = 10;

/// Participants of a room that is asked while something else is measured.
const PARTICIPANTS: usize = 64;

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
    let bar = |length: u64, unit: &str| {
        if arguments.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {unit}, {{eta}} left"));
        let style = style.expect("a template");
        ProgressBar::new(length).with_style(style)
    };
    let (name, figures) = match arguments.run {
        Run::Nodes { minutes: long, every, nodes, clients } => {
            let (duration, every) = (minutes(long), Duration::from_secs_f64(every));
            let plan = nodes::Plan { nodes: usize::from(nodes), clients, duration, every };
            let bar = bar(duration.as_secs(), "s");
            ("nodes", nodes::run(&program, &plan, |seconds| bar.set_position(seconds)))
        }
        Run::Uploads { connections, key_sets, ramp, pace } => {
            let plan = uploads::Plan {
                connections,
                key_sets: usize::from(key_sets),
                ramp: Duration::from_secs_f64(ramp),
                pace: Duration::from_secs_f64(pace),
                configuration: "",
            };
            let bar = bar(connections as u64, "acknowledged");
            ("uploads", Some(uploads::run(&program, &plan, |count| bar.set_position(count))))
        }
        Run::HalfOpen { connections, ramp, matches } => {
            let ramp = Duration::from_secs_f64(ramp);
            let plan = half_open::Plan { connections, ramp, matches, participants: PARTICIPANTS, configuration: "" };
            ("half-open", Some(half_open::run(&program, &plan)))
        }
        Run::Throughput { participants, connections, seconds } => {
            let duration = Duration::from_secs_f64(seconds);
            let plan = throughput::Plan { participants, connections, duration };
            let told = |part: &str| {
                if !arguments.json {
                    eprintln!("{part} ...");
                }
            };
            ("throughput", Some(throughput::run(&program, &plan, told)))
        }
        Run::DiskFull(lasting) => ("disk-full", Some(disk_full::run(&program, lasting.duration()))),
        Run::DatabaseGone(lasting) => {
            let all = [Manner::Stops, Manner::Hangs]
                .map(|manner| database_gone::run(&program, manner, lasting.duration(), WAIT));
            let [stops, hangs] = all;
            let figures = stops.zip(hangs).map(|(mut stops, hangs)| {
                stops.extend(hangs);
                stops
            });
            ("database-gone", figures)
        }
        Run::ObjectStoreGone(lasting) => {
            ("object-store-gone", Some(object_store_gone::run(&program, lasting.duration(), WAIT)))
        }
        Run::Clock => ("clock", Some(clock::run())),
        Run::Descriptors { descriptors, connections, lasting } => {
            let plan = descriptors::Plan { descriptors, connections, duration: lasting.duration(), configuration: "" };
            ("descriptors", Some(descriptors::run(&program, &plan)))
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
