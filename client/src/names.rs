//! What callers put into addresses and headers, checked before it is sent.

use blindrelay_engine::operator::Handle;

use crate::Error;

/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;
/// Longest `Idempotency-Key`, tenant's name and label.
const LONGEST_NAME: usize = 64;

/// The id of a room, ledger or API key: 32 hexadecimal digits.
pub(crate) fn id(text: &str) -> Result<Handle, Error> {
    text.parse().map_err(|_| refused("the id", text, "32 hexadecimal digits"))
}

/// The digest of evaluation keys: 64 lower-case hexadecimal digits.
pub(crate) fn digest(text: &str) -> Result<&str, Error> {
    if text.len() == DIGEST_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        Ok(text)
    } else {
        Err(refused("the digest", text, "64 lower-case hexadecimal digits"))
    }
}

/// Name and revision of an operator, such as `charge/1`.
pub(crate) fn operator(text: &str) -> Result<&str, Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'/');
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(refused("the operator", text, "a name and a revision, such as charge/1"))
    }
}

/// A day, written `2026-11-20`.
pub(crate) fn day(text: &str) -> Result<&str, Error> {
    let fits = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    if text.len() == 10 && text.bytes().enumerate().all(fits) {
        Ok(text)
    } else {
        Err(refused("the day", text, "written as 2026-11-20"))
    }
}

/// An `Idempotency-Key`: 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
pub(crate) fn idempotency(text: &str) -> Result<&str, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(refused("the idempotency key", text, "1 to 64 characters of A-Z a-z 0-9 . _ -"))
    }
}

/// A tenant's name: 1 to 64 characters of `a-z`, `0-9` and `-`.
pub(crate) fn tenant(text: &str) -> Result<&str, Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(refused("the tenant's name", text, "1 to 64 characters of a-z, 0-9 and '-'"))
    }
}

/// The label of an API key: at most 64 characters, none of them a control character.
pub(crate) fn label(text: &str) -> Result<&str, Error> {
    if text.chars().count() <= LONGEST_NAME && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(refused("the label", text, "at most 64 characters, none of them a control character"))
    }
}

fn refused(what: &'static str, text: &str, form: &str) -> Error {
    Error::Argument { what, fault: format!("'{}' is not {form}", text.escape_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_reach_beyond_their_place() {
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(id(&hex[..32]).unwrap().to_string(), hex[..32]);
        assert_eq!((digest(&hex).unwrap(), idempotency(&hex).unwrap()), (hex.as_str(), hex.as_str()));
        for text in ["", "../x", "0?a=b", &hex[1..32], &hex[..33]] {
            assert!(matches!(id(text), Err(Error::Argument { what: "the id", .. })), "{text}");
        }
        for text in ["", &hex[1..], &hex.to_uppercase(), &format!("{}/", &hex[1..])] {
            assert!(matches!(digest(text), Err(Error::Argument { what: "the digest", .. })), "{text}");
        }
        for text in ["", "a b", "a\r\nb", "é", &format!("{hex}0")] {
            assert!(matches!(idempotency(text), Err(Error::Argument { .. })), "{text}");
        }
        assert_eq!(operator("charge/1").unwrap(), "charge/1");
        for text in ["", "charge/1&a=b", "Charge/1", "charge 1", "é"] {
            assert!(matches!(operator(text), Err(Error::Argument { what: "the operator", .. })), "{text}");
        }
        assert_eq!((tenant("acme-7").unwrap(), tenant(&hex).unwrap()), ("acme-7", hex.as_str()));
        for text in ["", "Acme", "a b", "a/b", "a?b", "..", "é", &format!("{hex}0")] {
            assert!(matches!(tenant(text), Err(Error::Argument { what: "the tenant's name", .. })), "{text}");
        }
        assert_eq!((label("").unwrap(), label(&"é".repeat(64)).unwrap()), ("", "é".repeat(64).as_str()));
        for text in ["a\nb", "\u{1b}[2J", &"é".repeat(65)] {
            assert!(matches!(label(text), Err(Error::Argument { what: "the label", .. })), "{text}");
        }
    }
}
