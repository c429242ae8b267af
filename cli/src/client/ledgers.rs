//! Meters and panels: resources of the service that keep encrypted sums.

use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};

use super::{BYTES, Client, ClientError, Payload};

/// How often a batch is tried while the service is busy or away.
const BATCH_ATTEMPTS: u32 = 8;

/// Which kind of ledger: their addresses differ, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Meters,
    Panels,
}

impl Family {
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Meters => "meters",
            Self::Panels => "panels",
        }
    }
}

/// What the service says of a ledger.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) id: String,
    pub(crate) operator: String,
    pub(crate) batches: u64,
    #[serde(default)]
    pub(crate) bytes: u64,
    pub(crate) settings: serde_json::Value,
}

#[derive(Deserialize)]
struct Counted {
    batches: u64,
}

impl Client {
    /// Creates a ledger and tells its id. `settings` is the operator's JSON.
    pub(crate) fn create_ledger(&self, family: Family, operator: &str, settings: &str) -> Result<String, ClientError> {
        let settings: serde_json::Value =
            serde_json::from_str(settings).map_err(|error| self.foreign(&format!("settings: {error}")))?;
        let request = serde_json::json!({ "operator": operator, "settings": settings });
        let path = format!("/v1/{}", family.plural());
        let created: Ledger = self.json("POST", &path, &Payload::Json(request.to_string()))?;
        if created.id.parse::<Handle>().is_err() {
            return Err(self.foreign("the new ledger's id is not 32 hexadecimal digits"));
        }
        Ok(created.id)
    }

    /// Looks at a ledger.
    pub(crate) fn ledger(&self, family: Family, id: &str) -> Result<Ledger, ClientError> {
        self.repeated(|| self.json("GET", &format!("/v1/{}/{id}", family.plural()), &Payload::None))
    }

    /// Adds a batch. The same `idempotency` with the same batch counts once, so that it is repeated until the service confirms it. Returns how many
    /// batches the ledger has.
    pub(crate) fn append(&self, family: Family, id: &str, batch: &[u8], idempotency: &str) -> Result<u64, ClientError> {
        let path = format!("/v1/{}/{id}/batches", family.plural());
        let payload = Payload::Bytes(batch, Some(idempotency));
        let counted: Counted = self.repeated_up_to(BATCH_ATTEMPTS, || self.json("POST", &path, &payload))?;
        Ok(counted.batches)
    }

    /// Asks for a report; at most `longest` bytes of it are read.
    pub(crate) fn report(
        &self,
        family: Family,
        id: &str,
        request: String,
        longest: u64,
    ) -> Result<Vec<u8>, ClientError> {
        let payload = Payload::Json(request);
        self.repeated_up_to(BATCH_ATTEMPTS, || {
            let response = self.send("POST", &format!("/v1/{}/{id}/report", family.plural()), &payload)?;
            self.expect_content(&response, BYTES)?;
            self.body(response, longest)
        })
    }
}
