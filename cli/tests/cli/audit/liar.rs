//! Somebody between an auditor and a service who changes what the service says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Changes the body of an answer, given the path of the request.
type Change = dyn Fn(&str, &mut Vec<u8>) + Send + Sync;

pub(super) struct Liar {
    pub(super) url: String,
}

impl Liar {
    /// Passes `GET` requests on, with the first name of each pair replaced by the second, and answers with bodies that `change` has had. Runs until the process ends.
    pub(super) fn start(
        service: &str,
        names: &[(String, String)],
        change: impl Fn(&str, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (target, names) = (service.trim_start_matches("http://").to_owned(), names.to_vec());
        let change: Arc<Change> = Arc::new(change);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (target, names, change) = (target.clone(), names.clone(), Arc::clone(&change));
                thread::spawn(move || pass(stream.unwrap(), &target, &names, change.as_ref()));
            }
        });
        Self { url }
    }
}

fn pass(mut client: TcpStream, target: &str, names: &[(String, String)], change: &Change) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let mut head = String::from_utf8(head).unwrap();
    for (from, to) in names {
        head = head.replace(from, to);
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let mut service = TcpStream::connect(target).unwrap();
    let head = format!("{}connection: close\r\n\r\n", head.trim_end_matches("\r\n").to_owned() + "\r\n");
    service.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    service.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let mut body = answer.split_off(end);
    let before = body.len();
    change(&path, &mut body);
    assert_eq!(body.len(), before, "the length is in the head");
    answer.extend(body);
    let _ = client.write_all(&answer);
}
