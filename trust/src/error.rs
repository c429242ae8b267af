//! Why receipts, keys and histories are refused. No message carries a secret.

mod history;
mod identity;
mod key;
mod receipt;

pub use history::{ExtensionError, HistoryError, HistorySignature, RevocationFault, TrustError, ValidityFault};
pub use identity::IdentityError;
pub use key::{KeyFileError, SignError};
pub use receipt::{FormatError, ReceiptError};
