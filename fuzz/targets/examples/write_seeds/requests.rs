//! Requests to every route, and the answers to them that a client reads.

use blindrelay_fuzz_targets::client::{REQUESTS, framed};

use crate::Seed;

/// Requests to a service that asks no key, all of which succeed.
const OPEN: &[(&str, &str)] = &[
    (
        "descriptions",
        "GET /v1/parameters\nif-none-match: \"0\", W/\"1\"\n\n\n=====\nGET /v1/operators\n\n\n=====\nGET /v1/operators/charge/1\n\n\n=====\nHEAD /v1/openapi.json\n\n\n=====\nGET /v1/identity\n\n",
    ),
    ("health", "GET /v1/health/live\n\n\n=====\nGET /v1/health/ready\n\n"),
    (
        "keys",
        "PUT /v1/keys/{keys}?epoch=3&expires=4102444800000\ncontent-type: application/octet-stream\n\n{evaluation-keys}\n=====\nGET /v1/keys/{keys}\n\n\n=====\nPOST /v1/rooms\n\n{\"operator\":\"match-signs/1\",\"evaluation_keys\":\"{keys}\"}\n=====\nPOST /v1/keys/{keys}/revoke\n\n",
    ),
    ("unused-keys", "PUT /v1/keys/{keys}\n\n{evaluation-keys}\n=====\nDELETE /v1/keys/{keys}\n\n"),
    (
        "room",
        "POST /v1/rooms\ncontent-type: application/json\n\n{\"operator\":\"match-signs/1\"}\n=====\nGET /v1/rooms/{room}\n\n\n=====\nDELETE /v1/rooms/{room}\n\n",
    ),
    (
        "handles",
        "POST /v1/rooms/{room}/handles?count=1\nidempotency-key: record-1\n\n{record}\n=====\nGET /v1/rooms/{room}/handles?limit=1&after={handle}\n\n\n=====\nDELETE /v1/rooms/{room}/handles/{handle}\n\n",
    ),
    (
        "match",
        "POST /v1/rooms/{room}/match\n\n{probe}\n=====\nPOST /v1/rooms/{room}/match\naccept: application/vnd.blindrelay.receipted\n\n{probe}",
    ),
    (
        "meter",
        "POST /v1/meters/{meter}/batches\nidempotency-key: batch.1\n\n{batch}\n=====\nPOST /v1/meters/{meter}/report\n\n{\"from\":\"2026-10-01\",\"until\":\"2026-11-01\"}\n=====\nGET /v1/meters\n\n\n=====\nGET /v1/meters/{meter}\n\n",
    ),
    (
        "new-meter",
        "POST /v1/meters\n\n{\"operator\":\"charge/1\",\"settings\":{\"currency\":\"EUR\",\"items\":[{\"name\":\"Data\",\"unit\":\"gigabyte\",\"measured\":\"byte\",\"limit\":1000000,\"prices\":[{\"from\":\"2026-02-10\",\"price\":\"0.09\"}]}]}}\n=====\nDELETE /v1/meters/{meter}\n\n",
    ),
    (
        "panel",
        "POST /v1/panels/{panel}/batches\nidempotency-key: c-1\n\n{contribution}\n=====\nPOST /v1/panels/{panel}/report\n\n{request}\n=====\nGET /v1/panels?limit=2\n\n\n=====\nDELETE /v1/panels/{panel}\n\n",
    ),
    (
        "new-panel",
        "POST /v1/panels\n\n{\"operator\":\"statistics/1\",\"settings\":{\"collect\":{\"attention\":{\"slots\":2}},\"minimum_contributions\":1}}",
    ),
    (
        "jobs",
        "POST /v1/rooms/{room}/match/jobs\nidempotency-key: job-1\n\n{probe}\n=====\nGET /v1/jobs?limit=1\n\n\n=====\nGET /v1/jobs/{job}\n\n\n=====\nGET /v1/jobs/{job}/answers?limit=5\n\n\n=====\nPOST /v1/meters/jobs?operator=charge/1\nidempotency-key: job-2\n\n{\"from\":\"2026-10-01\",\"until\":\"2026-11-01\"}\n=====\nDELETE /v1/jobs/{job}\n\n",
    ),
    (
        "tenant",
        "PUT /v1/tenants/beta\n\n{\"suspended\":false,\"limits\":{\"bytes\":1000}}\n=====\nGET /v1/tenants\n\n\n=====\nGET /v1/tenants/beta\n\n",
    ),
    ("api-key", "POST /v1/api-keys\n\n{\"role\":\"admin\",\"label\":\"first\"}"),
];

/// Requests to a service that asks for keys.
const KEYED: &[(&str, &str)] = &[(
    "roles",
    "PUT /v1/tenants/beta\nauthorization: Bearer admin\n\n\n=====\nPOST /v1/api-keys\nauthorization: Bearer admin\n\n{\"role\":\"relay\",\"tenant\":\"beta\",\"label\":\"x\",\"expires\":4102444800000}\n=====\nGET /v1/api-keys?tenant=beta\nauthorization: Bearer admin\n\n\n=====\nGET /v1/rooms/{room}\nauthorization: Bearer tenant\n\n",
)];

pub(crate) fn http() -> Vec<Seed> {
    let seed =
        |choice: u8| move |&(name, text): &(&str, &str)| (name.to_owned(), [&[choice], text.as_bytes()].concat());
    OPEN.iter().map(seed(b'0')).chain(KEYED.iter().map(seed(b'1'))).collect()
}

/// Bodies of answers, by the name of the request.
fn body(name: &str) -> Vec<u8> {
    const ID: &str = "00112233445566778899aabbccddeeff";
    let keys = r#"{"digest":"0","parameters":"match-2048","bytes":31000,"relinearization":true,"galois_elements":[3,5],"epoch":1,"expires":4102444800000,"revoked":null}"#;
    let key = format!(
        r#"{{"id":"{ID}","role":"admin","tenant":null,"label":"x","created":1,"expires":null,"revoked":null,"key":"br1-0"}}"#
    );
    let tenant = r#"{"name":"acme","created":1,"suspended":null,"stored_bytes":5,"limits":{"rooms":null,"bytes":1}}"#;
    let ledger = format!(
        r#"{{"id":"{ID}","operator":"charge/1","parameters":"bill-8192","batches":3,"bytes":9,"settings":{{}}}}"#
    );
    let text = match name {
        "room" => {
            r#"{"room":"0","operator":"match-signs/1","parameters":"match-2048","handles":2,"bytes":21136}"#.to_owned()
        }
        "new-room" => format!(r#"{{"room":"{ID}"}}"#),
        "enrolment" => format!(r#"{{"handles":["{ID}"]}}"#),
        "handles" => format!(r#"{{"handles":["{ID}"],"next":null}}"#),
        "match-with-receipt" => "\u{3}\0\0\0abcanswer".to_owned(),
        "keys" | "new-keys" => keys.to_owned(),
        "ledger" => ledger,
        "ledgers" => format!(r#"{{"panels":[{ledger}]}}"#),
        "batch" => r#"{"batches":4}"#.to_owned(),
        "tenants" => format!(r#"{{"tenants":[{tenant}]}}"#),
        "tenant" => tenant.to_owned(),
        "api-keys" => format!(r#"{{"api_keys":[{key}]}}"#),
        "new-api-key" => key,
        "removal" => String::new(),
        _ => "{\"any\":1}".to_owned(),
    };
    text.into_bytes()
}

pub(crate) fn client() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (choice, (name, content, _)) in (0..).zip(REQUESTS) {
        let body = body(name);
        seeds.push(((*name).to_owned(), [&[choice | 0x80], body.as_slice()].concat()));
        if *name == "room" {
            seeds.push(("whole-room".to_owned(), [&[choice], framed(content, &body).as_slice()].concat()));
        }
    }
    seeds
}
