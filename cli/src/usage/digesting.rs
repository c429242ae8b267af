//! A reader that digests what passes through it.

use std::io::Read;

use sha2::{Digest as _, Sha256};

/// Digests everything that is read, counts it, and remembers the last byte.
pub(crate) struct Digesting<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
    last: Option<u8>,
}

impl<R> Digesting<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0, last: None }
    }

    /// How many bytes were read.
    pub(crate) const fn bytes(&self) -> u64 {
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
        let length = self.inner.read(buffer)?;
        let read = buffer.get(..length).unwrap_or_default();
        self.hash.update(read);
        self.bytes += length as u64;
        self.last = read.last().copied().or(self.last);
        Ok(length)
    }
}
