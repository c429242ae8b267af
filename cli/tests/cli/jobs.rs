//! Jobs, and the end of the service that works on them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::command::{Finished, Service, run};

/// A job command of the service.
fn job(at: &Path, service: &Service, command: &[&str]) -> Finished {
    run(at, &[&["job"], command, &["--service", &service.url, "--json"]].concat())
}

#[test]
fn reports_of_all_meters_outlive_the_service() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let example = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    for name in ["usage.csv", "rates.toml"] {
        fs::copy(example(name), at.join(name)).unwrap();
    }
    run(at, &["sample", "keys", "--dir", "keys"]).ok();
    let service = Service::start_durable(at);
    run(at, &["meter", "usage.csv", "--rates", "rates.toml", "--keys", "keys", "--service", &service.url]).ok();
    fs::write(at.join("request.json"), r#"{"from":"2026-11-01","until":"2026-12-01"}"#).unwrap();
    let asked = ["report", "--meters", "charge/1", "--request", "request.json", "--name", "2026-11"];
    let made = job(at, &service, &asked).ok().json();
    let id = made["job"].as_str().unwrap();
    service.kill();

    let service = Service::start_durable(at);
    // The same request under the same name is the same job.
    assert_eq!(job(at, &service, &asked).ok().json()["job"], id);
    let told = job(at, &service, &["show", id, "--wait"]).ok().json();
    assert_eq!((&told["state"], &told["parts"], &told["answered"]), (&"finished".into(), &3.into(), &3.into()));
    let fetched = job(at, &service, &["fetch", id, "--folder", "reports"]).ok().json();
    let parts = fetched["parts"].as_array().unwrap();
    let length = |part: &Value| {
        let path = at.join("reports").join(format!("{}.answer", part["subject"].as_str().unwrap()));
        fs::metadata(path).unwrap().len()
    };
    assert!(parts.iter().all(|part| part["bytes"] == length(part) && part["problem"].is_null()), "{parts:?}");
    assert_eq!(job(at, &service, &["list"]).ok().json().as_array().unwrap().len(), 1);
    job(at, &service, &["delete", id]).ok();
    job(at, &service, &["show", id]).failed(1, &["404", "no such job"]);
    assert_eq!(run(at, &["job", "report", "--service", &service.url]).code, Some(2));

    let receipted = job(at, &service, &["report", "--meters", "charge/1", "--receipts", "--wait"]).ok().json();
    let fetched = job(at, &service, &["fetch", receipted["job"].as_str().unwrap(), "--folder", "refused"]).ok().json();
    assert_eq!(fetched["job"]["refused"], 3, "charge/1 needs to be asked for something");
    assert_eq!(fetched["parts"][0]["problem"]["code"], "unfit-request");
}
