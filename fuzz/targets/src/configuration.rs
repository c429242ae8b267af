//! The service's configuration: a TOML text, and after a zero byte variables of the environment, `NAME=TEXT`, one a line.

use blindrelay_server::Config;

/// Reads a configuration. What is accepted holds its own checks, and one that comes from variables does so too.
pub fn run(input: &[u8]) -> bool {
    let Ok(input) = std::str::from_utf8(input) else { return false };
    let (text, variables) = input.split_once('\0').unwrap_or((input, ""));
    let pairs = variables.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
    match Config::from_toml_and_variables(text, pairs) {
        Ok(config) => {
            assert!(config.check().is_ok());
            true
        }
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            false
        }
    }
}
