//! Values of options that several commands share.

use std::io::Read;
use std::path::Path;

use blindrelay_billing::Date;
use blindrelay_engine::operator::Handle;
use blindrelay_routing::Token;
use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;

/// Largest file of identities or embeddings.
const MAX_INPUT_BYTES: u64 = 64 << 20;

/// A room's id: 32 hexadecimal digits, like a handle.
pub(crate) fn room_id(text: &str) -> Result<String, String> {
    match text.parse::<Handle>() {
        Ok(id) => Ok(id.to_string()),
        Err(_) => Err("an id is 32 hexadecimal digits".to_owned()),
    }
}

/// A month, as its first day.
pub(crate) fn month(text: &str) -> Result<Date, String> {
    match format!("{text}-01").parse::<Date>() {
        Ok(day) if text.len() == 7 => Ok(day),
        _ => Err("a month is written as YYYY-MM, such as 2026-11".to_owned()),
    }
}

/// A day.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "a day is written as YYYY-MM-DD, such as 2026-12-01".to_owned())
}

/// The whole of a text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let read = |source| Failure::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(read)?;
    file.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    let content = |fault: String, advice| Failure::Content { path: path.to_owned(), fault, advice };
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        bytes.zeroize();
        return Err(content(format!("more than {MAX_INPUT_BYTES} bytes"), "split the file"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        error.into_bytes().zeroize();
        content(format!("not UTF-8 from byte {at} on"), "save the file as UTF-8")
    })
}

/// An embedding from a file: 128 numbers, as a JSON array or separated by white space or commas.
pub(crate) fn embedding(path: &Path) -> Result<Token, Failure> {
    let text = Zeroizing::new(read_text(path)?);
    let fault = |fault: String| Failure::Content {
        path: path.to_owned(),
        fault,
        advice: "write 128 finite numbers, as a JSON array or separated by white space",
    };
    let inner = text.trim();
    let numbers: Vec<f32> = if inner.starts_with('[') {
        serde_json::from_str(inner).map_err(|error| fault(error.to_string()))?
    } else {
        let words = inner.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let parsed = words
            .enumerate()
            .map(|(index, word)| word.parse().map_err(|_| fault(format!("number {} cannot be read", index + 1))));
        parsed.collect::<Result<_, _>>()?
    };
    let numbers = Zeroizing::new(numbers);
    if numbers.iter().all(|&number| number == 0.0) {
        return Err(fault("no number other than 0".to_owned()));
    }
    Token::quantise(&numbers).map_err(|error| fault(error.to_string()))
}
