//! The bytes of a receipt. `docs/receipts.md` has the layout.

use blindrelay_engine::params::ParameterDigest;

use super::{CollectionKind, CollectionState, MAX_NAME_BYTES, NoiseClaim, OperatorId, Receipt, SoftwareVersion};
use crate::error::FormatError;
use crate::id::{CollectionId, ContentDigest, KeyId};
use crate::time::UnixMillis;

const MAGIC: &[u8; 8] = b"BRLYRCPT";
const VERSION: u8 = 1;
const HAS_EVALUATION_KEYS: u8 = 1;
const HAS_CONTENT: u8 = 2;
/// Everything but the two names and the two optional digests.
const FIXED_BYTES: usize = 189;

/// The shortest receipt: names of one character, no optional digest.
pub const MIN_RECEIPT_BYTES: usize = FIXED_BYTES + 2;

/// The longest receipt, in bytes.
pub const MAX_RECEIPT_BYTES: usize = FIXED_BYTES + 2 * MAX_NAME_BYTES + 2 * 32;

impl Receipt {
    /// Its only encoding: at most [`MAX_RECEIPT_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let flag = |digest: Option<ContentDigest>, flag| if digest.is_some() { flag } else { 0 };
        let mut bytes = Vec::with_capacity(MAX_RECEIPT_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[
            VERSION,
            self.collection.kind.to_byte(),
            flag(self.evaluation_keys, HAS_EVALUATION_KEYS) | flag(self.collection.content, HAS_CONTENT),
            self.operator.as_str().len() as u8,
            self.software.as_str().len() as u8,
        ]);
        bytes.extend_from_slice(self.collection.id.as_bytes());
        bytes.extend_from_slice(&self.collection.version.to_le_bytes());
        bytes.extend_from_slice(self.parameters.as_bytes());
        bytes.extend_from_slice(self.request.as_bytes());
        bytes.extend_from_slice(self.answer.as_bytes());
        bytes.extend_from_slice(&self.noise.bound_log2().to_le_bytes());
        bytes.extend_from_slice(&self.noise.limit_log2().to_le_bytes());
        bytes.extend_from_slice(&self.time.get().to_le_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes.extend_from_slice(self.operator.as_str().as_bytes());
        bytes.extend_from_slice(self.software.as_str().as_bytes());
        for digest in [self.evaluation_keys, self.collection.content].into_iter().flatten() {
            bytes.extend_from_slice(digest.as_bytes());
        }
        bytes
    }

    /// The receipt that these bytes encode, all of them. Refused where they are not exactly what [`Receipt::to_bytes`] would write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let receipt = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(receipt)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        if reader.take()? != MAGIC {
            return Err(FormatError::Magic);
        }
        let &[version, kind, flags, operator_len, software_len] = reader.take()?;
        if version != VERSION {
            return Err(FormatError::Version { found: version });
        }
        let kind = CollectionKind::from_byte(kind)?;
        if flags & !(HAS_EVALUATION_KEYS | HAS_CONTENT) != 0 {
            return Err(FormatError::Flags { found: flags });
        }
        let id = CollectionId::from_bytes(*reader.take()?);
        let collection_version = u64::from_le_bytes(*reader.take()?);
        let parameters = ParameterDigest::from_bytes(*reader.take()?);
        let request = ContentDigest::from_bytes(*reader.take()?);
        let answer = ContentDigest::from_bytes(*reader.take()?);
        let noise = NoiseClaim::new(f64::from_le_bytes(*reader.take()?), f64::from_le_bytes(*reader.take()?))?;
        let millis = u64::from_le_bytes(*reader.take()?);
        let time = UnixMillis::new(millis).ok_or(FormatError::Time { found: millis })?;
        let key = KeyId::from_bytes(*reader.take()?);
        let operator = OperatorId::new(reader.text("operator", operator_len)?)?;
        let software = SoftwareVersion::new(reader.text("software", software_len)?)?;
        let mut digest = |flag| {
            if flags & flag == 0 {
                Ok(None)
            } else {
                reader.take().map(|&bytes| Some(ContentDigest::from_bytes(bytes)))
            }
        };
        let (evaluation_keys, content) = (digest(HAS_EVALUATION_KEYS)?, digest(HAS_CONTENT)?);
        let collection = CollectionState { kind, id, version: collection_version, content };
        Ok(Self { operator, software, parameters, evaluation_keys, collection, request, answer, noise, time, key })
    }
}

/// Bytes from the first on.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    read: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, read: 0 }
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], FormatError> {
        let truncated = FormatError::Truncated { needed: self.read + N, found: self.read + self.rest.len() };
        let (taken, rest) = self.rest.split_first_chunk().ok_or(truncated)?;
        (self.rest, self.read) = (rest, self.read + N);
        Ok(taken)
    }

    fn text(&mut self, field: &'static str, length: u8) -> Result<&'a str, FormatError> {
        let length = usize::from(length);
        if length > MAX_NAME_BYTES {
            return Err(FormatError::TextLength { field, found: length });
        }
        let truncated = FormatError::Truncated { needed: self.read + length, found: self.read + self.rest.len() };
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(truncated)?;
        (self.rest, self.read) = (rest, self.read + length);
        std::str::from_utf8(taken).map_err(|error| FormatError::Character { field, at: error.valid_up_to() })
    }

    pub(super) const fn finish(self) -> Result<(), FormatError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FormatError::Trailing { extra: self.rest.len() }) }
    }
}
