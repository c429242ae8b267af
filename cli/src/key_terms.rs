//! Evaluation keys on their way to the service, and how long it may use them.

use std::time::SystemTime;

use blindrelay_client::{Client, KeySet, KeyTerms};
use blindrelay_engine::wire::content_digest;
use clap::Args;

use crate::expiry::{Expiry, written};
use crate::failure::Failure;
use crate::printable::hex;

/// What the first upload says of the keys for good.
#[derive(Debug, Args)]
pub(crate) struct KeyTermsOptions {
    /// Which of your evaluation keys these are, counted from 0; keys that follow others have the next number
    #[arg(long, value_name = "NUMBER")]
    epoch: Option<u64>,
    /// From when on the service computes nothing with the evaluation keys any more: a time from now such as 30d (s, m, h, d, w), or a moment in UTC such as 2027-01-31T00:00:00Z (RFC 3339) [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
}

impl KeyTermsOptions {
    /// The terms from now on.
    pub(crate) fn terms(&self) -> Result<KeyTerms, Failure> {
        let expires = self.expires.map(|expires| expires.moment(SystemTime::now())).transpose()?;
        Ok(KeyTerms { epoch: self.epoch, expires })
    }
}

/// Uploads evaluation keys, where there are any, and tells their digest. `sent` is told how many bytes are on their way.
pub(crate) fn upload(
    client: &Client,
    keys: Option<&[u8]>,
    terms: KeyTerms,
    sent: impl Fn(u64),
) -> Result<Option<String>, Failure> {
    let Some(keys) = keys else {
        if terms == KeyTerms::default() {
            return Ok(None);
        }
        let what = "--epoch and --expires are for evaluation keys, and none would be uploaded".to_owned();
        return Err(Failure::Usage {
            what,
            advice: "leave them out, or give a key file whose operator uses evaluation keys",
        });
    };
    let digest = hex(&content_digest(keys));
    let kept = client.upload_keys(&digest, keys, terms, sent)?;
    let same = terms.epoch.is_none_or(|epoch| epoch == kept.epoch)
        && terms.expires.is_none_or(|expires| Some(expires) == kept.expires);
    if same { Ok(Some(digest)) } else { Err(Failure::OtherTerms { kept: in_words(&kept) }) }
}

/// The terms that keys have.
pub(crate) fn in_words(keys: &KeySet) -> String {
    let expires = keys.expires.map_or_else(|| "without an end".to_owned(), |end| format!("until {}", written(end)));
    format!("of epoch {}, {expires}", keys.epoch)
}
