//! What is done with panels, and with meters where it is the same.

use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};

use super::{BYTES, Client, ClientError, Family, Ledger, Payload};

/// A ledger in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LedgerEntry {
    pub(crate) id: String,
    pub(crate) operator: String,
    pub(crate) batches: u64,
    #[serde(default)]
    pub(crate) bytes: u64,
}

#[derive(Deserialize)]
struct Page {
    #[serde(alias = "meters", alias = "panels")]
    entries: Vec<LedgerEntry>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    batches: u64,
}

impl Client {
    /// Makes a panel and tells its id. `keys` names evaluation keys that were uploaded.
    pub(crate) fn create_panel(
        &self,
        operator: &str,
        settings: &str,
        keys: Option<&str>,
    ) -> Result<String, ClientError> {
        let settings: serde_json::Value =
            serde_json::from_str(settings).map_err(|error| self.foreign(&format!("settings: {error}")))?;
        let mut request = serde_json::json!({ "operator": operator, "settings": settings });
        if let (Some(keys), Some(object)) = (keys, request.as_object_mut()) {
            object.insert("evaluation_keys".to_owned(), keys.into());
        }
        let created: Ledger = self.json("POST", "/v1/panels", &Payload::Json(request.to_string()))?;
        match created.id.parse::<Handle>() {
            Ok(id) => Ok(id.to_string()),
            Err(_) => Err(self.foreign("the new panel's id is not 32 hexadecimal digits")),
        }
    }

    /// All ledgers of a family, in ascending order.
    pub(crate) fn ledgers(&self, family: Family) -> Result<Vec<LedgerEntry>, ClientError> {
        let mut all: Vec<LedgerEntry> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let query = after.as_ref().map_or_else(String::new, |after| format!("&after={after}"));
            let path = format!("/v1/{}?limit=1000{query}", family.plural());
            let Page { entries, next } = self.repeated(|| self.json("GET", &path, &Payload::None))?;
            let Some(next) = next else {
                all.extend(entries);
                return Ok(all);
            };
            // A page that leads nowhere would be asked for forever.
            if entries.is_empty()
                || after.as_ref().is_some_and(|after| next <= *after)
                || next.parse::<Handle>().is_err()
            {
                return Err(self.foreign("its list does not end"));
            }
            all.extend(entries);
            after = Some(next);
        }
    }

    /// Deletes a ledger with its sums.
    pub(crate) fn delete_ledger(&self, family: Family, id: &str) -> Result<(), ClientError> {
        self.send("DELETE", &format!("/v1/{}/{id}", family.plural()), &Payload::None).map(drop)
    }

    /// Adds the present sums of a ledger to another one. It does so once for each pair: a second time would count what is there twice. Returns how many batches
    /// `into` has.
    pub(crate) fn merge_ledgers(&self, family: Family, from: &str, into: &str) -> Result<u64, ClientError> {
        let body = serde_json::json!({ "from": from }).to_string();
        let (path, name) = (format!("/v1/{}/{into}/merge", family.plural()), format!("merge-{from}"));
        let counted: Counted = self.repeated(|| self.json("POST", &path, &Payload::NamedJson(&body, &name)))?;
        Ok(counted.batches)
    }

    /// Sends a request in the wire format; at most `longest` bytes of the answer are read.
    pub(crate) fn report_on(
        &self,
        family: Family,
        id: &str,
        request: &[u8],
        longest: u64,
    ) -> Result<Vec<u8>, ClientError> {
        self.repeated(|| {
            let path = format!("/v1/{}/{id}/report", family.plural());
            let response = self.send("POST", &path, &Payload::Bytes(request, None))?;
            self.expect_content(&response, BYTES)?;
            self.body(response, longest)
        })
    }
}
