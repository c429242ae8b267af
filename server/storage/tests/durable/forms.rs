//! Tables of other forms.

use std::path::Path;

use blindrelay_server::store::StoreError;
use blindrelay_storage::{DatabaseAddress, DurableStore, OpenError};
use sqlx::Connection as _;

use crate::places::Places;
use crate::samples;

async fn execute(places: &Places, statement: &str) {
    sqlx::any::install_default_drivers();
    let address = match places.settings().database {
        DatabaseAddress::Postgres(address) => address,
        DatabaseAddress::Sqlite(path) => format!("sqlite:{}", path.to_str().unwrap()),
    };
    let mut connection = sqlx::AnyConnection::connect(&address).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) async fn a_newer_form_is_refused(places: &Places) {
    drop(places.open().await);
    let newest = "(SELECT MAX(version) FROM _sqlx_migrations)";
    execute(places, &format!("UPDATE _sqlx_migrations SET version = 99 WHERE version = {newest}")).await;
    let Err(refused) = DurableStore::open(&places.settings()).await else { panic!("it was opened") };
    assert!(refused.to_string().contains("use a newer program"), "{refused}");
    let OpenError::Newer { found: 99, known } = refused else { panic!("{refused}") };
    execute(places, &format!("UPDATE _sqlx_migrations SET version = {known} WHERE version = 99")).await;
    drop(places.open().await);
}

#[tokio::test]
async fn a_newer_file_is_refused() {
    a_newer_form_is_refused(&Places::file_and_s3().await).await;
}

#[tokio::test]
async fn samples_are_read_as_they_were_written() {
    let places = Places::file_and_directory();
    samples::write(&places.open().await).await.unwrap();
    samples::check(&places.open().await).await.unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What the first program wrote, which `examples/write_golden_store.rs` made, is read by this one, and written on.
#[tokio::test]
async fn a_store_of_form_1_opens() {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/form-1"), folder.path());
    let store = DurableStore::in_folder(folder.path()).await.unwrap();
    samples::check(&store).await.unwrap();
    let Err(again) = samples::write(&store).await else { panic!("ids were written twice") };
    assert!(matches!(again.downcast_ref(), Some(StoreError::RepeatedId)), "{again}");
    samples::check(&store).await.unwrap();
    store.close().await;
}
