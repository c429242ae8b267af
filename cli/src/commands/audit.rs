//! `audit`: answers are computed again from what the service keeps of their receipts, and invoices from their batches. Neither takes a key.

mod invoice;
mod receipts;

use std::path::PathBuf;
use std::process::ExitCode;

use blindrelay_engine::Backend;
use blindrelay_trust::KeyId;
use clap::Args;

use crate::failure::Failure;
use crate::output::Output;
use crate::reexecution::{SampleSeed, Share};
use crate::service::ServiceOptions;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A receipt whose answer is computed again: a file, or the id of one that the service keeps. With --batches, an invoice in JSON
    #[arg(value_name = "RECEIPT", required_unless_present = "day", conflicts_with = "day")]
    subject: Option<PathBuf>,
    /// Compute answers of this day again, in UTC: a random share of those whose receipts the service keeps
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// How many of them, in percent; at least one
    #[arg(long, value_name = "PERCENT", default_value = "5%", requires = "day")]
    share: Share,
    /// Choose those that an earlier audit chose, which told these 64 hexadecimal digits
    #[arg(long, value_name = "SEED", requires = "day")]
    seed: Option<SampleSeed>,
    /// The service's signing keys as they were kept; without it, history.json beside the receipt, if it is there
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// The signing key that is trusted, in 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    trust: Option<KeyId>,
    /// Of an invoice: folder with the batches of the meter, as `meter --archive` keeps them; where meters were merged, one after the other
    #[arg(long, value_name = "DIR", requires = "subject", conflicts_with_all = ["day", "history", "trust"])]
    batches: Vec<PathBuf>,
    /// Of an invoice: the rate card that was agreed on; without it, the one beside the batches
    #[arg(long, value_name = "FILE", requires = "batches")]
    rates: Option<PathBuf>,
    #[command(flatten)]
    service: ServiceOptions,
}

/// Follows an invoice, a receipt, or receipts of a day.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<ExitCode, Failure> {
    if let (Some(subject), false) = (&arguments.subject, arguments.batches.is_empty()) {
        invoice::run(subject, &arguments.batches, arguments.rates.as_deref(), backend, output)?;
        return Ok(ExitCode::SUCCESS);
    }
    receipts::run(arguments, backend, output)
}
