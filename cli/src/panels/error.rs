//! What can go wrong with panels besides requests and files.

use blindrelay_analytics::{AnswerError, ContributionError, SettingsError};
use blindrelay_client::Error as ClientError;
use blindrelay_engine::wire::WireError;
use blindrelay_keyholder::OpenError;

use crate::failure::{FAILED, Failure, USAGE};

/// Why something with a panel ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PanelFailure {
    #[error("the panel runs {}, which is no operator of statistics", crate::printable::one_line(.found))]
    Operator { found: String },
    #[error("the panel's settings cannot be used: {0}")]
    Settings(SettingsError),
    #[error("the panel collects something else than the settings file says")]
    OtherSettings,
    #[error("a panel cannot be merged into itself")]
    Itself,
    #[error("a contribution cannot be made: {0}")]
    Contribution(#[from] ContributionError),
    #[error("a message cannot be made: {0}")]
    Message(#[from] WireError),
    #[error(
        "the panel has {found} contributions, and with {more} more it would have more than the {most} that it takes"
    )]
    TooMany { found: u64, more: u64, most: u64 },
    #[error("{done} of {all} contributions were made, then: {cause}")]
    Unfinished { done: usize, all: usize, cause: Box<Failure> },
    #[error("the panel has {found} contributions, and a report needs at least {needed}")]
    TooFew { found: u64, needed: u64 },
    #[error("what the service sent is not a report of this panel ({0})")]
    Answer(#[from] AnswerError),
    #[error("the report answers another request")]
    OtherRequest,
    #[error("the report does not open under this key")]
    Closed(#[from] OpenError),
}

impl PanelFailure {
    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Operator { .. } | Self::Settings(_) | Self::OtherSettings | Self::Itself => USAGE,
            _ => FAILED,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Operator { .. } => "give the id of a panel that `blindrelay panel create` made",
            Self::Settings(_) => "check that the service runs the same version",
            Self::OtherSettings => "use the panel that was agreed on; contribute nothing to this one",
            Self::Itself => "name two panels",
            Self::Contribution(_) | Self::Message(_) => "nothing was sent; check what the panel collects",
            Self::TooMany { .. } => "nothing was sent; make another panel, and merge the two for the report",
            Self::Unfinished { cause, .. } => match cause.as_ref() {
                Failure::Client(ClientError::Refused { status: 401 | 404 | 409 | 422, .. }) => cause.advice(),
                _ => "run the same command again: it continues where it was interrupted, and nothing counts twice",
            },
            Self::TooFew { .. } => {
                "wait until more have contributed: a report on few would say too much about each of them"
            }
            Self::Answer(_) | Self::OtherRequest => "rely on no figure of this service",
            Self::Closed(_) => {
                "check that key and panel belong together; if they do, rely on no figure of this service"
            }
        }
    }
}
