//! What an answer was computed from, as the service shows it, held against the receipt.

use blindrelay_client::{Client, Error as ClientError, SourceChange};
use blindrelay_engine::operator::{Operator, Placement};
use blindrelay_server::Registry;
use blindrelay_trust::{CollectionState, ContentDigest, Receipt};

use super::Computation;
use super::verdict::{Ended, Verdict};

/// Most bytes of one part that are read.
pub(super) const LONGEST: u64 = 1 << 30;

/// A part of the source: where the service refuses to show it, a verdict that names it.
pub(super) fn part<T>(name: &str, shown: Result<T, ClientError>) -> Result<T, Ended> {
    shown.map_err(|error| match error {
        ClientError::Refused { status: 404 | 500..=599, .. } => Verdict::unavailable(name, &error).into(),
        error => error.into(),
    })
}

/// Whether bytes have a digest.
pub(super) fn same(name: &str, expected: ContentDigest, bytes: &[u8]) -> Result<(), Ended> {
    let found = ContentDigest::of(bytes);
    if found == expected {
        return Ok(());
    }
    Err(Verdict::differs(name, &format!("its SHA-256 is {found}, not {expected}")).into())
}

/// Everything that the receipt names besides request and keys, made ready to compute.
pub(super) fn computation(
    client: &Client,
    registry: &Registry,
    id: &str,
    receipt: &Receipt,
) -> Result<Computation, Ended> {
    let source = part("source", client.receipt_source(id))?;
    let state = &receipt.collection;
    let keys = receipt.evaluation_keys.map(|digest| digest.to_string());
    for (what, expected, found) in [
        ("operator", receipt.operator.to_string(), source.operator),
        ("kind", state.kind.name().to_owned(), source.kind),
        ("collection", state.id.to_string(), source.collection),
        ("version", state.version.to_string(), source.version.to_string()),
        ("evaluation keys", keys.unwrap_or_default(), source.evaluation_keys.unwrap_or_default()),
    ] {
        if found != expected {
            let fault = format!("the service shows {what} '{found}', the receipt names '{expected}'");
            return Err(Verdict::differs("source", &fault).into());
        }
    }
    if let Some(operator) = registry.operator(receipt.operator.as_str()) {
        return room(client, operator.as_ref(), id, state);
    }
    let Some((_, operator)) = registry.accumulation(receipt.operator.as_str()) else {
        return Err(Verdict::NotReexecutable { reason: format!("there is no operator {}", receipt.operator) }.into());
    };
    let settings = source.settings.ok_or_else(|| Verdict::unavailable("settings", &"the service shows none"))?;
    let sums = part("sums", client.receipt_sums(id, LONGEST))?;
    if let Some(expected) = state.content {
        same("sums", expected, &sums)?;
    }
    operator.restore(&settings, &sums).map_err(|error| Verdict::differs("sums", &error))?;
    Ok(Computation::Sums { operator: std::sync::Arc::clone(operator), settings, sums })
}

/// The room, made from its records in the order of its changes.
fn room(client: &Client, operator: &dyn Operator, id: &str, state: &CollectionState) -> Result<Computation, Ended> {
    let mut collection = operator.new_collection();
    for change in part("changes", client.receipt_changes(id))? {
        let name = format!("record of version {}", change.version());
        match change {
            SourceChange::Added { version, digest, handles, group, place, .. } => {
                let limit = operator.card().record_limit as u64;
                let record = part(&name, client.receipt_record(id, version, limit))?;
                let expected = digest.parse().map_err(|error| Verdict::differs(&name, &error))?;
                same(&name, expected, &record)?;
                let restored = collection.restore(&record, &handles, Placement { group, place });
                restored.map_err(|error| Verdict::differs(&name, &error))?;
            }
            SourceChange::Removed { version, handle } => {
                let name = format!("removal of version {version}");
                collection.remove(handle).map_err(|error| Verdict::differs(&name, &error))?;
            }
        }
    }
    let snapshot = collection.snapshot();
    if let Some(expected) = state.content {
        let found = ContentDigest::from_bytes(snapshot.digest());
        if found != expected {
            let fault = format!("the digest of the records that the service shows is {found}, not {expected}");
            return Err(Verdict::differs("content", &fault).into());
        }
    }
    Ok(Computation::Records(snapshot))
}
