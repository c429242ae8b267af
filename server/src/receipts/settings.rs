//! The part of the configuration that speaks of receipts.

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// How long receipts are kept. A field that is not known is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptSettings {
    /// For so many days a receipt that was given is kept with its request and with what it was computed from, on the account of its tenant; 0 keeps none.
    pub keep_days: u32,
}

impl Default for ReceiptSettings {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

impl ReceiptSettings {
    /// The moment from which on a receipt is not there any more; `None` where none is kept.
    pub(crate) fn until(self, made: UnixMillis) -> Option<UnixMillis> {
        (self.keep_days > 0).then(|| UnixMillis(made.0.saturating_add(u64::from(self.keep_days) * DAY)))
    }
}
