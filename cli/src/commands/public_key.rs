//! `public-key`: the public key that belongs to a tenant's or host's key file.

use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_engine::Backend;
use blindrelay_engine::wire::content_digest;
use blindrelay_keyholder::file;
use clap::Args;
use serde::Serialize;

use super::keygen::claim;
use crate::failure::Failure;
use crate::holder::Holder;
use crate::output::Output;
use crate::printable::{grouped, hex};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The key file of a tenant or host
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the public key goes; an existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Written<'a> {
    purpose: &'static str,
    parameters: &'a str,
    file: &'a Path,
    bytes: usize,
    digest: String,
}

/// Writes the public key.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let path = arguments.key.as_path();
    let found = file::parameters_of(path)?;
    for holder in Holder::ALL {
        let parameters = holder.parameters(backend)?;
        if parameters.digest() != found {
            continue;
        }
        let bytes = holder.public_key(file::read(path, &parameters)?, &parameters)?;
        let mut file = claim(&arguments.out, "--out")?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        written.map_err(|source| Failure::Write { path: arguments.out.clone(), source })?;
        let written = Written {
            purpose: holder.purpose(),
            parameters: parameters.name(),
            file: &arguments.out,
            bytes: bytes.len(),
            digest: hex(&content_digest(&bytes)),
        };
        return output.result(&written, || {
            format!(
                "{}: the public key of {}, {} bytes\n  digest {}",
                written.file.display(),
                written.purpose,
                grouped(written.bytes),
                written.digest
            )
        });
    }
    Err(Failure::Content {
        path: path.to_owned(),
        fault: "it is not the key of a tenant or host".to_owned(),
        advice: "make one with `blindrelay keygen --for billing` or `--for reports`; rooms have no public key",
    })
}
