//! `find`: an encrypted question; the answer opens to the ticket of whom it matches, or to nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use blindrelay_client::Room;
use blindrelay_engine::Backend;
use blindrelay_keyholder::decisions;
use blindrelay_routing::find::{FIND_SIGNS, FindKind, THRESHOLDS};
use clap::Args;
use serde::Serialize;

use crate::arguments::room_id;
use crate::commands::matching::ask;
use crate::failure::{Failure, NOTHING_FOUND};
use crate::finder::{EQUAL, Finder};
use crate::output::Output;
use crate::printable::count;
use crate::service::ServiceOptions;
use crate::tickets::Ticket;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Who is looked for
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// The room's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Smallest score that counts as a match, from -127 to 128: by default 128, which equal names have and different ones do not
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, default_value_t = EQUAL,
        value_parser = clap::value_parser!(i64).range(THRESHOLDS))]
    threshold: i64,
    /// Ask only how many match; no ticket is sent
    #[arg(long)]
    count: bool,
    /// Ask for a receipt, check it, and keep it with request and answer in this folder, which is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    receipts: Option<PathBuf>,
}

#[derive(Serialize)]
struct Found {
    room: String,
    operator: &'static str,
    threshold: i64,
    matches: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    tickets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions_left: Option<u32>,
}

/// Asks, opens and prints. The exit code says whether anybody matches.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<ExitCode, Failure> {
    if arguments.name.trim().is_empty() {
        return Err(Failure::Usage { what: "the name is empty".to_owned(), advice: "say who is looked for" });
    }
    let client = arguments.service.client()?;
    let finder = Finder::from_file(&arguments.key, backend)?;
    let room = client.room(&arguments.room)?;
    Finder::check_operator(&room)?;
    let kind = if arguments.count { FindKind::Count } else { FindKind::Tickets };
    let question = finder.question(&finder.token(&arguments.name), kind, arguments.threshold)?;
    let mut found = Found {
        room: arguments.room.clone(),
        operator: FIND_SIGNS,
        threshold: arguments.threshold,
        matches: 0,
        tickets: (!arguments.count).then(Vec::new),
        unreadable: None,
        decisions_left: None,
    };
    if let Some(answer) = ask(
        &client,
        &arguments.room,
        &question.bytes,
        finder.longest_answer(room.handles),
        arguments.receipts.as_deref(),
    )? {
        let answer = finder.read(&question, &answer)?;
        found.decisions_left = Some(decisions::spend(&arguments.key)?);
        let opened = match kind {
            FindKind::Count => finder.open_count(&answer).map(|matches| (matches, None)),
            FindKind::Tickets => finder.open_tickets(&answer).map(|opened| (opened.found.len(), Some(opened))),
        };
        let (matches, opened) = opened.map_err(|failure| explain(failure, &finder, &room))?;
        found.matches = matches;
        if let Some(opened) = opened {
            let tickets = opened.found.iter().map(|found| Ticket::from_bytes(&found.payload).text());
            found.tickets = Some(tickets.collect());
            found.unreadable = Some(opened.unreadable).filter(|&unreadable| unreadable > 0);
        }
    }
    output.result(&found, || describe(&found))?;
    if let Some(unreadable) = found.unreadable {
        Output::remark(&format!("{} in the room enrolled something that is no ticket", count(unreadable, "member")));
    }
    if let Some(left @ ..=16) = found.decisions_left {
        Output::remark(&format!("{left} decisions are left to this key; then the room needs a new one"));
    }
    Ok(if found.matches == 0 { ExitCode::from(NOTHING_FOUND) } else { ExitCode::SUCCESS })
}

/// An answer that does not open: perhaps because the room belongs to another key file. That is looked at only now, because it takes as long as a question.
fn explain(failure: Failure, finder: &Finder, room: &Room) -> Failure {
    match finder.recognise(room) {
        Err(Failure::OtherKey) => Failure::OtherKey,
        _ => failure,
    }
}

fn describe(found: &Found) -> String {
    match &found.tickets {
        None => found.matches.to_string(),
        Some(tickets) if tickets.is_empty() => "nobody matches".to_owned(),
        Some(tickets) => tickets.join("\n"),
    }
}
