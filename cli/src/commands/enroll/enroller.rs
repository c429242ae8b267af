//! Who enrols: a member of a room whose scores are opened, or of a room for `find`.

use std::path::Path;

use blindrelay_client::Room;
use blindrelay_engine::Backend;
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::file;
use blindrelay_routing::Token;

use crate::failure::Failure;
use crate::finder::Finder;
use crate::member::Member;
use crate::room_kind::RoomKind;
use crate::tickets::Ticket;

/// Somebody to be enrolled: how they are called in results, their token, and in a room for `find` their ticket.
pub(super) struct Subject {
    pub(super) label: String,
    pub(super) token: Token,
    pub(super) ticket: Option<Ticket>,
}

/// A member by the kind of room.
pub(super) enum Enroller {
    /// Of a room whose scores are opened.
    Match(Member),
    /// Of a room for `find`.
    Find(Finder),
}

impl Enroller {
    /// A member by a key file.
    pub(super) fn from_file(path: &Path, backend: Backend) -> Result<Self, Failure> {
        let kind = RoomKind::of_key_file(path)?;
        let context = kind.context(backend)?;
        let seed: Seed = file::read(path, context.parameters())?;
        Ok(match kind {
            RoomKind::Match(kind) => Self::Match(Member::of_room(kind, &context, &seed)),
            RoomKind::Find => Self::Find(Finder::of_room(&context, &seed)),
            RoomKind::Search => return Err(kind.unfit()),
        })
    }

    /// Refuses a room that is not this member's.
    pub(super) fn recognise(&self, room: &Room) -> Result<(), Failure> {
        match self {
            Self::Match(member) => member.recognise(room),
            Self::Find(finder) => finder.recognise(room),
        }
    }

    /// How many share a record: a ticket is alone in its own.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Match(member) => member.capacity(),
            Self::Find(_) => 1,
        }
    }

    /// An encrypted record of so many subjects, as it is sent.
    pub(super) fn record(&self, chunk: &[Subject]) -> Result<Vec<u8>, Failure> {
        match (self, chunk) {
            (Self::Find(finder), [Subject { token, ticket: Some(ticket), .. }]) => {
                finder.record(token, ticket.as_bytes())
            }
            (Self::Find(_), _) => Err(Failure::Usage {
                what: "a record of a room for `find` is one identity with its ticket".to_owned(),
                advice: "enrol identities one by one",
            }),
            (Self::Match(member), _) => {
                let tokens: Vec<Token> = chunk.iter().map(|subject| subject.token.clone()).collect();
                member.record(&tokens)
            }
        }
    }
}
