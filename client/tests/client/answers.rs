//! Answers that are not what was asked for.

use blindrelay_client::{Client, Error, Family};
use serde_json::json;

use crate::script::{ID, Pauses, Service, Step, bytes, client, json, reply, room};

/// What a client makes of one answer, to which there is no second attempt.
fn refused<T>(step: Step, ask: impl FnOnce(&Client) -> Result<T, Error>) -> Error {
    let service = Service::start(vec![step]);
    let pauses = Pauses::new();
    let Err(error) = ask(&client(&service.url, &pauses)) else { panic!("the answer was taken") };
    assert_eq!((service.finish().len(), pauses.noted().len()), (1, 0), "{error}");
    error
}

fn words(error: &Error, words: &str) {
    assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.is_retryable());
}

#[test]
fn an_answer_has_the_length_that_was_asked_for_or_less() {
    let service = Service::start(vec![bytes(&[1; 100])]);
    assert_eq!(client(&service.url, &Pauses::new()).matching(ID, b"question", 100).unwrap(), [1; 100]);
    let chunked = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let piece = [format!("{:x}\r\n", 64).as_bytes(), &[1; 64], b"\r\n"].concat();
    let chunked = [chunked.as_bytes(), &piece, &piece, b"0\r\n\r\n"].concat();
    let service = Service::start(vec![Step::Answer(chunked.clone())]);
    assert_eq!(client(&service.url, &Pauses::new()).matching(ID, b"question", 128).unwrap(), [1; 128]);
    for step in [bytes(&[1; 128]), Step::Answer(chunked)] {
        words(&refused(step, |client| client.matching(ID, b"question", 127)), "more than 127 bytes");
    }
}

#[test]
fn redirections_are_not_followed() {
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        // Whoever came here would find what was asked for.
        let elsewhere = Service::start(vec![room()]);
        let location = format!("location: {}/v1/rooms/{ID}\r\n", elsewhere.url);
        for content in ["text/html", "application/problem+json"] {
            let step = Step::Answer(reply(status, content, &location, b"{}"));
            words(&refused(step, |client| client.room(ID)), status);
        }
        assert!(elsewhere.so_far(Vec::is_empty), "{status} was followed");
    }
}

#[test]
fn other_contents_are_refused() {
    let html = || Step::Answer(reply("200 OK", "text/html", "", b"<html>"));
    words(&refused(html(), |client| client.room(ID)), "content type 'text/html' instead of application/json");
    words(&refused(room(), |client| client.matching(ID, b"question", 100)), "instead of application/octet-stream");
    words(&refused(bytes(b"{}"), |client| client.room(ID)), "content type 'application/octet-stream'");
    let error = refused(Step::Answer(reply("404 Not Found", "text/html", "", b"")), |client| client.room(ID));
    words(&error, "status 404 Not Found, content type 'text/html'");
    assert_eq!(error.status(), Some(404));
    let charset = reply("200 OK", "Application/JSON; charset=utf-8", "", br#"{"batches": 1}"#);
    let service = Service::start(vec![Step::Answer(charset)]);
    assert_eq!(client(&service.url, &Pauses::new()).merge_ledgers(Family::Meters, ID, ID).unwrap(), 1);
}

#[test]
fn json_that_says_something_else_is_refused() {
    words(&refused(Step::Answer(reply("200 OK", "application/json", "", b"[1")), |client| client.room(ID)), "JSON");
    let problem = Step::Answer(reply("422 a", "application/problem+json", "", b"{"));
    words(&refused(problem, |client| client.room(ID)), "status 422");
    let other = json(&json!({ "room": "../x" }));
    words(&refused(other, |client| client.create_room("o/1", None)), "not 32 hexadecimal digits");
    let other = json(&json!({ "id": "1", "operator": "o/1", "batches": 0, "settings": {} }));
    words(&refused(other, |client| client.create_ledger(Family::Meters, "o/1", "{}", None)), "not 32 hexadecimal");
    let one = || json(&json!({ "handles": [ID] }));
    words(&refused(one(), |client| client.enroll(ID, b"record", 2, "name")), "1 handles for 2 values");
    let odd = json(&json!({ "handles": ["x"] }));
    words(&refused(odd, |client| client.enroll(ID, b"record", 1, "name")), "hexadecimal");
}

#[test]
fn lists_that_do_not_end_are_left() {
    words(&refused(json(&json!({ "handles": [], "next": ID })), |client| client.handles(ID)), "does not end");
    let endless = json(&json!({ "meters": [], "next": ID }));
    words(&refused(endless, |client| client.ledgers(Family::Meters)), "does not end");
    let page = || json(&json!({ "handles": [ID], "next": ID }));
    let service = Service::start(vec![page(), page()]);
    words(&client(&service.url, &Pauses::new()).handles(ID).unwrap_err(), "does not end");
    assert_eq!(service.finish().len(), 2);
}

#[test]
fn a_message_moves_no_cursor() {
    let body = json!({ "detail": "a\u{1b}[2J\nb\u{202e}c", "code": "\u{7}", "id": "\r" }).to_string();
    let step = Step::Answer(reply("500 a", "application/problem+json", "", body.as_bytes()));
    let error = refused(step, |client| client.room(ID));
    assert_eq!(error.detail(), Some("a\\u{1b}[2J\\nb\\u{202e}c"));
    assert_eq!((error.code(), error.id()), (Some("\\u{7}"), Some("\\r")));
    assert_eq!(error.to_string(), "the service refused the request (500): a\\u{1b}[2J\\nb\\u{202e}c (id \\r)");
}
