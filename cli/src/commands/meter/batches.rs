//! What a batch needs: its tenant's encryptor, its name at the service, and a place in the archive.

use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_billing::Encryptor;
use blindrelay_engine::ring::Seed;

use super::upload::Plan;
use crate::failure::Failure;
use crate::printable::hex;

/// Encryptors that a thread keeps. One holds its public key expanded, about half a megabyte.
const KEPT: usize = 32;

/// The encryptors that were used last. Keys are read again when they are needed again, so that memory does not grow with tenants.
pub(super) struct Encryptors<'a> {
    plan: &'a Plan<'a>,
    root: &'a Seed,
    kept: Vec<(String, Encryptor)>,
}

impl<'a> Encryptors<'a> {
    pub(super) const fn new(plan: &'a Plan<'a>, root: &'a Seed) -> Self {
        Self { plan, root, kept: Vec::new() }
    }

    /// The encryptor of a tenant. Its randomness is derived from the journal's secret and the tenant's name.
    pub(super) fn encryptor(&mut self, tenant: &str) -> Result<&Encryptor, Failure> {
        let entry = if let Some(index) = self.kept.iter().position(|(kept, _)| kept == tenant) {
            self.kept.remove(index)
        } else {
            let Plan { layout, context, keys, .. } = self.plan;
            let (_, key) = keys.public_key(tenant, context.parameters())?;
            let root = self.root.derive("meter/tenant", tenant.as_bytes());
            (tenant.to_owned(), Encryptor::new(layout, context, key, root, tenant)?)
        };
        self.kept.truncate(KEPT - 1);
        self.kept.insert(0, entry);
        let first = self.kept.first().map(|(_, encryptor)| encryptor);
        first.ok_or_else(|| Failure::Usage { what: "no encryptor is kept".to_owned(), advice: "report this" })
    }
}

/// What the service counts a batch by: always the same for the same batch, and nothing that others could foresee.
pub(super) fn idempotency_key(root: &Seed, meter: &str, sequence: u64) -> String {
    let batch = [meter.as_bytes(), &sequence.to_le_bytes()].concat();
    hex(root.derive("meter/idempotency", &batch).as_bytes())
}

/// A folder with a folder for each tenant: the batches by number, and the rate card.
pub(super) struct Archive<'a>(&'a Path);

/// How files of batches end.
pub(crate) const BATCH_EXTENSION: &str = "batch";
/// The rate card beside the batches.
pub(crate) const RATES_FILE: &str = "rates.json";

impl<'a> Archive<'a> {
    pub(super) const fn new(folder: &'a Path) -> Self {
        Self(folder)
    }

    fn path(&self, tenant: &str, sequence: u64) -> PathBuf {
        self.0.join(tenant).join(format!("{sequence:08}.{BATCH_EXTENSION}"))
    }

    /// Makes the folder of a tenant's new meter. Batches of another meter must not lie there.
    pub(super) fn begin(&self, tenant: &str, rates: &str) -> Result<(), Failure> {
        if self.has(tenant, 0) {
            return Err(Failure::Content {
                path: self.0.join(tenant),
                fault: "it has batches of another run".to_owned(),
                advice: "name another folder with --archive",
            });
        }
        self.note_rates(tenant, rates)
    }

    /// Puts the rate card beside the batches.
    pub(super) fn note_rates(&self, tenant: &str, rates: &str) -> Result<(), Failure> {
        let folder = self.0.join(tenant);
        std::fs::create_dir_all(&folder).map_err(|source| Failure::Write { path: folder.clone(), source })?;
        replace(&folder.join(RATES_FILE), rates.as_bytes())
    }

    /// Whether a batch is there.
    pub(super) fn has(&self, tenant: &str, sequence: u64) -> bool {
        self.path(tenant, sequence).is_file()
    }

    /// Keeps a batch; the file is there as a whole or not at all.
    pub(super) fn keep(&self, tenant: &str, sequence: u64, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path(tenant, sequence);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
        }
        replace(&path, bytes)
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |source| Failure::Write { path: path.to_owned(), source };
    let partial = path.with_extension("partial");
    let mut file = std::fs::File::create(&partial).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    drop(file);
    std::fs::rename(&partial, path).map_err(failed)
}
