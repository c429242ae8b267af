//! Where a store is: the part of a service's configuration file that speaks of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use serde::Deserialize;

/// Where rows and blobs are. A field that is not known is refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The rows: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    pub database: DatabaseAddress,
    /// The blobs.
    pub blobs: BlobSettings,
    /// Connections to the database at the same time, at least 1. SQLite has one more, which writes.
    #[serde(default = "connections")]
    pub connections: u32,
    /// How long a request waits for a connection, for another change, or for S3 to answer again, in seconds, at least 1.
    #[serde(default = "wait_seconds")]
    pub wait_seconds: u64,
}

const fn connections() -> u32 {
    8
}

const fn wait_seconds() -> u64 {
    10
}

impl Settings {
    /// Rows and blobs at these places, everything else as it is by default.
    pub fn new(database: DatabaseAddress, blobs: BlobSettings) -> Self {
        Self { database, blobs, connections: connections(), wait_seconds: wait_seconds() }
    }

    /// In a folder: rows in `rows.sqlite`, blobs in `blobs`.
    pub fn in_folder(folder: &Path) -> Self {
        let rows = DatabaseAddress::Sqlite(folder.join("rows.sqlite"));
        Self::new(rows, BlobSettings::Directory(folder.join("blobs")))
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds.max(1))
    }
}

/// Where the rows are.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum DatabaseAddress {
    /// A SQLite file; it is made if it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL server. What the address leaves out comes from the variables `PGPASSWORD`, `PGSSLMODE`, `PGSSLROOTCERT` and so on of the environment, or from `~/.pgpass`.
    Postgres(String),
}

/// The text is no address of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a database is 'sqlite:PATH' or 'postgres://USER@HOST/DATABASE'")]
pub struct DatabaseAddressError;

impl TryFrom<String> for DatabaseAddress {
    type Error = DatabaseAddressError;

    fn try_from(text: String) -> Result<Self, DatabaseAddressError> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres(text)),
            _ => Err(DatabaseAddressError),
        }
    }
}

/// The address of a server may carry a password.
impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// Where the blobs are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobSettings {
    /// A directory of this machine; it is made if it is not there. Services on other machines do not see it.
    Directory(PathBuf),
    /// A service that speaks S3.
    S3(S3Settings),
}

/// A bucket. Without credentials here they come from the environment, as with the field's other programs: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or the identity of the
/// machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// Its name.
    pub bucket: String,
    /// Its region; `us-east-1` where it is left out.
    #[serde(default)]
    pub region: Option<String>,
    /// The service, `https://HOST`; that of AWS where it is left out.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// What all names begin with.
    #[serde(default)]
    pub prefix: String,
    /// Whether the endpoint may be one without TLS.
    #[serde(default)]
    pub allow_http: bool,
    /// Never in a file.
    #[serde(skip)]
    pub credentials: Option<S3Credentials>,
}

impl S3Settings {
    pub(crate) fn connect(&self, wait: Duration) -> object_store::Result<Arc<dyn ObjectStore>> {
        let options = ClientOptions::new().with_allow_http(self.allow_http).with_connect_timeout(wait);
        let retry = RetryConfig { retry_timeout: wait, ..RetryConfig::default() };
        let mut builder =
            AmazonS3Builder::from_env().with_bucket_name(&self.bucket).with_client_options(options).with_retry(retry);
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(S3Credentials { access_key_id, secret_access_key }) = &self.credentials {
            builder = builder.with_access_key_id(access_key_id).with_secret_access_key(secret_access_key);
        }
        Ok(Arc::new(PrefixStore::new(builder.build()?, self.prefix.as_str())))
    }
}

/// A name and a secret for S3.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The name.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_where_rows_and_blobs_are() {
        let text = "database = \"sqlite:/data/rows.sqlite\"\nblobs = { directory = \"/data/blobs\" }";
        let expected = Settings::new(
            DatabaseAddress::Sqlite("/data/rows.sqlite".into()),
            BlobSettings::Directory("/data/blobs".into()),
        );
        assert_eq!(toml::from_str::<Settings>(text).unwrap(), expected);
        let text = "database = \"postgres://relay:hidden@db/relay\"\nconnections = 3\nwait_seconds = 4\n\
            [blobs.s3]\nbucket = \"b\"\nendpoint = \"http://[::1]:9\"\nallow_http = true\nprefix = \"p\"";
        let settings: Settings = toml::from_str(text).unwrap();
        assert!(matches!(&settings.database, DatabaseAddress::Postgres(address) if address.contains("hidden")));
        assert_eq!((settings.connections, settings.wait_seconds), (3, 4));
        assert!(matches!(&settings.blobs, BlobSettings::S3(s3) if s3.allow_http && s3.region.is_none()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let blobs = "blobs = { directory = \"b\" }";
        let cases = [
            format!("database = \"mysql://a/b\"\n{blobs}"),
            format!("database = \"sqlite:\"\n{blobs}"),
            format!("database = \"/data/rows.sqlite\"\n{blobs}"),
            format!("database = \"sqlite:a\"\nconections = 3\n{blobs}"),
            "database = \"sqlite:a\"".to_owned(),
            "database = \"sqlite:a\"\nblobs = { folder = \"b\" }".to_owned(),
            "database = \"sqlite:a\"\nblobs = { s3 = { bucket = \"b\", secret_access_key = \"c\" } }".to_owned(),
        ];
        for text in cases {
            assert!(toml::from_str::<Settings>(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = S3Credentials { access_key_id: "name".to_owned(), secret_access_key: "hidden".to_owned() };
        let s3 = S3Settings {
            bucket: "b".to_owned(),
            region: None,
            endpoint: None,
            prefix: String::new(),
            allow_http: false,
            credentials: Some(credentials),
        };
        let address = DatabaseAddress::try_from("postgres://relay:hidden@db/relay".to_owned()).unwrap();
        assert!(!format!("{:?}", Settings::new(address, BlobSettings::S3(s3))).contains("hidden"));
    }
}
