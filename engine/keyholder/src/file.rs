//! The key file: a parameter set's name and digest, and the seed. Readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use blindrelay_engine::params::{DIGEST_BYTES, ParameterDigest, Parameters};
use blindrelay_engine::ring::{SEED_BYTES, Seed};
use zeroize::Zeroizing;

use crate::decisions;

const MAGIC: &[u8; 8] = b"BRLYKEY1";
const LENGTH: usize = MAGIC.len() + DIGEST_BYTES + SEED_BYTES;

/// What can go wrong with a key file. The content is never told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a key file of this version.
    #[error("{path} is not a blindrelay key file ({found} bytes where {LENGTH} were expected, or another beginning)")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
    },
    /// Others may read the file.
    #[error("key file {path} can be read by others (mode {mode:o}): run `chmod 600 {path}`")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to other parameters.
    #[error("key file {path} belongs to parameters {found}, not to {expected}")]
    Parameters {
        /// The file.
        path: PathBuf,
        /// Digest in the file.
        found: ParameterDigest,
        /// Digest that was asked for.
        expected: ParameterDigest,
    },
}

/// Writes a new key file with mode 0600; an existing file is not overwritten. Its count of decisions begins at zero.
pub fn write(path: &Path, parameters: &Parameters, seed: &Seed) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(parameters.digest().as_bytes());
    bytes.extend_from_slice(seed.as_bytes());
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    // A count that lies here belongs to a key that is gone.
    match fs::remove_file(decisions::path_of(path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Which parameters a key file belongs to, without its secret.
pub fn parameters_of(path: &Path) -> Result<ParameterDigest, KeyFileError> {
    Ok(read_parts(path)?.0)
}

/// Reads the seed of a key file made for these parameters.
pub fn read(path: &Path, parameters: &Parameters) -> Result<Seed, KeyFileError> {
    let (found, seed) = read_parts(path)?;
    let expected = parameters.digest();
    if found == expected { Ok(seed) } else { Err(KeyFileError::Parameters { path: path.to_owned(), found, expected }) }
}

fn read_parts(path: &Path) -> Result<(ParameterDigest, Seed), KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Mode { path: path.to_owned(), mode });
        }
    }
    let format = || KeyFileError::Format { path: path.to_owned(), found: metadata.len() };
    if metadata.len() != LENGTH as u64 {
        return Err(format());
    }
    let mut bytes = Zeroizing::new(vec![0; LENGTH]);
    file.read_exact(&mut bytes).map_err(failed)?;
    let (magic, rest) = bytes.split_at(MAGIC.len());
    let (digest, seed) = rest.split_at(DIGEST_BYTES);
    let (Ok(digest), Ok(seed)) = (digest.try_into(), seed.try_into()) else { return Err(format()) };
    if magic != MAGIC {
        return Err(format());
    }
    Ok((ParameterDigest::from_bytes(digest), Seed::from_bytes(seed)))
}
