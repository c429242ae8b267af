//! An invoice: from the encrypted batches to its digests again, without a key.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use blindrelay_billing::{Charging, Invoice, Layout, audit};
use blindrelay_engine::Backend;
use serde::Serialize;

use crate::arguments::read_text;
use crate::commands::meter::{BATCH_EXTENSION, RATES_FILE, bad_rates, rate_card};
use crate::failure::Failure;
use crate::holder::billing_context;
use crate::output::Output;
use crate::printable::{count, name};

#[derive(Serialize)]
struct Verdict {
    exact: bool,
    number: String,
    batches: usize,
    periods: usize,
    total: blindrelay_billing::Money,
}

/// Replays the chain and the sums; says where the invoice does not follow from them.
pub(super) fn run(
    path: &Path,
    batches: &[PathBuf],
    rates: Option<&Path>,
    backend: Backend,
    output: Output,
) -> Result<(), Failure> {
    let invoice = Invoice::from_json(&read_text(path)?).map_err(|error| Failure::Content {
        path: path.to_owned(),
        fault: error.to_string(),
        advice: "give an invoice in JSON, as `blindrelay invoice` writes it",
    })?;
    let beside = batches.first().map(|folder| folder.join(RATES_FILE));
    let rates = rates.map(Path::to_owned).or(beside).unwrap_or_default();
    let context = billing_context(backend)?;
    let layout = Layout::new(rate_card(&rates)?, &context).map_err(|error| bad_rates(&rates, &error))?;
    let histories: Vec<Vec<Vec<u8>>> = batches.iter().map(|folder| history(folder)).collect::<Result<_, _>>()?;
    audit(&Charging::new(&context)?, &layout, &histories, &invoice)?;
    let verdict = Verdict {
        exact: true,
        number: invoice.details.number.clone(),
        batches: histories.iter().map(Vec::len).sum(),
        periods: invoice.evidence.len(),
        total: invoice.total,
    };
    output.result(&verdict, || {
        format!(
            "invoice {} over {}: every digest follows bit by bit from {} in {}",
            name(&verdict.number),
            verdict.total,
            if verdict.batches == 1 { "1 batch".to_owned() } else { format!("{} batches", verdict.batches) },
            count(verdict.periods, "period")
        )
    })
}

/// The batches of a folder, by number.
fn history(folder: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let read = |source| Failure::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension() == Some(OsStr::new(BATCH_EXTENSION)) {
            let number = path.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.parse::<u64>().ok());
            let number = number.ok_or_else(|| Failure::Content {
                path: path.clone(),
                fault: "its name is not the number of a batch".to_owned(),
                advice: "give a folder that `blindrelay meter --archive` wrote",
            })?;
            files.push((number, path));
        }
    }
    files.sort_unstable();
    let bytes =
        |(_, path): &(u64, PathBuf)| std::fs::read(path).map_err(|source| Failure::Read { path: path.clone(), source });
    files.iter().map(bytes).collect()
}
