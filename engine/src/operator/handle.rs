//! Opaque names of participants.

use std::fmt;
use std::str::FromStr;

/// Bytes of a handle.
pub const HANDLE_BYTES: usize = 16;

/// A random name by which a relay can connect somebody, and which says nothing about who it is. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; HANDLE_BYTES]);

impl Handle {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; HANDLE_BYTES]) -> Self {
        Self(bytes)
    }

    /// A new random handle from the operating system.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; HANDLE_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; HANDLE_BYTES] {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handle is 32 hexadecimal digits")]
pub struct HandleParseError;

impl FromStr for Handle {
    type Err = HandleParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 2 * HANDLE_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(HandleParseError);
        }
        let mut bytes = [0; HANDLE_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| HandleParseError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| HandleParseError)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leads_back_to_the_handle() {
        let handle = Handle::random().unwrap();
        assert_eq!(handle.to_string().parse(), Ok(handle));
        for text in ["", "00", &"0".repeat(33), &"g".repeat(32), &"é".repeat(16), &format!("+{}", "0".repeat(31))] {
            assert_eq!(text.parse::<Handle>(), Err(HandleParseError));
        }
    }
}
