//! The journal of contributions: a secret that makes uploads repeatable, what is being contributed, and what the service has confirmed.
//!
//! Lines of words, as in the journal of a metering run; a line counts once its line break is there.
//!
//! ```text
//! blindrelay-contribute-journal 1
//! root HEX      the secret that the randomness of every contribution is derived from
//! panel ID
//! file HEX      SHA-256 of the measurements
//! key HEX       SHA-256 of the host's public key
//! sent NUMBER   contribution NUMBER is counted
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_engine::Error as EngineError;
use blindrelay_engine::ring::Seed;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::journal::{digest, open_secret_lines};
use crate::printable::hex;

const FIRST_LINE: &str = "blindrelay-contribute-journal 1";

/// What is contributed. Two runs with the same journal must agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The panel's id.
    pub(crate) panel: String,
    /// SHA-256 of the measurements.
    pub(crate) file: [u8; 32],
    /// SHA-256 of the host's public key.
    pub(crate) key: [u8; 32],
}

/// A journal that is being written. Nobody else can write it at the same time.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    root: Seed,
    sent: BTreeSet<u64>,
}

impl Journal {
    /// Opens a journal, or begins one with a fresh secret that only its owner can read. Refused where it was written for another subject.
    pub(crate) fn open(path: &Path, subject: &Subject) -> Result<Self, Failure> {
        let (file, text) = open_secret_lines(path)?;
        if text.is_empty() {
            let root = Seed::random().map_err(EngineError::from)?;
            let mut journal = Self { path: path.to_owned(), file, root, sent: BTreeSet::new() };
            let secret = Zeroizing::new(hex(journal.root.as_bytes()));
            let begin = Zeroizing::new(format!(
                "{FIRST_LINE}\nroot {}\npanel {}\nfile {}\nkey {}\n",
                *secret,
                subject.panel,
                hex(&subject.file),
                hex(&subject.key)
            ));
            journal.write(&begin)?;
            journal.file.sync_all().map_err(|source| Failure::Write { path: path.to_owned(), source })?;
            return Ok(journal);
        }
        let content = |fault: String, advice| Failure::Content { path: path.to_owned(), fault, advice };
        let other = "give the journal that an earlier run wrote, or the name of a new one";
        let (root, written, sent) = parse(&text).map_err(|fault| content(fault, other))?;
        if written == *subject {
            return Ok(Self { path: path.to_owned(), file, root, sent });
        }
        let fault = if written.panel != subject.panel {
            "it was begun for another panel"
        } else if written.file != subject.file {
            "it was begun for another file, or the file has changed since"
        } else {
            "it was begun with another public key"
        };
        let advice = "contribute a new file with a new journal (--journal); to continue, restore the file as it was, or it would count twice in part";
        Err(content(fault.to_owned(), advice))
    }

    /// The secret.
    pub(crate) const fn root(&self) -> &Seed {
        &self.root
    }

    /// Whether a contribution is known to be counted.
    pub(crate) fn is_sent(&self, number: u64) -> bool {
        self.sent.contains(&number)
    }

    /// How many contributions are known to be counted.
    pub(crate) fn sent(&self) -> usize {
        self.sent.len()
    }

    /// Notes that the service has counted a contribution. A note that is lost is harmless: the contribution is sent again and counts once.
    pub(crate) fn note(&mut self, number: u64) -> Result<(), Failure> {
        self.write(&format!("sent {number}\n"))?;
        self.sent.insert(number);
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.file.write_all(text.as_bytes()).map_err(|source| Failure::Write { path: self.path.clone(), source })
    }
}

fn parse(text: &str) -> Result<(Seed, Subject, BTreeSet<u64>), String> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("it is not a journal of contributions".to_owned());
    }
    let mut field = |name: &str| {
        let found = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.ok_or_else(|| format!("its beginning is damaged: {name} is missing"))
    };
    let damaged = |name: &str| format!("its beginning is damaged: {name} cannot be read");
    let root = digest(field("root")?).map(Seed::from_bytes).ok_or_else(|| damaged("root"))?;
    let panel = field("panel")?.to_owned();
    let file = digest(field("file")?).ok_or_else(|| damaged("file"))?;
    let key = digest(field("key")?).ok_or_else(|| damaged("key"))?;
    let number = |(number, line): (u64, &str)| {
        let sent = line.strip_prefix("sent ").and_then(|text| text.parse().ok());
        sent.ok_or_else(|| format!("line {number} cannot be read"))
    };
    let sent = (6..).zip(lines).map(number).collect::<Result<_, _>>()?;
    Ok((root, Subject { panel, file, key }, sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_found_again_and_other_subjects_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let subject = Subject { panel: "0a".repeat(16), file: [1; 32], key: [2; 32] };
        let mut journal = Journal::open(&path, &subject).unwrap();
        let root = *journal.root().as_bytes();
        journal.note(4).unwrap();
        journal.write("sent 7").unwrap();
        assert!(Journal::open(&path, &subject).is_err(), "two runs at once");
        drop(journal);
        let mut journal = Journal::open(&path, &subject).unwrap();
        assert_eq!((journal.sent(), journal.is_sent(4), journal.is_sent(7)), (1, true, false), "a torn line is none");
        assert_eq!(*journal.root().as_bytes(), root);
        journal.note(7).unwrap();
        drop(journal);
        assert!(Journal::open(&path, &subject).unwrap().is_sent(7));
        for other in [
            Subject { panel: "0b".repeat(16), ..subject.clone() },
            Subject { file: [9; 32], ..subject.clone() },
            Subject { key: [9; 32], ..subject.clone() },
        ] {
            assert!(matches!(Journal::open(&path, &other), Err(Failure::Content { .. })));
        }
        let good = std::fs::read_to_string(&path).unwrap();
        for bad in
            ["x\n".to_owned(), good.replace("key ", "key 0"), good.clone() + "sent x\n", good.clone() + "noise\n"]
        {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(Journal::open(&path, &subject), Err(Failure::Content { .. })));
        }
    }
}
