//! The operator's messages: contributions, requests, answers and states, all bound to the digest of the settings.

use std::fmt::Write;

use blindrelay_engine::ckks::Ciphertext;
use blindrelay_engine::wire::{self, Kind, Message, Wire, WireError};

use crate::error::AnswerError;
use crate::plan::Plan;

/// A contribution: the digest of the settings, then its ciphertexts.
pub(crate) const CONTRIBUTION: u8 = 0;
/// A request for a report: the digest of the settings and 16 bytes that the requester chooses.
pub(crate) const REQUEST: u8 = 1;
/// An answer: digests of the settings and of the request, the number of contributions; then the sums.
pub(crate) const ANSWER: u8 = 2;
/// A state: the digest of the settings and the number of contributions; then the sums as they are.
pub(crate) const STATE: u8 = 3;

/// Bytes of a digest.
pub(crate) const DIGEST_BYTES: usize = 32;
/// Bytes of a request's item.
pub(crate) const REQUEST_BYTES: usize = DIGEST_BYTES + 16;

impl Plan {
    /// Most items of a message: the first, and sums and products.
    fn max_items(&self) -> usize {
        1 + self.layout().ciphertexts() + self.layout().products().len()
    }

    pub(crate) fn message(&self, part: u8, items: Vec<Vec<u8>>) -> Result<Vec<u8>, WireError> {
        let parameters = self.context().parameters().digest();
        Message { parameters, operator: self.operator().to_owned(), part, items }.to_bytes()
    }

    /// The bytes of a contribution from its encoded ciphertexts, seeded or not.
    pub fn contribution_message(&self, ciphertexts: Vec<Vec<u8>>) -> Result<Vec<u8>, WireError> {
        self.message(CONTRIBUTION, std::iter::once(self.digest().to_vec()).chain(ciphertexts).collect())
    }

    /// The bytes of a request. With another nonce the answer carries another digest.
    pub fn request(&self, nonce: &[u8; 16]) -> Result<Vec<u8>, WireError> {
        self.message(REQUEST, vec![[self.digest().as_slice(), nonce].concat()])
    }

    /// What follows the settings' digest in the first item, and the other items.
    pub(crate) fn read(&self, bytes: &[u8], part: u8) -> Result<(Vec<u8>, Vec<Vec<u8>>), AnswerError> {
        let parameters = self.context().parameters();
        let longest = wire::max_len(Kind::ApproximateCiphertext, parameters);
        let message = Message::from_bytes(bytes, parameters.digest(), self.max_items(), longest)?;
        if message.operator != self.operator() || message.part != part {
            let (found, expected) = (message.operator, self.operator());
            return Err(AnswerError::Operator { expected, expected_part: part, found, part: message.part });
        }
        let mut items = message.items.into_iter();
        let first = items.next().ok_or(AnswerError::Items { what: "it has no items" })?;
        let (digest, rest) =
            first.split_at_checked(DIGEST_BYTES).ok_or(AnswerError::Items { what: "the first item is too short" })?;
        if digest != self.digest() {
            return Err(AnswerError::OtherSettings {
                expected: hexadecimal(self.digest()),
                found: hexadecimal(digest),
            });
        }
        Ok((rest.to_vec(), items.collect()))
    }
}

/// Bytes of a contribution's, a state's or an answer's ciphertexts.
pub(crate) fn encode(ciphertexts: &[Ciphertext]) -> impl Iterator<Item = Vec<u8>> {
    ciphertexts.iter().map(Wire::to_bytes)
}

/// Two digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
