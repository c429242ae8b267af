//! What whoever runs a service is told of its configuration.

use std::fs;

use tempfile::tempdir;

use crate::command::{run, run_with};

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
}
