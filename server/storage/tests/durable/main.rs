//! Stores on every database and every place for blobs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod backups;
mod damage;
mod dropped;
mod forms;
mod handles;
mod material;
mod nodes;
mod places;
mod postgres;
mod queue;
mod rows;
mod s3;
mod samples;
mod sweeps;

use blindrelay_server::store::contract;
use blindrelay_storage::DurableStore;

use crate::places::Places;

async fn keeps_the_contract(places: &Places) {
    let store = DurableStore::open(&places.settings()).await.unwrap();
    contract::all(&store).await.unwrap();
    // Also beside what is there already, and after it was opened again.
    drop(store);
    contract::all(&DurableStore::open(&places.settings()).await.unwrap()).await.unwrap();
    places.no_orphans().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_a_directory_keep_the_contract() {
    keeps_the_contract(&Places::file_and_directory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_in_a_file_survive_their_workers() {
    queue::jobs_survive_their_workers(&Places::file_and_directory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_on_a_server_survive_their_workers() {
    let Some(server) = postgres::Server::start() else { return };
    let places = Places::server_and_directory(&server);
    // The queue shares the database with the store.
    places.open().await;
    queue::jobs_survive_their_workers(&places).await;
    places.open().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_s3_keep_the_contract() {
    keeps_the_contract(&Places::file_and_s3().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_directory_keep_the_contract() {
    let Some(server) = postgres::Server::start() else { return };
    keeps_the_contract(&Places::server_and_directory(&server)).await;
    nodes::share_a_store(&Places::server_and_directory(&server)).await;
    nodes::nothing_is_known_from_before(&Places::server_and_directory(&server)).await;
    forms::a_newer_form_is_refused(&Places::server_and_directory(&server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_s3_keep_the_contract() {
    let Some(server) = postgres::Server::start() else { return };
    keeps_the_contract(&Places::server_and_s3(&server).await).await;
}
