//! What is read as text: the project's own examples, and the golden files of receipts.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::Seed;

/// An invoice with everything that one can have; its seal is wrong.
const INVOICE: &str = r#"{"details":{"number":"2026-0042","issued":"2026-11-02","supplier":"Relay Operations\n1 Harbour Street","customer":"Tenant & Sons <Ltd>","note":""},"currency":"EUR","from":"2026-01-01","until":"2026-03-01","lines":[{"item":"Call","durations":{"shortest":1,"longest":60,"unit":"second"},"from":"2026-01-01","until":"2026-02-01","quantity":3600,"measured":"second","price":"0.0040","unit":"minute","amount":"0.24 EUR"}],"subtotals":[{"item":"Call","amount":"0.24 EUR"}],"total":"0.24 EUR","evidence":[{"from":"2026-01-01","until":"2026-02-01","batches":2,"opening":"ZERO","chain":"ZERO","usage":"ZERO","charge":"ZERO","rates":"ZERO"}],"seal":"ZERO"}"#;

/// A file of the project.
fn file(path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path))?)
}

/// Seeds that begin with the number of a decoder.
fn chosen(texts: impl IntoIterator<Item = (u8, &'static str, Vec<u8>)>) -> Vec<Seed> {
    let seed = |(choice, name, text): (u8, &str, Vec<u8>)| (name.to_owned(), [&[choice], text.as_slice()].concat());
    texts.into_iter().map(seed).collect()
}

pub(crate) fn billing() -> Result<Vec<Seed>, Box<dyn Error>> {
    let card = br#"{"currency":"EUR","items":[{"name":"Call","kind":"interval","unit":"minute","limit":86400,"weight":3,"prices":[{"from":"2026-01-01","price":"0.0040"},{"from":"2026-10-16","price":"0.0045"}]},{"name":"Data","unit":"gigabyte","measured":"byte","limit":1000000,"prices":[{"from":"2026-02-10","price":"0.09"}]}]}"#;
    Ok(chosen([
        (0, "card-toml", file("examples/rates.toml")?),
        (0, "tariff-toml", file("examples/tariff.toml")?),
        (1, "card-json", card.to_vec()),
        (2, "settings", card.to_vec()),
        (3, "invoice", INVOICE.replace("ZERO", &"0".repeat(64)).into_bytes()),
        (4, "report-request", br#"{"from":"2026-01-01","until":"2026-12-01"}"#.to_vec()),
        (5, "day", b"2026-02-28".to_vec()),
        (6, "decimal", b"12.0450".to_vec()),
        (7, "money", b"1204.50 EUR".to_vec()),
        (8, "currency", b"JPY".to_vec()),
    ]))
}

pub(crate) fn analytics() -> Vec<Seed> {
    let settings = [
        ("attention", r#"{"attention":{"slots":6}}"#),
        ("speaking", r#"{"speaking":{"participants":5,"limit_seconds":3600.0,"edges":[0.0,60.0,600.0]}}"#),
        ("durations", r#"{"durations":{"limit_seconds":14400.0,"edges":[0.0,300.0,900.0,3600.0],"calls":2}}"#),
        ("concurrency", r#"{"concurrency":{"buckets":24,"bucket_seconds":300.0}}"#),
        ("correlation", r#"{"correlation":{"pairs":3,"x_limit":1.0,"y_limit":120.5}}"#),
    ];
    let text = |collect: &str| {
        format!(r#"{{"collect":{collect},"minimum_contributions":5,"maximum_contributions":1000000}}"#).into_bytes()
    };
    settings.map(|(name, collect)| (name.to_owned(), text(collect))).to_vec()
}

pub(crate) fn trust() -> Result<Vec<Seed>, Box<dyn Error>> {
    let [alone, of_batch, revoked] = ["receipt", "receipt-of-batch", "receipt-of-revoked-key"]
        .map(|name| file(&format!("trust/tests/data/{name}.bin")));
    let (alone, digits) = (alone?, "0123456789abcdef".repeat(4).into_bytes());
    // What stands before how it was signed, which is one byte, and the signature.
    let unsigned = alone[..alone.len() - 1 - blindrelay_trust::SIGNATURE_BYTES].to_vec();
    Ok(chosen([
        (0, "receipt", unsigned),
        (1, "signed-receipt", alone),
        (1, "signed-receipt-of-batch", of_batch?),
        (1, "signed-receipt-of-revoked-key", revoked?),
        (2, "history", file("trust/tests/data/history.json")?),
        (3, "moment", b"2026-11-21T09:30:00.125Z".to_vec()),
        (4, "key", digits.clone()),
        (5, "receipt-id", digits.clone()),
        (6, "collection", digits[..32].to_vec()),
        (7, "digest", digits),
        (8, "operator", b"match-signs/1".to_vec()),
        (9, "software", b"0.1.0".to_vec()),
    ]))
}

pub(crate) fn configuration() -> Vec<Seed> {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let file = format!(
        "listen = \"0.0.0.0:443\"\nallow_plain_http = true\nadmin_key_sha256 = \"{}\"\n[[tenants]]\nname = \"acme\"\nkey_sha256 = \"{digest}\"\n\
         [limits]\nqueue_length = 7\nmax_body_bytes = 1000\n[telemetry]\nlisten = \"127.0.0.1:9437\"\nlog_format = \"json\"\n",
        "0".repeat(64)
    );
    let variables = format!(
        "{file}\0BLINDRELAY_LISTEN=127.0.0.1:80\nBLINDRELAY_LIMITS__QUEUE_LENGTH=8\nBLINDRELAY_TENANTS=[{{ name = \"b\", key_sha256 = \"{digest}\" }}]\nHOME=/"
    );
    vec![
        ("file".to_owned(), file.into_bytes()),
        ("variables".to_owned(), variables.into_bytes()),
        (
            "variables-alone".to_owned(),
            b"\0BLINDRELAY_TELEMETRY__LOG_FORMAT=text\nBLINDRELAY_ALLOW_PLAIN_HTTP=true".to_vec(),
        ),
    ]
}
