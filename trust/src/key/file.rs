//! The key file: 112 bytes, readable by its owner only. `docs/receipts.md` has the layout.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use blindrelay_engine::ring::{SEED_BYTES, Seed};
use blindrelay_engine::wire::content_digest;
use zeroize::Zeroizing;

use super::SigningKey;
use crate::durable;
use crate::error::KeyFileError;
use crate::id::KeyId;
use crate::time::UnixMillis;

const MAGIC: &[u8; 7] = b"BRLYSGN";
const VERSION: u8 = 1;
/// Magic, version, time of making, former key, seed.
const CHECKED: usize = MAGIC.len() + 1 + 8 + 32 + SEED_BYTES;
const LENGTH: usize = CHECKED + 32;

pub(super) fn write_new(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
    bytes.extend_from_slice(MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(&key.identity().made_at().get().to_le_bytes());
    bytes.extend_from_slice(key.former().map_or([0; 32], |former| *former.as_bytes()).as_slice());
    bytes.extend_from_slice(key.seed());
    let checksum = content_digest(&bytes);
    bytes.extend_from_slice(&checksum);
    durable::write_new(path, &bytes).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    })
}

pub(super) fn read(path: &Path) -> Result<SigningKey, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
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
    let mut bytes = Zeroizing::new([0; LENGTH]);
    file.read_exact(bytes.as_mut_slice()).map_err(failed)?;
    let (checked, checksum) = bytes.split_first_chunk::<CHECKED>().ok_or_else(format)?;
    let (magic, rest) = checked.split_first_chunk::<{ MAGIC.len() }>().ok_or_else(format)?;
    let (&[version], rest) = rest.split_first_chunk::<1>().ok_or_else(format)?;
    let (made_at, rest) = rest.split_first_chunk::<8>().ok_or_else(format)?;
    let (former, seed) = rest.split_first_chunk::<32>().ok_or_else(format)?;
    if magic != MAGIC {
        return Err(format());
    }
    if version != VERSION {
        return Err(KeyFileError::Version { path: path.to_owned(), found: version });
    }
    if content_digest(checked) != checksum {
        return Err(KeyFileError::Checksum { path: path.to_owned() });
    }
    let made_at = UnixMillis::new(u64::from_le_bytes(*made_at)).ok_or_else(format)?;
    let mut secret = Zeroizing::new([0; SEED_BYTES]);
    secret.copy_from_slice(seed);
    let former = (*former != [0; 32]).then(|| KeyId::from_bytes(*former));
    SigningKey::from_seed(Seed::from_bytes(*secret), made_at, former)
        .map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}
