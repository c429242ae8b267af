//! API keys in words.

use std::path::Path;

use blindrelay_client::{ApiKey, UnixMillis};

use crate::expiry::written;
use crate::printable::{name, one_line, pad, width};

/// Lines of a list: id, role, tenant, state and label of each key.
pub(super) fn describe_all(keys: &[ApiKey], now: UnixMillis) -> String {
    if keys.is_empty() {
        return "no API keys".to_owned();
    }
    let rows: Vec<[String; 5]> = keys.iter().map(|key| row(key, now)).collect();
    let mut columns = [0; 5];
    for row in &rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            *column = width(cell).max(*column);
        }
    }
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(columns).map(|(cell, column)| pad(cell, column)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(key: &ApiKey, now: UnixMillis) -> [String; 5] {
    let tenant = key.tenant.as_deref().map_or_else(|| "-".to_owned(), one_line);
    [one_line(&key.id), key.role.to_string(), tenant, state(key, now), name(&key.label)]
}

/// Until when it lets its holder in.
fn state(key: &ApiKey, now: UnixMillis) -> String {
    match (key.revoked, key.expires) {
        (Some(revoked), _) if revoked <= now => format!("revoked {}", written(revoked)),
        (_, Some(expires)) if expires <= now => format!("expired {}", written(expires)),
        (None, None) => "in use".to_owned(),
        (revoked, expires) => {
            let end = revoked.into_iter().chain(expires).min();
            end.map_or_else(String::new, |end| format!("until {}", written(end)))
        }
    }
}

/// What is to be known of a key that was just made.
pub(super) fn describe_new(key: &ApiKey, key_file: Option<&Path>) -> String {
    let whose = key.tenant.as_deref().map_or_else(String::new, |tenant| format!(" of tenant {}", one_line(tenant)));
    let label = if key.label.is_empty() { String::new() } else { format!(", '{}'", name(&key.label)) };
    let end = key.expires.map_or_else(|| "never expires".to_owned(), |end| format!("expires {}", written(end)));
    let place = key_file.map_or_else(
        || "the key is shown this once, the service keeps its hash".to_owned(),
        |path| format!("the key is in {}, for you alone; the service keeps its hash", path.display()),
    );
    format!(
        "API key {}: role {}{whose}{label}, {end}\n{place}\ncommands take it from --api-key-file or BLINDRELAY_API_KEY",
        one_line(&key.id),
        key.role
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(expires: Option<u64>, revoked: Option<u64>) -> ApiKey {
        let text = serde_json::json!({ "id": "00", "role": "relay", "tenant": "acme", "label": "a\u{1b}b", "created": 0, "expires": expires, "revoked": revoked });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_state_of_a_key_is_until_when_it_works() {
        let now = UnixMillis(5_000);
        for (expires, revoked, expected) in [
            (None, None, "in use"),
            (Some(9_000), None, "until 1970-01-01T00:00:09Z"),
            (Some(5_000), None, "expired 1970-01-01T00:00:05Z"),
            (None, Some(5_000), "revoked 1970-01-01T00:00:05Z"),
            (Some(9_000), Some(7_000), "until 1970-01-01T00:00:07Z"),
            (Some(6_000), Some(7_000), "until 1970-01-01T00:00:06Z"),
            (Some(4_000), Some(7_000), "expired 1970-01-01T00:00:04Z"),
            (Some(9_000), Some(1_000), "revoked 1970-01-01T00:00:01Z"),
        ] {
            assert_eq!(state(&key(expires, revoked), now), expected);
        }
        let lines = describe_all(&[key(None, None), key(Some(9_000), None)], now);
        assert_eq!(
            lines,
            "00  relay  acme  in use                      a\\u{1b}b\n00  relay  acme  until 1970-01-01T00:00:09Z  a\\u{1b}b\n"
        );
    }
}
