//! `keygen`: the secret of a new room, of a tenant or of a host.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::content_digest;
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_routing::MatchKind;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::failure::Failure;
use crate::holder::Holder;
use crate::output::Output;
use crate::printable::{grouped, hex};
use crate::room_kind::RoomKind;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the key is for: the members of a room, those of a room for `find`, a tenant's invoices or a host's reports
    #[arg(long = "for", value_name = "PURPOSE", value_enum, default_value_t = Purpose::Room)]
    purpose: Purpose,
    /// What the room will do: match-signs/1 opens scores of identities (default), match-embeddings/1 those of vectors, find-signs/1 is for `find`, search/1 for `search`
    #[arg(long, value_name = "ID")]
    operator: Option<String>,
    /// Where the key file goes; an existing file is never overwritten [default: room.key, tenant.key or host.key]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write a room's evaluation keys, which the service may have, to this file
    #[arg(long, value_name = "FILE")]
    evaluation_keys: Option<PathBuf>,
    /// Also write the public key of a tenant or host, under which others encrypt, to this file
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Purpose {
    Room,
    Find,
    Billing,
    Reports,
}

#[derive(Serialize)]
struct MadeFor {
    purpose: &'static str,
    parameters: String,
    parameter_digest: String,
    key_file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<MadeKeys>,
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

/// Makes a key file, and the keys for others where they are asked for.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let holder = match arguments.purpose {
        Purpose::Room | Purpose::Find => None,
        Purpose::Billing => Some(Holder::Tenant),
        Purpose::Reports => Some(Holder::Host),
    };
    let misplaced = match holder {
        None if arguments.public.is_some() => {
            Some("--public is for --for billing and --for reports; rooms have no public key")
        }
        None if arguments.purpose == Purpose::Find && arguments.operator.is_some() => {
            Some("--operator is for --for room; a room for find has its own")
        }
        Some(_) if arguments.operator.is_some() => Some("--operator is for rooms"),
        Some(_) if arguments.evaluation_keys.is_some() => Some("--evaluation-keys is for rooms"),
        _ => None,
    };
    match (misplaced, holder) {
        (Some(what), _) => Err(Failure::Usage { what: what.to_owned(), advice: "leave it out, or change --for" }),
        (None, Some(holder)) => for_holder(holder, arguments, backend, output),
        (None, None) => for_room(arguments, backend, output),
    }
}

fn for_holder(holder: Holder, arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let default = match holder {
        Holder::Tenant => "tenant.key",
        Holder::Host => "host.key",
    };
    let key_file = arguments.out.clone().unwrap_or_else(|| PathBuf::from(default));
    let parameters = holder.parameters(backend)?;
    let public_file = arguments.public.as_deref().map(|path| claim(path, "--public").map(|file| (path, file)));
    let public_file = public_file.transpose()?;
    let seed = Seed::random().map_err(EngineError::from)?;
    if let Err(error) = blindrelay_keyholder::file::write(&key_file, &parameters, &seed) {
        if let Some((path, _)) = &public_file {
            let _ = std::fs::remove_file(path);
        }
        return Err(error.into());
    }
    let public_key = public_file.map(|(path, file)| fill(path, file, &holder.public_key(seed, &parameters)?));
    let made = MadeFor {
        purpose: holder.purpose(),
        parameters: parameters.name().to_owned(),
        parameter_digest: parameters.digest().to_string(),
        key_file,
        public_key: public_key.transpose()?,
    };
    output.result(&made, || describe_for(&made))
}

fn for_room(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let kind = match (arguments.purpose, &arguments.operator) {
        (Purpose::Find, _) => RoomKind::Find,
        (_, Some(operator)) => RoomKind::of_id(operator)?,
        (_, None) => RoomKind::Match(MatchKind::Signs),
    };
    if kind == RoomKind::Search && arguments.evaluation_keys.is_some() {
        let what = "--evaluation-keys is for rooms whose service uses them, and keyword search uses none".to_owned();
        return Err(Failure::Usage { what, advice: "leave it out" });
    }
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("room.key"));
    let context = kind.context(backend)?;
    let parameters = context.parameters();
    // The evaluation keys' file is claimed first, so that a refusal leaves nothing behind.
    let keys_file = arguments
        .evaluation_keys
        .as_deref()
        .map(|path| claim(path, "--evaluation-keys").map(|file| (path, file)))
        .transpose()?;
    let seed = Seed::random().map_err(EngineError::from)?;
    if let Err(error) = blindrelay_keyholder::file::write(&out, parameters, &seed) {
        if let Some((path, _)) = &keys_file {
            let _ = std::fs::remove_file(path);
        }
        return Err(error.into());
    }
    let evaluation_keys =
        keys_file.map(|(path, file)| fill(path, file, &kind.evaluation_keys(&context, &seed)?.unwrap_or_default()));
    let made = Made {
        operator: kind.id(),
        parameters: parameters.name().to_owned(),
        parameter_digest: parameters.digest().to_string(),
        key_file: out,
        evaluation_keys: evaluation_keys.transpose()?,
    };
    output.result(&made, || describe(&made))
}

fn fill(path: &Path, mut file: std::fs::File, bytes: &[u8]) -> Result<MadeKeys, Failure> {
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|source| Failure::Write { path: path.to_owned(), source })?;
    Ok(MadeKeys { file: path.to_owned(), bytes: bytes.len(), digest: hex(&content_digest(bytes)) })
}

/// Makes a file that was not there; `option` is what named it.
pub(super) fn claim(path: &Path, option: &'static str) -> Result<std::fs::File, Failure> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::Content {
            path: path.to_owned(),
            fault: format!("the file exists already; nothing is overwritten ({option})"),
            advice: "name another file",
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

fn describe_for(made: &MadeFor) -> String {
    let key = format!(
        "{}: the secret key of {}, readable by you only; give it to nobody\n  parameters {}, digest {}",
        made.key_file.display(),
        made.purpose,
        made.parameters,
        made.parameter_digest
    );
    let public = made.public_key.as_ref().map_or_else(String::new, |public| {
        format!(
            "\n{}: the public key, {} bytes; give it to whoever is to encrypt for you\n  digest {}",
            public.file.display(),
            grouped(public.bytes),
            public.digest
        )
    });
    key + &public
}
