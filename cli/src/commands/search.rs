//! `search`: an encrypted keyword; the answer opens to the handles that have it.

mod enroll;
mod searcher;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use blindrelay_engine::Backend;
use blindrelay_keyholder::decisions;
use blindrelay_routing::search::SEARCH;
use clap::Args;
use serde::Serialize;

pub(super) use self::enroll::{enroll, participants};
use self::searcher::Searcher;
use crate::arguments::room_id;
use crate::failure::{Failure, NOTHING_FOUND};
use crate::output::Output;
use crate::printable::count;
use crate::service::ServiceOptions;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The keyword that is looked for; upper and lower case are the same
    #[arg(value_name = "KEYWORD")]
    keyword: String,
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// The room's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Print only how many handles have the keyword
    #[arg(long)]
    count: bool,
}

#[derive(Serialize)]
struct Found {
    room: String,
    operator: &'static str,
    compared: usize,
    matches: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    handles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions_left: Option<u32>,
}

/// Asks, opens and prints. The exit code says whether anybody has the keyword.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<ExitCode, Failure> {
    let client = arguments.service.client()?;
    let searcher = Searcher::from_file(&arguments.key, backend)?;
    let keyword = searcher.keyword(&arguments.keyword)?;
    let room = client.room(&arguments.room)?;
    Searcher::check_operator(&room)?;
    let question = searcher.question(&keyword)?;
    let (mut compared, mut handles, mut decisions_left) = (0, BTreeSet::new(), None);
    match client.matching(&arguments.room, &question.bytes, searcher.longest_answer(room.handles)) {
        Ok(answer) => {
            let answer = searcher.read(&question, &answer)?;
            decisions_left = Some(decisions::spend(&arguments.key)?);
            compared = answer.blocks.iter().map(|block| block.participants.len()).sum();
            handles.extend(searcher.open(&answer)?.into_iter().map(|found| found.handle));
        }
        Err(error) if error.code() == Some("room-empty") => {}
        Err(error) => return Err(error.into()),
    }
    let found = Found {
        room: arguments.room.clone(),
        operator: SEARCH,
        compared,
        matches: handles.len(),
        handles: (!arguments.count).then(|| handles.iter().map(ToString::to_string).collect()),
        decisions_left,
    };
    output.result(&found, || describe(&found))?;
    if let Some(left @ ..=16) = decisions_left {
        Output::remark(&format!("{left} decisions are left to this key; then the room needs a new one"));
    }
    Ok(if found.matches == 0 { ExitCode::from(NOTHING_FOUND) } else { ExitCode::SUCCESS })
}

fn describe(found: &Found) -> String {
    match &found.handles {
        None => found.matches.to_string(),
        Some(_) if found.compared == 0 => "nobody is enrolled in the room".to_owned(),
        Some(handles) if handles.is_empty() => {
            format!("none of the {} in the room has the keyword", count(found.compared, "handle"))
        }
        Some(handles) => handles.join("\n"),
    }
}
