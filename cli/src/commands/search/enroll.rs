//! `enroll --keywords`: participants with their keywords, many to a record.

use std::path::Path;

use blindrelay_client::Client;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_routing::search::Keyword;
use serde::Serialize;

use super::searcher::Searcher;
use crate::arguments::read_text;
use crate::failure::Failure;
use crate::output::Output;
use crate::printable::one_line;

#[derive(Serialize)]
struct Enrolled {
    handle: String,
    keywords: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    room: String,
    enrolled: Vec<Enrolled>,
}

/// The keywords of each participant: those given one after the other, then those of a file, one participant a line.
pub(in crate::commands) fn participants(given: &[String], file: Option<&Path>) -> Result<Vec<Vec<String>>, Failure> {
    let words = |line: &str| line.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
    let mut all: Vec<Vec<String>> = given.iter().map(|line| words(line)).collect();
    if let Some(path) = file {
        let text = read_text(path)?;
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
        all.extend(lines.map(words));
        if all.is_empty() {
            let fault = "no keywords in it".to_owned();
            let advice = "write one participant a line, keywords separated by commas";
            return Err(Failure::Content { path: path.to_owned(), fault, advice });
        }
    }
    Ok(all)
}

/// Enrols participants in records of as many as share a ciphertext. All keywords are checked before anything is sent.
pub(in crate::commands) fn enroll(
    client: &Client,
    key: &Path,
    room: &str,
    participants: &[Vec<String>],
    backend: Backend,
    output: Output,
) -> Result<(), Failure> {
    let searcher = Searcher::from_file(key, backend)?;
    Searcher::check_operator(&client.room(room)?)?;
    let keywords = participants
        .iter()
        .map(|words| words.iter().map(|word| searcher.keyword(word)).collect::<Result<Vec<Keyword>, _>>())
        .collect::<Result<Vec<_>, _>>()?;
    let records =
        keywords.chunks(searcher.capacity()).map(|chunk| searcher.record(chunk)).collect::<Result<Vec<_>, _>>()?;
    let mut report = Report { room: room.to_owned(), enrolled: Vec::new() };
    for (record, words) in records.iter().zip(participants.chunks(searcher.capacity())) {
        let idempotency = Handle::random().map_err(EngineError::from)?.to_string();
        let sent = client.enroll(room, record, words.len(), &idempotency);
        let done = report.enrolled.len();
        let handles =
            sent.map_err(|error| Failure::Unfinished { done, all: participants.len(), cause: Box::new(error.into()) })?;
        let enrolled = handles
            .iter()
            .zip(words)
            .map(|(handle, words)| Enrolled { handle: handle.to_string(), keywords: words.clone() });
        report.enrolled.extend(enrolled);
        if !output.json() {
            let line =
                |(handle, words): (&Handle, &Vec<String>)| format!("{handle}  {}\n", one_line(&words.join(", ")));
            Output::write(handles.iter().zip(words).map(line).collect::<String>().as_bytes())?;
        }
    }
    if output.json() { output.result(&report, String::new) } else { Ok(()) }
}
