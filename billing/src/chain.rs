//! The digest chain from batches to invoice. Every step is SHA-256 over fields of fixed length, told apart by their first byte.

use blindrelay_engine::params::ParameterDigest;
use blindrelay_engine::wire::content_digest;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::calendar::Date;
use crate::currency::Currency;
use crate::message::Digest;
use crate::rates::{ItemKind, Period, Price, RateCard};
use crate::unit::Unit;

/// What a period is charged by: everything of the card that matters to it.
#[derive(Serialize)]
struct Terms<'a> {
    currency: Currency,
    start: Date,
    end: Date,
    items: Vec<ItemTerms<'a>>,
}

#[derive(Serialize)]
struct ItemTerms<'a> {
    name: &'a str,
    kind: ItemKind,
    unit: Unit,
    measured: Unit,
    limit: u64,
    weight: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<u64>,
    price: Option<&'a Price>,
}

/// The chain of a period before its first batch: SHA-256 over `0`, the parameter digest, and the terms of the period as JSON. Prices that begin after the period
/// do not change it, so a card may be extended while its meter runs.
pub(crate) fn opening(card: &RateCard, period: Period, parameters: ParameterDigest) -> Digest {
    let items = card
        .items()
        .iter()
        .map(|of| ItemTerms {
            name: of.name(),
            kind: of.kind(),
            unit: of.unit(),
            measured: of.measured(),
            limit: of.limit(),
            weight: of.weight(),
            calls: of.calls(),
            price: of.price_on(period.start),
        })
        .collect();
    let terms = Terms { currency: card.currency(), start: period.start, end: period.end, items };
    let text = serde_json::to_string(&terms).unwrap_or_default();
    link(0, [parameters.as_bytes().as_slice(), text.as_bytes()])
}

/// After a batch: SHA-256 over `1`, the chain before it, and the SHA-256 of the batch.
pub(crate) fn after_batch(chain: &Digest, batch: &[u8]) -> Digest {
    link(1, [chain.as_slice(), &content_digest(batch)])
}

/// After the encrypted rates of the period: the same with `2`.
pub(crate) fn after_rates(chain: &Digest, rates: &Digest) -> Digest {
    link(2, [chain.as_slice(), rates])
}

/// After sums were merged into others: SHA-256 over `3` and both chains, that of the sums that took the others in first.
pub(crate) fn after_merge(ours: &Digest, theirs: &Digest) -> Digest {
    link(3, [ours.as_slice(), theirs])
}

fn link(step: u8, fields: [&[u8]; 2]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([step]);
    for field in fields {
        hash.update(field);
    }
    hash.finalize().into()
}
