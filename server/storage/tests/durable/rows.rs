//! Rows that are not as they were written. Who reads them is told which column is damaged, or gets what is there; nothing breaks, whatever is asked or changed.

use std::fs;
use std::path::Path;

use blindrelay_server::id::{ApiKeyId, BodyDigest};
use blindrelay_server::store::{
    AccessStore as _, JobStore as _, KeyStore as _, LedgerChange, LedgerStore as _, RoomStore as _, StoreError,
};
use blindrelay_server::time::UnixMillis;
use blindrelay_storage::DurableStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::samples::{self, KEYS, NAME, PLENTY, ROOM};

const NUMBERS: [i64; 4] = [-1, 1 << 40, i64::MAX, i64::MIN];
const TEXTS: [&str; 3] = ["", "x", "{\"rooms\": -1}\0ä"];
const BYTES: [&[u8]; 4] = [&[], &[255; 15], &[255; 16], &[255; 33]];

async fn rows(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("rows.sqlite")).foreign_keys(false);
    options.connect().await.unwrap()
}

/// The columns of all tables of samples, with their types.
async fn columns(folder: &Path) -> Vec<(String, String, String)> {
    let mut rows = rows(folder).await;
    let text = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c \
                WHERE m.type = 'table' AND m.name IN ('holdings', 'tenants', 'api_keys', 'key_sets', 'rooms', 'records', \
                'handles', 'removals', 'room_requests', 'ledgers', 'ledger_requests') ORDER BY 1, 2";
    let found = sqlx::query(text).fetch_all(&mut rows).await.unwrap();
    rows.close().await.unwrap();
    found.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// Everything that a service asks of a store, and then every change that it makes. What failed.
async fn use_all(store: &DurableStore) -> Result<Vec<StoreError>, &'static str> {
    let tenant = samples::tenant()?;
    let (ours, keys) = (&tenant.id, BodyDigest::of(KEYS));
    let mut failed = Vec::new();
    macro_rules! ask {
        ($($asked:expr;)*) => { $(failed.extend($asked.await.err());)* };
    }
    ask! {
        store.tenant(ours);
        store.tenants(None, 10);
        store.stored_bytes(ours);
        store.key_holder(samples::api_key()?.digest);
        store.api_key(ApiKeyId::from_bytes([4; 16]));
        store.api_keys(None, None, 10);
        store.keys(ours, keys);
        store.key_bytes(ours, keys);
        store.room(ours, ROOM);
        store.rooms(ours, None, 10);
        store.usage(ours, ROOM);
        store.changes(ours, ROOM, 0, 10);
        store.handles(ours, ROOM, None, 10);
        store.replay(ours, ROOM, &samples::request("enrolment")?, 2);
        store.ledger(ours, NAME);
        store.ledgers(ours, NAME.family, None, 10);
        store.sums(ours, NAME);
        store.turn(ours, NAME, &samples::request("batch")?);
        store.jobs(ours, None, 10);
        store.unfinished();
    }
    let change = LedgerChange { version: 1, sums: (*b"more").into(), batches: 2, request: samples::request("next")? };
    ask! {
        store.put_keys(ours, BodyDigest::of(b"other"), samples::key_set(), b"other".to_vec().into(), PLENTY);
        store.revoke_keys(ours, keys, UnixMillis(9));
        store.add_record(ours, ROOM, samples::record(4, &[7], Some("another"))?, PLENTY);
        store.remove_handle(ours, ROOM, samples::handle(1));
        store.change_ledger(ours, NAME, change, PLENTY);
        store.revoke_api_key(ApiKeyId::from_bytes([4; 16]), UnixMillis(9));
        store.remove_room(ours, ROOM);
        store.remove_ledger(ours, NAME);
        store.remove_keys(ours, keys);
    }
    Ok(failed)
}

/// Copies the database and the blobs of a store.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_columns_are_told_or_taken_and_break_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let store = DurableStore::in_folder(&whole).await.unwrap();
    samples::write(&store).await.unwrap();
    store.close().await;
    let columns = columns(&whole).await;
    assert!(columns.len() > 50, "{columns:?}");
    let (mut told, mut taken) = (0, 0);
    for (number, (table, column, kind)) in columns.iter().enumerate() {
        let values = match kind.as_str() {
            "INTEGER" => NUMBERS.len(),
            "TEXT" => TEXTS.len(),
            "BLOB" => BYTES.len(),
            other => panic!("{table}.{column} is {other}"),
        };
        for value in 0..values {
            let damaged = folder.path().join(format!("{number}-{value}"));
            copy(&whole, &damaged);
            let text = format!("UPDATE OR REPLACE {table} SET {column} = ?");
            let update = sqlx::query(sqlx::AssertSqlSafe(text));
            let update = match kind.as_str() {
                "INTEGER" => update.bind(NUMBERS[value]),
                "TEXT" => update.bind(TEXTS[value]),
                _ => update.bind(BYTES[value]),
            };
            let mut rows = rows(&damaged).await;
            update.execute(&mut rows).await.unwrap();
            rows.close().await.unwrap();
            let store = DurableStore::in_folder(&damaged).await.unwrap();
            let failed = use_all(&store).await.unwrap();
            assert!(failed.iter().all(|failure| !failure.to_string().is_empty()));
            if failed.iter().any(|failure| failure.to_string().contains(column.as_str())) {
                told += 1;
            } else {
                taken += 1;
            }
            store.close().await;
            fs::remove_dir_all(damaged).unwrap();
        }
    }
    assert!(told > 40 && taken > 0, "{told} damages were told by their column, {taken} were not");
}
