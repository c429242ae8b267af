//! Which operations the description of the API has.

use utoipa::OpenApi;

use super::{
    api_keys, handles, health, identity, jobs, keys, ledgers, matching, operators, parameters, receipts, reference,
    rooms, tenants,
};
use crate::openapi;

/// Everything but meters and panels.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "blindrelay",
        description = "A service that keeps encrypted records and encrypted sums and evaluates requests on them. It holds no key that decrypts.\n\n\
            Errors are problem documents (RFC 9457); programs look at `status` and `code`. After an error nothing has changed, except after 500 and \
            `store-unavailable`, when a change may have been made or not. Heads of requests that are too long, too slow or no HTTP are answered by the HTTP layer \
            itself, without a problem document; an address that is not described here is 404 `unknown-route`, and a method that is not described at its address 405 \
            `method-not-allowed`.",
    ),
    paths(
        parameters::list, operators::list, operators::card, identity::show, health::live, health::ready, reference::show, reference::page,
        reference::script, reference::style, keys::upload, keys::show, keys::revoke, keys::remove, rooms::create, rooms::show, rooms::remove,
        handles::enrol, handles::list, handles::remove, matching::evaluate, tenants::list, tenants::show, tenants::put, api_keys::list,
        api_keys::create, api_keys::revoke, api_keys::rotate, jobs::list, jobs::show, jobs::remove, jobs::answers::list, jobs::answers::show,
        jobs::new::evaluate, receipts::list, receipts::show, receipts::request, receipts::source::show, receipts::source::changes,
        receipts::source::record, receipts::source::sums, receipts::source::keys
    ),
    tags(
        (name = "service", description = "What the service offers, who signs its receipts, and whether it is well."),
        (name = "evaluation keys", description = "Keys that let the service compute and open nothing, named by their SHA-256."),
        (name = "rooms", description = "Encrypted records under handles, and requests on them."),
        (name = "meters", description = "Encrypted usage and charges."),
        (name = "panels", description = "Encrypted statistics."),
        (name = "jobs", description = "What takes longer than a request may: it is computed when its turn comes, and its answers are kept."),
        (name = "receipts", description = "Receipts that were given, with everything that is needed to compute their answers again."),
        (name = "administration", description = "Tenants and API keys.")
    )
)]
struct Most;

/// Meters, and by other words panels.
#[derive(OpenApi)]
#[openapi(
    info(title = "", description = ""),
    paths(
        ledgers::list,
        ledgers::create,
        ledgers::show,
        ledgers::remove,
        ledgers::append,
        ledgers::merge,
        ledgers::report,
        jobs::new::report
    )
)]
struct Meters;

/// The description as JSON.
pub(super) fn document() -> Result<String, serde_json::Error> {
    openapi::document(Most::openapi(), Meters::openapi())
}
