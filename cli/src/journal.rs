//! The journal of a metering run: a secret, what is being counted, and what the service has confirmed. With it, an interrupted run is continued and a
//! finished one is not repeated.
//!
//! Lines of words separated by spaces. A line counts once its line break is there, so that a line that was cut off is one that was never written.
//!
//! ```text
//! blindrelay-meter-journal 1
//! root HEX              the secret that every batch's randomness is derived from
//! usage HEX             SHA-256 of the usage file
//! rates HEX             SHA-256 of the rate card as JSON
//! month YYYY-MM-DD
//! meter TENANT ID HEX   a meter at the service, and SHA-256 of the tenant's public key
//! sent TENANT NUMBER    batch NUMBER of the tenant is counted, and all before it
//! done LINES            everything is counted
//! ```

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use blindrelay_billing::Date;
use blindrelay_engine::Error as EngineError;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::ring::Seed;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::printable::hex;
use crate::tenants;

const FIRST_LINE: &str = "blindrelay-meter-journal 1";
/// Longest journal: a million tenants and many batches of each.
const MAX_BYTES: u64 = 1 << 30;
const ADVICE: &str = "give the journal that an earlier run wrote, or the name of a new one";

/// What a run counts. Two runs with the same journal must agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// SHA-256 of the usage file.
    pub(crate) usage: [u8; 32],
    /// SHA-256 of the rate card.
    pub(crate) rates: [u8; 32],
    pub(crate) month: Date,
}

/// A tenant's meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MeterEntry {
    /// Its id at the service.
    pub(crate) id: String,
    /// SHA-256 of the tenant's public key.
    pub(crate) key: [u8; 32],
    /// How many batches are counted: those with a smaller number.
    pub(crate) confirmed: u64,
}

/// What a journal says.
pub(crate) struct Entries {
    pub(crate) root: Seed,
    pub(crate) subject: Subject,
    pub(crate) meters: BTreeMap<String, MeterEntry>,
    /// How many lines were counted, where the run came to its end.
    pub(crate) done: Option<u64>,
}

/// A journal that is being written. Nobody else can write it at the same time.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a journal, or begins one with a fresh secret that only its owner can read. Refused where it was written for another subject.
    pub(crate) fn open(path: &Path, subject: Subject) -> Result<(Self, Entries), Failure> {
        let (file, text) = open_secret_lines(path)?;
        let mut journal = Self { path: path.to_owned(), file };
        if text.is_empty() {
            let root = Seed::random().map_err(EngineError::from)?;
            journal.begin(&root, subject)?;
            return Ok((journal, Entries { root, subject, meters: BTreeMap::new(), done: None }));
        }
        let entries = parse(&text).map_err(|fault| content(path, fault))?;
        check(path, entries.subject, subject)?;
        Ok((journal, entries))
    }

    /// What a journal says, without writing to it.
    pub(crate) fn read(path: &Path) -> Result<Entries, Failure> {
        let mut file = File::open(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
        let text = read_whole_lines(&mut file, path)?;
        parse(&text).map_err(|fault| content(path, fault))
    }

    fn begin(&mut self, root: &Seed, subject: Subject) -> Result<(), Failure> {
        let text = Zeroizing::new(format!(
            "{FIRST_LINE}\nroot {}\nusage {}\nrates {}\nmonth {}\n",
            *Zeroizing::new(hex(root.as_bytes())),
            hex(&subject.usage),
            hex(&subject.rates),
            subject.month
        ));
        self.write(&text)?;
        self.sync()
    }

    /// Notes a new meter.
    pub(crate) fn meter(&mut self, tenant: &str, id: &str, key: &[u8; 32]) -> Result<(), Failure> {
        self.write(&format!("meter {tenant} {id} {}\n", hex(key)))
    }

    /// Notes that the service has counted a batch. A note that is lost is harmless: the batch is sent again and counts once.
    pub(crate) fn sent(&mut self, tenant: &str, sequence: u64) -> Result<(), Failure> {
        self.write(&format!("sent {tenant} {sequence}\n"))
    }

    /// Notes that everything is counted.
    pub(crate) fn done(&mut self, lines: u64) -> Result<(), Failure> {
        self.write(&format!("done {lines}\n"))?;
        self.sync()
    }

    /// On disk before it returns.
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|source| Failure::Write { path: self.path.clone(), source })
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.file.write_all(text.as_bytes()).map_err(|source| Failure::Write { path: self.path.clone(), source })
    }
}

/// Opens a file of lines that begins with a secret, or makes one that only its owner can read, and locks it. The text ends with the last whole line; what follows
/// was cut off, and is removed.
pub(crate) fn open_secret_lines(path: &Path) -> Result<(File, Zeroizing<String>), Failure> {
    let failed = |source| Failure::Write { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Failure::Usage {
                what: format!("{} is being used by another run", path.display()),
                advice: "wait until that run has ended",
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let text = read_whole_lines(&mut file, path)?;
    // What follows the last line break was cut off.
    file.set_len(text.len() as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
    Ok((file, text))
}

fn content(path: &Path, fault: String) -> Failure {
    Failure::Content { path: path.to_owned(), fault, advice: ADVICE }
}

fn read_whole_lines(file: &mut File, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = |source| Failure::Read { path: path.to_owned(), source };
    let length = file.metadata().map_err(read)?.len();
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().map_err(read)?.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::Content {
                path: path.to_owned(),
                fault: format!("it holds a secret and can be read by others (mode {mode:o})"),
                advice: "run `chmod 600` on it",
            });
        }
    }
    if length > MAX_BYTES {
        return Err(content(path, format!("more than {MAX_BYTES} bytes")));
    }
    // Reserved at once, so that no copy of the secret is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    file.take(length).read_to_end(&mut bytes).map_err(read)?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(whole);
    let text = std::str::from_utf8(&bytes).map_err(|_| content(path, "it is not text".to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn check(path: &Path, written: Subject, wanted: Subject) -> Result<(), Failure> {
    let other = if written.usage != wanted.usage {
        "it was begun for another usage file, or the file has changed since"
    } else if written.rates != wanted.rates {
        "it was begun with other rates"
    } else if written.month != wanted.month {
        "it was begun for another month"
    } else {
        return Ok(());
    };
    let advice = "count a new file with a new journal (--journal); to continue, restore the file as it was, or lines would be counted twice or not at all";
    Err(Failure::Content { path: path.to_owned(), fault: other.to_owned(), advice })
}

/// Thirty-two bytes from hexadecimal digits.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn parse(text: &str) -> Result<Entries, String> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("it is not a journal of a metering run".to_owned());
    }
    let mut field = |name: &str| {
        let line = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.ok_or_else(|| format!("its beginning is damaged: {name} is missing"))
    };
    let damaged = |name: &str| format!("its beginning is damaged: {name} cannot be read");
    let root = digest(field("root")?).map(Seed::from_bytes).ok_or_else(|| damaged("root"))?;
    let usage = digest(field("usage")?).ok_or_else(|| damaged("usage"))?;
    let rates = digest(field("rates")?).ok_or_else(|| damaged("rates"))?;
    let month = field("month")?.parse().map_err(|_| damaged("month"))?;
    let mut entries = Entries { root, subject: Subject { usage, rates, month }, meters: BTreeMap::new(), done: None };
    for (number, line) in (6..).zip(lines) {
        entry(&mut entries, line).ok_or_else(|| format!("line {number} cannot be read"))?;
    }
    Ok(entries)
}

fn entry(entries: &mut Entries, line: &str) -> Option<()> {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["meter", tenant, id, key] if tenants::is_name(tenant) => {
            let id = id.parse::<Handle>().ok()?.to_string();
            let meter = MeterEntry { id, key: digest(key)?, confirmed: 0 };
            // A second meter of one tenant would have counted the same batches.
            entries.meters.insert((*tenant).to_owned(), meter).is_none().then_some(())
        }
        ["sent", tenant, sequence] => {
            let meter = entries.meters.get_mut(*tenant)?;
            meter.confirmed = meter.confirmed.max(sequence.parse::<u64>().ok()?.checked_add(1)?);
            Some(())
        }
        ["done", lines] => {
            entries.done = Some(lines.parse().ok()?);
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject { usage: [1; 32], rates: [2; 32], month: "2026-11-01".parse().unwrap() }
    }

    #[test]
    fn what_was_noted_is_found_again_and_a_torn_line_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (mut journal, first) = Journal::open(&path, subject()).unwrap();
        journal.meter("acme", &"0a".repeat(16), &[7; 32]).unwrap();
        journal.sent("acme", 0).unwrap();
        journal.sent("acme", 1).unwrap();
        journal.write("sent acme 4").unwrap();
        assert!(Journal::open(&path, subject()).is_err(), "two runs at once");
        drop(journal);
        let (mut journal, again) = Journal::open(&path, subject()).unwrap();
        assert_eq!(again.root.as_bytes(), first.root.as_bytes());
        let expected = MeterEntry { id: "0a".repeat(16), key: [7; 32], confirmed: 2 };
        assert_eq!(again.meters.get("acme"), Some(&expected));
        assert_eq!(again.done, None);
        journal.sent("acme", 2).unwrap();
        journal.done(40).unwrap();
        drop(journal);
        let entries = Journal::read(&path).unwrap();
        assert_eq!((entries.done, entries.meters["acme"].confirmed), (Some(40), 3));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            assert!(Journal::read(&path).is_err(), "it holds a secret");
        }
    }

    #[test]
    fn another_subject_and_a_damaged_journal_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        drop(Journal::open(&path, subject()).unwrap());
        for other in [
            Subject { usage: [9; 32], ..subject() },
            Subject { rates: [9; 32], ..subject() },
            Subject { month: "2026-12-01".parse().unwrap(), ..subject() },
        ] {
            assert!(matches!(Journal::open(&path, other), Err(Failure::Content { .. })));
        }
        let good = std::fs::read_to_string(&path).unwrap();
        for bad in [
            "tenant,item\n".to_owned(),
            good.replace("root ", "root x"),
            good.clone() + "sent nobody 3\n",
            good.clone() + "noise\n",
            format!("{good}meter ../a {} {}\n", "0".repeat(32), "0".repeat(64)),
        ] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(Journal::open(&path, subject()), Err(Failure::Content { .. })));
        }
    }
}
