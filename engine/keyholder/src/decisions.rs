//! The number of decisions that a key may still make where a service can see them.
//!
//! Whoever forges answers and sees whether the participant acts on them learns something about the key with every decision
//! (see docs/threat-model.md). A key therefore makes at most [`LIMIT`] of them, counted in a file beside it, and a decision is counted before the
//! answer is opened: a crash or a failed opening has spent it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Observable decisions of one key.
pub const LIMIT: u32 = 128;

/// Why no decision can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// All are spent.
    #[error("the key has made its {LIMIT} decisions; each of them can tell a dishonest service something about it")]
    Spent,
    /// The count cannot be read or written.
    #[error("decision count {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not hold a count.
    #[error("{path} does not hold a decision count")]
    Format {
        /// The file.
        path: PathBuf,
    },
}

/// Where the decisions of a key file are counted.
pub fn path_of(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".decisions");
    PathBuf::from(name)
}

/// Spends one decision of a key file and says how many are left. Processes that share the file wait for each other; the new count
/// is on the disk before this returns.
pub fn spend(key: &Path) -> Result<u32, DecisionError> {
    let path = path_of(key);
    let failed = |source| DecisionError::Io { path: path.clone(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    let spent = read(&mut file).map_err(failed)?.ok_or_else(|| DecisionError::Format { path: path.clone() })?;
    if spent >= LIMIT {
        return Err(DecisionError::Spent);
    }
    // The number only grows, so writing over it leaves nothing of the old one behind.
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    file.write_all(format!("{}\n", spent + 1).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(LIMIT - spent - 1)
}

/// The count in the file, 0 where it is empty, `None` where it is something else.
fn read(file: &mut File) -> std::io::Result<Option<u32>> {
    let mut text = String::new();
    Read::by_ref(file).take(16).read_to_string(&mut text)?;
    Ok(if text.is_empty() { Some(0) } else { text.trim_end().parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_makes_so_many_decisions_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("room.key");
        for left in (0..LIMIT).rev() {
            assert_eq!(spend(&key).unwrap(), left);
        }
        assert!(matches!(spend(&key), Err(DecisionError::Spent)));
        assert_eq!(std::fs::read_to_string(path_of(&key)).unwrap(), "128\n");
    }

    #[test]
    fn processes_that_share_a_key_share_the_count() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("room.key");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10).for_each(|_| assert!(spend(&key).is_ok())));
            }
        });
        assert_eq!(spend(&key).unwrap(), LIMIT - 81);
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("room.key");
        for content in ["many\n", "-1\n", "99999999999999999"] {
            std::fs::write(path_of(&key), content).unwrap();
            assert!(matches!(spend(&key), Err(DecisionError::Format { .. })), "{content}");
        }
    }
}
