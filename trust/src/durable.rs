//! Small files that are whole or not there, whatever happens while they are written.
//!
//! The content goes to a file beside the wanted one, with an ending of [`TEMPORARY`], and is on disk before the wanted name points
//! to it. A crash leaves at most such a file behind.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Ending of the files that a crash can leave behind.
pub(crate) const TEMPORARY: &str = ".temporary";

/// A new file of mode 0600. An existing one is refused ([`io::ErrorKind::AlreadyExists`]) and stays.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(path, content)?;
    // A hard link, unlike a rename, never replaces.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    sync_folder(path)
}

/// The file with another content.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(path, content)?;
    if let Err(error) = fs::rename(&temporary, path) {
        fs::remove_file(&temporary)?;
        return Err(error);
    }
    sync_folder(path)
}

fn write_temporary(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(|_| io::Error::other("the operating system gave no randomness"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}{TEMPORARY}", u64::from_le_bytes(salt)));
    let temporary = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    match file.write_all(content).and_then(|()| file.sync_all()) {
        Ok(()) => Ok(temporary),
        Err(error) => {
            fs::remove_file(&temporary)?;
            Err(error)
        }
    }
}

/// Names are on disk once their folder is.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
