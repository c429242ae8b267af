//! Answers of a room's operator.

use std::sync::Arc;

use crate::access::Caller;
use crate::compute::Place;
use crate::error::ApiError;
use crate::receipts::{ATTEMPTS, Draft, Outcome, Sent, Source, Subject, dress};
use crate::room::Room;
use crate::state::AppState;

/// The answer to a request from a room that was found at this version, with a receipt where one is wanted.
pub(crate) async fn evaluate(
    state: &AppState,
    caller: &Caller,
    (room, version): (&Room, u64),
    request: Vec<u8>,
    receipts: bool,
    place: &Place,
) -> Result<Sent, ApiError> {
    let used = room.stored().evaluation_keys;
    let keys = match used {
        Some(digest) => Some(state.evaluation_keys(&caller.tenant, digest, place).await?),
        None => None,
    };
    let request: Arc<[u8]> = request.into();
    let subject = Subject::Room(*room.stored().room.as_bytes());
    let operator = room.operator();
    let parameters = operator.parameters().digest();
    let mut wanted = version;
    for _ in 0..ATTEMPTS {
        let before = room.byte_len();
        let (snapshot, version) = room.snapshot(wanted, state.store().as_ref(), place).await?;
        if room.byte_len() != before {
            state.weigh_room(&caller.tenant, room);
        }
        let draft = receipts.then(|| Draft::new(state, operator.card(), parameters, used, &subject));
        let (sent, keys) = (Arc::clone(&request), keys.clone());
        let job = move || {
            let answer = snapshot.evaluate(&sent, keys.as_deref())?;
            dress(draft, &sent, answer, || Source { version, content: snapshot.digest() })
        };
        match place.run(job).await??.keep(state, caller, &request).await? {
            Outcome::Ready(answer) => return Ok(answer),
            Outcome::Changed(found) => wanted = found,
        }
    }
    Err(ApiError::Contended { what: "room" })
}
