//! Whether JSON has the shape that a schema of the description asks for, as far as the description uses schemas.

use std::collections::BTreeSet;

use serde_json::Value;

/// What does not fit; `Ok` where everything does. Objects have the described fields and no others.
pub(crate) fn fits(description: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let (mut known, mut open) = (BTreeSet::new(), false);
    check(description, schema, value, &mut known, &mut open)?;
    let unknown =
        |fields: &serde_json::Map<String, Value>| fields.keys().find(|field| !known.contains(*field)).cloned();
    match value.as_object().filter(|_| !open).and_then(unknown) {
        Some(field) => Err(format!("`{field}` is not described")),
        None => Ok(()),
    }
}

fn check(
    description: &Value,
    schema: &Value,
    value: &Value,
    known: &mut BTreeSet<String>,
    open: &mut bool,
) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = description.pointer(&reference[1..]).ok_or_else(|| format!("{reference} leads nowhere"))?;
        return check(description, target, value, known, open);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        check(description, part, value, known, open)?;
    }
    if let Some(parts) = schema["oneOf"].as_array() {
        let matching: Vec<&Value> = parts.iter().filter(|part| fits(description, part, value).is_ok()).collect();
        return match matching.as_slice() {
            [one] => check(description, one, value, known, open),
            several => Err(format!("{value} is {} of {parts:?}", several.len())),
        };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|name| is(value, name)) {
        return Err(format!("{value} is not {types:?}"));
    }
    if let Some(among) = schema["enum"].as_array().filter(|among| !among.contains(value)) {
        return Err(format!("{value} is not among {among:?}"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str()) {
        hexadecimal(pattern, text)?;
    }
    for item in value.as_array().into_iter().flatten() {
        fits(description, &schema["items"], item)?;
    }
    let Some(fields) = value.as_object() else { return Ok(()) };
    let Some(properties) = schema["properties"].as_object() else {
        *open = *open || schema["allOf"].is_null();
        return Ok(());
    };
    for (name, property) in properties {
        known.insert(name.clone());
        if let Some(field) = fields.get(name) {
            fits(description, property, field).map_err(|reason| format!("`{name}`: {reason}"))?;
        }
    }
    let missing = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| !fields.contains_key(*name));
    missing.map_or(Ok(()), |name| Err(format!("there is no `{name}`")))
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the description uses the type {other}"),
    }
}

/// Checks the patterns of ids, `^[0-9a-f]{N}$`; other patterns are not looked at.
fn hexadecimal(pattern: &str, text: &str) -> Result<(), String> {
    let Some(digits) = pattern.strip_prefix("^[0-9a-f]{").and_then(|rest| rest.strip_suffix("}$")) else {
        return Ok(());
    };
    let fits = text.len().to_string() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if fits { Ok(()) } else { Err(format!("{text} is not {pattern}")) }
}
