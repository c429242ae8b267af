//! What is found of a receipt.

use std::fmt;

use blindrelay_client::Error as ClientError;
use serde::Serialize;

use crate::failure::Failure;

/// What is found of a receipt, with the part that decides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The answer is the one that comes out.
    BitExact,
    /// Signature, answer, or what the service shows for it is another.
    Differs {
        /// Which part.
        part: String,
        /// How.
        reason: String,
    },
    /// This program cannot compute the answer.
    NotReexecutable {
        /// Why.
        reason: String,
    },
    /// The service does not show a part that is needed.
    NotAvailable {
        /// Which part.
        part: String,
        /// What it says instead.
        reason: String,
    },
}

/// A verdict without its reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The answer is right.
    BitExact,
    /// Something is not as the receipt says.
    Differs,
    /// It is not known whether it is.
    NotChecked,
}

impl Verdict {
    /// Something is not as the receipt says.
    pub(super) fn differs(part: &str, reason: &dyn fmt::Display) -> Self {
        Self::Differs { part: part.to_owned(), reason: reason.to_string() }
    }

    /// Something is not there.
    pub(super) fn unavailable(part: &str, reason: &dyn fmt::Display) -> Self {
        Self::NotAvailable { part: part.to_owned(), reason: reason.to_string() }
    }

    /// Without its reasons.
    pub(crate) const fn finding(&self) -> Finding {
        match self {
            Self::BitExact => Finding::BitExact,
            Self::Differs { .. } => Finding::Differs,
            Self::NotReexecutable { .. } | Self::NotAvailable { .. } => Finding::NotChecked,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BitExact => f.write_str("bit-exact"),
            Self::Differs { part, reason } => write!(f, "differs: {part}: {reason}"),
            Self::NotReexecutable { reason } => write!(f, "not re-executable: {reason}"),
            Self::NotAvailable { part, reason } => write!(f, "not available: {part}: {reason}"),
        }
    }
}

/// Why an audit ends before the answer was compared.
pub(super) enum Ended {
    /// With a verdict.
    Verdict(Verdict),
    /// The service cannot be asked.
    Failure(Failure),
}

impl From<Verdict> for Ended {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        Self::Failure(error.into())
    }
}
