//! Receipts: their answers again, bit for bit.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use blindrelay_client::Client;
use blindrelay_engine::Backend;
use blindrelay_server::Registry;
use blindrelay_trust::{KeyHistory, ReceiptId, SignedReceipt};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Arguments;
use crate::failure::{DISPROVED, Failure, NOT_CHECKED};
use crate::output::Output;
use crate::receipts::{HISTORY, history};
use crate::reexecution::{Auditor, Finding, SampleSeed, Share, Verdict};

const FORGED: &str = "trust nothing that this service has signed until whoever runs it has explained this";

/// What became of one receipt.
#[derive(Serialize)]
struct Checked {
    receipt: String,
    operator: String,
    collection: String,
    version: u64,
    time: blindrelay_trust::UnixMillis,
    #[serde(flatten)]
    verdict: Verdict,
}

/// What became of those of a day.
#[derive(Serialize)]
struct OfDay<'a> {
    day: &'a str,
    kept: usize,
    seed: SampleSeed,
    bit_exact: usize,
    differ: usize,
    not_checked: usize,
    receipts: Vec<Checked>,
}

pub(super) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<ExitCode, Failure> {
    let client = arguments.service.client()?;
    let subject = arguments.subject.as_deref().map(|subject| subject_of(subject, &client)).transpose()?;
    let history = signing_keys(arguments, &client)?;
    let registry = Registry::standard(backend).map_err(|error| Failure::Usage {
        what: format!("the operators cannot be made: {error}"),
        advice: "choose another --backend",
    })?;
    let mut auditor = Auditor::new(&client, history, registry);
    let Some(signed) = subject else {
        let day = arguments.day.as_deref().unwrap_or_default();
        return of_day(day, arguments.share, arguments.seed, &client, &mut auditor, output);
    };
    let checked = check(&mut auditor, &signed)?;
    let code = exit_code([&checked.verdict]);
    output.result(&checked, || format!("{}\n\n{}", signed.receipt(), line(&checked)))?;
    Ok(code)
}

/// The receipt of a file, or the one that the service keeps under an id.
fn subject_of(subject: &Path, client: &Client) -> Result<SignedReceipt, Failure> {
    let id = subject.to_str().and_then(|text| text.parse::<ReceiptId>().ok()).filter(|_| !subject.exists());
    let Some(id) = id else {
        let bytes = std::fs::read(subject).map_err(|source| Failure::Read { path: subject.to_owned(), source })?;
        return SignedReceipt::from_bytes(&bytes)
            .map_err(|error| Failure::NoReceipt { path: subject.to_owned(), fault: error.to_string() });
    };
    served(client, &id.to_string())
}

/// A receipt as the service keeps it, which has to be the one that was asked for.
fn served(client: &Client, id: &str) -> Result<SignedReceipt, Failure> {
    let forged =
        |fault: String| Failure::Forged { path: PathBuf::from(format!("receipt {id}")), fault, advice: FORGED };
    let signed = SignedReceipt::from_bytes(&client.receipt(id)?)
        .map_err(|error| forged(format!("what the service keeps under this id is no receipt: {error}")))?;
    let found = signed.id().to_string();
    if found == id { Ok(signed) } else { Err(forged(format!("the service keeps receipt {found} under this id"))) }
}

/// The service's signing keys, which have to continue those that were kept and to lead from the one that is trusted.
fn signing_keys(arguments: &Arguments, client: &Client) -> Result<KeyHistory, Failure> {
    let beside = arguments.subject.as_ref().map(|subject| subject.with_file_name(HISTORY)).filter(|path| path.exists());
    let kept = arguments.history.clone().or(beside);
    let forged = |path: &Path, fault: String| Failure::Forged { path: path.to_owned(), fault, advice: FORGED };
    let of_service = Path::new("the service's signing keys");
    let served = KeyHistory::from_json(&client.identity()?).map_err(|error| forged(of_service, error.to_string()))?;
    if let Some(path) = kept {
        let other = |error| forged(&path, format!("the service shows other signing keys than before: {error}"));
        served.extends(&history(&path)?).map_err(other)?;
    }
    if let Some(trusted) = &arguments.trust {
        served.verify_chain(trusted).map_err(|error| forged(of_service, error.to_string()))?;
    }
    Ok(served)
}

fn of_day(
    day: &str,
    share: Share,
    seed: Option<SampleSeed>,
    client: &Client,
    auditor: &mut Auditor<'_>,
    output: Output,
) -> Result<ExitCode, Failure> {
    let listed = client.receipts(day)?;
    let seed = seed.map_or_else(SampleSeed::random, Ok)?;
    let kept = listed.len();
    let mut chosen = share.choose(listed, |entry| entry.id.as_str(), seed);
    // Those of the same keys and room after each other: both are fetched and made once.
    chosen.sort_by(|a, b| {
        (&a.evaluation_keys, &a.collection, a.version).cmp(&(&b.evaluation_keys, &b.collection, b.version))
    });
    let bar = progress(chosen.len() as u64, output);
    let mut receipts = Vec::with_capacity(chosen.len());
    for entry in &chosen {
        receipts.push(check(auditor, &served(client, &entry.id)?)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let count = |wanted: Finding| receipts.iter().filter(|checked| checked.verdict.finding() == wanted).count();
    let (bit_exact, differ) = (count(Finding::BitExact), count(Finding::Differs));
    let code = exit_code(receipts.iter().map(|checked| &checked.verdict));
    let not_checked = receipts.len() - bit_exact - differ;
    let told = OfDay { day, kept, seed, bit_exact, differ, not_checked, receipts };
    output.result(&told, || describe(&told))?;
    Ok(code)
}

fn check(auditor: &mut Auditor<'_>, signed: &SignedReceipt) -> Result<Checked, Failure> {
    let receipt = signed.receipt();
    let collection = &receipt.collection;
    Ok(Checked {
        receipt: signed.id().to_string(),
        operator: receipt.operator.to_string(),
        collection: format!("{} {}", collection.kind.name(), collection.id),
        version: collection.version,
        time: receipt.time,
        verdict: auditor.audit(signed)?,
    })
}

/// One that differs decides; else one that is bit-exact.
fn exit_code<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> ExitCode {
    let findings: Vec<Finding> = verdicts.into_iter().map(Verdict::finding).collect();
    if findings.contains(&Finding::Differs) {
        ExitCode::from(DISPROVED)
    } else if findings.contains(&Finding::BitExact) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_CHECKED)
    }
}

fn line(checked: &Checked) -> String {
    format!("receipt {} of {}: {}", checked.receipt, checked.operator, checked.verdict)
}

fn describe(told: &OfDay<'_>) -> String {
    let others = told.receipts.iter().filter(|checked| checked.verdict.finding() != Finding::BitExact);
    let mut lines: Vec<String> = others.map(line).collect();
    lines.push(format!(
        "{}: {} receipts kept, {} computed again: {} bit-exact, {} differ, {} not checked\nthe same choice again: --seed {}",
        told.day,
        told.kept,
        told.receipts.len(),
        told.bit_exact,
        told.differ,
        told.not_checked,
        told.seed
    ));
    lines.join("\n")
}

fn progress(all: u64, output: Output) -> ProgressBar {
    if output.json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(all);
    if let Ok(style) = ProgressStyle::with_template("[{elapsed_precise}] {bar:40} {pos}/{len} receipts") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
