//! The kinds of rooms: which operator a room runs, and which parameters its key file is made for.

use std::path::Path;
use std::sync::Arc;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{DECIDE_32768, Parameters, SEARCH_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::file;
use blindrelay_routing::MatchKind;
use blindrelay_routing::find::FIND_SIGNS;
use blindrelay_routing::search::SEARCH;

use crate::failure::Failure;
use crate::finder::Finder;
use crate::member::Member;

/// What a room does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoomKind {
    /// Members open the scores of all who are enrolled.
    Match(MatchKind),
    /// Members open the ticket of whom they look for.
    Find,
    /// Members learn who has a keyword.
    Search,
}

impl RoomKind {
    /// All of them.
    const ALL: [Self; 4] =
        [Self::Match(MatchKind::Signs), Self::Match(MatchKind::Embeddings), Self::Find, Self::Search];

    /// The operator's id.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Match(kind) => kind.id(),
            Self::Find => FIND_SIGNS,
            Self::Search => SEARCH,
        }
    }

    /// Name of the parameter set.
    pub(crate) const fn parameter_set(self) -> &'static str {
        match self {
            Self::Match(kind) => kind.parameters(),
            Self::Find => DECIDE_32768,
            Self::Search => SEARCH_8192,
        }
    }

    /// The kind of an operator's id, as given on the command line.
    pub(crate) fn of_id(operator: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|kind| kind.id() == operator).ok_or_else(|| Failure::Usage {
            what: format!("no operator for rooms is called '{operator}'"),
            advice: "choose match-signs/1 or find-signs/1 for identities, match-embeddings/1 for vectors, or search/1 for keywords",
        })
    }

    /// The kind of room that a key file was made for.
    pub(crate) fn of_key_file(path: &Path) -> Result<Self, Failure> {
        let found = file::parameters_of(path)?;
        for kind in Self::ALL {
            if preset(kind.parameter_set())?.digest() == found {
                return Ok(kind);
            }
        }
        Err(Failure::Content {
            path: path.to_owned(),
            fault: format!("the key belongs to parameters {found}, which no operator for rooms uses"),
            advice: "give a key file of a room, made by this version of blindrelay",
        })
    }

    /// The tables of its parameter set.
    pub(crate) fn context(self, backend: Backend) -> Result<Arc<Context>, Failure> {
        Ok(Context::new(&Parameters::new(preset(self.parameter_set())?, backend)?)?)
    }

    /// The evaluation keys of the room of this seed, as they are sent, where the operator uses any. They open nothing.
    pub(crate) fn evaluation_keys(self, context: &Arc<Context>, seed: &Seed) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Match(kind) => Member::of_room(kind, context, seed).evaluation_keys().map(Some),
            Self::Find => Finder::of_room(context, seed).evaluation_keys().map(Some),
            Self::Search => Ok(None),
        }
    }

    /// The refusal of this kind of room where another is needed: the key file belongs to `self`.
    pub(crate) fn unfit(self) -> Failure {
        let advice = match self {
            Self::Match(_) => "ask such a room with `blindrelay match`",
            Self::Find => "ask such a room with `blindrelay find NAME`",
            Self::Search => "enrol in such a room with --keywords, and ask it with `blindrelay search KEYWORD`",
        };
        Failure::Usage { what: format!("the key file was made for a room of {}", self.id()), advice }
    }
}
