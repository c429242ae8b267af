//! The names of tenants, rooms, ledgers and key sets.

use std::fmt;
use std::str::FromStr;

use blindrelay_engine::wire::content_digest;
use zeroize::Zeroizing;

/// The text is not an id of the wanted form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {digits} lower-case hexadecimal digits")]
pub struct IdParseError {
    /// What was wanted.
    pub what: &'static str,
    /// How many digits it has.
    pub digits: usize,
}

/// Lower-case hexadecimal digits of exactly `N` bytes.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Who a key of the service belongs to. Every room and every key set belongs to one tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// Longest name.
    pub const MAX_BYTES: usize = 64;

    /// A name of 1 to 64 characters of `a-z`, `0-9` and `-`; `None` for another.
    pub fn new(name: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=Self::MAX_BYTES).contains(&name.len());
        (fits && name.bytes().all(legal)).then(|| Self(name.to_owned()))
    }

    /// The tenant of a service without keys.
    pub fn only() -> Self {
        Self("default".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no name of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name is 1 to 64 characters of a-z, 0-9 and '-'")]
pub struct TenantIdParseError;

impl FromStr for TenantId {
    type Err = TenantIdParseError;

    fn from_str(text: &str) -> Result<Self, TenantIdParseError> {
        Self::new(text).ok_or(TenantIdParseError)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new random id from the operating system.
            pub fn random() -> Result<Self, getrandom::Error> {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes)?;
                Ok(Self(bytes))
            }

            /// From its bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, IdParseError> {
                from_hex(text).map(Self).ok_or(IdParseError { what: $what, digits: 32 })
            }
        }
    };
}

random_id! {
    /// A room: 16 random bytes, written as 32 hexadecimal digits.
    RoomId, "a room"
}

/// An API key: `br1-` and 64 hexadecimal digits of 32 random bytes, which need no slow hash. Wiped when it is dropped, never shown.
pub struct ApiKeySecret(Zeroizing<String>);

impl ApiKeySecret {
    /// A new one from the operating system.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut())?;
        let mut text = Zeroizing::new(String::with_capacity(4 + 64));
        text.push_str("br1-");
        for byte in bytes.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        Ok(Self(text))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its SHA-256.
    pub fn digest(&self) -> BodyDigest {
        BodyDigest::of(self.0.as_bytes())
    }
}

random_id! {
    /// An API key as it is listed: 16 random bytes, written as 32 hexadecimal digits. Says nothing about the key.
    ApiKeyId, "an API key's id"
}

random_id! {
    /// A ledger, which is a meter or a panel: 16 random bytes, written as 32 hexadecimal digits.
    LedgerId, "a meter or panel"
}

random_id! {
    /// A job: 16 random bytes, written as 32 hexadecimal digits.
    JobId, "a job"
}

/// SHA-256 of a request's body: the name of a key set, and what a repeated request is compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyDigest([u8; 32]);

impl BodyDigest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(content_digest(bytes))
    }

    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BodyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl FromStr for BodyDigest {
    type Err = IdParseError;

    fn from_str(text: &str) -> Result<Self, IdParseError> {
        from_hex(text).map(Self).ok_or(IdParseError { what: "a digest", digits: 64 })
    }
}

/// What a client calls a request that it may have to repeat: 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A key of that text; `None` where a character is not allowed or there are too many.
    pub fn new(text: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=64).contains(&text.len()) && text.bytes().all(legal)).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let room = RoomId::random().unwrap();
        assert_eq!(room.to_string().parse(), Ok(room));
        let digest = BodyDigest::of(b"body");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "00", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"g".repeat(32), &"é".repeat(16)] {
            assert!(text.parse::<RoomId>().is_err(), "{text}");
        }
        assert!("F".repeat(64).parse::<BodyDigest>().is_err());
    }

    #[test]
    fn digest_of_nothing_is_the_published_value() {
        let published = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(BodyDigest::of(b"").to_string(), published);
    }

    #[test]
    fn names_are_restricted() {
        assert!(TenantId::new("acme-7").is_some() && IdempotencyKey::new("A.b_c-9").is_some());
        for name in ["", "Acme", "a b", "ä", &"a".repeat(65)] {
            assert!(TenantId::new(name).is_none(), "{name}");
        }
        for key in ["", "a b", "ä", "a/b", &"a".repeat(65)] {
            assert!(IdempotencyKey::new(key).is_none(), "{key}");
        }
    }
}
