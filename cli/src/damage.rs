//! Files that the command line reads, damaged at random: they are read, or refused in words that name the file, and nothing breaks.

use std::fs;
use std::path::{Path, PathBuf};

use blindrelay_analytics::Plan;
use blindrelay_billing::RateCard;
use blindrelay_engine::Backend;

use crate::failure::Failure;
use crate::journal::{Journal, Subject};
use crate::meeting::Meeting;
use crate::panels::{self, Measurements, PanelFile};
use crate::tickets;
use crate::usage::Usage;

/// Damaged copies of each file.
const COPIES: u64 = 400;
/// What is put into texts: what their formats give a meaning to.
const PIECES: [&str; 16] = [
    "\n",
    ",",
    "\"",
    "{",
    "[",
    "]",
    "=",
    "-",
    "18446744073709551616",
    "1e999",
    "NaN",
    "\u{feff}",
    "\0",
    "2026-02-30",
    "é",
    "   ",
];

/// `SplitMix64`, so that a failure comes again.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// A copy with one to four changes: bytes set, cut out, repeated, or pieces put in.
fn damaged(valid: &[u8], number: u64) -> Vec<u8> {
    let (mut generator, mut copy) = (Generator(number), valid.to_vec());
    for _ in 0..=generator.below(4) {
        let from = generator.below(copy.len() + 1);
        let until = (from + generator.below(20)).min(copy.len());
        match generator.below(5) {
            0 => copy[from..until].fill(generator.below(256) as u8),
            1 => drop(copy.drain(from..until)),
            2 => {
                let again = copy[from..until].to_vec();
                copy.splice(from..from, again);
            }
            3 => copy.truncate(from),
            _ => drop(copy.splice(from..from, PIECES[generator.below(PIECES.len())].bytes())),
        }
    }
    copy
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// Reads damaged copies of a file. Some are refused: otherwise they would not have been looked at.
fn hold<T>(valid: &[u8], read: impl Fn(&Path) -> Result<T, String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("damaged-file");
    let write = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    write(valid);
    assert!(read(&path).is_ok(), "the file was damaged before");
    let mut refused = 0;
    for number in 0..COPIES {
        write(&damaged(valid, number));
        if let Err(reason) = read(&path) {
            assert!(reason.contains("damaged-file"), "copy {number}: {reason}");
            refused += 1;
        }
    }
    assert!(refused > 0);
}

fn line<T>(read: Result<T, Failure>) -> Result<T, String> {
    read.map_err(|failure| failure.line())
}

#[test]
fn usage_files() {
    let card = RateCard::from_toml(&fs::read_to_string(example("rates.toml")).unwrap()).unwrap();
    hold(&fs::read(example("usage.csv")).unwrap(), |path| {
        let mut usage = line(Usage::open(path, &card, None))?;
        while line(usage.next())?.is_some() {}
        Ok(())
    });
}

#[test]
fn panels_and_measurements() {
    for name in ["attention", "speaking", "durations", "concurrency", "correlation"] {
        let file = example(&format!("{name}.toml"));
        hold(&fs::read(&file).unwrap(), |path| line(PanelFile::read(path)));
        let settings = PanelFile::read(&file).unwrap().settings;
        let context = panels::context_of("statistics/1", Backend::Scalar).unwrap().unwrap();
        let plan = Plan::new(&settings, &context).unwrap();
        hold(&fs::read(example(&format!("{name}.csv"))).unwrap(), |path| line(Measurements::read(path, &plan)));
    }
}

#[test]
fn meetings() {
    for name in ["board-meeting.json", "family-call.json"] {
        hold(&fs::read(example(name)).unwrap(), |path| Meeting::read(path).map_err(|error| error.to_string()));
    }
}

#[test]
fn journals() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let subject = Subject { usage: [1; 32], rates: [2; 32], month: "2026-11-01".parse().unwrap() };
    let (mut journal, _) = Journal::open(&path, subject).unwrap();
    journal.meter("acme", &"0a".repeat(16), &[7; 32]).unwrap();
    journal.sent("acme", 3).unwrap();
    journal.done(40).unwrap();
    hold(&fs::read(&path).unwrap(), |path| line(Journal::read(path)));
    let path = directory.path().join("contributions");
    let subject = panels::Subject { panel: "0a".repeat(16), file: [1; 32], key: [2; 32] };
    panels::Journal::open(&path, &subject).unwrap().note(4).unwrap();
    hold(&fs::read(&path).unwrap(), |path| line(panels::Journal::open(path, &subject)));
}

#[test]
fn ticket_files() {
    let ticket = |byte: u8| format!("{byte:02x}").repeat(32);
    hold(format!("{}\n{}\n", ticket(1), ticket(2)).as_bytes(), |path| line(tickets::read(path)));
}
