//! `job`: reports on all meters or panels at once, as at the end of a month.

use std::fs;
use std::path::{Path, PathBuf};

use blindrelay_client::{Client, Family, Job, JobPart, JobState, NewJob};
use blindrelay_engine::Error as EngineError;
use blindrelay_engine::operator::Handle;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::room_id;
use crate::expiry::written;
use crate::failure::Failure;
use crate::output::Output;
use crate::printable::{count, one_line};
use crate::service::ServiceOptions;

/// Most bytes of an answer.
const LONGEST: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Ask for a report of every meter or panel of an operator; the service works on it while nobody waits
    Report(Report),
    /// List jobs
    List(List),
    /// Show how far a job is
    Show(Show),
    /// Take the answers of a job into a folder
    Fetch(Fetch),
    /// Delete a job with its answers; one that is not finished ends
    Delete(Named),
}

#[derive(Debug, Args)]
#[group(id = "ledgers", required = true)]
pub(crate) struct Ledgers {
    /// All meters of this operator, such as charge/1
    #[arg(long, value_name = "OPERATOR", group = "ledgers")]
    meters: Option<String>,
    /// All panels of this operator, such as statistics/1
    #[arg(long, value_name = "OPERATOR", group = "ledgers")]
    panels: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    service: ServiceOptions,
    #[command(flatten)]
    ledgers: Ledgers,
    /// What to ask each of them, a request of the operator; nothing if this is left out
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Let each answer come with a receipt
    #[arg(long)]
    receipts: bool,
    /// A name for this, such as 2026-11: the same request under the same name makes one job [default: a new one]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Wait until it is finished
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    service: ServiceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    service: ServiceOptions,
    /// The job's id
    #[arg(value_name = "ID", value_parser = room_id)]
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    named: Named,
    /// Wait until it is finished
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    named: Named,
    /// Where the answers go, one file each, named by meter or panel; made if it is not there
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
}

/// Does what is asked for.
pub(crate) fn run(action: &Action, output: Output) -> Result<(), Failure> {
    let job = match action {
        Action::List(List { service }) => {
            let jobs = service.client()?.jobs()?;
            return output.result(&jobs, || describe_all(&jobs));
        }
        Action::Delete(Named { service, id }) => {
            service.client()?.remove_job(id)?;
            return output.result(&serde_json::json!({ "deleted": id }), || format!("job {id} is deleted"));
        }
        Action::Fetch(arguments) => return fetch(arguments, output),
        Action::Report(arguments) => report(arguments)?,
        Action::Show(Show { named: Named { service, id }, wait }) => {
            let client = service.client()?;
            if *wait { await_job(&client, id)? } else { client.job(id)? }
        }
    };
    output.result(&job, || describe(&job))
}

fn report(arguments: &Report) -> Result<Job, Failure> {
    let request = match &arguments.request {
        Some(path) => fs::read(path).map_err(|source| Failure::Read { path: path.clone(), source })?,
        None => Vec::new(),
    };
    let Ledgers { meters, panels } = &arguments.ledgers;
    let of = |family, operators: &Option<String>| operators.clone().map(|operator| (family, operator));
    let asked_of = of(Family::Meters, meters).or_else(|| of(Family::Panels, panels));
    let (family, operator) = asked_of.ok_or_else(|| Failure::Usage {
        what: "neither meters nor panels were named".to_owned(),
        advice: "give --meters or --panels with the name of an operator",
    })?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => Handle::random().map_err(EngineError::from)?.to_string(),
    };
    let client = arguments.service.client()?;
    let asked = NewJob { request: &request, receipts: arguments.receipts, idempotency: &name };
    let job = client.start_reports(family, &operator, asked)?;
    if arguments.wait { await_job(&client, &job.id) } else { Ok(job) }
}

/// Waits for a job, with a bar on standard error where that is a terminal.
fn await_job(client: &Client, id: &str) -> Result<Job, Failure> {
    let bar = ProgressBar::new(0);
    let bar = match ProgressStyle::with_template("{bar:40} {pos}/{len} answered, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    let job = client.await_job(id, |job| {
        bar.set_length(job.parts);
        bar.set_position(job.answered + job.refused);
    })?;
    bar.finish_and_clear();
    Ok(job)
}

fn fetch(Fetch { named: Named { service, id }, folder }: &Fetch, output: Output) -> Result<(), Failure> {
    let client = service.client()?;
    let job = client.job(id)?;
    let parts = client.job_parts(id)?;
    fs::create_dir_all(folder).map_err(|source| Failure::Write { path: folder.clone(), source })?;
    for part in parts.iter().filter(|part| part.bytes.is_some()) {
        let path = |ending: &str| -> Result<PathBuf, Failure> {
            let subject = room_id(&part.subject).map_err(|_| Failure::Service("a part has no subject".to_owned()))?;
            Ok(folder.join(format!("{subject}.{ending}")))
        };
        if job.receipts {
            let receipted = client.job_answer_with_receipt(id, part.answer, LONGEST)?;
            write(&path("receipt")?, &receipted.receipt)?;
            write(&path("answer")?, &receipted.answer)?;
        } else {
            write(&path("answer")?, &client.job_answer(id, part.answer, LONGEST)?)?;
        }
    }
    output.result(&serde_json::json!({ "job": job, "folder": folder, "parts": parts }), || {
        describe_parts(&job, &parts, folder)
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|source| Failure::Write { path: path.to_owned(), source })
}

fn describe(job: &Job) -> String {
    let state = match job.state {
        JobState::Waiting => "waiting".to_owned(),
        JobState::Running => "running".to_owned(),
        JobState::Finished => job.finished.map_or_else(String::new, |at| format!("finished {}", written(at))),
        _ => "unknown".to_owned(),
    };
    format!(
        "job {}\n  work      {}\n  state     {state}\n  made      {}\n  answered  {} of {}\n  refused   {}",
        one_line(&job.id),
        one_line(&job.work),
        written(job.created),
        job.answered,
        job.parts,
        job.refused,
    )
}

fn describe_all(jobs: &[Job]) -> String {
    if jobs.is_empty() {
        return "no jobs".to_owned();
    }
    let line = |job: &Job| {
        let left = job.parts.saturating_sub(job.answered + job.refused);
        let left = if left == 0 { "finished".to_owned() } else { format!("{left} of {} left", job.parts) };
        format!("{}  {}  {}  {left}\n", one_line(&job.id), one_line(&job.work), written(job.created))
    };
    jobs.iter().map(line).collect()
}

fn describe_parts(job: &Job, parts: &[JobPart], folder: &Path) -> String {
    let answered = parts.iter().filter(|part| part.bytes.is_some()).count();
    let mut lines = vec![format!("{} in {}", count(answered, "answer"), folder.display())];
    for part in parts {
        if let Some(problem) = &part.problem {
            let (code, detail) = (one_line(&problem.code), one_line(&problem.detail));
            lines.push(format!("no answer of {}: {code}: {detail}", one_line(&part.subject)));
        }
    }
    let open = parts.iter().filter(|part| part.bytes.is_none() && part.problem.is_none()).count();
    if open > 0 {
        lines.push(format!("{} not computed yet: `blindrelay job show {} --wait`", count(open, "answer"), job.id));
    }
    lines.join("\n")
}
