//! Panels at a service: what they collect, who contributes to them, and who opens their reports.

mod error;
mod file;
mod host;
mod journal;
mod measurements;

use std::path::Path;
use std::sync::Arc;

use blindrelay_analytics::{Plan, STATISTICS, STATISTICS_WIDE, Settings};
use blindrelay_client::{Client, Family};
use blindrelay_engine::Backend;
use blindrelay_engine::ckks::Context;
use blindrelay_engine::params::{Parameters, STATS_8192, STATS_16384, preset};
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_engine::wire::public_key_from_bytes;

pub(crate) use self::error::PanelFailure;
pub(crate) use self::file::PanelFile;
pub(crate) use self::host::Host;
pub(crate) use self::journal::{Journal, Subject};
pub(crate) use self::measurements::{Measurement, Measurements};
use crate::failure::Failure;

/// Operators with their parameter sets.
const OPERATORS: [(&str, &str); 2] = [(STATISTICS, STATS_8192), (STATISTICS_WIDE, STATS_16384)];

/// The tables of an operator of statistics; `None` where it is no such operator.
pub(crate) fn context_of(operator: &str, backend: Backend) -> Result<Option<Arc<Context>>, Failure> {
    let set = OPERATORS.into_iter().find(|(id, _)| *id == operator).map(|(_, set)| set);
    set.map(|set| Ok(Context::new(&Parameters::new(preset(set)?, backend)?)?)).transpose()
}

/// A panel as the service describes it.
#[derive(Debug)]
pub(crate) struct Panel {
    /// What it collects, and how.
    pub(crate) plan: Plan,
    /// How many contributions it has.
    pub(crate) contributions: u64,
}

impl Panel {
    /// Asks the service for a panel. With `agreed`, refused where it collects something else: settings that the service makes up are not those that contributors
    /// and host agreed on.
    pub(crate) fn look_up(
        client: &Client,
        id: &str,
        agreed: Option<&PanelFile>,
        backend: Backend,
    ) -> Result<Self, Failure> {
        let ledger = client.ledger(Family::Panels, id)?;
        let Some(context) = context_of(&ledger.operator, backend)? else {
            return Err(PanelFailure::Operator { found: ledger.operator }.into());
        };
        let settings = Settings::from_json(&ledger.settings.to_string()).map_err(PanelFailure::Settings)?;
        if agreed.is_some_and(|agreed| agreed.settings != settings) {
            return Err(PanelFailure::OtherSettings.into());
        }
        let plan = Plan::new(&settings, &context).map_err(PanelFailure::Settings)?;
        Ok(Self { plan, contributions: ledger.batches })
    }

    /// The public key of its host, from the file that the host handed out; with the file's bytes.
    pub(crate) fn public_key(&self, path: &Path) -> Result<(Vec<u8>, PublicKey), Failure> {
        let bytes = std::fs::read(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
        match public_key_from_bytes(&bytes, self.plan.context().parameters()) {
            Ok(key) => Ok((bytes, key)),
            Err(error) => Err(Failure::Content {
                path: path.to_owned(),
                fault: error.to_string(),
                advice: "get the host's public key: it is made with `blindrelay keygen --for reports --public FILE`",
            }),
        }
    }
}
