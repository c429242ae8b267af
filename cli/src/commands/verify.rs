//! `verify`: whether a service signed a receipt, and for which request and answer.

use std::path::{Path, PathBuf};

use blindrelay_trust::{KeyId, SignedReceipt};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::receipts::{HISTORY, history};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Receipts, as `match --receipts` and `find --receipts` keep them; request and answer beside them are held against them
    #[arg(required = true, value_name = "RECEIPT")]
    receipts: Vec<PathBuf>,
    /// The service's signing keys; without it, history.json beside each receipt
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// The signing key that is trusted, in 64 hexadecimal digits; without it, the first one of the history
    #[arg(long, value_name = "KEY")]
    trust: Option<KeyId>,
}

/// What was found of one receipt.
#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    receipt: SignedReceipt,
    request: Option<bool>,
    answer: Option<bool>,
}

/// Checks all of them; the first that is refused ends the command.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let checked = arguments.receipts.iter().map(|path| check(path, arguments)).collect::<Result<Vec<_>, _>>()?;
    output.result(&checked, || checked.iter().map(describe).collect::<Vec<_>>().join("\n\n"))
}

fn check(path: &Path, arguments: &Arguments) -> Result<Checked, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Forged {
        path: path.to_owned(),
        fault: error.to_string(),
        advice: "the service whose keys were given has not signed this, or not for this request and answer: do not rely on it",
    };
    let bytes = std::fs::read(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    let receipt = SignedReceipt::from_bytes(&bytes)
        .map_err(|error| Failure::NoReceipt { path: path.to_owned(), fault: error.to_string() })?;
    let keys = history(&arguments.history.clone().unwrap_or_else(|| path.with_file_name(HISTORY)))?;
    if let Some(trusted) = &arguments.trust {
        keys.verify_chain(trusted).map_err(|error| refused(&error))?;
    }
    let verified = receipt.verify(&keys).map_err(|error| refused(&error))?;
    let beside = |extension: &str| match std::fs::read(path.with_extension(extension)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Failure::Read { path: path.with_extension(extension), source }),
    };
    let (request, answer) = (beside("request")?, beside("answer")?);
    if let Some(request) = &request {
        verified.receipt().matches_request(request).map_err(|error| refused(&error))?;
    }
    if let Some(answer) = &answer {
        verified.receipt().matches_answer(answer).map_err(|error| refused(&error))?;
    }
    let (request, answer) = (request.map(|_| true), answer.map(|_| true));
    Ok(Checked { file: path.to_owned(), receipt, request, answer })
}

fn describe(checked: &Checked) -> String {
    let held = |name, found: Option<bool>| match found {
        Some(_) => format!("{name:<16}is the one beside the receipt"),
        None => format!("{name:<16}is not beside the receipt and was not checked"),
    };
    let lines = [held("request", checked.request), held("answer", checked.answer)].join("\n");
    format!("{}\nthe signature is good\n{lines}", checked.receipt.receipt())
}
