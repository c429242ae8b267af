//! Rows as lines of JSON: `{"table": NAME, "row": {COLUMN: VALUE}}`. Bytes are `{"hex": DIGITS}`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};

use blindrelay_server::id::{BodyDigest, TenantId};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{AnyConnection, AssertSqlSafe, Column as _, Row as _, ValueRef as _};

use super::folder::Folder;
use super::{BackupError, Copied};
use crate::blobs::BlobName;
use crate::database::Database;
use crate::error::{Damage, Failure};

/// Every table but those of the migrations and of the backups themselves; what others refer to comes before them.
const TABLES: [&str; 21] = [
    "tenants",
    "holdings",
    "api_keys",
    "key_sets",
    "rooms",
    "records",
    "handles",
    "removals",
    "room_requests",
    "ledgers",
    "ledger_requests",
    "jobs",
    "job_parts",
    "receipts",
    "kept_rooms",
    "kept_records",
    "kept_removals",
    "kept_ledgers",
    "kept_sums",
    "kept_keys",
    "secrets",
];

/// How many rows there are between two words to whoever watches.
const WATCHED: u64 = 1000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    table: String,
    row: Map<String, Value>,
}

/// What was read.
pub(super) struct Read {
    /// The form of the tables.
    pub(super) form: i64,
    pub(super) rows: u64,
    pub(super) sha256: String,
    /// Blobs that rows name.
    pub(super) blobs: BTreeSet<(TenantId, BlobName)>,
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn from_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

fn value(row: &AnyRow, column: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info().kind();
    Ok(match kind {
        AnyTypeInfoKind::Text => json!(row.try_get::<&str, _>(column)?),
        AnyTypeInfoKind::Blob => json!({ "hex": hexadecimal(row.try_get::<&[u8], _>(column)?) }),
        _ => json!(row.try_get::<i64, _>(column)?),
    })
}

/// The blob that a row names.
fn blob_of(row: &Map<String, Value>) -> Result<Option<(TenantId, BlobName)>, Damage> {
    let text = |column: &str| row.get(column).and_then(Value::as_str);
    let Some(blob) = text("blob") else { return Ok(None) };
    let name = BlobName::parse(blob).ok_or(Damage::Column { column: "blob" })?;
    let tenant = text("tenant").and_then(TenantId::new).ok_or(Damage::Column { column: "tenant" })?;
    Ok(Some((tenant, name)))
}

/// Copies all rows as they are at one moment.
pub(super) async fn copy(
    database: &Database,
    folder: &Folder,
    watch: &(impl Fn(Copied) + Send),
) -> Result<Read, BackupError> {
    let mut snapshot = database.snapshot().await?;
    let form = sqlx::query("SELECT MAX(version) AS form FROM _sqlx_migrations").fetch_one(&mut *snapshot).await?;
    let form = form.try_get::<i64, _>("form")?;
    let mut file = folder.write_rows()?;
    let failed = |source| BackupError::File { path: folder.rows_path(), source };
    let (mut rows, mut blobs) = (0, BTreeSet::new());
    for table in TABLES {
        let mut found = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch(&mut *snapshot);
        while let Some(row) = found.try_next().await? {
            let column = |place| value(&row, place).map(|value| (row.column(place).name().to_owned(), value));
            let row = (0..row.len()).map(column).collect::<Result<Map<_, _>, _>>()?;
            blobs.extend(blob_of(&row).map_err(Failure::from)?);
            let line = serde_json::to_string(&Line { table: table.to_owned(), row }).map_err(Failure::other)?;
            writeln!(file, "{line}").map_err(failed)?;
            rows += 1;
            if rows % WATCHED == 0 {
                watch(Copied { rows, ..Copied::default() });
            }
        }
    }
    snapshot.rollback().await?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(Read { form, rows, sha256: sha256(folder)?, blobs })
}

/// SHA-256 of the file of rows.
pub(super) fn sha256(folder: &Folder) -> Result<String, BackupError> {
    let bytes = std::fs::read(folder.rows_path());
    let bytes = bytes.map_err(|source| BackupError::File { path: folder.rows_path(), source })?;
    Ok(BodyDigest::of(&bytes).to_string())
}

/// Every line of the file of rows.
fn lines(folder: &Folder) -> Result<impl Iterator<Item = Result<Line, BackupError>>, BackupError> {
    let path = folder.rows_path();
    Ok(folder.read_rows()?.lines().enumerate().map(move |(number, line)| {
        let line = line.map_err(|source| BackupError::File { path: path.clone(), source })?;
        serde_json::from_str(&line).map_err(|error| not_written(folder_line(&path, number), &error.to_string()))
    }))
}

/// A place in the file of rows.
fn folder_line(path: &std::path::Path, number: usize) -> (std::path::PathBuf, usize) {
    (path.to_owned(), number + 1)
}

fn not_written((path, line): (std::path::PathBuf, usize), fault: &str) -> BackupError {
    BackupError::NotWhole { path, fault: format!("line {line} is no row that this program writes: {fault}") }
}

/// Writes a row into its table; `None` where the line is not one that [`copy`] writes.
async fn insert(connection: &mut AnyConnection, line: &Line) -> Option<Result<(), sqlx::Error>> {
    let legal = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !TABLES.contains(&line.table.as_str()) || !line.row.keys().all(legal) || line.row.is_empty() {
        return None;
    }
    let (mut columns, mut places, mut bound) = (Vec::new(), Vec::new(), Vec::new());
    for (column, value) in &line.row {
        columns.push(column.as_str());
        if value.is_null() {
            places.push("NULL".to_owned());
        } else {
            bound.push(value);
            places.push(format!("${}", bound.len()));
        }
    }
    let text = format!("INSERT INTO {} ({}) VALUES ({})", line.table, columns.join(", "), places.join(", "));
    let mut query = sqlx::query(AssertSqlSafe(text));
    for value in bound {
        query = match value {
            Value::String(text) => query.bind(text.as_str()),
            Value::Number(number) => query.bind(number.as_i64()?),
            Value::Object(object) => query.bind(from_hexadecimal(object.get("hex")?.as_str()?)?),
            _ => return None,
        };
    }
    Some(query.execute(connection).await.map(drop))
}

/// Writes every line into its table.
pub(super) async fn put_back(
    connection: &mut AnyConnection,
    folder: &Folder,
    watch: &(impl Fn(Copied) + Send),
) -> Result<u64, BackupError> {
    let mut rows = 0;
    for (number, line) in lines(folder)?.enumerate() {
        let written = insert(connection, &line?).await;
        written.ok_or_else(|| not_written(folder_line(&folder.rows_path(), number), "an unknown table or value"))??;
        rows += 1;
        if rows % WATCHED == 0 {
            watch(Copied { rows, ..Copied::default() });
        }
    }
    Ok(rows)
}

/// The blobs that the lines name.
pub(super) fn blobs(folder: &Folder) -> Result<BTreeSet<(TenantId, BlobName)>, BackupError> {
    let mut blobs = BTreeSet::new();
    for (number, line) in lines(folder)?.enumerate() {
        let named = blob_of(&line?.row);
        blobs.extend(named.map_err(|error| not_written(folder_line(&folder.rows_path(), number), &error.to_string()))?);
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DurableStore;

    /// A table that is missing here would be missing in every backup.
    #[tokio::test]
    async fn all_tables_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let store = DurableStore::in_folder(folder.path()).await.unwrap();
        let text = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
        let rows = sqlx::query(text).fetch_all(store.parts.database.read()).await.unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.get("name")).collect();
        let mut expected: Vec<_> = TABLES.into_iter().chain(["_sqlx_migrations", "backups"]).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn bytes_have_one_spelling() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hexadecimal(&hexadecimal(&bytes)), Some(bytes));
        assert_eq!((from_hexadecimal("0"), from_hexadecimal("0g")), (None, None));
    }
}
