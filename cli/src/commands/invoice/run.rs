//! The invoices of all tenants of a metering run.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use blindrelay_billing::{Date, Money};
use blindrelay_engine::Backend;
use blindrelay_engine::wire::content_digest;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::Serialize;

use super::opening::Opener;
use super::{Arguments, Format, month_text, write};
use crate::failure::Failure;
use crate::holder::{billing_context, tenant_key};
use crate::journal::Journal;
use crate::output::Output;
use crate::printable::{count, pad};
use crate::tenants::KeyFolder;

/// Most invoices that people are shown.
const MAX_SHOWN: usize = 20;

#[derive(Serialize)]
struct Opened {
    invoices: usize,
    month: Date,
    seconds: f64,
    invoices_per_second: f64,
    total: Money,
    totals: Vec<TotalOf>,
}

#[derive(Serialize)]
struct TotalOf {
    tenant: String,
    total: Money,
}

/// Opens and writes them, several at once.
pub(super) fn all(
    arguments: &Arguments,
    (journal, keys, out): (&Path, &Path, &Path),
    backend: Backend,
    output: Output,
) -> Result<(), Failure> {
    let client = arguments.service.client()?;
    let context = billing_context(backend)?;
    let entries = Journal::read(journal)?;
    if entries.done.is_none() {
        return Err(Failure::Content {
            path: journal.to_owned(),
            fault: "the run has not come to its end: usage is missing".to_owned(),
            advice: "run `blindrelay meter` again with this journal; it continues where it was interrupted",
        });
    }
    let keys = KeyFolder::new(keys);
    std::fs::create_dir_all(out).map_err(|source| Failure::Write { path: out.to_owned(), source })?;
    let month = arguments.month.unwrap_or(entries.subject.month);
    let meters: Vec<_> = entries.meters.iter().collect();
    let bar = progress(meters.len());
    let started = Instant::now();
    let one = |tenant: &str, meter: &str| {
        let secret = tenant_key(&keys.secret_key_path(tenant), &context)?;
        let opener = Opener::new(&client, &context, meter)?;
        if content_digest(opener.card().to_json().as_bytes()) != entries.subject.rates {
            return Err(Failure::OtherRates);
        }
        let number = format!("{}-{tenant}", month_text(month));
        let invoice = opener.invoice(&secret, month, arguments.page.details(number, tenant.to_owned())?)?;
        for (ending, format) in Format::ALL {
            write(&out.join(format!("{tenant}.{ending}")), &format.render(&invoice))?;
        }
        bar.inc(1);
        Ok(TotalOf { tenant: tenant.to_owned(), total: invoice.total })
    };
    // Threads wait for the service half of the time.
    let threads = std::thread::available_parallelism().map_or(2, |processors| 2 * processors.get());
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::Service(format!("threads: {error}")))?;
    let outcome: Result<Vec<TotalOf>, Failure> = pool.install(|| {
        meters
            .par_iter()
            .map(|(tenant, meter)| {
                one(tenant, &meter.id)
                    .map_err(|cause| Failure::OfTenant { tenant: (*tenant).clone(), cause: Box::new(cause) })
            })
            .collect()
    });
    bar.finish_and_clear();
    let totals = outcome?;
    let seconds = started.elapsed().as_secs_f64();
    let first = totals.first().ok_or_else(|| Failure::Content {
        path: journal.to_owned(),
        fault: "it notes no meters".to_owned(),
        advice: "give the journal of a run with usage, or one with --idle",
    })?;
    let total = Money::sum(first.total.currency(), totals.iter().map(|of| of.total))?;
    let opened = Opened {
        invoices: totals.len(),
        month,
        seconds,
        invoices_per_second: totals.len() as f64 / seconds,
        total,
        totals,
    };
    output.result(&opened, || describe(&opened, out))
}

fn progress(all: usize) -> ProgressBar {
    let bar = ProgressBar::new(all as u64);
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template("{bar:40} {pos} of {len} invoices, {per_sec}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn describe(opened: &Opened, out: &Path) -> String {
    let shown = || opened.totals.iter().take(MAX_SHOWN);
    let columns = shown().map(|of| of.tenant.len()).max().unwrap_or(0);
    let mut text = String::new();
    for of in shown() {
        let _ = writeln!(text, "{}  {}", pad(&of.tenant, columns), of.total);
    }
    if let Some(more) = opened.totals.len().checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
        let _ = writeln!(text, "and {more} more");
    }
    text + &format!(
        "{} for {}, {} in all, in {} ({:.1} s, {:.0} a second)",
        count(opened.invoices, "invoice"),
        month_text(opened.month),
        opened.total,
        out.display(),
        opened.seconds,
        opened.invoices_per_second
    )
}
