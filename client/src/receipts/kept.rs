//! Receipts that a service keeps, and everything that is needed to compute their answers again. Nothing of it is checked here.

use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::Request;
use crate::moment::UnixMillis;
use crate::{Client, Error, names};

/// Most bytes of a signed receipt.
const RECEIPT_BYTES: u64 = 64 << 10;

/// A receipt in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeptReceipt {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The operator that computed the answer.
    pub operator: String,
    /// `room`, `meter` or `panel`.
    pub kind: String,
    /// The room, meter or panel, in 32 hexadecimal digits.
    pub collection: String,
    /// Its version.
    pub version: u64,
    /// The digest of the evaluation keys, where there were some.
    #[serde(default)]
    pub evaluation_keys: Option<String>,
    /// When the answer was computed.
    pub time: UnixMillis,
    /// Length of the request.
    pub request_bytes: u64,
    /// From when on the service does not keep it any more.
    pub until: UnixMillis,
}

/// The room, meter or panel of a receipt, as it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiptSource {
    /// `room`, `meter` or `panel`.
    pub kind: String,
    /// Its id.
    pub collection: String,
    /// The version of the receipt.
    pub version: u64,
    /// Its operator.
    pub operator: String,
    /// The settings of a meter or panel, exactly as the operator was given them.
    #[serde(default)]
    pub settings: Option<String>,
    /// The digest of its evaluation keys.
    #[serde(default)]
    pub evaluation_keys: Option<String>,
}

/// A step on the way to the room of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceChange {
    /// A record was added.
    Added {
        /// The version that this made; also the name of the record.
        version: u64,
        /// SHA-256 of the record.
        digest: String,
        /// Its length.
        bytes: u64,
        /// All its handles in the order of its values.
        handles: Vec<Handle>,
        /// The group of values in which it stood.
        group: u32,
        /// Its place in the group.
        place: u32,
    },
    /// A handle was removed.
    Removed {
        /// The version that this made.
        version: u64,
        /// The handle.
        handle: Handle,
    },
}

impl SourceChange {
    /// The version that the change made.
    pub const fn version(&self) -> u64 {
        match self {
            Self::Added { version, .. } | Self::Removed { version, .. } => *version,
        }
    }
}

#[derive(Deserialize)]
struct Record {
    digest: String,
    bytes: u64,
    handles: Vec<String>,
    group: u32,
    place: u32,
}

#[derive(Deserialize)]
struct Change {
    version: u64,
    added: Option<Record>,
    removed: Option<String>,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<Change>,
    next: Option<u64>,
}

impl Change {
    /// `None` where it is neither of the two.
    fn read(self) -> Option<SourceChange> {
        let version = self.version;
        match (self.added, self.removed) {
            (Some(Record { digest, bytes, handles, group, place }), None) => {
                let handles = handles.iter().map(|handle| handle.parse().ok()).collect::<Option<Vec<Handle>>>()?;
                Some(SourceChange::Added { version, digest, bytes, handles, group, place })
            }
            (None, Some(handle)) => Some(SourceChange::Removed { version, handle: handle.parse().ok()? }),
            _ => None,
        }
    }
}

impl Client {
    /// The receipts of a day in UTC, written `2026-11-20`, in ascending order of their ids.
    pub fn receipts(&self, day: &str) -> Result<Vec<KeptReceipt>, Error> {
        let path = format!("/v1/receipts?day={}&limit=1000", names::day(day)?);
        self.list(&path, |id| names::digest(id).is_ok())
    }

    /// A signed receipt, as `blindrelay_trust::SignedReceipt` reads it.
    pub fn receipt(&self, id: &str) -> Result<Vec<u8>, Error> {
        self.part(id, "", RECEIPT_BYTES)
    }

    /// The request of a receipt; at most `longest` bytes of it are read.
    pub fn receipt_request(&self, id: &str, longest: u64) -> Result<Vec<u8>, Error> {
        self.part(id, "/request", longest)
    }

    /// The room, meter or panel of a receipt.
    pub fn receipt_source(&self, id: &str) -> Result<ReceiptSource, Error> {
        self.json(&Request::new(Method::GET, format!("/v1/receipts/{}/source", names::digest(id)?)))
    }

    /// The changes that make the room of a receipt out of an empty one, in their order.
    pub fn receipt_changes(&self, id: &str) -> Result<Vec<SourceChange>, Error> {
        let id = names::digest(id)?;
        let (mut after, mut all) = (0, Vec::new());
        loop {
            let path = format!("/v1/receipts/{id}/changes?limit=1000&after={after}");
            let page: Changes = self.json(&Request::new(Method::GET, path))?;
            for change in page.changes {
                let change =
                    change.read().ok_or_else(|| self.unexpected("a change is none of those that are known"))?;
                all.push(change);
            }
            match page.next {
                // A page that leads nowhere would be asked for forever.
                Some(next) if next <= after => return Err(self.unexpected("its list does not end")),
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }

    /// The record that a change of the room of a receipt added; at most `longest` bytes of it are read.
    pub fn receipt_record(&self, id: &str, version: u64, longest: u64) -> Result<Vec<u8>, Error> {
        self.part(id, &format!("/records/{version}"), longest)
    }

    /// The sums of a receipt of a meter or panel; at most `longest` bytes of them are read.
    pub fn receipt_sums(&self, id: &str, longest: u64) -> Result<Vec<u8>, Error> {
        self.part(id, "/sums", longest)
    }

    /// The evaluation keys of a receipt; at most `longest` bytes of them are read.
    pub fn receipt_keys(&self, id: &str, longest: u64) -> Result<Vec<u8>, Error> {
        self.part(id, "/keys", longest)
    }

    fn part(&self, id: &str, part: &str, longest: u64) -> Result<Vec<u8>, Error> {
        let request = Request::new(Method::GET, format!("/v1/receipts/{}{part}", names::digest(id)?));
        self.perform(&request.computing(longest))
    }
}
