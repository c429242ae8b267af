//! Answers with receipts, and whose signatures stand under them.

mod kept;

use ureq::http::Method;

use crate::exchange::Request;
use crate::{Client, Error};

pub use kept::{KeptReceipt, ReceiptSource, SourceChange};

/// An answer, and what the service signed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipted {
    /// The signed receipt, as `blindrelay_trust::SignedReceipt` reads it.
    pub receipt: Vec<u8>,
    /// The answer.
    pub answer: Vec<u8>,
}

impl Receipted {
    /// The parts of a body: the receipt's length in four bytes, lowest first, the receipt, the answer.
    pub(crate) fn split(body: &[u8]) -> Option<Self> {
        let (length, rest) = body.split_first_chunk::<4>()?;
        let (receipt, answer) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(Self { receipt: receipt.to_vec(), answer: answer.to_vec() })
    }
}

impl Client {
    /// The history of the service's signing keys, JSON as `blindrelay_trust::KeyHistory` reads it.
    pub fn identity(&self) -> Result<String, Error> {
        let body = self.perform(&Request::new(Method::GET, "/v1/identity".to_owned()))?;
        String::from_utf8(body).map_err(|_| self.unexpected("the history of its keys is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_a_receipt_and_an_answer() {
        let receipted = |receipt: &[u8], answer: &[u8]| Receipted { receipt: receipt.into(), answer: answer.into() };
        assert_eq!(Receipted::split(b"\x02\0\0\0abcde"), Some(receipted(b"ab", b"cde")));
        assert_eq!(Receipted::split(b"\x02\0\0\0ab"), Some(receipted(b"ab", b"")));
        for short in [&b"\x03\0\0\0ab"[..], b"\xff\xff\xff\xff", b"\0\0\0", b""] {
            assert_eq!(Receipted::split(short), None);
        }
    }
}
