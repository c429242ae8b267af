//! The file in which enrolments are noted: room, handle and identity, separated by tabs, one enrolment a line.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_engine::operator::Handle;

use crate::arguments::read_text;
use crate::failure::Failure;

/// An open receipts file, for one room.
pub(super) struct Receipts {
    path: PathBuf,
    file: File,
    room: String,
    noted: HashMap<String, usize>,
}

impl Receipts {
    /// Opens a file of receipts, or a new one that only its owner can read: it holds names.
    pub(super) fn open(path: &Path, room: &str) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|source| Failure::Write { path: path.to_owned(), source })?;
        let mut noted = HashMap::new();
        let text = read_text(path)?;
        for (index, line) in text.lines().enumerate() {
            let mut fields = line.splitn(3, '\t');
            let (Some(of), Some(Ok(_)), Some(identity)) =
                (fields.next(), fields.next().map(str::parse::<Handle>), fields.next())
            else {
                return Err(Failure::Content {
                    path: path.to_owned(),
                    fault: format!("line {} is no receipt (room, handle and identity, separated by tabs)", index + 1),
                    advice: "give the file that an earlier enrolment wrote, or a new name",
                });
            };
            if of == room {
                *noted.entry(identity.to_owned()).or_default() += 1;
            }
        }
        Ok(Self { path: path.to_owned(), file, room: room.to_owned(), noted })
    }

    /// Whether an enrolment of this identity was noted. Each receipt answers for one.
    pub(super) fn take(&mut self, identity: &str) -> bool {
        match self.noted.get_mut(identity) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Notes enrolments, on disk before it returns.
    pub(super) fn note(&mut self, handles: &[Handle], labels: impl Iterator<Item = String>) -> Result<(), Failure> {
        let noted = handles.iter().zip(labels).map(|(handle, label)| format!("{}\t{handle}\t{label}\n", self.room));
        let written =
            self.file.write_all(noted.collect::<Vec<_>>().concat().as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|source| Failure::Write { path: self.path.clone(), source })
    }
}
