//! `enroll`: encrypted tokens into a room, many to a record, or one with a ticket.

mod enroller;
mod receipts;

use std::path::PathBuf;

use blindrelay_client::Client;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_routing::MatchKind;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use self::enroller::{Enroller, Subject};
use self::receipts::Receipts;
use super::matching::wrong_subject;
use super::search;
use crate::arguments::{embedding, read_text, room_id};
use crate::failure::Failure;
use crate::output::Output;
use crate::printable::{count, one_line};
use crate::service::ServiceOptions;
use crate::tickets::{self, Register, Ticket};

#[derive(Debug, Args)]
#[group(id = "subject", required = true, multiple = false, args = ["identity", "identities", "embedding", "keywords", "keywords_file"])]
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
    /// In a room for `search`: one participant's keywords, 1 to 8, separated by commas; may be given several times
    #[arg(long, value_name = "WORDS")]
    keywords: Vec<String>,
    /// In a room for `search`: a file of participants, one a line, with their keywords separated by commas
    #[arg(long, value_name = "FILE")]
    keywords_file: Option<PathBuf>,
    /// Note every enrolment in this file, and leave out those that it already notes: an interrupted run can be repeated
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// In a room for `find`: the file for the relay, to which a line is added for each enrolment: the SHA-256 of its ticket, and the handle to connect [default: tickets.csv]
    #[arg(long, value_name = "FILE")]
    tickets: Option<PathBuf>,
    /// In a room for `find`: tickets of your own, one a line in hexadecimal digits and in the order of the identities, instead of 32 random bytes each
    #[arg(long, value_name = "FILE")]
    ticket_file: Option<PathBuf>,
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
    if !arguments.keywords.is_empty() || arguments.keywords_file.is_some() {
        let (tickets, receipts) = (&arguments.tickets, &arguments.receipts);
        if tickets.is_some() || arguments.ticket_file.is_some() || receipts.is_some() {
            return Err(Failure::Usage {
                what: "--tickets, --ticket-file and --receipts are for identities".to_owned(),
                advice: "leave them out where keywords are enrolled",
            });
        }
        let participants = search::participants(&arguments.keywords, arguments.keywords_file.as_deref())?;
        return search::enroll(&client, &arguments.key, &arguments.room, &participants, backend, output);
    }
    let enroller = Enroller::from_file(&arguments.key, backend)?;
    let mut subjects = subjects(&enroller, arguments)?;
    let mut register = register(&enroller, arguments)?;
    let mut receipts = arguments.receipts.as_deref().map(|path| Receipts::open(path, &arguments.room)).transpose()?;
    let all = subjects.len();
    if let Some(receipts) = &mut receipts {
        subjects.retain(|subject| !receipts.take(&subject.label));
    }
    let skipped = all - subjects.len();
    let room = client.room(&arguments.room)?;
    enroller.recognise(&room)?;
    let room = arguments.room.clone();
    let mut report = Report { room, enrolled: Vec::new(), skipped, unknown: Vec::new(), remaining: Vec::new() };
    let mut books = Books { receipts: receipts.as_mut(), register: register.as_mut() };
    let outcome = enroll_all(&client, &enroller, &subjects, &mut report, &mut books, output);
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

/// The relay's file, in a room for `find` alone.
fn register(enroller: &Enroller, arguments: &Arguments) -> Result<Option<Register>, Failure> {
    match enroller {
        Enroller::Find(_) => {
            let path = arguments.tickets.clone().unwrap_or_else(|| PathBuf::from("tickets.csv"));
            Ok(Some(Register::open(&path)?))
        }
        Enroller::Match(_) if arguments.tickets.is_some() || arguments.ticket_file.is_some() => Err(Failure::Usage {
            what: "the key file was made for a room without tickets".to_owned(),
            advice: "leave --tickets and --ticket-file out, or make a room for `find` with `blindrelay keygen --for find`",
        }),
        Enroller::Match(_) => Ok(None),
    }
}

fn subjects(enroller: &Enroller, arguments: &Arguments) -> Result<Vec<Subject>, Failure> {
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
    match enroller {
        Enroller::Match(member) if member.kind() == MatchKind::Signs && !identities.is_empty() => {
            let subject = |label: String| Subject { token: member.token(&label), label, ticket: None };
            Ok(identities.into_iter().map(subject).collect())
        }
        Enroller::Match(member) if member.kind() == MatchKind::Embeddings && !arguments.embedding.is_empty() => {
            let subject = |path: &PathBuf| {
                Ok(Subject { label: path.display().to_string(), token: embedding(path)?, ticket: None })
            };
            arguments.embedding.iter().map(subject).collect()
        }
        Enroller::Match(member) => Err(wrong_subject(member.kind())),
        Enroller::Find(_) if identities.is_empty() => Err(Failure::Usage {
            what: "the key file was made for a room for `find`, in which identities are enrolled".to_owned(),
            advice: "give an identity instead of an embedding",
        }),
        Enroller::Find(finder) => {
            let tickets = tickets_of(arguments, identities.len())?;
            let subject = |(label, ticket): (String, Ticket)| Subject {
                token: finder.token(&label),
                label,
                ticket: Some(ticket),
            };
            Ok(identities.into_iter().zip(tickets).map(subject).collect())
        }
    }
}

/// A ticket for each identity: those of a file, or random ones.
fn tickets_of(arguments: &Arguments, needed: usize) -> Result<Vec<Ticket>, Failure> {
    let Some(path) = &arguments.ticket_file else { return (0..needed).map(|_| Ticket::random()).collect() };
    let tickets = tickets::read(path)?;
    if tickets.len() == needed {
        return Ok(tickets);
    }
    Err(Failure::Content {
        path: path.clone(),
        fault: format!("{} for {}", count(tickets.len(), "ticket"), identities_in_words(needed)),
        advice: "write as many tickets as there are identities, one a line",
    })
}

fn identities_in_words(number: usize) -> String {
    if number == 1 { "1 identity".to_owned() } else { format!("{number} identities") }
}

/// Where enrolments are noted.
struct Books<'a> {
    receipts: Option<&'a mut Receipts>,
    register: Option<&'a mut Register>,
}

impl Books<'_> {
    /// The relay's line first: without it nobody could be connected.
    fn note(&mut self, chunk: &[Subject], handles: &[Handle]) -> Result<(), Failure> {
        if let Some(register) = &mut self.register {
            let lines =
                chunk.iter().zip(handles).filter_map(|(subject, &handle)| Some((subject.ticket.as_ref()?, handle)));
            lines.into_iter().try_for_each(|(ticket, handle)| register.note(ticket, handle))?;
        }
        match &mut self.receipts {
            Some(receipts) => receipts.note(handles, chunk.iter().map(|subject| subject.label.clone())),
            None => Ok(()),
        }
    }
}

/// Enrols in records of as many tokens as share a ciphertext. What was confirmed stays in the report whatever happens after it.
fn enroll_all(
    client: &Client,
    enroller: &Enroller,
    subjects: &[Subject],
    report: &mut Report,
    books: &mut Books<'_>,
    output: Output,
) -> Result<(), Failure> {
    let bar = progress(subjects.len(), enroller.capacity());
    let mut records = subjects.chunks(enroller.capacity());
    while let Some(chunk) = records.next() {
        let labels = || chunk.iter().map(|subject| subject.label.clone());
        let sent = send(client, enroller, &report.room, chunk);
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
            books.note(chunk, &handles)
        });
        if let Err(failure) = noted {
            bar.finish_and_clear();
            match &failure {
                Failure::Client(error) if error.leaves_doubt() => report.unknown.extend(labels()),
                Failure::Client(_) | Failure::Engine(_) | Failure::Token(_) | Failure::Find(_) => {
                    report.remaining.extend(labels());
                }
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

fn send(client: &Client, enroller: &Enroller, room: &str, chunk: &[Subject]) -> Result<Vec<Handle>, Failure> {
    let record = enroller.record(chunk)?;
    let idempotency = Handle::random().map_err(EngineError::from)?.to_string();
    Ok(client.enroll(room, &record, chunk.len(), &idempotency)?)
}

/// A bar on standard error where that is a terminal and there is something to wait for.
fn progress(all: usize, at_a_time: usize) -> ProgressBar {
    if all <= 4 * at_a_time {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(all as u64);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} enrolled, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
