//! Variables of the environment that stand over the configuration file: `BLINDRELAY_LISTEN` for a field, `BLINDRELAY_LIMITS__QUEUE_LENGTH` for a field of a section.
//!
//! The text of a variable is read as its field asks: a number, a truth value, an address, a name. Lists, such as `tenants`, are TOML in one line.

use std::collections::BTreeMap;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use toml::{Table, Value};

use super::ConfigError;

/// What the names of all variables begin with.
pub(super) const PREFIX: &str = "BLINDRELAY_";

/// What stands between the name of a section and that of its field.
const BETWEEN: &str = "__";

/// A part of the configuration: from the file, from a variable, or sections of both.
enum Part {
    File(Value),
    Variable { name: String, text: String },
    Section(BTreeMap<String, Part>),
}

/// Why a part is refused, in words.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The configuration that a TOML text says where no variable says something else.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let file: Table = toml::from_str(text)?;
    let mut all = sections(file);
    let mut names = BTreeMap::new();
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { continue };
        place(&mut all, &path, Part::Variable { name: name.clone(), text })
            .ok_or_else(|| ConfigError::Variable { reason: format!("{name} is no name of a field") })?;
        names.insert(path, name);
    }
    T::deserialize(Part::Section(all)).map_err(|Refused(reason)| {
        // A field that is not known is told by its own name; the variable that named it is told as well.
        let unknown = names.iter().find(|(path, _)| {
            let field = path.rsplit(BETWEEN).next().unwrap_or(path);
            let section = path.split(BETWEEN).next().unwrap_or(path);
            [field, section].iter().any(|field| reason.starts_with(&format!("unknown field `{field}`")))
        });
        let reason = match unknown {
            Some((_, name)) => format!("{name}: {reason}"),
            None => reason,
        };
        ConfigError::Variable { reason }
    })
}

fn sections(table: Table) -> BTreeMap<String, Part> {
    let part = |value| match value {
        Value::Table(table) => Part::Section(sections(table)),
        value => Part::File(value),
    };
    table.into_iter().map(|(name, value)| (name, part(value))).collect()
}

/// Puts a variable where its name says; `None` where there cannot be such a place.
fn place(all: &mut BTreeMap<String, Part>, path: &str, variable: Part) -> Option<()> {
    match path.split_once(BETWEEN) {
        None if path.is_empty() => None,
        None => {
            all.insert(path.to_owned(), variable);
            Some(())
        }
        Some((section, rest)) => {
            match all.entry(section.to_owned()).or_insert_with(|| Part::Section(BTreeMap::new())) {
                Part::Section(fields) if !section.is_empty() => place(fields, rest, variable),
                _ => None,
            }
        }
    }
}

/// The TOML that a variable's text is, if it is any.
fn as_toml(text: &str) -> Option<Value> {
    toml::from_str::<Table>(&format!("value = {text}")).ok()?.remove("value")
}

/// Reads a variable's text as a type, or says what it is not.
macro_rules! parsed {
    ($($method:ident $visit:ident $kind:ty, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            match self {
                Self::Variable { name, text } => match text.trim().parse::<$kind>() {
                    Ok(value) => visitor.$visit(value).map_err(|error: Refused| Refused(format!("{name}: {error}"))),
                    Err(_) => Err(Refused(format!("{name} is not {}", $what))),
                },
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Part {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Self::File(value) => value.deserialize_any(visitor).map_err(Refused::custom),
            // Where any type is taken, as in a section that is another crate's: what is no TOML by itself is a text.
            Self::Variable { name, text } => match as_toml(&text) {
                Some(value) => value.deserialize_any(visitor).map_err(|error| Refused(format!("{name}: {error}"))),
                None => visitor.visit_string(text).map_err(|Refused(error)| Refused(format!("{name}: {error}"))),
            },
            Self::Section(parts) => visitor.visit_map(MapDeserializer::new(parts.into_iter())),
        }
    }

    parsed! {
        deserialize_bool visit_bool bool, "true or false";
        deserialize_i8 visit_i64 i64, "a whole number";
        deserialize_i16 visit_i64 i64, "a whole number";
        deserialize_i32 visit_i64 i64, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u64 u64, "a whole number from 0 on";
        deserialize_u16 visit_u64 u64, "a whole number from 0 on";
        deserialize_u32 visit_u64 u64, "a whole number from 0 on";
        deserialize_u64 visit_u64 u64, "a whole number from 0 on";
        deserialize_f32 visit_f64 f64, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Self::Variable { name, text } => {
                visitor.visit_string(text).map_err(|Refused(error)| Refused(format!("{name}: {error}")))
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Self::Variable { name, text } => match as_toml(&text) {
                Some(Value::Array(values)) => {
                    let parts = values.into_iter().map(Self::File);
                    let all = visitor.visit_seq(SeqDeserializer::new(parts));
                    all.map_err(|Refused(error)| Refused(format!("{name}: {error}")))
                }
                _ => Err(Refused(format!("{name} is not a list in TOML, such as [\"a\", \"b\"]"))),
            },
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self {
            Self::Variable { name, .. } => {
                Err(Refused(format!("{name} is a section: its fields are {name}{BETWEEN}FIELD")))
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self {
            Self::File(value) => value.deserialize_enum(name, variants, visitor).map_err(Refused::custom),
            Self::Variable { name, text } => {
                let named = visitor.visit_enum(IntoDeserializer::<Refused>::into_deserializer(text.as_str()));
                named.map_err(|Refused(error)| Refused(format!("{name}: {error}")))
            }
            Self::Section(parts) => {
                let parts = MapDeserializer::new(parts.into_iter());
                visitor.visit_enum(serde::de::value::MapAccessDeserializer::new(parts))
            }
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, Refused> for Part {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use crate::config::{Config, Limits};
    use crate::telemetry::{LogFormat, TelemetrySettings};

    fn read(file: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Config::from_toml_and_variables(file, variables).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_stand_over_the_file() {
        let file = "listen = \"127.0.0.1:80\"\n[limits]\nqueue_length = 5\nconnections = 9\n";
        let digest = "0123456789".repeat(6) + "1e10";
        let tenants = format!("[{{ name = \"acme\", key_sha256 = \"{}\" }}]", "ab".repeat(32));
        let config = read(
            file,
            &[
                ("PATH", "/bin"),
                ("BLINDRELAY_LISTEN", "127.0.0.1:81"),
                ("BLINDRELAY_ADMIN_KEY_SHA256", &digest),
                ("BLINDRELAY_ALLOW_PLAIN_HTTP", "true"),
                ("BLINDRELAY_TENANTS", &tenants),
                ("BLINDRELAY_TLS__CERTIFICATE", "server.pem"),
                ("BLINDRELAY_TLS__KEY", "server.key"),
                ("BLINDRELAY_LIMITS__QUEUE_LENGTH", "7"),
                ("BLINDRELAY_LIMITS__COMPUTE_MILLIS_PER_MINUTE", "900"),
                ("BLINDRELAY_TELEMETRY__LISTEN", "127.0.0.1:9437"),
                ("BLINDRELAY_TELEMETRY__LOG_FORMAT", "json"),
            ],
        );
        let config = config.unwrap();
        assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 81)));
        assert_eq!(config.admin_key_sha256, Some(digest));
        assert!(config.allow_plain_http);
        assert_eq!(config.tenants.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>(), ["acme"]);
        assert_eq!(config.tls.unwrap().key.to_str(), Some("server.key"));
        let limits =
            Limits { queue_length: 7, connections: 9, compute_millis_per_minute: Some(900), ..Limits::default() };
        assert_eq!(config.limits, limits);
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 9437)));
        let telemetry = TelemetrySettings { listen, log_format: LogFormat::Json, ..TelemetrySettings::default() };
        assert_eq!(config.telemetry, telemetry);
        assert_eq!(read(file, &[]).unwrap(), Config::from_toml(file).unwrap());
    }

    #[test]
    fn a_section_of_another_crate_takes_what_toml_takes() {
        let variables = [("A__COUNT", "8"), ("A__PLACE", "sqlite:rows.db"), ("A__B__YES", "true"), ("A__NAME", "kept")];
        let variables = variables.map(|(name, text)| (format!("BLINDRELAY_{name}"), text.to_owned()));
        let found: toml::Table = super::read("[a]\nname = \"file\"\nmore = 1", variables).unwrap();
        let expected = "[a]\ncount = 8\nplace = \"sqlite:rows.db\"\nname = \"kept\"\nmore = 1\nb = { yes = true }";
        assert_eq!(found, toml::from_str(expected).unwrap());
    }

    #[test]
    fn a_variable_that_cannot_be_meant_is_told_by_its_name() {
        let cases = [
            ("BLINDRELAY_LIMITS__QUEUE_LENGHT", "7", "unknown field `queue_lenght`"),
            ("BLINDRELAY_LIMITS__QUEUE_LENGTH", "many", "whole number"),
            ("BLINDRELAY_LIMITS__QUEUE_LENGTH", "-1", "whole number"),
            ("BLINDRELAY_LIMITS", "7", "section"),
            ("BLINDRELAY_LISEN", "127.0.0.1:80", "unknown field `lisen`"),
            ("BLINDRELAY_LISTEN", "here", "socket address"),
            ("BLINDRELAY_LISTEN__PORT", "80", "no name of a field"),
            ("BLINDRELAY_", "80", "no name of a field"),
            ("BLINDRELAY_LIMIT__QUEUE_LENGTH", "7", "unknown field `limit`"),
            ("BLINDRELAY_TENANTS", "acme", "list"),
            ("BLINDRELAY_TENANTS", "[{ name = \"acme\" }]", "key_sha256"),
            ("BLINDRELAY_TELEMETRY__LOG_FORMAT", "xml", "unknown variant"),
            ("BLINDRELAY_ALLOW_PLAIN_HTTP", "yes", "true or false"),
        ];
        for (name, text, reason) in cases {
            let refused = read("listen = \"127.0.0.1:80\"", &[(name, text)]).unwrap_err();
            assert!(refused.contains(name) && refused.contains(reason), "{name}={text}: {refused}");
        }
        assert!(read("", &[("BLINDRELAY_LIMITS__CONNECTIONS", "0")]).unwrap_err().contains("limits.connections"));
    }
}
