//! `sample keys`: a folder of key files, derived from a number.

use std::path::PathBuf;

use blindrelay_engine::Backend;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::content_digest;
use blindrelay_keyholder::{SecretKey, file};
use clap::Args;
use rayon::prelude::*;

use super::tenant_name;
use crate::failure::Failure;
use crate::holder::{billing_context, public_key_of};
use crate::output::Output;
use crate::printable::count;
use crate::tenants::KeyFolder;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder for the files, TENANT.key and TENANT.pub; none is overwritten
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// How many tenants, called t0001 and so on
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tenants: u32,
    /// Other seeds give other keys
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Writes the files.
pub(super) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let folder = arguments.dir.as_path();
    std::fs::create_dir_all(folder).map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
    let context = billing_context(backend)?;
    let keys = KeyFolder::new(folder);
    (1..=arguments.tenants).into_par_iter().try_for_each(|number| {
        let tenant = tenant_name(number);
        let text = format!("blindrelay sample key {} {tenant}", arguments.seed);
        let seed = content_digest(text.as_bytes());
        file::write(&keys.secret_key_path(&tenant), context.parameters(), &Seed::from_bytes(seed))?;
        let path = keys.public_key_path(&tenant);
        let public = public_key_of(&SecretKey::from_seed(&context, Seed::from_bytes(seed)));
        std::fs::write(&path, public).map_err(|source| Failure::Write { path, source })
    })?;
    let made = serde_json::json!({ "folder": folder, "tenants": arguments.tenants, "seed": arguments.seed });
    output.result(&made, || {
        format!(
            "{}: keys of {}, derived from the number {}; for trials only",
            folder.display(),
            count(arguments.tenants as usize, "tenant"),
            arguments.seed
        )
    })
}
