//! What is sent again, how often, after which pauses.

use std::time::Duration;

use blindrelay_client::{Error, Family};
use serde_json::json;

use crate::script::{self, DEAD, ID, Pauses, Service, Step, bytes, client, problem, reply, room};

fn lost() -> Step {
    Step::Answer(Vec::new())
}

fn cut() -> Step {
    let whole = reply("201 Created", "application/json", "", br#"{"batches": 3}"#);
    Step::Answer(whole[..whole.len() - 4].to_vec())
}

fn busy() -> Step {
    problem("503 Service Unavailable", "", "busy")
}

#[test]
fn a_batch_is_sent_until_the_service_confirms_it() {
    let begun = reply("201 Created", "application/json", "", br#"{"batches": 3}"#)[..60].to_vec();
    let service = Service::start(vec![
        problem("503 Service Unavailable", "retry-after: 7\r\n", "busy"),
        problem("429 Too Many Requests", "retry-after: 3600\r\n", "slow-down"),
        Step::Answer(reply("502 Bad Gateway", "text/html", "", b"<html>")),
        problem("504 Gateway Timeout", "", "late"),
        lost(),
        cut(),
        Step::Reset(begun),
        Step::Answer(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec()),
        script::json(&json!({ "batches": 3 })),
    ]);
    let pauses = Pauses::new();
    // More than the system would take on its own before somebody reads.
    let batch = vec![7; 1 << 16];
    let client = client(&service.url, &pauses).with_attempts(9);
    assert_eq!(client.append(Family::Meters, ID, &batch, "relay-7.1").unwrap(), 3);
    let arrived = service.finish();
    assert_eq!(arrived.len(), 9);
    for (number, request) in arrived.iter().enumerate() {
        assert_eq!(request.line, format!("POST /v1/meters/{ID}/batches"));
        assert_eq!(request.header("idempotency-key"), Some("relay-7.1"));
        assert!(number == 6 || request.body == batch, "attempt {number}");
    }
    let noted = pauses.noted();
    assert_eq!(noted.len(), 8);
    assert_eq!(noted[..2], [7, 60].map(Duration::from_secs));
    for (number, pause) in (0_u32..).zip(&noted).skip(2) {
        assert!(*pause <= Duration::from_millis(100 << number), "{pause:?} before repetition {number}");
    }
}

#[test]
fn a_service_that_is_down_is_tried_as_often_as_was_said() {
    let pauses = Pauses::new();
    let error = client(DEAD, &pauses).room(ID).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.is_retryable(), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{DEAD} did not answer (")), "{error}");
    assert_eq!(pauses.noted().len(), 3);
    client(DEAD, &pauses).with_attempts(1).room(ID).unwrap_err();
    assert_eq!(pauses.noted().len(), 3);
}

#[test]
fn what_makes_something_new_is_sent_once() {
    for make in [busy, lost, cut, || problem("429 Too Many Requests", "", "slow-down")] {
        let pauses = Pauses::new();
        let service = Service::start(vec![make(), make()]);
        let client = client(&service.url, &pauses);
        client.create_room("match-signs/1", None).unwrap_err();
        client.create_ledger(Family::Panels, "statistics/1", "{}", None).unwrap_err();
        let lines: Vec<String> = service.finish().into_iter().map(|request| request.line).collect();
        assert_eq!(lines, ["POST /v1/rooms", "POST /v1/panels"]);
        assert!(pauses.noted().is_empty());
    }
}

#[test]
fn other_refusals_are_final_and_keep_what_the_service_says() {
    for status in ["400 a", "401 a", "403 a", "404 a", "408 a", "409 a", "410 a", "413 a", "422 a", "500 a", "501 a"] {
        let pauses = Pauses::new();
        let service = Service::start(vec![problem(status, "retry-after: 5\r\n", "some-code")]);
        let error = client(&service.url, &pauses).room(ID).unwrap_err();
        let number: u16 = status[..3].parse().unwrap();
        assert_eq!((error.status(), error.code(), error.id()), (Some(number), Some("some-code"), Some("f00d")));
        assert_eq!((error.detail(), error.retry_after()), (Some("about some-code"), Some(Duration::from_secs(5))));
        assert_eq!((error.is_retryable(), error.leaves_doubt()), (false, number >= 500));
        assert_eq!(error.to_string(), format!("the service refused the request ({number}): about some-code (id f00d)"));
        assert_eq!((service.finish().len(), pauses.noted().len()), (1, 0));
    }
}

#[test]
fn the_deadline_ends_it_with_the_last_error() {
    let step = |code| problem("503 Service Unavailable", "retry-after: 2\r\n", code);
    let service = Service::start(vec![step("first"), step("second"), step("third")]);
    let pauses = Pauses::new();
    let client = script::builder(&service.url, &pauses).attempts(100).deadline(Duration::from_secs(5)).build().unwrap();
    let error = client.room(ID).unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(503), Some("third")));
    assert_eq!(pauses.noted(), [2, 2].map(Duration::from_secs));
    assert_eq!(service.finish().len(), 3);
}

#[test]
fn a_time_limit_is_not_spent_twice() {
    let service = Service::start(vec![Step::Hang]);
    let pauses = Pauses::new();
    let limit = Duration::from_millis(500);
    let client = script::builder(&service.url, &pauses).time_limit(limit).build().unwrap();
    let error = client.matching(ID, b"question", 100).unwrap_err();
    assert!(matches!(&error, Error::Timeout { limit: stated, .. } if *stated == limit), "{error:?}");
    assert!(error.leaves_doubt() && !error.is_retryable());
    assert_eq!((service.finish().len(), pauses.noted().len()), (1, 0));
}

#[test]
fn what_a_lost_attempt_removed_is_removed() {
    let gone = || problem("404 Not Found", "", "unknown-room");
    let service = Service::start(vec![lost(), gone(), gone(), busy(), gone()]);
    let client = client(&service.url, &Pauses::new());
    client.delete_room(ID).unwrap();
    assert_eq!(client.delete_room(ID).unwrap_err().status(), Some(404));
    assert_eq!(client.delete_room(ID).unwrap_err().status(), Some(404));
    assert_eq!(service.finish().len(), 5);
}

#[test]
fn an_attempt_without_a_reply_leaves_doubt_until_there_is_a_verdict() {
    let conflict = || problem("409 Conflict", "", "idempotency-conflict");
    for (steps, doubt) in [
        (vec![lost(), busy()], true),
        (vec![busy(), lost()], true),
        (vec![busy(), busy()], false),
        (vec![lost(), conflict()], false),
    ] {
        let service = Service::start(steps);
        let client = client(&service.url, &Pauses::new()).with_attempts(2);
        let error = client.append(Family::Panels, ID, b"batch", "name").unwrap_err();
        assert_eq!(error.leaves_doubt(), doubt, "{error:?}");
        assert_eq!(service.finish().len(), 2);
    }
}

#[test]
fn questions_and_reports_change_nothing_and_are_repeated() {
    let service =
        Service::start(vec![busy(), bytes(b"one"), busy(), bytes(b"two"), lost(), bytes(b"three"), busy(), room()]);
    let client = client(&service.url, &Pauses::new());
    assert_eq!(client.matching(ID, b"question", 9).unwrap(), b"one");
    assert_eq!(client.report(Family::Meters, ID, "{}", 9).unwrap(), b"two");
    assert_eq!(client.report_on(Family::Panels, ID, b"request", 9).unwrap(), b"three");
    assert_eq!(client.room(ID).unwrap().id, ID);
    assert_eq!(service.finish().len(), 8);
}
