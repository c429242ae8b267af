//! A reader that digests what passes through it.

use std::io::{Error, ErrorKind, Read};

use sha2::{Digest as _, Sha256};

/// Longest line. A quotation mark that is not closed makes one line of the rest of a file, which is not to be held in memory.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// Digests everything that is read, counts it, and remembers the last byte.
pub(crate) struct Digesting<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
    line_from: u64,
    last: Option<u8>,
}

impl<R> Digesting<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0, line_from: 0, last: None }
    }

    /// Begins a line. One that is longer than [`MAX_LINE_BYTES`] will be refused.
    pub(crate) const fn begin_line(&mut self) {
        self.line_from = self.bytes;
    }

    /// How many bytes were read.
    pub(crate) const fn bytes_read(&self) -> u64 {
        self.bytes
    }

    /// The last byte that was read.
    pub(crate) const fn last(&self) -> Option<u8> {
        self.last
    }

    /// SHA-256 of what was read so far.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes - self.line_from > MAX_LINE_BYTES {
            let what = format!("a line has more than {MAX_LINE_BYTES} bytes");
            return Err(Error::new(ErrorKind::InvalidData, what));
        }
        let length = self.inner.read(buffer)?;
        let read = buffer.get(..length).unwrap_or_default();
        self.hash.update(read);
        self.bytes += length as u64;
        self.last = read.last().copied().or(self.last);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_digested_and_endless_lines_are_refused() {
        let mut digesting = Digesting::new(&b"abc"[..]);
        let mut text = String::new();
        digesting.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), digesting.bytes_read(), digesting.last()), ("abc", 3, Some(b'c')));
        assert_eq!(digesting.digest(), blindrelay_engine::wire::content_digest(b"abc"));

        let mut endless = Digesting::new(std::io::repeat(b'x'));
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..40 {
            endless.read_exact(&mut buffer).unwrap();
            endless.begin_line();
        }
        let refused = (0..40).find_map(|_| endless.read(&mut buffer).err()).unwrap();
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
    }
}
