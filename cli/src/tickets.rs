//! Tickets: what a question that matches is answered with, and what the relay keeps of them.
//!
//! A ticket is made by whoever enrols. It reaches a newcomer encrypted, who opens it and presents it to the relay. The relay keeps the SHA-256 of each
//! ticket with the handle to connect: who reads its file can present none.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use blindrelay_engine::Error as EngineError;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::content_digest;
use blindrelay_routing::find::MAX_PAYLOAD_BYTES;
use zeroize::Zeroizing;

use crate::arguments::read_text;
use crate::failure::Failure;
use crate::printable::hex;

/// First line of the relay's file.
const HEADER: &str = "ticket_sha256,handle";

/// Bytes that whoever knows them is connected for: 1 to 254, and 32 random ones where nobody chose others. Never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ticket(Zeroizing<Vec<u8>>);

impl Ticket {
    /// 32 random bytes.
    pub(crate) fn random() -> Result<Self, Failure> {
        let seed = Seed::random().map_err(EngineError::from)?;
        Ok(Self::from_bytes(seed.as_bytes()))
    }

    /// A ticket that was opened.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it is written and presented: hexadecimal digits.
    pub(crate) fn text(&self) -> String {
        hex(&self.0)
    }

    /// What the relay keeps of it: its SHA-256 in hexadecimal digits.
    pub(crate) fn digest(&self) -> String {
        hex(&content_digest(&self.0))
    }
}

impl FromStr for Ticket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("a ticket is 1 to {MAX_PAYLOAD_BYTES} bytes in hexadecimal digits, two for each");
        let pairs = text.as_bytes().chunks_exact(2);
        if !pairs.remainder().is_empty() || !(1..=MAX_PAYLOAD_BYTES).contains(&pairs.len()) {
            return Err(fault());
        }
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
        bytes.map(|bytes| Self(Zeroizing::new(bytes))).ok_or_else(fault)
    }
}

/// Tickets from a file, one a line in hexadecimal digits, no two equal.
pub(crate) fn read(path: &Path) -> Result<Vec<Ticket>, Failure> {
    let text = Zeroizing::new(read_text(path)?);
    let content = |fault: String| Failure::Content {
        path: path.to_owned(),
        fault,
        advice: "write one ticket a line in hexadecimal digits, in the order of the identities, no two equal",
    };
    let mut tickets: Vec<Ticket> = Vec::new();
    for (index, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let ticket: Ticket = line.parse().map_err(|fault| content(format!("line {}: {fault}", index + 1)))?;
        if tickets.contains(&ticket) {
            return Err(content(format!("line {}: the ticket is there already", index + 1)));
        }
        tickets.push(ticket);
    }
    Ok(tickets)
}

/// The relay's file, open for more lines.
pub(crate) struct Register {
    path: PathBuf,
    file: File,
}

impl Register {
    /// Opens a file that an earlier enrolment wrote, or begins a new one.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |source| Failure::Write { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        if lines(path)?.is_empty() && file.metadata().map_err(failed)?.len() == 0 {
            writeln!(file, "{HEADER}").map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Notes whom a ticket connects to, on disk before it returns.
    pub(crate) fn note(&mut self, ticket: &Ticket, handle: Handle) -> Result<(), Failure> {
        let written = writeln!(self.file, "{},{handle}", ticket.digest()).and_then(|()| self.file.sync_data());
        written.map_err(|source| Failure::Write { path: self.path.clone(), source })
    }
}

/// Whom a ticket connects to, by the relay's file.
pub(crate) fn look_up(path: &Path, ticket: &Ticket) -> Result<Option<Handle>, Failure> {
    let digest = ticket.digest();
    Ok(lines(path)?.into_iter().find(|(noted, _)| *noted == digest).map(|(_, handle)| handle))
}

/// The lines of the relay's file after the first.
fn lines(path: &Path) -> Result<Vec<(String, Handle)>, Failure> {
    let text = read_text(path)?;
    let content = |fault: String| Failure::Content {
        path: path.to_owned(),
        fault,
        advice: "give the file that `blindrelay enroll --tickets` wrote, or a new name",
    };
    let mut rows = text.lines().enumerate();
    match rows.next() {
        None => return Ok(Vec::new()),
        Some((_, HEADER)) => {}
        Some(_) => return Err(content(format!("the first line is not '{HEADER}'"))),
    }
    let read = |(index, line): (usize, &str)| {
        let row = line.split_once(',').and_then(|(digest, handle)| Some((digest.to_owned(), handle.parse().ok()?)));
        row.ok_or_else(|| content(format!("line {} is not a digest and a handle", index + 1)))
    };
    rows.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_written_and_read_back() {
        let ticket = Ticket::random().unwrap();
        assert_eq!(ticket.as_bytes().len(), 32);
        assert!(ticket.text().parse() == Ok(ticket));
        assert!("fF00".parse::<Ticket>().unwrap().as_bytes() == [255, 0]);
        for text in ["", "0", "0g", "é0", "+1", &"00".repeat(MAX_PAYLOAD_BYTES + 1)] {
            assert!(text.parse::<Ticket>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_relay_knows_the_handle_of_a_ticket_and_not_the_ticket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tickets.csv");
        let handles = [Handle::from_bytes([1; 16]), Handle::from_bytes([2; 16])];
        let tickets = [Ticket::random().unwrap(), Ticket::from_bytes(b"chosen")];
        for (ticket, handle) in tickets.iter().zip(handles) {
            Register::open(&path).unwrap().note(ticket, handle).unwrap();
        }
        for (ticket, handle) in tickets.iter().zip(handles) {
            assert_eq!(look_up(&path, ticket).unwrap(), Some(handle));
        }
        assert_eq!(look_up(&path, &Ticket::from_bytes(b"other")).unwrap(), None);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(tickets.iter().all(|ticket| !text.contains(&ticket.text())), "{text}");
        std::fs::write(&path, "something else\n").unwrap();
        assert!(Register::open(&path).is_err() && look_up(&path, &tickets[0]).is_err());
    }
}
