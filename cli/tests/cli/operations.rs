//! What whoever runs a service is told of its configuration.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tempfile::tempdir;

use crate::command::{Service, run, run_with};

#[test]
fn variables_stand_over_the_file_and_what_is_in_force_is_told() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let digest = "0123456789abcdef".repeat(4);
    let file = format!(
        "listen = \"127.0.0.1:9000\"\nadmin_key_sha256 = \"{digest}\"\n[limits]\nqueue_length = 5\nconnections = 9\n"
    );
    fs::write(at.join("service.toml"), file).unwrap();
    let check = ["serve", "--config", "service.toml", "--check-config"];
    let variables = [
        ("BLINDRELAY_LIMITS__QUEUE_LENGTH", "7"),
        ("BLINDRELAY_TELEMETRY__LISTEN", "127.0.0.1:9437"),
        ("BLINDRELAY_TELEMETRY__LOG_FORMAT", "json"),
        ("BLINDRELAY_API_KEY", "a key of another command"),
        ("BLINDRELAY_SERVICE", "http://127.0.0.1:8437"),
    ];
    let told = run_with(at, &[&check[..], &["--json"]].concat(), &variables).ok().json();
    assert_eq!(told["listen"], "127.0.0.1:9000");
    let limits = &told["in_force"]["limits"];
    assert_eq!((&limits["queue_length"], &limits["connections"]), (&7.into(), &9.into()));
    assert_eq!(told["in_force"]["telemetry"]["listen"], "127.0.0.1:9437");
    assert_eq!(told["in_force"]["telemetry"]["log_format"], "json");
    assert!(!told.to_string().contains(&digest), "{told}");

    // What people read is a configuration file again, but for what is left out.
    let text = run_with(at, &check, &variables).ok().out;
    let (summary, in_force) = text.split_once("\n\n").unwrap();
    assert!(summary.contains("127.0.0.1:9000") && !in_force.contains(&digest), "{text}");
    let in_force = in_force.replace("admin_key_sha256 = \"left out\"\n", "");
    fs::write(at.join("again.toml"), in_force).unwrap();
    let again = run(at, &["serve", "--config", "again.toml", "--check-config", "--json"]).ok().json();
    assert_eq!(again["in_force"]["limits"], told["in_force"]["limits"]);

    let refused = |name, text, words| run_with(at, &check, &[(name, text)]).failed(2, &[name, words]);
    refused("BLINDRELAY_LIMITS__QUEUE_LENGHT", "7", "unknown field");
    refused("BLINDRELAY_LIMITS__QUEUE_LENGTH", "seven", "whole number");
    refused("BLINDRELAY_LISEN", "127.0.0.1:1", "unknown field");
    run_with(at, &check, &[("BLINDRELAY_TELEMETRY__LISTEN", "0.0.0.0:9437")])
        .failed(2, &["telemetry.allow_any_address"]);
    run_with(at, &check, &[("BLINDRELAY_TELEMETRY__TRACES__SHARE", "2")]).failed(2, &["share is 2, not from 0 to 1"]);
}

/// A collector's address, and what it was sent.
fn collector() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut read, mut piece) = (stream.unwrap(), Vec::new(), [0; 4096]);
            // The service closes the connection when it ends, after the last answer.
            while let Ok(bytes @ 1..) = stream.read(&mut piece) {
                read.extend_from_slice(&piece[..bytes]);
                let head = read.windows(4).position(|window| window == b"\r\n\r\n");
                let length = head.and_then(|head| {
                    let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
                    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                    Some(head + 4 + length?.parse::<usize>().ok()?)
                });
                if length.is_some_and(|length| read.len() >= length) {
                    sender.send(std::mem::take(&mut read)).unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            }
        }
    });
    (address, receiver)
}

#[cfg(unix)]
#[test]
fn what_the_last_requests_did_is_traced_before_the_service_ends() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let (address, received) = collector();
    let file = format!("[telemetry.traces]\nendpoint = \"http://{address}/v1/traces\"\n");
    fs::write(at.join("service.toml"), file).unwrap();
    let service = Service::start_durable_with(at, &["--config", "service.toml"]);
    run(at, &["keygen"]).ok();
    let room = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out;
    let asked = ["--service", &service.url, "--room", room.trim(), "--key", "room.key", "--identity", "Ada"];
    run(at, &[&["enroll"], &asked[..]].concat()).ok();
    run(at, &[&["match"], &asked[..]].concat()).ok();
    assert_eq!(service.terminate(), Some(0));
    let sent = received.try_iter().collect::<Vec<_>>().concat();
    for name in
        ["POST /v1/rooms/{room}/match", "receive", "wait", "compute", "read rows", "change rows", "write a blob"]
    {
        assert!(sent.windows(name.len()).any(|window| window == name.as_bytes()), "'{name}' was not sent");
    }
}
