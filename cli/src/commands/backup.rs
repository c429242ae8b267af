//! `backup` and `restore`: everything that a service keeps, as a folder.

use std::path::{Path, PathBuf};

use blindrelay_storage::{BackupError, Copied, DurableStore};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::serve::Whereabouts;
use crate::failure::Failure;
use crate::output::Output;
use crate::printable::{count, grouped};

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    whereabouts: Whereabouts,
    /// The folder to copy into, made if it is not there; blobs that it has from a former backup are not copied again
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    whereabouts: Whereabouts,
    /// The folder of a backup
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
}

const SIGNING_KEY: &str = "the signing key of receipts is no part of it: copy the folder identity of the service's data by yourself, to a place as safe as the service";

/// Copies a store, whether services work on it or not.
pub(crate) fn back_up(arguments: &Backup, output: Output) -> Result<(), Failure> {
    let settings = arguments.whereabouts.place()?.settings()?;
    let bar = progress();
    let copied = runtime()?.block_on(async {
        let store = DurableStore::open(&settings).await.map_err(|error| Failure::Service(error.to_string()))?;
        let copied = store.back_up(&arguments.out, |copied| show(&bar, copied)).await;
        store.close().await;
        copied.map_err(|error| failed(&error))
    })?;
    bar.finish_and_clear();
    Output::remark(SIGNING_KEY);
    tell(copied, &arguments.out, output)
}

/// Makes a store from a copy.
pub(crate) fn restore(arguments: &Restore, output: Output) -> Result<(), Failure> {
    let settings = arguments.whereabouts.place()?.settings()?;
    let bar = progress();
    let restoring = blindrelay_storage::restore(&settings, &arguments.from, |copied| show(&bar, copied));
    let copied = runtime()?.block_on(restoring).map_err(|error| failed(&error))?;
    bar.finish_and_clear();
    tell(copied, &arguments.from, output)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::Service(error.to_string()))
}

fn failed(error: &BackupError) -> Failure {
    let advice = match error {
        BackupError::NotEmpty => "name a folder or database that has nothing in it",
        BackupError::NotWhole { .. } => "make the backup again, or take an older one",
        _ => return Failure::Service(error.to_string()),
    };
    Failure::Usage { what: error.to_string(), advice }
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn number(value: u64) -> String {
    grouped(usize::try_from(value).unwrap_or(usize::MAX))
}

fn in_words(Copied { rows, blobs, bytes }: Copied) -> String {
    let many = |value: u64, word| count(usize::try_from(value).unwrap_or(usize::MAX), word);
    format!("{}, {} of {} bytes", many(rows, "row"), many(blobs, "blob"), number(bytes))
}

fn show(bar: &ProgressBar, copied: Copied) {
    bar.set_message(in_words(copied));
    bar.tick();
}

fn tell(copied: Copied, folder: &Path, output: Output) -> Result<(), Failure> {
    let told = serde_json::json!({ "folder": folder, "copied": copied });
    output.result(&told, || format!("{}: {}", folder.display(), in_words(copied)))
}
