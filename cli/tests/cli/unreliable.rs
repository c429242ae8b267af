//! Services that are down, slow, wrong or hostile: a clear line, a non-zero exit code, and no file lost.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::tempdir;

use crate::command::{Service, run, run_with};

const ROOM: &str = "0123456789abcdef0123456789abcdef";

/// Reads one request, headers and body, and tells its first line. `None` where the other side has nothing more to say.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    head.lines().next().map(str::to_owned)
}

pub(crate) fn reply(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn room() -> Vec<u8> {
    let room = json!({ "room": ROOM, "operator": "match-signs/1", "handles": 1, "bytes": 1 });
    reply("200 OK", "application/json", room.to_string().as_bytes())
}

/// A service that answers with whatever `script` says to a request line; an empty reply closes the connection. Its thread ends with the process.
pub(crate) fn fake(script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let script = std::sync::Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, script) = (stream.unwrap(), std::sync::Arc::clone(&script));
            std::thread::spawn(move || {
                while let Some(line) = request(&mut stream) {
                    let answer = script(&line);
                    if answer.is_empty() || stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

fn find(at: &Path, url: &str, more: &[&str]) -> crate::command::Finished {
    let arguments = ["match", "--service", url, "--room", ROOM, "--key", "room.key", "--identity", "Ada"];
    run(at, &[&arguments[..], more].concat())
}

#[test]
fn a_service_that_is_down_is_named() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen"]).ok();
    let before = fs::read(at.join("room.key")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    find(at, &url, &[]).failed(1, &[&url, "did not answer", "blindrelay serve"]);
    run(at, &["room", "create", "--service", &url, "--key", "room.key"]).failed(1, &[&url]);
    let enrol = ["enroll", "--service", &url, "--room", ROOM, "--key", "room.key", "--identity", "Ada"];
    run(at, &enrol).failed(1, &[&url]);
    assert_eq!(fs::read(at.join("room.key")).unwrap(), before);
    run(at, &["match", "--service", "http://example.invalid", "--room", ROOM, "--key", "room.key", "--identity", "A"])
        .failed(2, &["without TLS", "https://", "--plain-http"]);
    run(at, &["room", "show", "--service", "example.invalid", "--room", ROOM]).failed(2, &["http://"]);
    assert_eq!(run(at, &["room", "show", "--service", &url, "--room", "../x"]).code, Some(2));
}

#[test]
fn the_next_node_answers_for_one_that_is_down() {
    let directory = tempdir().unwrap();
    let url = fake(|_| room());
    // Nobody listens on port 1 (tcpmux).
    let both = format!("http://127.0.0.1:1,{url}");
    let shown = run(directory.path(), &["--json", "room", "show", "--service", &both, "--room", ROOM]).ok().json();
    assert_eq!(shown["room"], ROOM);
    let odd = format!("{url},http://example.invalid");
    run(directory.path(), &["room", "show", "--service", &odd, "--room", ROOM]).failed(2, &["example.invalid"]);
}

#[test]
fn root_certificates_come_from_a_file_or_its_name_in_the_environment() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("ca.pem"), "rubbish").unwrap();
    let show = ["room", "show", "--service", "https://127.0.0.1:1", "--room", ROOM];
    let with = |file| run(at, &[&show[..], &["--ca-file", file]].concat());
    with("ca.pem").failed(2, &["no certificate", "--ca-file"]);
    with("missing.pem").failed(2, &["missing.pem"]);
    run_with(at, &show, &[("BLINDRELAY_CA_FILE", "ca.pem")]).failed(2, &["no certificate"]);
}

#[test]
fn rubbish_is_refused_in_words() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen"]).ok();
    let bytes = "application/octet-stream";
    let problem = |detail: &str| json!({ "detail": detail, "code": "x", "title": "t" }).to_string();
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (reply("200 OK", bytes, b"rubbish"), &["not an answer of this operator", "connect nobody"]),
        (reply("200 OK", bytes, b""), &["not an answer of this operator"]),
        (reply("200 OK", bytes, &[b"BRLY\x01\x06".as_slice(), &[0; 60]].concat()), &["not an answer of this operator"]),
        (reply("200 OK", "text/html", b"<html>"), &["content type 'text/html'"]),
        (reply("200 OK", "application/json", b"{}"), &["content type 'application/json'"]),
        (reply("404 Not Found", "text/html", b"<html>"), &["not of the blindrelay API", "404"]),
        (reply("302 Found", "text/html", b""), &["not of the blindrelay API", "302"]),
        (
            reply("422 Unprocessable", "application/problem+json", problem("a sentence").as_bytes()),
            &["422", "a sentence"],
        ),
        (
            reply("500 Internal Server Error", "application/problem+json", problem("a\u{1b}[2J\nb").as_bytes()),
            &["500", "a\\u{1b}[2J\\nb"],
        ),
        (reply("500 Internal Server Error", "application/problem+json", b"{"), &["not of the blindrelay API"]),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec(), &["error: "]),
        (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 100\r\n\r\nshort".to_vec(),
            &["error: "],
        ),
    ];
    for (answer, words) in cases {
        let cut = answer.ends_with(b"short");
        let url = fake(move |line| if line.starts_with("GET") { room() } else { answer.clone() });
        let finished = find(at, &url, if cut { &["--timeout", "1"] } else { &[] });
        finished.failed(1, words);
        assert!(finished.out.is_empty(), "{finished:?}");
    }
    let url = fake(|_| reply("200 OK", "application/json", b"[1"));
    find(at, &url, &[]).failed(1, &["JSON"]);
}

#[test]
fn an_answer_to_another_question_is_not_opened() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    run(at, &["keygen"]).ok();
    let id = run(at, &["room", "create", "--service", &service.url]).ok().out.trim().to_owned();
    run(at, &["enroll", "--service", &service.url, "--room", &id, "--key", "room.key", "--identity", "Ada"]).ok();
    // A proxy that keeps the first answer and gives it to whoever asks next.
    let behind = service.url.strip_prefix("http://").unwrap().to_owned();
    let kept = std::sync::Mutex::new(Vec::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut kept = kept.lock().unwrap();
            while let Some((asks, bytes)) = raw_request(&mut stream) {
                if asks && !kept.is_empty() {
                    stream.write_all(&kept).unwrap();
                    continue;
                }
                let mut onward = TcpStream::connect(&behind).unwrap();
                onward.write_all(&bytes).unwrap();
                let answer = raw_response(&mut onward);
                if asks {
                    kept.clone_from(&answer);
                }
                stream.write_all(&answer).unwrap();
            }
        }
    });
    let find = ["match", "--service", &url, "--room", &id, "--key", "room.key", "--identity", "Ada"];
    run(at, &find).ok();
    run(at, &find).failed(1, &["belongs to another request", "connect nobody"]);
}

/// A whole message, with its first line.
fn raw_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes.clone()).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some((head.lines().next()?.to_owned(), bytes))
}

fn raw_request(stream: &mut TcpStream) -> Option<(bool, Vec<u8>)> {
    raw_message(stream).map(|(line, bytes)| (line.contains("/match"), bytes))
}

fn raw_response(stream: &mut TcpStream) -> Vec<u8> {
    raw_message(stream).unwrap().1
}

#[test]
fn a_service_that_hangs_is_left_in_time() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen"]).ok();
    let url = fake(|line| {
        if line.starts_with("GET") {
            return room();
        }
        std::thread::sleep(Duration::from_secs(30));
        Vec::new()
    });
    let start = Instant::now();
    find(at, &url, &["--timeout", "0.5"]).failed(1, &["did not answer within 0.5 s", "--timeout"]);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(find(at, &url, &["--timeout", "0"]).code, Some(2));
    assert_eq!(find(at, &url, &["--timeout", "NaN"]).code, Some(2));
}

#[test]
fn a_service_that_closes_leaves_a_list_of_who_is_enrolled_and_who_is_not() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen"]).ok();
    let names: Vec<String> = (0..40).map(|number| format!("Member {number:02}")).collect();
    fs::write(at.join("names.txt"), names.join("\n")).unwrap();
    // The first record is enrolled; after it the connection is closed without an answer.
    let left = std::sync::atomic::AtomicUsize::new(1);
    let url = fake(move |line| {
        if line.starts_with("GET") {
            return room();
        }
        if left.swap(0, std::sync::atomic::Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let handles: Vec<String> = (0..16).map(|number| format!("{number:032x}")).collect();
        reply("201 Created", "application/json", json!({ "handles": handles }).to_string().as_bytes())
    });
    let enrol = ["enroll", "--service", &url, "--room", ROOM, "--key", "room.key", "--identities", "names.txt"];
    let finished = run(at, &[&enrol[..], &["--receipts", "receipts.txt"]].concat());
    finished.failed(1, &["16 of 40", "again"]);
    assert_eq!(finished.out.lines().count(), 16, "{finished:?}");
    assert!(finished.out.contains("Member 15") && !finished.out.contains("Member 16"), "{finished:?}");
    let (unknown, remaining) = finished.err.split_once("these were not enrolled").unwrap();
    assert!(unknown.contains("not known") && unknown.contains("Member 16") && unknown.contains("Member 31"));
    assert!(remaining.contains("Member 32") && remaining.contains("Member 39") && !remaining.contains("Member 31"));
    let receipts = fs::read_to_string(at.join("receipts.txt")).unwrap();
    assert_eq!(receipts.lines().count(), 16);
    let report = run(at, &[&enrol[..], &["--receipts", "receipts.txt", "--json"]].concat());
    assert_eq!(report.code, Some(1));
    let report = report.json();
    assert_eq!((report["skipped"].as_u64(), report["unknown"].as_array().unwrap().len()), (Some(16), 16));
}
