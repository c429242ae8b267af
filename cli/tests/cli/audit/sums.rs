//! Charges and statistics, whose receipts are asked for by a program.

use std::fs;

use blindrelay_analytics::{Plan, Settings};
use blindrelay_client::Family;
use blindrelay_engine::Backend;
use blindrelay_engine::ckks::Context;
use blindrelay_engine::params::{Parameters, STATS_8192, preset};
use blindrelay_trust::SignedReceipt;
use tempfile::tempdir;

use super::liar::Liar;
use super::{audit, client};
use crate::command::{Service, run};
use crate::panels::Hosted;

#[test]
fn charges_come_out_again_after_more_usage() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    run(at, &["sample", "keys", "--dir", "keys"]).ok();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for name in ["usage.csv", "rates.toml"] {
        fs::copy(examples.join(name), at.join(name)).unwrap();
    }
    let count = ["meter", "usage.csv", "--rates", "rates.toml", "--keys", "keys", "--service", &service.url, "--json"];
    let metered = run(at, &count).ok().json();
    let meter = metered["meters"][0]["meter"].as_str().unwrap().to_owned();
    let api = client(&service.url);
    let request = br#"{"from":"2026-11-01","until":"2026-11-30"}"#;
    let receipted = api.report_with_receipt(Family::Meters, &meter, request, 1 << 24).unwrap();
    let signed = SignedReceipt::from_bytes(&receipted.receipt).unwrap();
    assert_ne!(signed.receipt().collection.version, 0);
    // Another meter of the same rates takes its place in the sums.
    let other = api.create_ledger(
        Family::Meters,
        "charge/1",
        &api.ledger(Family::Meters, &meter).unwrap().settings.to_string(),
        None,
    );
    api.merge_ledgers(Family::Meters, &other.unwrap(), &meter).unwrap();
    let exact = |id: &str| {
        let audited = audit(at, &service.url, &[id, "--json"]).ok().json();
        assert_eq!((&audited["operator"], &audited["verdict"]), (&"charge/1".into(), &"bit-exact".into()));
    };
    exact(&signed.id().to_string());
    let dearer = Liar::start(&service.url, &[], |path, body| {
        if path.ends_with("/source") {
            *body = String::from_utf8(std::mem::take(body)).unwrap().replace("0.0045", "0.0054").into_bytes();
        }
    });
    let differs = audit(at, &dearer.url, &[&signed.id().to_string()]);
    assert_eq!(differs.code, Some(4), "other prices: {differs:?}");
    api.delete_ledger(Family::Meters, &meter).unwrap();
    exact(&signed.id().to_string());
}

#[test]
fn a_report_of_statistics_comes_out_again() {
    let hosted = Hosted::new();
    let panel = hosted.create("attention.toml");
    hosted.contribute(&panel, "attention.csv").ok();
    let context = Context::new(&Parameters::new(preset(STATS_8192).unwrap(), Backend::detect()).unwrap()).unwrap();
    let api = client(hosted.url());
    let settings = api.ledger(Family::Panels, &panel).unwrap().settings.to_string();
    let plan = Plan::new(&Settings::from_json(&settings).unwrap(), &context).unwrap();
    let request = plan.request(&[7; 16]).unwrap();
    let receipted = api.report_with_receipt(Family::Panels, &panel, &request, 1 << 24).unwrap();
    let signed = SignedReceipt::from_bytes(&receipted.receipt).unwrap();
    let keys = signed.receipt().evaluation_keys.unwrap().to_string();
    api.revoke_keys(&keys).unwrap();
    api.delete_ledger(Family::Panels, &panel).unwrap();
    api.delete_keys(&keys).unwrap();
    let audited = hosted.command(&["audit", &signed.id().to_string()]).ok();
    assert!(audited.out.contains("of statistics/1: bit-exact"), "{audited:?}");
}
