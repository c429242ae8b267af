//! What arrives at a service.

use std::cell::RefCell;

use blindrelay_client::{Client, Error, Family, KeyTerms};
use serde_json::json;

use crate::script::{self, ID, Pauses, Service, Step, bytes, client, json, problem, reply, room};

const OTHER: &str = "ffffffffffffffffffffffffffffffff";

#[test]
fn every_request_has_its_address() {
    let ledger = || json(&json!({ "id": ID, "operator": "o/1", "batches": 2, "bytes": 3, "settings": { "a": 1 } }));
    let none = || Step::Answer(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec());
    let handle = ID.parse().unwrap();
    let service = Service::start(vec![
        json(&json!({ "room": ID })),
        room(),
        json(&json!({ "handles": [ID] })),
        json(&json!({ "handles": [ID], "next": ID })),
        json(&json!({ "handles": [OTHER], "next": null })),
        none(),
        bytes(b"answer"),
        none(),
        ledger(),
        ledger(),
        json(&json!({ "panels": [{ "id": ID, "operator": "o/1", "batches": 2 }] })),
        json(&json!({ "batches": 4 })),
        json(&json!({ "batches": 5 })),
        none(),
    ]);
    let client = client(&service.url, &Pauses::new());
    assert_eq!(client.create_room("match-signs/1", Some("d1")).unwrap(), ID);
    assert_eq!(client.room(ID).unwrap().handles, 1);
    assert_eq!(client.enroll(ID, b"record", 1, "name").unwrap(), [handle]);
    assert_eq!(client.handles(ID).unwrap(), [handle, OTHER.parse().unwrap()]);
    client.remove(ID, handle).unwrap();
    assert_eq!(client.matching(ID, b"question", 10).unwrap(), b"answer");
    client.delete_room(ID).unwrap();
    assert_eq!(client.create_ledger(Family::Panels, "o/1", r#"{"a": 1}"#, Some("d2")).unwrap(), ID);
    assert_eq!(client.ledger(Family::Meters, ID).unwrap().settings, json!({ "a": 1 }));
    assert_eq!(client.ledgers(Family::Panels).unwrap()[0].batches, 2);
    assert_eq!(client.append(Family::Meters, ID, b"batch", "name").unwrap(), 4);
    assert_eq!(client.merge_ledgers(Family::Panels, OTHER, ID).unwrap(), 5);
    client.delete_ledger(Family::Panels, ID).unwrap();
    let arrived = service.so_far(Clone::clone);
    let lines: Vec<&str> = arrived.iter().map(|request| request.line.as_str()).collect();
    let expected = format!(
        "POST /v1/rooms
GET /v1/rooms/{ID}
POST /v1/rooms/{ID}/handles?count=1
GET /v1/rooms/{ID}/handles?limit=1000
GET /v1/rooms/{ID}/handles?limit=1000&after={ID}
DELETE /v1/rooms/{ID}/handles/{ID}
POST /v1/rooms/{ID}/match
DELETE /v1/rooms/{ID}
POST /v1/panels
GET /v1/meters/{ID}
GET /v1/panels?limit=1000
POST /v1/meters/{ID}/batches
POST /v1/panels/{ID}/merge
DELETE /v1/panels/{ID}"
    );
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());
    let sent = |number: usize| serde_json::from_slice::<serde_json::Value>(&arrived[number].body).unwrap();
    assert_eq!(sent(0), json!({ "operator": "match-signs/1", "evaluation_keys": "d1" }));
    assert_eq!(sent(8), json!({ "operator": "o/1", "settings": { "a": 1 }, "evaluation_keys": "d2" }));
    assert_eq!(sent(12), json!({ "from": OTHER }));
    assert_eq!(arrived[12].header("idempotency-key"), Some(format!("merge-{OTHER}").as_str()));
    assert_eq!(arrived[2].header("content-type"), Some("application/octet-stream"));
}

#[test]
fn keys_are_uploaded_in_view_of_an_observer() {
    let keys = vec![3; 100_000];
    let service = Service::start(vec![
        problem("503 a", "", "busy"),
        json(&json!({ "digest": "d1", "parameters": "p", "bytes": 100_000 })),
    ]);
    let seen = RefCell::new(Vec::new());
    let client = client(&service.url, &Pauses::new());
    let digest = "d1".repeat(32);
    let uploaded =
        client.upload_keys(&digest, &keys, KeyTerms::default(), |sent| seen.borrow_mut().push(sent)).unwrap();
    assert_eq!((uploaded.digest.as_str(), uploaded.epoch, uploaded.expires), ("d1", 0, None));
    let arrived = service.finish();
    assert!(arrived.iter().all(|request| request.body == keys && request.line == format!("PUT /v1/keys/{digest}")));
    let seen = seen.into_inner();
    assert_eq!(seen.iter().filter(|&&sent| sent == 0).count(), 2, "one beginning for each of two attempts");
    assert_eq!((seen[0], *seen.last().unwrap()), (0, 100_000));
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1] || pair == [100_000, 0]), "{seen:?}");
}

#[test]
fn the_key_and_the_name_of_the_program_travel_in_headers() {
    let service = Service::start(vec![room()]);
    let builder = script::builder(&service.url, &Pauses::new()).api_key("S3cret").user_agent("relay/1.4");
    assert!(!format!("{builder:?}").contains("S3cret"));
    let client = builder.build().unwrap();
    assert!(!format!("{client:?}").contains("S3cret"));
    client.room(ID).unwrap();
    let arrived = service.finish();
    assert_eq!(arrived[0].header("authorization"), Some("bearer s3cret"));
    let agent = format!("blindrelay-client/{} relay/1.4", env!("CARGO_PKG_VERSION"));
    assert_eq!(arrived[0].header("user-agent"), Some(agent.as_str()));
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is() {
    let builder = || Client::builder("http://127.0.0.1:1");
    for key in ["", "a b", "a\r\nx: y", "ü"] {
        assert!(matches!(builder().api_key(key).build(), Err(Error::ApiKey)), "{key:?}");
    }
    assert!(matches!(builder().user_agent("a\nb").build(), Err(Error::UserAgent { .. })));
    assert!(matches!(Client::builder("http://example.org").build(), Err(Error::PlainHttp { .. })));
    assert!(matches!(builder().node("http://example.org").build(), Err(Error::PlainHttp { .. })));
    assert!(Client::builder("http://example.org").allow_plain_http(true).build().is_ok());
    assert!(matches!(Client::builder("example.org").build(), Err(Error::Url { .. })));
    let client = builder().build().unwrap();
    for error in [
        client.room("../x").unwrap_err(),
        client.delete_ledger(Family::Meters, "0?a=b").unwrap_err(),
        client.append(Family::Meters, ID, b"batch", "a b").unwrap_err(),
        client.upload_keys("d1", b"keys", KeyTerms::default(), |_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Argument { .. }), "{error:?}");
    }
    let error = client.create_ledger(Family::Meters, "o/1", "{", None).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }), "{error:?}");
}

#[test]
fn a_problem_without_words_is_told_by_its_status() {
    let service = Service::start(vec![Step::Answer(reply("409 Conflict", "application/problem+json", "", b"{}"))]);
    let error = client(&service.url, &Pauses::new()).room(ID).unwrap_err();
    assert_eq!(error.to_string(), "the service refused the request (409): 409 Conflict");
    assert_eq!((error.code(), error.id()), (None, None));
}
