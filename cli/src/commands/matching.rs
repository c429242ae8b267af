//! `match`: an encrypted question, and the opened answer.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use blindrelay_client::Client;
use blindrelay_engine::Backend;
use blindrelay_engine::operator::HANDLE_BYTES;
use blindrelay_engine::params::preset;
use blindrelay_engine::wire::{self, Kind};
use blindrelay_keyholder::decisions;
use blindrelay_routing::{MatchKind, Token, reference};
use clap::Args;
use serde::Serialize;

use crate::arguments::{embedding, room_id};
use crate::failure::{Failure, NOTHING_FOUND};
use crate::member::{Member, Score};
use crate::output::Output;
use crate::printable::count;
use crate::receipts::Keeper;
use crate::service::ServiceOptions;

/// However many handles a service claims, no longer answer is read.
const MAX_ANSWER_BYTES: u64 = 1 << 30;
/// Handles that may join a room between two requests.
const JOINING: u64 = 1024;

#[derive(Debug, Args)]
#[group(id = "subject", required = true, multiple = false, args = ["identity", "embedding"])]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// The room's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who is looked for
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// The embedding that is looked for: a file of 128 numbers
    #[arg(long, value_name = "FILE")]
    embedding: Option<PathBuf>,
    /// Smallest score that counts as a match: 128 for identities; for embeddings half of what the embedding scores with itself
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<i64>,
    /// Print every score, highest first, and not only the matches
    #[arg(long)]
    all: bool,
    /// Ask for a receipt, check it, and keep it with request and answer in this folder, which is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    receipts: Option<PathBuf>,
}

#[derive(Serialize)]
struct Found {
    room: String,
    operator: &'static str,
    threshold: i64,
    compared: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions_left: Option<u32>,
    matches: Vec<Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<Score>>,
}

/// Asks, opens and prints. The exit code says whether anybody matches.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<ExitCode, Failure> {
    let client = arguments.service.client()?;
    let member = Member::from_file(&arguments.key, backend)?;
    let token = subject(&member, arguments)?;
    let threshold = arguments.threshold.unwrap_or_else(|| default_threshold(member.kind(), &token));
    let room = client.room(&arguments.room)?;
    member.recognise(&room)?;
    let probe = member.probe(&token)?;
    let mut decisions_left = None;
    let longest = longest_answer(member.kind(), backend, room.handles)?;
    let mut scores = match ask(&client, &arguments.room, &probe.bytes, longest, arguments.receipts.as_deref())? {
        Some(answer) => {
            decisions_left = Some(decisions::spend(&arguments.key)?);
            member.open(&probe, &answer)?
        }
        None => Vec::new(),
    };
    scores.sort_by_key(|score| (std::cmp::Reverse(score.score), score.handle));
    let matches: Vec<Score> = scores.iter().filter(|score| score.score >= threshold).copied().collect();
    let found = Found {
        room: arguments.room.clone(),
        operator: member.kind().id(),
        threshold,
        compared: scores.len(),
        decisions_left,
        matches,
        scores: arguments.all.then_some(scores),
    };
    output.result(&found, || describe(&found))?;
    if let Some(left @ ..=16) = decisions_left {
        Output::remark(&format!("{left} decisions are left to this key; then the room needs a new one"));
    }
    Ok(if found.matches.is_empty() { ExitCode::from(NOTHING_FOUND) } else { ExitCode::SUCCESS })
}

/// The answer as it came, with its receipt kept where a folder for receipts is given; `None` where nobody is enrolled.
pub(super) fn ask(
    client: &Client,
    room: &str,
    question: &[u8],
    longest: u64,
    receipts: Option<&Path>,
) -> Result<Option<Vec<u8>>, Failure> {
    let answered = match receipts {
        None => client.matching(room, question, longest),
        Some(folder) => {
            let keeper = Keeper::open(folder)?;
            match client.matching_with_receipt(room, question, longest) {
                Ok(receipted) => return keeper.keep(client, question, receipted).map(Some),
                Err(error) => Err(error),
            }
        }
    };
    match answered {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some("room-empty") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn subject(member: &Member, arguments: &Arguments) -> Result<Token, Failure> {
    match (member.kind(), &arguments.identity, &arguments.embedding) {
        (MatchKind::Signs, Some(identity), None) if identity.trim().is_empty() => {
            Err(Failure::Usage { what: "the identity is empty".to_owned(), advice: "give a name after --identity" })
        }
        (MatchKind::Signs, Some(identity), None) => Ok(member.token(identity)),
        (MatchKind::Embeddings, None, Some(path)) => embedding(path),
        (kind, ..) => Err(wrong_subject(kind)),
    }
}

/// The refusal of an identity where embeddings are matched, or the other way round.
pub(super) fn wrong_subject(kind: MatchKind) -> Failure {
    match kind {
        MatchKind::Signs => Failure::Usage {
            what: format!("the key file was made for {}, which matches identities", kind.id()),
            advice: "give an identity instead of an embedding",
        },
        MatchKind::Embeddings => Failure::Usage {
            what: format!("the key file was made for {}, which matches embeddings", kind.id()),
            advice: "give an embedding instead of an identity",
        },
    }
}

fn default_threshold(kind: MatchKind, token: &Token) -> i64 {
    let own = reference::score(token.entries(), token.entries());
    match kind {
        MatchKind::Signs => own,
        MatchKind::Embeddings => own / 2,
    }
}

/// What a room of so many handles can be answered with at most: one block a handle where each is alone in its group.
pub(super) fn longest_answer(kind: MatchKind, backend: Backend, handles: usize) -> Result<u64, Failure> {
    let parameters = blindrelay_engine::params::Parameters::new(preset(kind.parameters())?, backend)?;
    let block = (wire::max_len(Kind::Answer, &parameters) + parameters.degree() * HANDLE_BYTES) as u64;
    Ok((handles as u64).saturating_add(JOINING).saturating_mul(block).min(MAX_ANSWER_BYTES))
}

fn describe(found: &Found) -> String {
    let mut lines = Vec::new();
    for score in found.scores.as_ref().unwrap_or(&found.matches) {
        let mark = if found.scores.is_some() && score.score >= found.threshold { "  matches" } else { "" };
        lines.push(format!("{}  {}{mark}", score.handle, score.score));
    }
    if found.matches.is_empty() {
        let compared = match found.compared {
            0 => "nobody is enrolled in the room".to_owned(),
            number => {
                format!("none of the {} in the room reaches the score {}", count(number, "handle"), found.threshold)
            }
        };
        lines.push(format!("nobody matches: {compared}"));
    }
    lines.join("\n")
}
