//! `contribute`: measurements, encrypted for the host of a panel and added to its sums.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use blindrelay_client::{Client, Family};
use blindrelay_engine::Backend;
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_engine::wire::content_digest;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::arguments::room_id;
use crate::failure::Failure;
use crate::output::Output;
use crate::panels::{Journal, Measurement, Measurements, Panel, PanelFailure, PanelFile, Subject};
use crate::printable::{count, grouped, hex};
use crate::service::{BATCH_ATTEMPTS, ServiceOptions};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The measurements: CSV with a header. Attention: a column a score; speaking: a column a participant; durations: seconds; concurrency: join and leave, from
    /// the beginning of the meeting; correlation: x and y. A line is a contribution; with a column contributor, all lines of one contributor are
    measurements: PathBuf,
    /// The panel's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    panel: String,
    /// The host's public key file
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
    /// Contribute nothing where the panel collects something else than this settings file says
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Where the run is noted, so that it can be continued and counts once; it holds a secret [default: the file's name, the panel's first digits and .journal]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Only read and check the measurements; nothing is sent or noted
    #[arg(long, conflicts_with = "journal")]
    check: bool,
    /// How many contributions are encrypted and sent at once [default: two a processor]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: Option<u16>,
}

#[derive(Serialize)]
struct Checked {
    lines: u64,
    contributions: usize,
    statistic: &'static str,
}

#[derive(Serialize)]
struct Contributed {
    panel: String,
    lines: u64,
    contributions: usize,
    /// Contributions that an earlier run had sent.
    contributions_before: usize,
    bytes_sent: u64,
    seconds: f64,
    journal: PathBuf,
    /// SHA-256 of the public key that everything is encrypted under.
    public_key: String,
}

/// Checks the whole file, then sends what the service has not counted yet.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let agreed = arguments.settings.as_deref().map(PanelFile::read).transpose()?;
    let client = arguments.service.client()?;
    let panel = Panel::look_up(&client, &arguments.panel, agreed.as_ref(), backend)?;
    let (key_bytes, key) = panel.public_key(&arguments.public)?;
    let measurements = Measurements::read(&arguments.measurements, &panel.plan)?;
    let all = measurements.all.len();
    if arguments.check {
        let statistic = panel.plan.settings().collect.name();
        let checked = Checked { lines: measurements.lines, contributions: all, statistic };
        return output.result(&checked, || {
            let lines = count(checked.lines as usize, "line");
            format!("{lines} of {statistic}, all good: {}\nnothing was sent", count(all, "contribution"))
        });
    }
    let key_digest = content_digest(&key_bytes);
    let subject = Subject { panel: arguments.panel.clone(), file: measurements.digest, key: key_digest };
    let path = arguments.journal.clone().unwrap_or_else(|| default_journal(arguments));
    let journal = Journal::open(&path, &subject)?;
    let before = journal.sent();
    // What an interrupted run sent may be counted without being noted; the service decides then.
    let (more, most) = ((all - before.min(all)) as u64, panel.plan.settings().maximum_contributions);
    if before == 0 && panel.contributions.saturating_add(more) > most {
        return Err(PanelFailure::TooMany { found: panel.contributions, more, most }.into());
    }
    let started = Instant::now();
    let upload = Upload {
        client: &client,
        id: &arguments.panel,
        panel: &panel,
        key: &key,
        all: &measurements.all,
        next: AtomicUsize::new(0),
        bytes: AtomicU64::new(0),
        journal: Mutex::new(journal),
        failure: OnceLock::new(),
        bar: bar(more),
    };
    let bytes_sent = upload.run(arguments.parallel.map_or_else(default_parallel, usize::from))?;
    let contributed = Contributed {
        panel: arguments.panel.clone(),
        lines: measurements.lines,
        contributions: more as usize,
        contributions_before: before,
        bytes_sent,
        seconds: started.elapsed().as_secs_f64(),
        journal: path,
        public_key: hex(&key_digest),
    };
    output.result(&contributed, || describe(&contributed))
}

fn default_journal(arguments: &Arguments) -> PathBuf {
    let mut name = arguments.measurements.clone().into_os_string();
    name.push(format!(".{}.journal", arguments.panel.get(..8).unwrap_or(&arguments.panel)));
    name.into()
}

fn default_parallel() -> usize {
    std::thread::available_parallelism().map_or(2, |processors| 2 * processors.get()).min(64)
}

/// A bar on standard error where that is a terminal.
fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} contributions, {per_sec}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What the threads share. Sums do not depend on the order in which contributions come.
struct Upload<'a> {
    client: &'a Client,
    id: &'a str,
    panel: &'a Panel,
    key: &'a PublicKey,
    all: &'a [Measurement],
    next: AtomicUsize,
    bytes: AtomicU64,
    journal: Mutex<Journal>,
    failure: OnceLock<Failure>,
    bar: ProgressBar,
}

impl Upload<'_> {
    /// Sends everything that is not noted as sent; returns how many bytes that was. After an error everything that was confirmed is in the journal.
    fn run(self, threads: usize) -> Result<u64, Failure> {
        std::thread::scope(|scope| {
            for _ in 0..threads.min(self.all.len()) {
                scope.spawn(|| self.work());
            }
        });
        self.bar.finish_and_clear();
        let journal = self.journal.into_inner().unwrap_or_else(PoisonError::into_inner);
        match self.failure.into_inner() {
            Some(cause) => {
                let (done, all) = (journal.sent(), self.all.len());
                Err(PanelFailure::Unfinished { done, all, cause: Box::new(cause) }.into())
            }
            None => Ok(self.bytes.into_inner()),
        }
    }

    fn work(&self) {
        while self.failure.get().is_none() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(measurement) = self.all.get(index) else { return };
            if let Err(failure) = self.send(index as u64, measurement) {
                let _ = self.failure.set(failure);
            }
        }
    }

    fn send(&self, number: u64, measurement: &Measurement) -> Result<(), Failure> {
        let (root, name) = {
            let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
            if journal.is_sent(number) {
                return Ok(());
            }
            let name = journal.root().derive("contribution-name", &number.to_le_bytes());
            (journal.root().derive("contributions", &[]), hex(name.as_bytes()))
        };
        let contribution = measurement.pack(&self.panel.plan).map_err(PanelFailure::Contribution)?;
        // The same bytes under the same name, however often the command is started.
        let bytes = contribution
            .encrypt_repeatably(&self.panel.plan, self.key, &root, number)
            .map_err(PanelFailure::Contribution)?;
        self.client.with_attempts(BATCH_ATTEMPTS).append(Family::Panels, self.id, &bytes, &name)?;
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).note(number)?;
        self.bar.inc(1);
        Ok(())
    }
}

fn describe(contributed: &Contributed) -> String {
    let Contributed { contributions, contributions_before, lines, bytes_sent, seconds, .. } = contributed;
    if *contributions == 0 {
        return format!("{} were counted already; nothing was sent", count(*contributions_before, "contribution"));
    }
    let before = match contributions_before {
        0 => String::new(),
        before => format!("\n{} had been counted by an earlier run", count(*before, "contribution")),
    };
    format!(
        "{} from {}, {} bytes sent in {seconds:.1} s ({:.0} a second)\nencrypted under the public key {}{before}",
        count(*contributions, "contribution"),
        count(*lines as usize, "line"),
        grouped(*bytes_sent as usize),
        *contributions as f64 / seconds,
        contributed.public_key
    )
}
