//! Values in columns: both databases have 64-bit signed numbers, texts and bytes.

use blindrelay_engine::operator::{HANDLE_BYTES, Handle};
use blindrelay_server::id::BodyDigest;
use blindrelay_server::time::UnixMillis;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::{Damage, Failure, TooLarge};

/// A number that is compared or added to in the database.
pub(crate) fn number(value: u64) -> Result<i64, Failure> {
    i64::try_from(value).map_err(|_| Failure::other(TooLarge(value)))
}

/// A length or a limit on rows.
pub(crate) fn length(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number that the database only keeps: all 64 bits of it.
pub(crate) const fn opaque(value: u64) -> i64 {
    value.cast_signed()
}

pub(crate) fn moment(at: UnixMillis) -> i64 {
    opaque(at.0)
}

pub(crate) fn handles(handles: &[Handle]) -> Vec<u8> {
    handles.iter().flat_map(Handle::as_bytes).copied().collect()
}

/// The columns of a row by their names.
pub(crate) struct Columns<'r>(pub(crate) &'r AnyRow);

impl Columns<'_> {
    pub(crate) fn number(&self, column: &'static str) -> Result<u64, Failure> {
        let value: i64 = self.0.try_get(column)?;
        u64::try_from(value).map_err(|_| Damage::Column { column }.into())
    }

    pub(crate) fn length(&self, column: &'static str) -> Result<usize, Failure> {
        usize::try_from(self.number(column)?).map_err(|_| Damage::Column { column }.into())
    }

    pub(crate) fn small(&self, column: &'static str) -> Result<u32, Failure> {
        u32::try_from(self.number(column)?).map_err(|_| Damage::Column { column }.into())
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, Failure> {
        match self.number(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damage::Column { column }.into()),
        }
    }

    pub(crate) fn opaque(&self, column: &'static str) -> Result<u64, Failure> {
        Ok(self.0.try_get::<i64, _>(column)?.cast_unsigned())
    }

    pub(crate) fn moment(&self, column: &'static str) -> Result<UnixMillis, Failure> {
        self.opaque(column).map(UnixMillis)
    }

    pub(crate) fn moment_or_none(&self, column: &'static str) -> Result<Option<UnixMillis>, Failure> {
        Ok(self.0.try_get::<Option<i64>, _>(column)?.map(|value| UnixMillis(value.cast_unsigned())))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<&str, Failure> {
        Ok(self.0.try_get(column)?)
    }

    pub(crate) fn text_or_none(&self, column: &'static str) -> Result<Option<&str>, Failure> {
        Ok(self.0.try_get(column)?)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<&[u8], Failure> {
        Ok(self.0.try_get(column)?)
    }

    pub(crate) fn bytes_or_none(&self, column: &'static str) -> Result<Option<&[u8]>, Failure> {
        Ok(self.0.try_get(column)?)
    }

    pub(crate) fn array<const N: usize>(&self, column: &'static str) -> Result<[u8; N], Failure> {
        self.bytes(column)?.try_into().map_err(|_| Damage::Column { column }.into())
    }

    pub(crate) fn digest(&self, column: &'static str) -> Result<BodyDigest, Failure> {
        self.array(column).map(BodyDigest::from_bytes)
    }

    pub(crate) fn digest_or_none(&self, column: &'static str) -> Result<Option<BodyDigest>, Failure> {
        let Some(bytes) = self.bytes_or_none(column)? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|_| Damage::Column { column })?;
        Ok(Some(BodyDigest::from_bytes(bytes)))
    }

    pub(crate) fn handles(&self, column: &'static str) -> Result<Vec<Handle>, Failure> {
        let (handles, rest) = self.bytes(column)?.as_chunks::<HANDLE_BYTES>();
        if !rest.is_empty() {
            return Err(Damage::Column { column }.into());
        }
        Ok(handles.iter().map(|bytes| Handle::from_bytes(*bytes)).collect())
    }
}
