//! `inspect`: what a file is.

use std::io::Read;
use std::path::{Path, PathBuf};

use blindrelay_engine::Backend;
use blindrelay_engine::params::{ParameterDigest, Parameters, presets};
use blindrelay_engine::wire::{self, Description, MAGIC, WireError};
use blindrelay_keyholder::file;
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::holder::Holder;
use crate::meeting::Meeting;
use crate::output::Output;
use crate::printable::{count, name, one_line};

/// Largest file that is looked at.
const MAX_FILE_BYTES: u64 = 1 << 30;
const KEY_MAGIC: &[u8] = b"BRLYKEY1";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A ciphertext, answer, key or message, a key file, or a meeting file
    file: PathBuf,
}

#[derive(Serialize)]
#[serde(tag = "file", rename_all = "kebab-case")]
enum Found {
    Object(Box<Description>),
    KeyFile { parameters: String, parameter_set: Option<String> },
    Meeting(Meeting),
}

/// Says what the file is, without any secret that is in it.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let path = arguments.file.as_path();
    let read = |source| Failure::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(read)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    let found = look(path, &bytes)?;
    output.result(&found, || describe(&found))
}

fn look(path: &Path, bytes: &[u8]) -> Result<Found, Failure> {
    let content = |fault: String, advice| Err(Failure::Content { path: path.to_owned(), fault, advice });
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return content(format!("more than {MAX_FILE_BYTES} bytes"), "no file of blindrelay is so long");
    }
    // The beginning of a key file's magic is that of every other object.
    if bytes.starts_with(KEY_MAGIC) {
        let digest = file::parameters_of(path)?;
        let parameter_set = named(digest)?;
        return Ok(Found::KeyFile { parameters: digest.to_string(), parameter_set });
    }
    match wire::describe(bytes) {
        Ok(description) => return Ok(Found::Object(Box::new(description))),
        Err(error) if bytes.starts_with(&MAGIC) => {
            return content(error.to_string(), "get the file again from whoever made it");
        }
        Err(WireError::Magic | WireError::Truncated { .. })
            if bytes.first().is_some_and(|&byte| byte == b'{' || byte == 0xef) =>
        {
            return Ok(Found::Meeting(Meeting::parse(&path.display().to_string(), bytes)?));
        }
        Err(_) => {}
    }
    if let Ok(meeting) = Meeting::parse("", bytes) {
        return Ok(Found::Meeting(meeting));
    }
    content(
        format!("{} that are not a file of blindrelay", count(bytes.len(), "byte")),
        "looked for: an object with a header of 40 bytes that begins with BRLY, a key file that begins with BRLYKEY1, a meeting in JSON",
    )
}

/// The name of the parameter set of this digest.
fn named(digest: ParameterDigest) -> Result<Option<String>, Failure> {
    for spec in presets() {
        let parameters = Parameters::new(spec, Backend::by_name("scalar")?)?;
        if parameters.digest() == digest {
            return Ok(Some(parameters.name().to_owned()));
        }
    }
    Ok(None)
}

fn describe(found: &Found) -> String {
    match found {
        Found::Object(description) => one_line_each(&description.to_string()),
        Found::KeyFile { parameters, parameter_set } => format!(
            "the secret key file of {}\nparameters: {}, digest {parameters}\nits secret is not shown",
            Holder::ALL
                .into_iter()
                .find(|holder| parameter_set.as_deref() == Some(holder.parameter_set()))
                .map_or("a room", |holder| holder.owner()),
            parameter_set.as_deref().unwrap_or("not a named set")
        ),
        Found::Meeting(meeting) => format!(
            "a meeting: {}\n{}; {} looks for {}",
            name(if meeting.title.is_empty() { "without a title" } else { &meeting.title }),
            count(meeting.participants.len(), "participant"),
            name(&meeting.newcomer.name),
            name(&meeting.newcomer.looks_for)
        ),
    }
}

/// Every line made printable: an object's operator is whatever its maker wrote.
fn one_line_each(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}
