//! `enroll`: encrypted tokens into a room, many to a record.

mod receipts;

use std::path::PathBuf;

use blindrelay_engine::operator::Handle;
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_routing::{MatchKind, Token};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use self::receipts::Receipts;
use super::matching::wrong_subject;
use crate::arguments::{ServiceOptions, embedding, read_text, room_id};
use crate::client::Client;
use crate::failure::Failure;
use crate::member::Member;
use crate::output::Output;
use crate::printable::{count, one_line};

#[derive(Debug, Args)]
#[group(id = "subject", required = true, multiple = false, args = ["identity", "identities", "embedding"])]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// The room's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// An identity to enrol; may be given several times
    #[arg(long, value_name = "NAME")]
    identity: Vec<String>,
    /// A file of identities, one a line
    #[arg(long, value_name = "FILE")]
    identities: Option<PathBuf>,
    /// A file of 128 numbers to enrol; may be given several times
    #[arg(long, value_name = "FILE")]
    embedding: Vec<PathBuf>,
    /// Note every enrolment in this file, and leave out those that it already notes: an interrupted run can be repeated
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
}

/// Somebody to be enrolled: how they are called in results, and their token.
struct Subject {
    label: String,
    token: Token,
}

#[derive(Serialize)]
struct Enrolled {
    handle: String,
    identity: String,
}

#[derive(Serialize)]
struct Report {
    room: String,
    enrolled: Vec<Enrolled>,
    skipped: usize,
    /// Sent, but no reply arrived: enrolled or not.
    unknown: Vec<String>,
    remaining: Vec<String>,
}

/// Enrols everybody who is not noted yet.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let client = arguments.service.client()?;
    let member = Member::from_file(&arguments.key, backend)?;
    let mut subjects = subjects(&member, arguments)?;
    let mut receipts = arguments.receipts.as_deref().map(|path| Receipts::open(path, &arguments.room)).transpose()?;
    let all = subjects.len();
    if let Some(receipts) = &mut receipts {
        subjects.retain(|subject| !receipts.take(&subject.label));
    }
    let skipped = all - subjects.len();
    let room = client.room(&arguments.room)?;
    member.recognise(&room)?;
    let room = arguments.room.clone();
    let mut report = Report { room, enrolled: Vec::new(), skipped, unknown: Vec::new(), remaining: Vec::new() };
    let outcome = enroll_all(&client, &member, &subjects, &mut report, receipts.as_mut(), output);
    if output.json() {
        output.result(&report, String::new)?;
    }
    if !output.json() && skipped > 0 {
        Output::remark(&format!("{} noted in the receipts before and left out", count(skipped, "enrolment")));
    }
    outcome.map_err(|cause| {
        if !output.json() {
            list("it is not known whether these were enrolled, because no reply arrived:", &report.unknown);
            list("these were not enrolled:", &report.remaining);
        }
        Failure::Unfinished { done: report.enrolled.len(), all: subjects.len(), cause: Box::new(cause) }
    })
}

fn list(heading: &str, labels: &[String]) {
    if !labels.is_empty() {
        let lines: Vec<String> = labels.iter().map(|label| format!("  {}", one_line(label))).collect();
        Output::remark(&format!("{heading}\n{}", lines.join("\n")));
    }
}

fn subjects(member: &Member, arguments: &Arguments) -> Result<Vec<Subject>, Failure> {
    let kind = member.kind();
    let identities = match &arguments.identities {
        Some(path) => {
            let text = read_text(path)?;
            let lines: Vec<String> = text
                .trim_start_matches('\u{feff}')
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect();
            if lines.is_empty() {
                let fault = "no identity in it".to_owned();
                return Err(Failure::Content { path: path.clone(), fault, advice: "write one identity a line" });
            }
            lines
        }
        None => arguments.identity.iter().map(|identity| identity.trim().to_owned()).collect(),
    };
    if identities.iter().any(String::is_empty) {
        return Err(Failure::Usage { what: "an identity is empty".to_owned(), advice: "give a name after --identity" });
    }
    match kind {
        MatchKind::Signs if !identities.is_empty() => {
            Ok(identities.into_iter().map(|label| Subject { token: member.token(&label), label }).collect())
        }
        MatchKind::Embeddings if !arguments.embedding.is_empty() => arguments
            .embedding
            .iter()
            .map(|path| Ok(Subject { label: path.display().to_string(), token: embedding(path)? }))
            .collect(),
        _ => Err(wrong_subject(kind)),
    }
}

/// Enrols in records of as many tokens as share a ciphertext. What was confirmed stays in the report whatever happens after it.
fn enroll_all(
    client: &Client,
    member: &Member,
    subjects: &[Subject],
    report: &mut Report,
    mut receipts: Option<&mut Receipts>,
    output: Output,
) -> Result<(), Failure> {
    let bar = progress(subjects.len());
    let mut records = subjects.chunks(member.capacity());
    while let Some(chunk) = records.next() {
        let labels = || chunk.iter().map(|subject| subject.label.clone());
        let sent = send(client, member, &report.room, chunk);
        let noted = sent.and_then(|handles| {
            let enrolled = handles.iter().zip(labels());
            report
                .enrolled
                .extend(enrolled.map(|(handle, identity)| Enrolled { handle: handle.to_string(), identity }));
            if !output.json() {
                let lines = handles.iter().zip(labels());
                let lines: Vec<String> =
                    lines.map(|(handle, label)| format!("{handle}  {}\n", one_line(&label))).collect();
                bar.suspend(|| Output::write(lines.concat().as_bytes()))?;
            }
            match &mut receipts {
                Some(receipts) => receipts.note(&handles, labels()),
                None => Ok(()),
            }
        });
        if let Err(failure) = noted {
            bar.finish_and_clear();
            match &failure {
                Failure::Client(error) if error.leaves_doubt() => report.unknown.extend(labels()),
                Failure::Client(_) | Failure::Engine(_) | Failure::Token(_) => report.remaining.extend(labels()),
                // The service confirmed them; only the note of it failed.
                _ => {}
            }
            report.remaining.extend(records.flatten().map(|subject| subject.label.clone()));
            return Err(failure);
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn send(client: &Client, member: &Member, room: &str, chunk: &[Subject]) -> Result<Vec<Handle>, Failure> {
    let tokens: Vec<Token> = chunk.iter().map(|subject| subject.token.clone()).collect();
    let record = member.record(&tokens)?;
    let idempotency = Handle::random().map_err(EngineError::from)?.to_string();
    Ok(client.enroll(room, &record, chunk.len(), &idempotency)?)
}

/// A bar on standard error where that is a terminal and there is something to wait for.
fn progress(all: usize) -> ProgressBar {
    if all <= 64 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(all as u64);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} enrolled, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
