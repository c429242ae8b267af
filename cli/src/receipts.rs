//! Receipts that are kept: a folder with the service's keys, and for every receipt the request and the answer that it names.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use blindrelay_client::{Client, Receipted};
use blindrelay_trust::{KeyHistory, SignedReceipt};

use crate::arguments::read_text;
use crate::failure::Failure;
use crate::output::Output;

/// The service's keys, as they were when the folder was used last.
pub(crate) const HISTORY: &str = "history.json";

const FORGED: &str = "do not act on the answer, keep the folder, and ask whoever runs the service";

/// A folder of receipts.
pub(crate) struct Keeper {
    folder: PathBuf,
}

/// The history in a file.
pub(crate) fn history(path: &Path) -> Result<KeyHistory, Failure> {
    KeyHistory::from_json(&read_text(path)?).map_err(|error| Failure::Content {
        path: path.to_owned(),
        fault: error.to_string(),
        advice: "take the history that was kept with the first receipt",
    })
}

impl Keeper {
    /// The folder, which is made if it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Checks that the service signed this answer to this request, with a key that follows from the one that was seen first, and keeps all three. The answer.
    pub(crate) fn keep(&self, client: &Client, request: &[u8], receipted: Receipted) -> Result<Vec<u8>, Failure> {
        let history = self.follow(client)?;
        let forged = |error: &dyn std::fmt::Display| Failure::Forged {
            path: self.folder.clone(),
            fault: format!("the receipt of the answer is refused: {error}"),
            advice: FORGED,
        };
        let signed = SignedReceipt::from_bytes(&receipted.receipt).map_err(|error| forged(&error))?;
        let verified = signed.verify(&history).map_err(|error| forged(&error))?;
        verified.receipt().matches_request(request).map_err(|error| forged(&error))?;
        verified.receipt().matches_answer(&receipted.answer).map_err(|error| forged(&error))?;
        let id = signed.id().to_string();
        // The receipt comes last: where it is, the others are.
        self.write(&format!("{id}.request"), request)?;
        self.write(&format!("{id}.answer"), &receipted.answer)?;
        self.write(&format!("{id}.receipt"), &receipted.receipt)?;
        Ok(receipted.answer)
    }

    /// The service's history, which has to continue the one that was kept.
    fn follow(&self, client: &Client) -> Result<KeyHistory, Failure> {
        let path = self.folder.join(HISTORY);
        let text = client.identity()?;
        let served = KeyHistory::from_json(&text).map_err(|error| Failure::Forged {
            path: self.folder.clone(),
            fault: format!("the service's signing keys are refused: {error}"),
            advice: FORGED,
        })?;
        if path.exists() {
            served.extends(&history(&path)?).map_err(|error| Failure::Forged {
                path: path.clone(),
                fault: format!("the service shows other signing keys than before: {error}"),
                advice: FORGED,
            })?;
        } else {
            let first = served.newest().id();
            Output::remark(&format!(
                "this service's signing key is seen for the first time and trusted from now on: {first}"
            ));
        }
        let write = |source| Failure::Write { path: path.clone(), source };
        let mut file = tempfile_beside(&path).map_err(write)?;
        file.1.write_all(text.as_bytes()).and_then(|()| file.1.sync_all()).map_err(write)?;
        fs::rename(&file.0, &path).map_err(write)?;
        Ok(served)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| file.write_all(bytes)) {
            // The same receipt has the same request and answer.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other.map_err(|source| Failure::Write { path, source }),
        }
    }
}

/// A file that takes the place of another once it is whole.
fn tempfile_beside(path: &Path) -> std::io::Result<(PathBuf, fs::File)> {
    let temporary = path.with_extension(format!("json.{}", std::process::id()));
    Ok((temporary.clone(), fs::File::create(temporary)?))
}
