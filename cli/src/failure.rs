//! What can end a command: one sentence on what happened, one on what to do, and an exit code.

use std::path::PathBuf;

use blindrelay_billing::{AuditError, InvoiceError, MessageError, MeterError, MoneyError, RateError};
use blindrelay_client::Error as ClientError;
use blindrelay_engine::params::ParameterError;

use blindrelay_engine::{Error as EngineError, KernelError};
use blindrelay_keyholder::{DecisionError, KeyFileError, OpenError};
use blindrelay_routing::find::{FindAnswerError, FindError, Unopened};
use blindrelay_routing::search::KeywordError;
use blindrelay_routing::{AnswerError, TokenError};

use crate::meeting::MeetingError;
use crate::panels::PanelFailure;
use crate::printable;
use crate::service;

/// Exit code of an operation that failed.
pub(crate) const FAILED: u8 = 1;
/// Exit code of wrong arguments or input files.
pub(crate) const USAGE: u8 = 2;
/// Exit code of a search that found nothing.
pub(crate) const NOTHING_FOUND: u8 = 3;
/// Exit code of a receipt that is forged, and of an answer that is not the one that comes out.
pub(crate) const DISPROVED: u8 = 4;
/// Exit code of an audit that could compute nothing again.
pub(crate) const NOT_CHECKED: u8 = 5;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Meeting(#[from] MeetingError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(transparent)]
    Decisions(#[from] DecisionError),
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path}: {fault}")]
    Content { path: PathBuf, fault: String, advice: &'static str },
    #[error("{path}: this is no receipt: {fault}")]
    NoReceipt { path: PathBuf, fault: String },
    #[error("{path}: {fault}")]
    Forged { path: PathBuf, fault: String, advice: &'static str },
    #[error("{what}")]
    Usage { what: String, advice: &'static str },
    #[error(transparent)]
    Backend(#[from] KernelError),
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("what the service sent is not an answer of this operator ({0})")]
    Answer(#[from] AnswerError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("what the service sent is not an answer to this question ({0})")]
    FindAnswer(#[from] FindAnswerError),
    #[error(transparent)]
    Unopened(#[from] Unopened),
    #[error(transparent)]
    Keyword(#[from] KeywordError),
    #[error("the answer belongs to another request")]
    OtherRequest,
    #[error("the answer names handle {0} more than once")]
    RepeatedHandle(blindrelay_engine::operator::Handle),
    #[error("the answer carries no scores")]
    NoScores,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the room runs {found}, but the key file was made for {expected}")]
    OtherOperator { expected: &'static str, found: String },
    #[error("the room's evaluation keys are not those of the key file")]
    OtherKey,
    #[error("the service has these evaluation keys already, {kept}, and that never changes")]
    OtherTerms { kept: String },
    #[error("there is a tenant '{0}' already")]
    TenantExists(String),
    #[error("{0}; it is not known whether a key was made, which nobody has")]
    LostKey(ClientError),
    #[error("{path}: {source}; API key {id} was made, and nobody has it")]
    KeyNotKept { path: PathBuf, id: String, source: std::io::Error },
    #[error("{done} of {all} identities were enrolled, then: {cause}")]
    Unfinished { done: usize, all: usize, cause: Box<Failure> },
    #[error("{done} of {all} lines were counted, then: {cause}")]
    Uncounted { done: u64, all: u64, cause: Box<Failure> },
    #[error("tenant {tenant}: {cause}")]
    OfTenant { tenant: String, cause: Box<Failure> },
    #[error("the meter was made with another rate card than the one that was agreed on")]
    OtherRates,
    #[error("the meter's rate card cannot be used: {0}")]
    Rates(#[from] RateError),
    #[error(transparent)]
    Meter(#[from] MeterError),
    #[error("what the service sent is not a report of this operator ({0})")]
    Report(#[from] MessageError),
    #[error("the report is of another time than was asked for")]
    OtherReport,
    #[error("the report does not open under this key to what the rate card allows")]
    NotOpened,
    #[error(transparent)]
    Invoice(#[from] InvoiceError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the audit failed: {0}")]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Panel(#[from] PanelFailure),
    #[error("{failed} of {all} questions failed, the first because {first}")]
    Load { failed: u64, all: u64, first: String },
    #[error("the service could not be started: {0}")]
    Service(String),
    #[cfg(feature = "bench")]
    #[error("the measurement failed: {0}")]
    Bench(String),
    #[error("the result could not be written as JSON: {0}")]
    Json(serde_json::Error),
    #[error("standard output could not be written: {0}")]
    Output(std::io::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Meeting(_)
            | Self::KeyFile(_)
            | Self::Read { .. }
            | Self::Content { .. }
            | Self::NoReceipt { .. }
            | Self::Usage { .. }
            | Self::Backend(_)
            | Self::Parameters(_)
            | Self::Token(_)
            | Self::Find(_)
            | Self::Keyword(_)
            | Self::OtherOperator { .. }
            | Self::OtherKey
            | Self::Meter(_) => USAGE,
            Self::Client(error) if service::is_usage(error) => USAGE,
            Self::Forged { .. } => DISPROVED,
            Self::OfTenant { cause, .. } => cause.code(),
            Self::Panel(error) => error.code(),
            _ => FAILED,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Meeting(error) => error.advice(),
            Self::Client(error) => service::advice(error),
            Self::KeyFile(KeyFileError::Io { source, .. }) => match source.kind() {
                std::io::ErrorKind::AlreadyExists => "name another file with --out; a key file is never overwritten",
                std::io::ErrorKind::NotFound => "check the path, or make a key with `blindrelay keygen`",
                _ => "check the path and its permissions",
            },
            Self::KeyFile(KeyFileError::Mode { .. }) => "then run the command again",
            Self::Decisions(DecisionError::Spent) => {
                "make a new key with `blindrelay keygen`, hand it to the members and enrol again"
            }
            Self::Decisions(_) => "check the file beside the key and its permissions",
            Self::KeyFile(_) => "give the key file that `blindrelay keygen` wrote for this purpose",
            Self::Read { .. } | Self::Write { .. } => "check the path and its permissions",
            Self::Content { advice, .. } | Self::Usage { advice, .. } | Self::Forged { advice, .. } => advice,
            Self::NoReceipt { .. } => "give a file ID.receipt that `match --receipts` or `find --receipts` wrote",
            Self::Backend(_) => "choose one of those, or leave --backend out",
            Self::Parameters(_) => "`blindrelay params` lists the sets",
            Self::Token(_) => "give 128 numbers in the range of the operator",
            Self::Engine(_) => "nothing was sent; run `blindrelay params` to see what the parameter set allows",
            Self::Keyword(_) => "give each participant 1 to 8 different keywords",
            Self::Find(_) => "nothing was sent; correct the option",
            Self::Answer(_)
            | Self::FindAnswer(_)
            | Self::Unopened(_)
            | Self::OtherRequest
            | Self::RepeatedHandle(_)
            | Self::NoScores
            | Self::Open(_) => "connect nobody; if it happens again, do not use this service",
            Self::OtherOperator { .. } => "use the room's own key file",
            Self::OtherKey => {
                "use the room's own key file; if this is it, do not use this service, which may have exchanged the keys"
            }
            Self::OtherTerms { .. } => {
                "leave --epoch and --expires out to use the keys as they are, or make new ones with `blindrelay keygen`"
            }
            Self::TenantExists(_) => "change its limits with `blindrelay tenant limit`",
            Self::LostKey(_) => "look for it with `blindrelay api-key list`, revoke it and make another",
            Self::KeyNotKept { .. } => "revoke it with `blindrelay api-key revoke ID` and make another",
            Self::Unfinished { cause, .. } if cause.is_settled() => cause.advice(),
            Self::Unfinished { .. } => "run the command again with the remaining identities, which are listed above",
            Self::Uncounted { cause, .. } => match cause.as_ref() {
                Self::Content { .. } | Self::Usage { .. } => cause.advice(),
                _ if cause.is_settled() => cause.advice(),
                _ => "run the same command again: it continues where it was interrupted and counts nothing twice",
            },
            Self::OfTenant { cause, .. } => cause.advice(),
            Self::OtherRates => "ask the relay which rate card is right; pay nothing until that is clear",
            Self::Rates(_) | Self::Report(_) => "check that the service runs the same version",
            Self::Meter(_) => "correct the usage or the rate card",
            Self::OtherReport | Self::NotOpened | Self::Invoice(_) => {
                "check that key and meter are the tenant's own; if they are, pay nothing and do not use this service"
            }
            Self::Money(_) => "open the invoices one by one with --meter",
            Self::Audit(_) => "check that the folder is the archive of this meter; if it is, do not accept the invoice",
            Self::Panel(error) => error.advice(),
            Self::Load { .. } => "look at the service's log; use fewer --clients to find what it carries",
            Self::Service(_) => "choose another address or data folder, or correct the configuration",
            #[cfg(feature = "bench")]
            Self::Bench(_) => "figures of sides that disagree are not shown; see what the message names",
            Self::Json(_) | Self::Output(_) => "check where the output goes",
        }
    }

    /// Whether the service refused for good, so that the same request is refused again.
    fn is_settled(&self) -> bool {
        matches!(self, Self::Client(ClientError::Refused { status: 401 | 403 | 404 | 409 | 422, .. }))
    }

    /// The line for standard error.
    pub(crate) fn line(&self) -> String {
        printable::one_line(&format!("error: {self}: {}", self.advice()))
    }
}
