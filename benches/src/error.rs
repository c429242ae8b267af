//! What can go wrong in a measurement.

use std::path::PathBuf;

use blindrelay_billing::{MessageError, MeterError, RateError};
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::params::ParameterError;
use blindrelay_engine::wire::WireError;
use blindrelay_kernels::KernelError;
use blindrelay_keyholder::OpenError;
use blindrelay_routing::TokenError;

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two sides that were to be compared gave different results, so no time of theirs means anything.
    #[error("{subject}: {side} gave another result than expected, nothing was measured")]
    Results {
        /// What was to be measured.
        subject: String,
        /// Whose result it is.
        side: String,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The document has no table of figures to replace.
    #[error("{path} has no table of figures")]
    NoTable {
        /// The file.
        path: PathBuf,
    },
    /// There is no decision of this name.
    #[error("there is no decision '{name}'; there are {known}")]
    Case {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The system does not say how much memory a process uses.
    #[error("/proc/self/status has no {field}: memory is measured on Linux only")]
    Memory {
        /// What is not there.
        field: &'static str,
    },
    /// The process that measured one decision failed.
    #[error("measuring {name} failed: {reason}")]
    Process {
        /// The decision.
        name: String,
        /// What it said.
        reason: String,
    },
    /// The report could not be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The pool of one thread could not be made.
    #[error(transparent)]
    Pool(#[from] rayon::ThreadPoolBuildError),
    /// The peer `fhe` refused.
    #[error("fhe: {0}")]
    Fhe(#[from] fhe::Error),
    /// A peer has no transform of this size.
    #[error("{peer} has no transform of size {n} modulo {modulus}")]
    PeerTransform {
        /// Who.
        peer: &'static str,
        /// The size.
        n: usize,
        /// The prime.
        modulus: u64,
    },
    /// A kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Parameters were refused.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// Encoding or evaluation was refused.
    #[error(transparent)]
    Engine(#[from] blindrelay_engine::Error),
    /// A token was refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A rate card was refused.
    #[error(transparent)]
    Rates(#[from] RateError),
    /// A reading was refused.
    #[error(transparent)]
    Meter(#[from] MeterError),
    /// A batch or a report could not be read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The operator refused.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// Bytes were refused, or an answer could not be opened.
    #[error("{0}")]
    Received(String),
}

impl Error {
    /// What refused bytes or an answer, in words.
    pub(crate) fn received(reason: impl std::fmt::Display) -> Self {
        Self::Received(reason.to_string())
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Self::Received(error.to_string())
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Received(error.to_string())
    }
}
