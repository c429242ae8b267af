//! Rooms: records under handles, and questions that are answered from them.

use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::{Expected, Payload, Request};
use crate::receipts::Receipted;
use crate::{Client, Error, names};

/// What the service says of a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Room {
    /// 32 hexadecimal digits.
    #[serde(rename = "room")]
    pub id: String,
    /// The operator that answers questions, such as `match-signs/1`.
    pub operator: String,
    /// The name of the parameter set; `None` where the operator is retired.
    #[serde(default)]
    pub parameters: Option<String>,
    /// The digest of the evaluation keys, where the room has some.
    #[serde(default)]
    pub evaluation_keys: Option<String>,
    /// How many values are enrolled.
    pub handles: usize,
    /// Length of all records.
    #[serde(default)]
    pub bytes: usize,
}

#[derive(Deserialize)]
struct NewRoom {
    room: String,
}

#[derive(Deserialize)]
struct Enrolled {
    handles: Vec<String>,
}

impl Client {
    /// Creates a room for an operator and tells its id. `keys` is the digest of evaluation keys that were uploaded. Sent once: a repetition could make a
    /// second room.
    pub fn create_room(&self, operator: &str, keys: Option<&str>) -> Result<String, Error> {
        let mut body = serde_json::Map::from_iter([("operator".to_owned(), operator.into())]);
        if let Some(keys) = keys {
            body.insert("evaluation_keys".to_owned(), keys.into());
        }
        let body = serde_json::Value::Object(body).to_string();
        let request = Request::new(Method::POST, "/v1/rooms".to_owned()).payload(Payload::Json(&body));
        let created: NewRoom = self.json(&request)?;
        if created.room.parse::<Handle>().is_err() {
            return Err(self.unexpected("the new room's id is not 32 hexadecimal digits"));
        }
        Ok(created.room)
    }

    /// Looks at a room.
    pub fn room(&self, room: &str) -> Result<Room, Error> {
        self.json(&Request::new(Method::GET, format!("/v1/rooms/{}", names::id(room)?)))
    }

    /// Deletes a room with everything in it.
    pub fn delete_room(&self, room: &str) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, format!("/v1/rooms/{}", names::id(room)?));
        self.perform(&request.expecting(Expected::Nothing)).map(drop)
    }

    /// Enrols the `count` values of a record and tells their handles in order. The same `idempotency`, 1 to 64 characters of `A-Z a-z 0-9 . _ -`, with the
    /// same record gives the same handles, so that a lost reply is asked for again.
    pub fn enroll(&self, room: &str, record: &[u8], count: usize, idempotency: &str) -> Result<Vec<Handle>, Error> {
        let path = format!("/v1/rooms/{}/handles?count={count}", names::id(room)?);
        let request = Request::new(Method::POST, path).payload(Payload::Bytes(record));
        let enrolled: Enrolled = self.json(&request.named(names::idempotency(idempotency)?))?;
        let handles = self.parse_handles(&enrolled.handles)?;
        if handles.len() == count {
            Ok(handles)
        } else {
            Err(self.unexpected(&format!("{} handles for {count} values", handles.len())))
        }
    }

    /// All handles of a room, in ascending order.
    pub fn handles(&self, room: &str) -> Result<Vec<Handle>, Error> {
        let path = format!("/v1/rooms/{}/handles?limit=1000", names::id(room)?);
        let handles: Vec<String> = self.list(&path, |id| names::id(id).is_ok())?;
        self.parse_handles(&handles)
    }

    /// Removes the value of a handle.
    pub fn remove(&self, room: &str, handle: Handle) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, format!("/v1/rooms/{}/handles/{handle}", names::id(room)?));
        self.perform(&request.expecting(Expected::Nothing)).map(drop)
    }

    /// Sends a question, a request of the room's operator in the wire format; at most `longest` bytes of answer are read. Nothing changes by it.
    pub fn matching(&self, room: &str, question: &[u8], longest: u64) -> Result<Vec<u8>, Error> {
        let request = Request::new(Method::POST, format!("/v1/rooms/{}/match", names::id(room)?));
        self.perform(&request.payload(Payload::Bytes(question)).computing(longest))
    }

    /// As [`Client::matching`], with the receipt that the service signs. Neither receipt nor answer is checked here.
    pub fn matching_with_receipt(&self, room: &str, question: &[u8], longest: u64) -> Result<Receipted, Error> {
        let request = Request::new(Method::POST, format!("/v1/rooms/{}/match", names::id(room)?));
        let request = request.payload(Payload::Bytes(question)).repeatable().expecting(Expected::Receipted(longest));
        Receipted::split(&self.perform(&request)?)
            .ok_or_else(|| self.unexpected("there is no receipt before its answer"))
    }

    fn parse_handles(&self, handles: &[String]) -> Result<Vec<Handle>, Error> {
        let parsed: Result<Vec<Handle>, _> = handles.iter().map(|handle| handle.parse::<Handle>()).collect();
        parsed.map_err(|error| self.unexpected(&error.to_string()))
    }
}
