//! Receipts that a service keeps.

use blindrelay_client::{Error, SourceChange};
use serde_json::json;

use crate::script::{ID, Pauses, Service, bytes, client, json, problem};

const RECEIPT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NEXT: &str = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn every_part_of_a_receipt_has_its_address() {
    let entry = |id: &str| json!({ "id": id, "operator": "o/1", "kind": "room", "collection": ID, "version": 3, "time": 5, "request_bytes": 7, "until": 9 });
    let added =
        json!({ "version": 1, "added": { "digest": NEXT, "bytes": 4, "handles": [ID], "group": 2, "place": 3 } });
    let service = Service::start(vec![
        json(&json!({ "receipts": [entry(RECEIPT)], "next": RECEIPT })),
        json(&json!({ "receipts": [entry(NEXT)], "next": null })),
        bytes(b"receipt"),
        bytes(b"request"),
        json(&json!({ "kind": "meter", "collection": ID, "version": 3, "operator": "o/1", "settings": "{}" })),
        json(&json!({ "changes": [added], "next": 1 })),
        json(&json!({ "changes": [{ "version": 4, "removed": ID }], "next": null })),
        bytes(b"record"),
        bytes(b"sums"),
        bytes(b"keys"),
    ]);
    let client = client(&service.url, &Pauses::new());
    let listed = client.receipts("2026-11-20").unwrap();
    assert_eq!((listed.len(), listed[1].id.as_str(), listed[0].version), (2, NEXT, 3));
    assert_eq!(client.receipt(RECEIPT).unwrap(), b"receipt");
    assert_eq!(client.receipt_request(RECEIPT, 10).unwrap(), b"request");
    assert_eq!(client.receipt_source(RECEIPT).unwrap().settings.as_deref(), Some("{}"));
    let handle = ID.parse().unwrap();
    let (digest, handles) = (NEXT.to_owned(), vec![handle]);
    let expected = [
        SourceChange::Added { version: 1, digest, bytes: 4, handles, group: 2, place: 3 },
        SourceChange::Removed { version: 4, handle },
    ];
    assert_eq!(client.receipt_changes(RECEIPT).unwrap(), expected);
    assert_eq!(client.receipt_record(RECEIPT, 1, 10).unwrap(), b"record");
    assert_eq!(client.receipt_sums(RECEIPT, 10).unwrap(), b"sums");
    assert_eq!(client.receipt_keys(RECEIPT, 10).unwrap(), b"keys");
    let arrived = service.so_far(Clone::clone);
    let lines: Vec<&str> = arrived.iter().map(|request| request.line.as_str()).collect();
    let of = format!("GET /v1/receipts/{RECEIPT}");
    let expected = format!(
        "GET /v1/receipts?day=2026-11-20&limit=1000
GET /v1/receipts?day=2026-11-20&limit=1000&after={RECEIPT}
{of}
{of}/request
{of}/source
{of}/changes?limit=1000&after=0
{of}/changes?limit=1000&after=1
{of}/records/1
{of}/sums
{of}/keys"
    );
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn lists_that_lead_nowhere_and_changes_that_are_none_are_refused() {
    let none = || json!({ "version": 1 });
    let service = Service::start(vec![
        json(&json!({ "changes": [], "next": 0 })),
        json(&json!({ "changes": [none()], "next": null })),
        json(&json!({ "changes": [{ "version": 1, "removed": "handle" }], "next": null })),
        problem("404 Not Found", "", "unknown-receipt"),
    ]);
    let client = client(&service.url, &Pauses::new());
    for _ in 0..3 {
        assert!(matches!(client.receipt_changes(RECEIPT), Err(Error::Foreign { .. })));
    }
    let unknown = client.receipt_sums(RECEIPT, 10).unwrap_err();
    assert_eq!(unknown.code(), Some("unknown-receipt"));
    for day in ["", "today", "2026-11-2", "2026/11/20", "2026-11-20&limit=1"] {
        assert!(matches!(client.receipts(day), Err(Error::Argument { .. })), "{day}");
    }
    assert!(matches!(client.receipt("../identity"), Err(Error::Argument { .. })));
}
