//! `meter`: a usage file, packed and encrypted for its tenants, into meters of the service.

mod batches;
mod upload;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use blindrelay_billing::{Date, Layout, RateCard};
use blindrelay_engine::Backend;
use blindrelay_engine::wire::content_digest;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

pub(super) use self::batches::{BATCH_EXTENSION, RATES_FILE};
use self::upload::{Plan, Uploaded};
use crate::arguments::{month, read_text};
use crate::failure::Failure;
use crate::holder::billing_context;
use crate::journal::{Journal, Subject};
use crate::output::Output;
use crate::printable::{count, grouped};
use crate::service::ServiceOptions;
use crate::tenants::KeyFolder;
use crate::usage::{Survey, survey};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The usage: CSV with the columns tenant, item, and time and quantity, or join and leave
    usage: PathBuf,
    /// The rate card, in TOML or JSON
    #[arg(long, value_name = "FILE")]
    rates: PathBuf,
    /// Folder with the tenants' public keys, TENANT.pub
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The month of the usage; without it, that of the first line
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Date>,
    /// Where the run is noted, so that it can be continued; it holds a secret [default: the usage file's name and .journal]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Keep the encrypted batches in this folder, for auditors
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Also make a meter for every tenant of the key folder who has no usage, for an invoice of zero
    #[arg(long)]
    idle: bool,
    /// Only read and check the usage; nothing is sent or noted
    #[arg(long, conflicts_with_all = ["journal", "archive", "idle"])]
    check: bool,
    /// How many batches are encrypted and sent at once [default: two a processor]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: Option<u16>,
}

#[derive(Serialize)]
struct Checked {
    lines: u64,
    bytes: u64,
    tenants: usize,
    batches: u64,
    month: Date,
    seconds: f64,
}

#[derive(Serialize)]
struct Metered {
    lines: u64,
    tenants: usize,
    month: Date,
    journal: PathBuf,
    batches: u64,
    /// Batches that an earlier run had sent.
    batches_before: u64,
    bytes_sent: u64,
    check_seconds: f64,
    upload_seconds: f64,
    lines_per_second: f64,
    meters: Vec<MeterOf>,
}

#[derive(Serialize)]
struct MeterOf {
    tenant: String,
    meter: String,
}

/// Checks the whole file, then sends what the service has not counted yet.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let client = arguments.service.client()?;
    let context = billing_context(backend)?;
    let card = rate_card(&arguments.rates)?;
    let layout = Layout::new(card, &context).map_err(|error| bad_rates(&arguments.rates, &error))?;
    let keys = KeyFolder::new(&arguments.keys);
    let started = Instant::now();
    let survey = checked(arguments, &layout)?;
    survey.tenants.par_iter().try_for_each(|(tenant, _)| keys.public_key(tenant, context.parameters()).map(drop))?;
    let check_seconds = started.elapsed().as_secs_f64();
    let batches: u64 = survey.tenants.iter().map(|(_, batches)| batches).sum();
    if arguments.check {
        let Survey { lines, bytes, month, .. } = survey;
        let tenants = survey.tenants.len();
        let checked = Checked { lines, bytes, tenants, batches, month, seconds: check_seconds };
        return output.result(&checked, || describe_check(&checked));
    }
    let subject = Subject {
        usage: survey.digest,
        rates: content_digest(layout.card().to_json().as_bytes()),
        month: survey.month,
    };
    let path = arguments.journal.clone().unwrap_or_else(|| {
        let mut name = arguments.usage.clone().into_os_string();
        name.push(".journal");
        name.into()
    });
    let (mut journal, mut entries) = Journal::open(&path, subject)?;
    let mut tenants: Vec<String> = survey.tenants.into_iter().map(|(tenant, _)| tenant).collect();
    if arguments.idle {
        let idle = keys.tenants()?;
        let known: std::collections::HashSet<&str> = tenants.iter().map(String::as_str).collect();
        let idle: Vec<String> = idle.into_iter().filter(|tenant| !known.contains(tenant.as_str())).collect();
        tenants.extend(idle);
    }
    let started = Instant::now();
    let plan = Plan {
        client: &client,
        context: &context,
        layout: &layout,
        keys: &keys,
        usage: &arguments.usage,
        month: subject.month,
        digest: survey.digest,
        archive: arguments.archive.as_deref(),
        parallel: arguments.parallel.map_or_else(default_parallel, usize::from),
    };
    let bar = lines_bar(survey.lines);
    upload::make_meters(&plan, &tenants, &mut journal, &mut entries)?;
    let outcome = upload::upload(&plan, journal, &entries, survey.lines, &bar);
    bar.finish_and_clear();
    let Uploaded { sent, before, bytes } = outcome?;
    let upload_seconds = started.elapsed().as_secs_f64();
    let meters = tenants.iter().filter_map(|tenant| {
        let meter = entries.meters.get(tenant)?.id.clone();
        Some(MeterOf { tenant: tenant.clone(), meter })
    });
    let metered = Metered {
        lines: survey.lines,
        tenants: tenants.len(),
        month: survey.month,
        journal: path,
        batches: sent,
        batches_before: before,
        bytes_sent: bytes,
        check_seconds,
        upload_seconds,
        lines_per_second: survey.lines as f64 / (check_seconds + upload_seconds),
        meters: meters.collect(),
    };
    output.result(&metered, || describe(&metered))
}

/// A rate card from a file.
pub(crate) fn rate_card(path: &std::path::Path) -> Result<RateCard, Failure> {
    let text = read_text(path)?;
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let card = if json { RateCard::from_json(&text) } else { RateCard::from_toml(&text) };
    card.map_err(|error| bad_rates(path, &error))
}

/// What is wrong with a rate card, on one line.
pub(crate) fn bad_rates(path: &std::path::Path, error: &blindrelay_billing::RateError) -> Failure {
    let fault = error.to_string().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    Failure::Content {
        path: path.to_owned(),
        fault,
        advice: "correct the rate card; `blindrelay sample rates` writes one",
    }
}

fn checked(arguments: &Arguments, layout: &Layout) -> Result<Survey, Failure> {
    let bytes = std::fs::metadata(&arguments.usage).map_or(0, |metadata| metadata.len());
    let bar = bar(bytes, "{bar:40} {percent}% of the lines checked, {eta} left");
    let survey = survey(&arguments.usage, layout, arguments.month, &bar);
    bar.finish_and_clear();
    survey
}

fn default_parallel() -> usize {
    std::thread::available_parallelism().map_or(2, |processors| 2 * processors.get()).min(64)
}

fn lines_bar(lines: u64) -> ProgressBar {
    bar(lines, "{bar:40} {human_pos} of {human_len} lines, {per_sec}, {eta} left{msg}")
}

/// A bar on standard error where that is a terminal.
fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn describe_check(checked: &Checked) -> String {
    format!(
        "{} of {} for the month of {}, all good: {}, {} in {:.1} s\nnothing was sent",
        count(checked.lines as usize, "line"),
        count(checked.tenants, "tenant"),
        checked.month,
        if checked.batches == 1 {
            "1 batch".to_owned()
        } else {
            format!("{} batches", grouped(checked.batches as usize))
        },
        count(checked.bytes as usize, "byte"),
        checked.seconds
    )
}

fn describe(metered: &Metered) -> String {
    let mut text = if metered.batches == 0 && metered.batches_before > 0 {
        format!(
            "{} of {} were counted already; nothing was sent\n",
            count(metered.lines as usize, "line"),
            count(metered.tenants, "tenant")
        )
    } else {
        format!(
            "{} of {} counted: {} batches, {} bytes sent, in {:.1} s ({} lines per second), after {:.1} s of checks\n",
            count(metered.lines as usize, "line"),
            count(metered.tenants, "tenant"),
            grouped(metered.batches as usize),
            grouped(metered.bytes_sent as usize),
            metered.upload_seconds,
            grouped(metered.lines_per_second as usize),
            metered.check_seconds
        )
    };
    if metered.batches > 0 && metered.batches_before > 0 {
        let _ = writeln!(text, "{} batches had been sent by an earlier run", grouped(metered.batches_before as usize));
    }
    for meter in metered.meters.iter().take(MAX_SHOWN) {
        let _ = writeln!(text, "{}  {}", meter.meter, meter.tenant);
    }
    if let Some(more) = metered.meters.len().checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
        let _ = writeln!(text, "and {} in {}", count(more, "meter"), metered.journal.display());
    }
    text
}

/// Most meters that people are shown.
const MAX_SHOWN: usize = 20;
