//! `keygen`: the secret of a new room.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::content_digest;
use blindrelay_engine::{Backend, Error as EngineError};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::member::{self, Member};
use crate::output::Output;
use crate::printable::{grouped, hex};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the room will match: match-signs/1 for identities, match-embeddings/1 for vectors
    #[arg(long, value_name = "ID", default_value = "match-signs/1")]
    operator: String,
    /// Where the key file goes; an existing file is never overwritten
    #[arg(long, value_name = "FILE", default_value = "room.key")]
    out: PathBuf,
    /// Also write the evaluation keys, which the service may have, to this file
    #[arg(long, value_name = "FILE")]
    evaluation_keys: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made {
    operator: &'static str,
    parameters: String,
    parameter_digest: String,
    key_file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_keys: Option<MadeKeys>,
}

#[derive(Serialize)]
struct MadeKeys {
    file: PathBuf,
    bytes: usize,
    digest: String,
}

/// Makes a key file, and the evaluation keys where they are asked for.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let kind = member::kind_of(&arguments.operator)?;
    let context = member::context(kind, backend)?;
    let parameters = context.parameters();
    // The evaluation keys' file is claimed first, so that a refusal leaves nothing behind.
    let keys_file =
        arguments.evaluation_keys.as_deref().map(|path| claim(path).map(|file| (path, file))).transpose()?;
    let seed = Seed::random().map_err(EngineError::from)?;
    if let Err(error) = blindrelay_keyholder::file::write(&arguments.out, parameters, &seed) {
        if let Some((path, _)) = &keys_file {
            let _ = std::fs::remove_file(path);
        }
        return Err(error.into());
    }
    let evaluation_keys = keys_file.map(|(path, mut file)| {
        let bytes = Member::of_room(kind, &context, &seed).evaluation_keys()?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        written.map_err(|source| Failure::Write { path: path.to_owned(), source })?;
        Ok::<_, Failure>(MadeKeys { file: path.to_owned(), bytes: bytes.len(), digest: hex(&content_digest(&bytes)) })
    });
    let made = Made {
        operator: kind.id(),
        parameters: parameters.name().to_owned(),
        parameter_digest: parameters.digest().to_string(),
        key_file: arguments.out.clone(),
        evaluation_keys: evaluation_keys.transpose()?,
    };
    output.result(&made, || describe(&made))
}

fn claim(path: &Path) -> Result<std::fs::File, Failure> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::Content {
            path: path.to_owned(),
            fault: "the file exists already".to_owned(),
            advice: "name another file with --evaluation-keys; nothing is overwritten",
        },
        _ => Failure::Write { path: path.to_owned(), source },
    })
}

fn describe(made: &Made) -> String {
    let key = format!(
        "{}: the secret of one room for {}, readable by you only\n  give it to the room's members over a channel that you \
         trust, and to nobody else\n  parameters {}, digest {}",
        made.key_file.display(),
        made.operator,
        made.parameters,
        made.parameter_digest
    );
    let keys = made.evaluation_keys.as_ref().map_or_else(String::new, |keys| {
        format!(
            "\n{}: evaluation keys for the service, {} bytes; they open nothing\n  digest {}",
            keys.file.display(),
            grouped(keys.bytes),
            keys.digest
        )
    });
    key + &keys
}
