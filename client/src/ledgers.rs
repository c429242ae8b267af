//! Meters and panels: resources of the service that keep encrypted sums.

use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::{Expected, Payload, Request};
use crate::receipts::Receipted;
use crate::{Client, Error, names};

/// Which kind of ledger: their addresses differ, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Encrypted usage and charges.
    Meters,
    /// Encrypted statistics.
    Panels,
}

impl Family {
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Meters => "meters",
            Self::Panels => "panels",
        }
    }
}

/// What the service says of a ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ledger {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The operator that keeps the sums, such as `charge/1`.
    pub operator: String,
    /// How many batches are in the sums.
    pub batches: u64,
    /// Length of the encoded sums.
    #[serde(default)]
    pub bytes: u64,
    /// The operator's public settings.
    pub settings: serde_json::Value,
}

/// A ledger in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The operator that keeps the sums.
    pub operator: String,
    /// How many batches are in the sums.
    pub batches: u64,
    /// Length of the encoded sums.
    #[serde(default)]
    pub bytes: u64,
}

#[derive(Deserialize)]
struct Counted {
    batches: u64,
}

impl Client {
    /// Creates a ledger and tells its id. `settings` is the operator's JSON, `keys` the digest of evaluation keys that were uploaded. Sent once: a repetition
    /// could make a second ledger.
    pub fn create_ledger(
        &self,
        family: Family,
        operator: &str,
        settings: &str,
        keys: Option<&str>,
    ) -> Result<String, Error> {
        let settings: serde_json::Value = serde_json::from_str(settings)
            .map_err(|error| Error::Argument { what: "the text of the settings", fault: error.to_string() })?;
        let mut body = serde_json::json!({ "operator": operator, "settings": settings });
        if let (Some(keys), Some(object)) = (keys, body.as_object_mut()) {
            object.insert("evaluation_keys".to_owned(), keys.into());
        }
        let body = body.to_string();
        let request = Request::new(Method::POST, format!("/v1/{}", family.plural()));
        let created: Ledger = self.json(&request.payload(Payload::Json(&body)))?;
        match created.id.parse::<Handle>() {
            Ok(id) => Ok(id.to_string()),
            Err(_) => Err(self.unexpected("the new ledger's id is not 32 hexadecimal digits")),
        }
    }

    /// Looks at a ledger.
    pub fn ledger(&self, family: Family, id: &str) -> Result<Ledger, Error> {
        self.json(&Request::new(Method::GET, format!("/v1/{}/{}", family.plural(), names::id(id)?)))
    }

    /// All ledgers of a family, in ascending order of their ids.
    pub fn ledgers(&self, family: Family) -> Result<Vec<LedgerEntry>, Error> {
        self.list(&format!("/v1/{}?limit=1000", family.plural()), |id| names::id(id).is_ok())
    }

    /// Deletes a ledger with its sums.
    pub fn delete_ledger(&self, family: Family, id: &str) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, format!("/v1/{}/{}", family.plural(), names::id(id)?));
        self.perform(&request.expecting(Expected::Nothing)).map(drop)
    }

    /// Adds a batch in the wire format and tells how many batches the ledger has. The same `idempotency`, 1 to 64 characters of `A-Z a-z 0-9 . _ -`, with the
    /// same batch counts once, so that it can be sent until the service confirms it.
    pub fn append(&self, family: Family, id: &str, batch: &[u8], idempotency: &str) -> Result<u64, Error> {
        let request = Request::new(Method::POST, format!("/v1/{}/{}/batches", family.plural(), names::id(id)?));
        let counted: Counted =
            self.json(&request.payload(Payload::Bytes(batch)).named(names::idempotency(idempotency)?))?;
        Ok(counted.batches)
    }

    /// Adds the present sums of a ledger to another one and tells how many batches `into` has. It does so once for each pair: a second time would count what
    /// is there twice.
    pub fn merge_ledgers(&self, family: Family, from: &str, into: &str) -> Result<u64, Error> {
        let (from, into) = (names::id(from)?, names::id(into)?);
        let (body, name) = (serde_json::json!({ "from": from.to_string() }).to_string(), format!("merge-{from}"));
        let request = Request::new(Method::POST, format!("/v1/{}/{into}/merge", family.plural()));
        let counted: Counted = self.json(&request.payload(Payload::Json(&body)).named(&name))?;
        Ok(counted.batches)
    }

    /// Asks for a report with a request in JSON, as `charge/1` takes it; at most `longest` bytes of it are read. Nothing changes by it.
    pub fn report(&self, family: Family, id: &str, request: &str, longest: u64) -> Result<Vec<u8>, Error> {
        self.reported(family, id, Payload::Json(request), longest)
    }

    /// The same with a request in the wire format, as `statistics/1` takes it.
    pub fn report_on(&self, family: Family, id: &str, request: &[u8], longest: u64) -> Result<Vec<u8>, Error> {
        self.reported(family, id, Payload::Bytes(request), longest)
    }

    /// As [`Client::report_on`], with the receipt that the service signs and keeps. The request is what the operator takes, in JSON or in the wire format. Neither receipt nor answer is
    /// checked here.
    pub fn report_with_receipt(
        &self,
        family: Family,
        id: &str,
        request: &[u8],
        longest: u64,
    ) -> Result<Receipted, Error> {
        let path = format!("/v1/{}/{}/report", family.plural(), names::id(id)?);
        let request = Request::new(Method::POST, path).payload(Payload::Bytes(request));
        let body = self.perform(&request.repeatable().expecting(Expected::Receipted(longest)))?;
        Receipted::split(&body).ok_or_else(|| self.unexpected("there is no receipt before its answer"))
    }

    fn reported(&self, family: Family, id: &str, payload: Payload<'_>, longest: u64) -> Result<Vec<u8>, Error> {
        let request = Request::new(Method::POST, format!("/v1/{}/{}/report", family.plural(), names::id(id)?));
        self.perform(&request.payload(payload).computing(longest))
    }
}
