//! A receipt for people: as JSON, and as lines of text.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Receipt, SignedReceipt};
use crate::hex::to_hex;
use crate::id::{CollectionId, ContentDigest, KeyId, ReceiptId};
use crate::time::UnixMillis;

#[derive(Serialize)]
struct CollectionView {
    kind: &'static str,
    id: CollectionId,
    version: u64,
    content: Option<ContentDigest>,
}

#[derive(Serialize)]
struct NoiseView {
    bound_log2: f64,
    limit_log2: f64,
}

#[derive(Serialize)]
struct ReceiptView<'a> {
    id: ReceiptId,
    operator: &'a str,
    software: &'a str,
    parameters: String,
    evaluation_keys: Option<ContentDigest>,
    collection: CollectionView,
    request: ContentDigest,
    answer: ContentDigest,
    noise: NoiseView,
    time: UnixMillis,
    key: KeyId,
}

#[derive(Serialize)]
struct PlaceView {
    index: usize,
    size: usize,
}

#[derive(Serialize)]
struct SignedView<'a> {
    #[serde(flatten)]
    receipt: ReceiptView<'a>,
    batch: Option<PlaceView>,
    signature: String,
}

impl Receipt {
    fn view(&self) -> ReceiptView<'_> {
        let collection = &self.collection;
        ReceiptView {
            id: self.id(),
            operator: self.operator.as_str(),
            software: self.software.as_str(),
            parameters: self.parameters.to_string(),
            evaluation_keys: self.evaluation_keys,
            collection: CollectionView {
                kind: collection.kind.name(),
                id: collection.id,
                version: collection.version,
                content: collection.content,
            },
            request: self.request,
            answer: self.answer,
            noise: NoiseView { bound_log2: self.noise.bound_log2(), limit_log2: self.noise.limit_log2() },
            time: self.time,
            key: self.key,
        }
    }
}

/// For programs that read; digests are hexadecimal, the time is RFC 3339. What is signed are the bytes.
impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

/// The receipt's fields, its place in a batch if there is one, and the signature.
impl Serialize for SignedReceipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let batch = self.inclusion().map(|place| PlaceView { index: place.index(), size: place.size() });
        let signature = to_hex(self.signature().as_bytes());
        SignedView { receipt: self.receipt().view(), batch, signature }.serialize(serializer)
    }
}

/// A line a field: label and value.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |digest: Option<ContentDigest>, absent: &str| {
            digest.map_or_else(|| absent.to_owned(), |digest| digest.to_string())
        };
        let collection = &self.collection;
        let noise = format!("at most 2^{:.2} of 2^{:.2}", self.noise.bound_log2(), self.noise.limit_log2());
        for (label, value) in [
            ("receipt", self.id().to_string()),
            ("time", self.time.to_string()),
            ("operator", self.operator.to_string()),
            ("software", self.software.to_string()),
            ("parameters", self.parameters.to_string()),
            ("evaluation keys", or(self.evaluation_keys, "none")),
            (collection.kind.name(), format!("{}, version {}", collection.id, collection.version)),
            ("content", or(collection.content, "not stated")),
            ("request", self.request.to_string()),
            ("answer", self.answer.to_string()),
            ("noise", noise),
        ] {
            writeln!(f, "{label:<16}{value}")?;
        }
        write!(f, "{:<16}{}", "signing key", self.key)
    }
}
