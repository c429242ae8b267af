//! Where results go: standard output for people or programs, standard error for remarks.

use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Narrowest and widest tables, and the width where there is no terminal.
const COLUMNS: (usize, usize, usize) = (60, 140, 110);

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// For people, or as JSON.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads the results.
    pub(crate) const fn json(self) -> bool {
        self.json
    }

    /// Writes a result: the value as JSON or the text, whichever was asked for.
    pub(crate) fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let mut text = if self.json { serde_json::to_string_pretty(value).map_err(Failure::Json)? } else { text() };
        if !text.ends_with('\n') && !text.is_empty() {
            text.push('\n');
        }
        Self::write(text.as_bytes())
    }

    /// Writes bytes to standard output at once. Whoever reads it may stop reading: that is no failure.
    pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }

    /// Writes a remark to standard error. A remark that nobody can read is not worth failing for.
    pub(crate) fn remark(text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Columns of a table.
    pub(crate) fn columns() -> usize {
        let (least, most, otherwise) = COLUMNS;
        let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        stated.or_else(measured).unwrap_or(otherwise).clamp(least, most)
    }

    /// Whether standard output shows colours: only on a terminal, and not where `NO_COLOR` is set.
    pub(crate) fn colours() -> bool {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        std::io::stdout().is_terminal() && !refused && !dumb
    }
}
