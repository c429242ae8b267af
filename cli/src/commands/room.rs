//! `room`: create, show or delete a room.

use std::path::PathBuf;

use blindrelay_client::Room;
use blindrelay_engine::Backend;
use blindrelay_keyholder::file;
use blindrelay_routing::MatchKind;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::arguments::room_id;
use crate::failure::Failure;
use crate::key_terms::{self, KeyTermsOptions};
use crate::output::Output;
use crate::printable::{count, grouped, one_line};
use crate::room_kind::RoomKind;
use crate::service::ServiceOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Create a room and print its id
    Create(Create),
    /// Show what the service says of a room
    Show(Show),
    /// Delete a room with everything that is enrolled in it
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    service: ServiceOptions,
    /// What the room matches; with --key, that of the key file
    #[arg(long, value_name = "ID")]
    operator: Option<String>,
    /// The room's key file: evaluation keys are made from it and uploaded, with which a room for `find` computes, and which shortens the answers of others. The key itself stays here
    #[arg(long, value_name = "FILE", conflicts_with = "evaluation_keys")]
    key: Option<PathBuf>,
    /// Evaluation keys that `keygen` wrote, to be uploaded
    #[arg(long, value_name = "FILE")]
    evaluation_keys: Option<PathBuf>,
    #[command(flatten)]
    terms: KeyTermsOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// Also list the handles
    #[arg(long)]
    handles: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
}

/// Does what is asked for.
pub(crate) fn run(action: &Action, backend: Backend, output: Output) -> Result<(), Failure> {
    match action {
        Action::Create(arguments) => create(arguments, backend, output),
        Action::Show(arguments) => show(arguments, output),
        Action::Delete(arguments) => {
            arguments.service.client()?.delete_room(&arguments.room)?;
            let deleted = serde_json::json!({ "deleted": arguments.room });
            output.result(&deleted, || format!("room {} is deleted", arguments.room))
        }
    }
}

fn create(arguments: &Create, backend: Backend, output: Output) -> Result<(), Failure> {
    let (client, terms) = (arguments.service.client()?, arguments.terms.terms()?);
    let of_key = arguments.key.as_deref().map(RoomKind::of_key_file).transpose()?;
    let kind = match (&arguments.operator, of_key) {
        (Some(operator), Some(kind)) if RoomKind::of_id(operator)? != kind => {
            return Err(Failure::OtherOperator { expected: kind.id(), found: operator.clone() });
        }
        (Some(operator), _) => RoomKind::of_id(operator)?,
        (None, Some(kind)) => kind,
        (None, None) => RoomKind::Match(MatchKind::Signs),
    };
    let keys = match (&arguments.key, &arguments.evaluation_keys) {
        (Some(path), _) => {
            let context = kind.context(backend)?;
            kind.evaluation_keys(&context, &file::read(path, context.parameters())?)?
        }
        (None, Some(path)) => Some(std::fs::read(path).map_err(|source| Failure::Read { path: path.clone(), source })?),
        (None, None) => None,
    };
    let bar = upload_progress(keys.as_ref().map_or(0, Vec::len));
    let uploaded = key_terms::upload(&client, keys.as_deref(), terms, |sent| bar.set_position(sent));
    bar.finish_and_clear();
    let digest = uploaded?;
    let room = client.create_room(kind.id(), digest.as_deref())?;
    let created = serde_json::json!({ "room": room, "operator": kind.id(), "evaluation_keys": digest });
    output.result(&created, || room.clone())
}

/// A bar on standard error where that is a terminal and there is something to wait for: a room for `find` has evaluation keys of 40 megabytes.
fn upload_progress(bytes: usize) -> ProgressBar {
    if bytes < 4 << 20 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes as u64);
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} of the evaluation keys sent, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    room: Room,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<Vec<String>>,
}

fn show(arguments: &Show, output: Output) -> Result<(), Failure> {
    let client = arguments.service.client()?;
    let room = client.room(&arguments.room)?;
    let listed = arguments.handles.then(|| client.handles(&arguments.room)).transpose()?;
    let listed = listed.map(|handles| handles.iter().map(ToString::to_string).collect());
    let shown = Shown { room, listed };
    output.result(&shown, || describe(&shown))
}

fn describe(shown: &Shown) -> String {
    let room = &shown.room;
    let keys = room.evaluation_keys.as_deref().unwrap_or("none");
    let mut text = format!(
        "room {}\n  operator         {}\n  parameters       {}\n  evaluation keys  {}\n  enrolled         {}, {} bytes",
        one_line(&room.id),
        one_line(&room.operator),
        one_line(room.parameters.as_deref().unwrap_or("not told")),
        one_line(keys),
        count(room.handles, "handle"),
        grouped(room.bytes)
    );
    for handle in shown.listed.iter().flatten() {
        text += "\n  ";
        text += handle;
    }
    text
}
