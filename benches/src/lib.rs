//! Measurements of blindrelay beside its peers.
//!
//! A figure counts as a ratio against a peer that was measured in the same run, in turns with ours, after both had given the same result. The
//! criterion benches (`cargo bench`) and the summary (`blindrelay bench`, or the binary `summary`) share what is here:
//! [`meeting`], [`factors`] and [`charge`] set up the same jobs for our engine ([`room`]) and for the crate `fhe` ([`peer`]); [`decisions`] and [`levelled`] are circuits and their verbs; `subject` says what is measured and which goal
//! it has; [`measure`] takes the time; [`report`], [`document`] and `plot` write it down.

pub mod approximate;
pub mod charge;
pub mod decisions;
pub mod document;
mod error;
pub mod factors;
pub mod levelled;
pub mod machine;
pub mod measure;
pub mod meeting;
pub mod memory;
pub mod peer;
mod plot;
pub mod random;
pub mod report;
pub mod room;
mod subject;

use std::path::PathBuf;
use std::time::Duration;

use blindrelay_kernels::Backend;
use indicatif::{ProgressBar, ProgressStyle};

pub use error::Error;
pub use machine::Machine;
pub use report::Report;

use crate::measure::Effort;
use crate::subject::{Recorder, SUBJECTS};

/// What a run measures, and where the results go.
#[derive(Clone, Debug)]
pub struct Options {
    /// The instruction set of our side.
    pub backend: Backend,
    /// How many rounds, each of which lets everybody take a turn.
    pub rounds: usize,
    /// At most this long for each comparison.
    pub budget: Duration,
    /// Only subjects whose name contains this.
    pub filter: Option<String>,
    /// How many tokens the largest roster has. Decisions that store more are left out.
    pub roster: usize,
    /// Write the report as JSON.
    pub json: Option<PathBuf>,
    /// Write a plot of the ratios as SVG.
    pub svg: Option<PathBuf>,
    /// Show progress on standard error.
    pub progress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backend: Backend::detect(),
            rounds: 100,
            budget: Duration::from_secs(2),
            filter: None,
            roster: 100_000,
            json: None,
            svg: None,
            progress: true,
        }
    }
}

/// Measures every subject on one core and writes the files that were asked for. The report displays itself as a table.
pub fn run(options: &Options) -> Result<Report, Error> {
    let report = measure_all(options)?;
    if let Some(path) = &options.json {
        write(path, &serde_json::to_string_pretty(&report)?)?;
    }
    if let Some(path) = &options.svg {
        write(path, &plot::ratios(&report))?;
    }
    Ok(report)
}

fn write(path: &std::path::Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Everything runs on the only worker of a pool, so that our data parallelism stays on one core without crossing threads.
fn measure_all(options: &Options) -> Result<Report, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let chosen = || SUBJECTS.iter().filter(|(name, _)| options.filter.as_ref().is_none_or(|part| name.contains(part)));
    let bar = if options.progress { ProgressBar::new(chosen().count() as u64) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    pool.install(|| {
        let mut recorder = Recorder::new(options, Effort { rounds: options.rounds.max(1), budget: options.budget });
        for (name, subject) in chosen() {
            bar.set_message(*name);
            subject(&mut recorder)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let (rows, notes) = recorder.into_rows();
        Ok(Report { machine: Machine::describe(options.backend), rounds: options.rounds, rows, notes })
    })
}

/// Refuses to go on where a result is not the expected one.
fn agree<T: PartialEq>(subject: &str, side: &str, found: &T, expected: &T) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Results { subject: subject.to_owned(), side: side.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_gives_every_subject_a_row_and_writes_both_files() {
        let directory = tempfile::tempdir().unwrap();
        let (json, svg) = (directory.path().join("report.json"), directory.path().join("report.svg"));
        let options = Options {
            rounds: 1,
            budget: Duration::ZERO,
            roster: 20,
            json: Some(json.clone()),
            svg: Some(svg.clone()),
            progress: false,
            ..Options::default()
        };
        let report = run(&options).unwrap();
        for part in [
            "NTT",
            "32 scores",
            "multiply",
            "rotate",
            "charge",
            "report",
            "meter",
            "threshold",
            "comparison",
            "equality",
            "CKKS",
            "encrypt",
            "open",
            "probe",
            "answer",
            "large roster",
            "memory",
        ] {
            assert!(report.rows.iter().any(|row| row.subject.contains(part)), "no row on {part}");
        }
        assert!(report.rows.iter().all(|row| row.ours.minimum > 0.0 && row.ours.minimum <= row.ours.median));
        let read: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        assert_eq!(read["rows"].as_array().map(Vec::len), Some(report.rows.len()));
        assert_eq!(read["machine"]["backend"], options.backend.name());
        assert!(std::fs::read_to_string(svg).unwrap().ends_with("</svg>\n"));
    }

    #[test]
    fn sides_that_disagree_are_not_measured() {
        assert!(agree("scores", "peer", &[1, 2], &[1, 2]).is_ok());
        let error = agree("scores", "peer", &[1, 2], &[1, 3]).unwrap_err();
        assert!(error.to_string().starts_with("scores: peer gave another result"), "{error}");
    }
}
